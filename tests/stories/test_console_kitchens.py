"""What operators see of a kitchen and a platform when something happened, and what they do about it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.orders.commands import CompleteOrder
from sandbox.platform import FakePlatform
from tests.stories.console import Console, open_console
from tests.stories.world import OPERATORS, Somebody, World, open_world

KITCHEN = "/ops/partners/com-nha-lan"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service; these stories are about what operators see of it."""
    async with open_world(database_url, redis_url) as opened:
        yield opened


@pytest.fixture
async def console(world: World, platform: FakePlatform, lan: Somebody) -> AsyncIterator[Console]:
    """Yield the console with the operator signed in."""
    async with open_console(world) as opened:
        yield opened


async def platform_page(world: World) -> str:
    """Return the path of the page of the only platform."""
    platform_id = await world.database.pool.fetchval("SELECT id FROM platforms")
    return f"/ops/platforms/{platform_id}"


async def test_an_address_that_died_is_seen_at_once(world: World, console: Console, lan: Somebody) -> None:
    """Lan unfollows the account: the list and her kitchen's page say that Zalo does not reach her."""
    await world.order()
    before = await console.opens(KITCHEN)
    assert "gửi lần cuối 09:1" in before.text
    assert "không nhận được tin" not in (await console.opens("/ops/partners")).text
    await lan.phone.person.unfollow()
    await world.settles()
    assert "1 địa chỉ không nhận được tin" in (await console.opens("/ops/partners?q=nha lan")).text
    assert "đã ngắt lúc 09:1" in (await console.opens(KITCHEN)).text


async def test_a_week_of_orders_is_a_score(world: World, console: Console, lan: Somebody) -> None:
    """Lan confirms after five minutes, but not on the third day; the operators complete one for her."""
    for day in range(4):
        order = await world.order(deliver_in=6 * HOUR)
        if day != 2:
            await world.passes(5 * MINUTE)
            await lan.phone.taps("Xác nhận đơn hàng")
        await world.passes_until(order.deliver_at + HOUR)
        if day == 0:
            await world.operator(CompleteOrder(order.order_id))
        elif day == 1:
            await lan.phone.taps("Hoàn thành")
        await world.passes(17 * HOUR)
    await console.signs_in()
    page = await console.opens(KITCHEN)
    assert "Tự xác nhận 75 % 3/4 đơn" in page.text
    assert "Thường xác nhận sau 5 phút" in page.text
    assert "Đã hoàn thành 67 % 2/3 đơn" in page.text
    assert "05/2033 4 75 % 5 phút 67 % –" in page.text
    assert "tự xác nhận 75 % · thường sau 5 phút" in (await console.opens("/ops/partners")).text


async def test_a_platform_that_was_down_gets_everything_at_the_press_of_a_button(
    world: World, console: Console, platform: FakePlatform, lan: Somebody
) -> None:
    """It refuses; its page says what it lacks and why; once it is back, nobody waits for the schedule."""
    await platform.refuse()
    order = await world.order()
    await lan.phone.taps("Xác nhận đơn hàng")
    path = await platform_page(world)
    page = await console.opens(path)
    assert "2 tin chưa nhận" in page.text
    assert f"order.confirmed com-nha-lan/{order.code} Đang chờ gửi" in page.text
    order.heard("order.placed", times=0)
    await platform.recover()
    await console.sends(path, f"{path}/replay-all")
    order.heard("order.placed")
    order.heard("order.confirmed")
    assert [attempt.type for attempt in platform.heard("", order.id)] == ["order.placed", "order.confirmed"]
    page = await console.opens(path)
    assert "Đã nhận đủ mọi tin." in page.text
    assert f"order.placed com-nha-lan/{order.code} Đã nhận" in page.text
    told = await world.database.pool.fetchrow("SELECT who, data FROM audit WHERE deed LIKE 'platform.%'")
    assert told is not None
    assert (told["who"], told["data"]["count"]) == (OPERATORS, 2)


async def test_a_new_secret_signs_from_the_next_webhook_on(
    world: World, console: Console, platform: FakePlatform
) -> None:
    """While both sign, a platform that knows the old one only takes what it is told; a test shows it."""
    path = await platform_page(world)
    shown = await console.sends(path, f"{path}/secret", keep="P1D")
    assert "whsec_" in shown.text
    page = await console.sends(path, f"{path}/test")
    assert "thử" in page.text
    assert "Đã nhận" in (await console.opens(path)).text
    await world.passes(DAY + HOUR)
    await console.signs_in()
    await console.sends(path, f"{path}/test")
    assert "HTTP 401" in (await console.opens(path)).text


async def test_a_kitchen_that_calls_is_paused_from_the_console(
    world: World, console: Console, platform: FakePlatform, lan: Somebody
) -> None:
    """The platform is told at once and is refused new orders; Lan reads who did it; both until it is over."""
    until = (world.now + DAY).date()
    await console.sends(KITCHEN, f"{KITCHEN}/pause", until=until.isoformat(), reason="Mất điện, cô Lan gọi")
    await platform.hears("partner.paused")
    assert (await platform.place(world.body())).status == 409
    await lan.phone.sees("truc-ca cho quán nghỉ")
    await console.sends(KITCHEN, f"{KITCHEN}/resume", reason="Có điện lại")
    await platform.hears("partner.resumed")
    assert (await platform.place(world.body())).status == 201
    reasons = await world.database.pool.fetch(
        "SELECT reason FROM audit WHERE deed LIKE 'partner.%' ORDER BY id"
    )
    assert [row["reason"] for row in reasons] == ["Mất điện, cô Lan gọi", "Có điện lại"]


async def test_a_new_kitchen_takes_its_first_order(
    world: World, console: Console, platform: FakePlatform
) -> None:
    """Added at the console with an owner's mailbox, it is told of an order that is placed a moment later."""
    new = {"code": "bep-hoa", "name": "Bếp Hoa", "owner": "Hoa", "email": "hoa@example.com", "phone": ""}
    page = await console.sends("/ops/partners/_new", "/ops/partners/_new", **new)
    assert "Đã thêm quán" in page.text
    order = await world.order(partner="bep-hoa")
    world.inbox("hoa@example.com").gets(order.code)
    page = await console.opens("/ops/partners/bep-hoa")
    assert f"Đơn {order.code} nhắc xác nhận lần nữa" in page.text
    assert "hoa@example.com gửi lần cuối 09:1" in page.text
