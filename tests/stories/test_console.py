"""Operators at their console: nobody is left not knowing, and what they do is on record."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.orders.commands import ConfirmOrder
from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from tests.stories.console import Console, open_console
from tests.stories.world import OPERATORS, Somebody, World, open_world

LAN_NUMBER = "+84909000111"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Zalo, SMS and mail; these stories are about what operators see of it."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as opened:
        yield opened


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who has Zalo, an old phone and a mailbox."""
    return await world.kitchen(phone=LAN_NUMBER)


@pytest.fixture
async def console(world: World, platform: FakePlatform, lan: Somebody) -> AsyncIterator[Console]:
    """Yield the console with the operator signed in."""
    async with open_console(world) as opened:
        yield opened


async def test_the_most_urgent_order_stands_first(world: World, console: Console) -> None:
    """Whatever was placed first; each with its kitchen, its portions and how long is left."""
    later = await world.order(deliver_in=timedelta(days=3))
    soon = await world.order(deliver_in=2 * HOUR)
    middle = await world.order(deliver_in=9 * HOUR)
    board = await console.board()
    lines = board.lines("waiting")
    assert [order.code in line for order, line in zip((soon, middle, later), lines, strict=True)] == [
        True
    ] * 3
    assert "còn 2 giờ" in lines[0].replace("1 giờ 59 phút", "2 giờ")
    for words in ("Bếp Lan", "20 suất", "Đặt qua Cơm Ngon"):
        assert words in lines[0], words
    assert "Tất cả · 3" in board.text
    assert "1 đến 4 giờ · 1" in board.text
    assert "Sau 24 giờ · 1" in board.text


async def test_the_board_tells_how_far_the_ladder_got(world: World, console: Console, lan: Somebody) -> None:
    """Who was told by which way and when, what comes next, and that the operators were told."""
    await world.order(deliver_in=6 * HOUR)
    (line,) = (await console.board()).lines("waiting")
    assert "Lan : " in line
    assert "Zalo đã" in line
    assert "Thư đã gửi 09:12" in line
    assert "09:27 nhắc lại bằng kênh kế tiếp" in line

    await world.passes(16 * MINUTE)
    (line,) = (await console.board()).lines("waiting")
    assert "SMS đã gửi 09:2" in line
    assert "09:42 nhắc người kế tiếp của quán" in line

    await world.passes(4 * HOUR)
    (line,) = (await console.board()).lines("waiting")
    assert "14:12 nhắc lần cuối và báo tổng đài" in line
    assert "Đã báo tổng đài" not in line

    await world.passes(HOUR)
    board = await console.board()
    (line,) = board.lines("waiting")
    assert "Hết lượt nhắc, gọi cho quán ngay" in line
    assert "Đã báo tổng đài 14:28" in line
    assert "Hết lượt nhắc · 1" in board.text


async def test_what_is_confirmed_leaves_the_board_and_the_items(
    world: World, console: Console, lan: Somebody
) -> None:
    """An order at risk is to be looked at until somebody confirms it, whoever does."""
    order = await world.order(deliver_in=3 * HOUR)
    await world.passes(2 * HOUR + MINUTE)
    items = await console.opens("/ops/items")
    assert "Đơn sắp đến giờ mà chưa ai xác nhận" in items.text
    assert f"Đơn {order.code} · Bếp Lan" in items.text

    await lan.phone.taps("Xác nhận đơn hàng")
    assert "Không có việc gì đang chờ" in (await console.opens("/ops/items")).text
    assert "Không có đơn nào đang chờ xác nhận" in (await console.board()).text


async def test_an_operator_confirms_for_a_kitchen_that_called(
    world: World, console: Console, lan: Somebody, platform: FakePlatform
) -> None:
    """The kitchen and the platform hear of it as of any confirmation, and it is on record."""
    order = await world.order()
    world.everybody_catches_up()
    page = f"/ops/orders/{order.id}"
    after = await console.sends(page, f"{page}/confirm", reason="Lan gọi điện")
    assert "Đã xác nhận" in after.text
    assert "Lan gọi điện" in after.text
    order.heard("order.confirmed", times=1)
    await lan.phone.sees(order.code)
    told = await console.opens(page)
    assert "order.confirmed · Cơm Ngon đã nhận" in told.text
    record = await console.opens("/ops/audit")
    assert f"Xác nhận đơn thay quán · com-nha-lan/{order.code} Lan gọi điện" in record.text
    assert OPERATORS in record.text


async def test_an_operator_has_the_kitchen_asked_once_more(
    world: World, console: Console, lan: Somebody
) -> None:
    """At once and on record; a second time only five minutes later, and never for what is settled."""
    order = await world.order()
    world.everybody_catches_up()
    page = f"/ops/orders/{order.id}"
    asked = await console.sends(page, f"{page}/nudge")
    assert "Đang nhắc mọi người xác nhận được của quán" in asked.text
    await lan.texts.sees(order.code)
    too_soon = await console.sends(page, f"{page}/nudge")
    assert "Chưa nhắc" in too_soon.text
    assert "Nhắc lại quán · com-nha-lan" in (await console.opens("/ops/audit")).text
    await world.operator(ConfirmOrder(order.order_id))
    assert "Nhắc lại quán" not in (await console.opens(page)).text


