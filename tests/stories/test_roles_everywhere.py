"""Role by role, question by question, chat by chat: who sees money, who acts, who runs the kitchen."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeSpeedSms
from tests.stories.ways import CHATS, LIST, MONEY, REVIEWS, TODAY, TOMORROW, Chatting
from tests.stories.world import VIETNAM, World, open_world

SEES_MONEY: Final = {"owner": True, "manager": True, "kitchen": False, "cashier": True}
ACTS: Final = {"owner": True, "manager": True, "kitchen": True, "cashier": False}
RUNS: Final = {"owner": True, "manager": True, "kitchen": False, "cashier": False}
AMOUNTS: Final = ("900.000", "1.800.000")
EVERYTHING: Final = (LIST, TODAY, TOMORROW, MONEY, REVIEWS)

every_role = pytest.mark.parametrize("role", list(ACTS))
in_every_chat = pytest.mark.parametrize("kind", CHATS, ids=[way.channel for way in CHATS])


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with every channel switched on."""
    async with open_world(database_url, redis_url, telegram=True, gateway=FakeSpeedSms) as opened:
        yield opened


@pytest.fixture
async def chat(world: World, platform: FakePlatform, kind: type[Chatting], role: str) -> Chatting:
    """Return Tí, who has this role and is reached by this one chat."""
    one = kind(world)
    await one.joins("Tí", role)
    return one


@every_role
@in_every_chat
async def test_money_is_seen_by_role_in_every_answer(world: World, chat: Chatting, role: str) -> None:
    """In lists, days, details, the month, reviews and what comes by itself; the answer says why not."""
    order = await world.order()
    came = await chat.reads()
    answers = [await chat.asks(question) for question in EVERYTHING]
    shown = [came, *answers, await chat.details(order), await chat.says(f"{order.code}")]
    with_money = [text for text in shown if any(amount in text for amount in AMOUNTS)]
    if not SEES_MONEY[role]:
        assert with_money == []
        assert "khong xem duoc tien" in answers[EVERYTHING.index(MONEY)]
    else:
        assert "tien thang 05/2033" in answers[EVERYTHING.index(MONEY)]
        assert any("900.000" in text for text in with_money)
    assert order.code in answers[EVERYTHING.index(LIST)]
    assert order.code in answers[EVERYTHING.index(TODAY)]


@every_role
@in_every_chat
async def test_commands_are_obeyed_by_role(world: World, chat: Chatting, role: str) -> None:
    """The cashier is refused in words, by every word; nothing has happened then."""
    first, second = await world.order(), await world.order()
    await chat.reads()
    said = [await chat.says(f"XN {first.code}"), await chat.says(f"HUY {second.code} 1")]
    states = [(await order.shown())["status"] for order in (first, second)]
    if ACTS[role]:
        assert states == ["confirmed", "cancelled"]
        return
    assert states == ["pending", "pending"]
    assert all("vai cua ban" in text or "khong bam cho don" in text for text in said), said


@every_role
@in_every_chat
async def test_the_kitchen_is_paused_by_who_runs_it(world: World, chat: Chatting, role: str) -> None:
    """And opened again by them."""
    said = await chat.says("NGHI HOM NAY")
    paused = await world.database.pool.fetchval("SELECT paused_until FROM partners")
    if RUNS[role]:
        assert "khong nhan don moi den het thu sau 20/05" in said
        assert paused == datetime(2033, 5, 21, tzinfo=VIETNAM)
        assert "nhan don binh thuong" in await chat.says("mở lại nha")
    else:
        assert "khong cho quan nghi" in said
        assert paused is None


@every_role
@in_every_chat
async def test_the_morning_sheet_has_no_money_for_anybody(world: World, chat: Chatting, role: str) -> None:
    """Not even for the owner: it hangs in the kitchen."""
    await world.database.pool.execute("UPDATE staff SET notify = true")
    await world.database.pool.execute("UPDATE partners SET sheet_at = '06:00', next_sheet_at = NULL")
    order = await world.order(deliver_in=timedelta(hours=26))
    await world.service.sweeper.sweep()
    await world.passes_until(datetime(2033, 5, 21, 5, 50, tzinfo=VIETNAM))
    await chat.reads()
    await world.passes_until(datetime(2033, 5, 21, 6, 0, tzinfo=VIETNAM))
    sheet = await chat.reads()
    assert "hom nay thu bay 21/05" in sheet
    assert order.code in sheet
    assert not any(amount in sheet for amount in AMOUNTS)
    assert ACTS[role] == (f"xn {order.code}" in sheet or "bam nut" in sheet)