async def test_a_platform_that_is_down_stands_on_the_board(
    world: World, console: Console, platform: FakePlatform
) -> None:
    """With how much it does not have, and the order says the same of itself."""
    platform.status_next(500, times=None)
    order = await world.order()
    board = await console.board()
    assert "1 webhook kẹt của Cơm Ngon" in board.text
    page = await console.opens(f"/ops/orders/{order.id}")
    assert "chưa nhận, thử lại" in page.text
    assert "HTTP 500" in page.text


async def test_what_is_dealt_with_leaves_the_items(world: World, console: Console) -> None:
    """With words that are put on record; who comes second is told that it is done."""
    order = await world.order(deliver_in=3 * HOUR)
    await world.passes(2 * HOUR + MINUTE)
    before = (await console.opens("/ops/items")).hidden("/ops/items")
    done = await console.sends("/ops/items", "/ops/items", words="Quán đang nấu, sẽ bấm sau")
    assert "Đã ghi nhận" in done.text
    assert "Không có việc gì đang chờ" in done.text
    async with console.session.post(f"{world.url}/ops/items", data={**before, "words": "cũng gọi"}) as again:
        assert "Việc này đã có người xử lý" in await again.text()
    record = (await console.opens("/ops/audit")).text
    assert f"Đã xử lý việc · order_at_risk com-nha-lan/{order.code} Quán đang nấu, sẽ bấm sau" in record
    assert "cũng gọi" not in record


async def test_a_customers_phone_finds_their_orders_and_is_on_record(world: World, console: Console) -> None:
    """That somebody looked, never whom they looked for."""
    order = await world.order()
    asked = await console.opens("/ops/search?q=0909%20123%20456")
    assert order.code not in asked.text
    found = await console.sends("/ops/search?q=0909%20123%20456", "/ops/search")
    assert f"Đơn {order.code} · Bếp Lan" in found.text
    (deed,) = await world.database.pool.fetch("SELECT * FROM audit WHERE deed = 'customer.searched'")
    assert "909123456" not in str(dict(deed))


@pytest.mark.parametrize("typed", ["code", "id", "external", "kitchen", "staff", "accents", "mail", "phone"])
async def test_everything_is_found_by_what_an_operator_has(
    world: World, console: Console, lan: Somebody, typed: str
) -> None:
    """A code, an id, a name in part and without its accents, an address in any spelling."""
    order = await world.order()
    words = {
        "code": order.code,
        "id": order.id,
        "external": order.body["external_id"],
        "kitchen": "com-nha-lan",
        "staff": "lan",
        "accents": "bep la",
        "mail": "LAN@example.com",
        "phone": "0909 000 111",
    }[typed]
    if typed == "phone":
        found = await console.sends(f"/ops/search?q={words}", "/ops/search")
    else:
        found = await console.opens(f"/ops/search?q={words}")
    assert "Bếp Lan" in found.text
    assert "Không tìm thấy" not in found.text


async def test_the_board_is_narrowed_to_a_kitchen_and_a_platform(
    world: World, console: Console, lan: Somebody
) -> None:
    """The numbers are narrowed with it; a code nobody has says so."""
    await world.kitchen("bep-huong", owner="Hương", email=None, zalo=False)
    other = await world.platform("Tiệc Vui")
    mine = await world.order()
    await world.order(partner="bep-huong", platform=other)
    for query in ("kitchen=com-nha-lan", f"platform={await _platform_id(world, 'Cơm Ngon')}"):
        board = await console.board(f"?{query}")
        (line,) = board.lines("waiting")
        assert mine.code in line
        assert "Tất cả · 1" in board.text
    unknown = await console.board("?kitchen=nobody&platform=x&part=y&after=z")
    assert "Không có quán nào mang mã nobody" in unknown.text
    assert len(unknown.lines("waiting")) == 2


async def _platform_id(world: World, name: str) -> str:
    return str(await world.database.pool.fetchval("SELECT id FROM platforms WHERE name = $1", name))


async def test_nothing_on_the_console_tells_who_ordered(world: World, console: Console) -> None:
    """Neither a list nor an order's page nor the record, whatever the order's status."""
    order = await world.order(deliver_in=3 * HOUR)
    await world.passes(2 * HOUR + MINUTE)
    page = f"/ops/orders/{order.id}"
    for _ in range(2):
        for path in ("/ops", "/ops/items", "/ops/audit", page, f"/ops/search?q={order.code}"):
            shown = await console.opens(path)
            assert shown.status == 200
            for private in ("909123456", "Công ty ABC", "an@example.com", "12 Lê Lợi"):
                assert private not in shown.html, (path, private)
        await world.operator(ConfirmOrder(order.order_id))