@every_role
@in_every_chat
async def test_who_has_left_is_a_stranger(world: World, chat: Chatting, role: str) -> None:
    """No word of theirs is answered, nothing they say happens."""
    order = await world.order()
    await chat.reads()
    await world.database.pool.execute("UPDATE staff SET removed_at = now() WHERE name = 'Tí'")
    for words in ("DS", "HN", "TIEN", "DG", "WEB", "NGHI HOM NAY", f"CT {order.code}", f"XN {order.code}"):
        assert await chat.says(words) == ""
    assert (await order.shown())["version"] == 1
    assert await world.database.pool.fetchval("SELECT count(*) FROM partner_events") == 0


@pytest.mark.parametrize("role", list(ACTS))
async def test_the_menu_offers_what_its_reader_may(world: World, platform: FakePlatform, role: str) -> None:
    """Buttons for money and for resting only where they would be obeyed."""
    lan = await world.kitchen()
    somebody = lan if role == "owner" else await world.hires("Tí", role)
    await somebody.phone.says("TG")
    somebody.catches_up()
    await somebody.phone.taps("Xem thêm…")
    card = await somebody.phone.sees("Bạn muốn xem gì nữa?")
    labels = somebody.phone.buttons(card)
    assert ("Tiền tháng này" in labels) == SEES_MONEY[role]
    assert ("Nghỉ nhận đơn" in labels) == RUNS[role]
    assert {"Khách đánh giá", "Vào trang của quán", "Ngôn ngữ"} <= set(labels)


async def test_every_button_of_the_menu_answers(world: World, platform: FakePlatform) -> None:
    """What can be asked in words can be asked by thumb."""
    lan = await world.kitchen()
    order = await world.order()
    lan.catches_up()
    expected = {
        "Đơn chờ xác nhận": order.code,
        "Giao hôm nay": order.code,
        "Giao ngày mai": "Không có đơn nào phải giao",
        "Tất cả đơn": order.code,
        "Tiền tháng này": "Tiền tháng 05/2033",
        "Khách đánh giá": "Chưa có đánh giá nào",
        "Vào trang của quán": "Đường dẫn dùng một lần",
        "Nghỉ nhận đơn": "Quán nghỉ nhận đơn đến khi nào?",
        "Ngôn ngữ": "Tiếng Việt hay English?",
    }
    await lan.phone.says("TG")
    await lan.phone.taps("Xem thêm…")
    lan.catches_up()
    for label, said in expected.items():
        await lan.phone.taps(label)
        await lan.phone.sees(said)
    await lan.phone.taps("English")
    await lan.phone.sees("From now on I speak English with you")


async def test_lists_by_thumb(world: World, platform: FakePlatform) -> None:
    """A list opens its orders, and other lists; a month leads to the one before."""
    lan = await world.kitchen()
    order = await world.order()
    lan.catches_up()
    await lan.phone.says("DS")
    card = await lan.phone.sees("Đơn của Bếp Lan")
    assert lan.phone.buttons(card) == ["Theo trạng thái", f"Xem {order.code}"]
    await lan.phone.taps(f"Xem {order.code}")
    await lan.phone.sees(f"Đơn {order.code}: Chờ xác nhận")
    await lan.phone.taps("Theo trạng thái", on=card)
    choices = await lan.phone.sees("Bạn muốn xem đơn nào?")
    assert lan.phone.buttons(choices) == [
        "Chờ xác nhận",
        "Đã xác nhận",
        "Huỷ",
        "Quá hạn xác nhận",
        "Hoàn thành",
    ]
    await lan.phone.taps("Đã xác nhận")
    await lan.phone.sees("Đơn đã xác nhận", "Chưa có đơn nào ở đây")
    await lan.phone.says("TIEN")
    await lan.phone.sees("Tiền tháng 05/2033")
    await lan.phone.taps("Tháng 04/2033")
    await lan.phone.sees("Tiền tháng 04/2033")
