"""The same story on every channel: what a kitchen can do and ask does not depend on where it is."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeSpeedSms
from tests.stories.ways import (
    CHATS,
    HELP,
    LIST,
    MONEY,
    REVIEWS,
    TODAY,
    TOMORROW,
    WAYS,
    ByWeb,
    Chatting,
    Way,
)
from tests.stories.world import World, open_world

everywhere = pytest.mark.parametrize("kind", WAYS, ids=[way.channel for way in WAYS])
in_every_chat = pytest.mark.parametrize("kind", CHATS, ids=[way.channel for way in CHATS])


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with every channel switched on."""
    async with open_world(database_url, redis_url, telegram=True, gateway=FakeSpeedSms) as opened:
        yield opened


@pytest.fixture
async def way(world: World, platform: FakePlatform, kind: type[Way]) -> AsyncIterator[Way]:
    """Yield Lan, who owns a kitchen and is reached in this one way."""
    async with aclosing(kind(world)) as one:
        await one.joins("Lan")
        yield one


@pytest.fixture
async def chat(world: World, platform: FakePlatform, kind: type[Chatting]) -> Chatting:
    """Return Lan, who is reached by this one chat."""
    one = kind(world)
    await one.joins("Lan")
    return one


@everywhere
async def test_a_new_order_is_read_and_confirmed(world: World, way: Way) -> None:
    """What is on record is who it was and where; the platform hears it once."""
    order = await world.order()
    read = await way.reads()
    assert order.code in read
    assert "15:12" in read

    said = await way.confirms(order)

    assert order.code in said
    assert "da xac nhan" in said
    assert order.heard("order.confirmed")["data"]["status_changed_by"] == {
        "channel": way.channel,
        "name": "Lan",
    }


@everywhere
async def test_cancelling_gives_a_reason(world: World, way: Way) -> None:
    """The customer and the platform learn that a dish is out."""
    order = await world.order()
    await way.reads()
    said = await way.cancels(order)
    assert "huy" in said
    told = order.heard("order.cancelled")["data"]
    assert told["reason"] == {"code": 1, "text": "Hết món"}
    assert told["status_changed_by"]["channel"] == way.channel
    world.inbox("an@example.com").gets("huỷ")


@everywhere
async def test_a_delivered_order_is_completed(world: World, way: Way) -> None:
    """Ten minutes after delivery it is asked for; one deed settles it."""
    order = await world.order()
    await way.reads()
    await way.confirms(order)
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    assert order.code in await way.reads()
    said = await way.completes(order)
    assert order.code in said
    assert "hoan thanh" in said
    assert order.heard("order.completed")["data"]["status_changed_by"]["channel"] == way.channel


@everywhere
async def test_a_second_deed_changes_nothing(world: World, way: Way) -> None:
    """Somebody else was first; where the button is still to be seen it says who and when."""
    order = await world.order()
    await way.reads()
    await way.confirms(order)
    await world.passes(timedelta(minutes=3))
    said = await way.looks_again(order)
    assert "xac nhan" in said
    assert "lan" in said
    assert "09:12" in said
    order.heard("order.confirmed")


@everywhere
async def test_the_list_holds_every_order(world: World, way: Way) -> None:
    """With code and state of each."""
    waiting, taken = await world.order(), await world.order()
    await way.reads()
    await way.confirms(taken)
    listed = await way.asks(LIST)
    assert waiting.code in listed
    assert taken.code in listed


@everywhere
async def test_today_and_tomorrow(world: World, way: Way) -> None:
    """Each shows its own deliveries and no other's."""
    today, tomorrow = await world.order(), await world.order(deliver_in=timedelta(days=1))
    await way.reads()
    first, second = await way.asks(TODAY), await way.asks(TOMORROW)
    assert today.code in first
    assert tomorrow.code not in first
    assert tomorrow.code in second
    assert today.code not in second


@everywhere
async def test_one_order_in_full(world: World, way: Way) -> None:
    """Hour, dishes and money; who ordered stays masked until it is confirmed."""
    order = await world.order()
    await way.reads()
    shown = await way.details(order)
    for part in (order.code, "15:12", "com ga", "900.000"):
        assert part in shown
    assert "cong ty abc" not in shown
    assert "0909123456" not in shown


@everywhere
async def test_the_owner_is_told_the_money(world: World, way: Way) -> None:
    """What is completed, and what waits for it."""
    order = await world.order()
    await way.reads()
    await way.confirms(order)
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    await way.reads()
    await way.completes(order)
    assert "900.000" in await way.asks(MONEY)


@everywhere
async def test_the_kitchen_is_not(world: World, platform: FakePlatform, kind: type[Way]) -> None:
    """Neither in what it is told nor in what it asks for; and yet it confirms."""
    async with aclosing(kind(world)) as cook:
        await cook.joins("Tí", "kitchen")
        order = await world.order()
        seen = [await cook.reads(), await cook.details(order), await cook.asks(LIST), await cook.asks(MONEY)]
        assert all("900.000" not in text for text in seen)
        assert order.code in seen[1]
        await _confirms_by_any_means(cook, order.code)
        order.heard("order.confirmed")


async def _confirms_by_any_means(cook: Way, code: str) -> None:
    """Confirm where no card has come by itself."""
    if isinstance(cook, Chatting):
        await cook.says(f"XN {code}")
    elif isinstance(cook, ByWeb):
        await cook.acts(code, "confirm")


@everywhere
async def test_reviews_are_read(world: World, way: Way) -> None:
    """The stars and the words."""
    order = await world.order()
    await way.reads()
    await way.confirms(order)
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    await way.reads()
    await way.completes(order)
    await order.platform.review(order.id, 4, "Cơm ngon, giao đúng giờ", "Chị Hoa")
    await world.settles()
    await way.reads()
    told = await way.asks(REVIEWS)
    assert "com ngon" in told
    assert "4" in told


@in_every_chat
async def test_help_says_what_can_be_said(chat: Chatting) -> None:
    """Each of the words that matter."""
    told = await chat.asks(HELP)
    for word in ("xn", "huy", "ht", "ds", "hn"):
        assert word in told


@in_every_chat
async def test_the_language_changes_and_changes_back(world: World, chat: Chatting) -> None:
    """For what is answered and for what comes later."""
    await chat.says("EN")
    order = await world.order()
    assert "order" in await chat.reads()
    assert "confirmed" in await chat.says(f"XN {order.code}")
    await chat.says("VI")
    assert "da xac nhan" in await chat.says(f"CT {order.code}")


@in_every_chat
async def test_a_wrong_code_does_nothing(world: World, chat: Chatting) -> None:
    """One digit off: it is asked back, with the right one."""
    order = await world.order()
    await chat.reads()
    wrong = order.code[:-1] + str((int(order.code[-1]) + 1) % 10)
    assert order.code in await chat.says(f"XN {wrong}")
    order.heard("order.confirmed", times=0)


@in_every_chat
async def test_of_two_waiting_orders_it_asks_which(world: World, chat: Chatting) -> None:
    """Naming both; nothing is guessed. With the code it is done."""
    first, second = await world.order(), await world.order()
    await chat.reads()
    asked = await chat.says("ok")
    assert first.code in asked
    assert second.code in asked
    first.heard("order.confirmed", times=0)
    second.heard("order.confirmed", times=0)
    await chat.says(f"ok {second.code}")
    second.heard("order.confirmed")
    first.heard("order.confirmed", times=0)


@in_every_chat
@pytest.mark.parametrize(
    "words",
    ["xác nhận đơn {} nha em", "ok {}", "{} xn", "xac nhan {} giup chi", "Dạ nhận {} ạ"],
    ids=["polite", "ok", "backwards", "plain", "yes"],
)
async def test_peoples_own_words_are_understood(world: World, chat: Chatting, words: str) -> None:
    """As they would be said to a person."""
    order = await world.order()
    await chat.reads()
    await chat.says(words.format(order.code))
    order.heard("order.confirmed")


@in_every_chat
@pytest.mark.parametrize(
    "words", ["không xn {}", "khoan hãy xn {}", "xn huy {}", "{}"], ids=["no", "wait", "both", "bare"]
)
async def test_what_is_not_certain_is_asked_back(world: World, chat: Chatting, words: str) -> None:
    """Nothing happens, and there is an answer."""
    order = await world.order()
    await chat.reads()
    assert order.code in await chat.says(words.format(order.code))
    assert (await order.shown())["status"] == "pending"


async def test_on_the_page_somebody_elses_code_is_no_page(world: World, platform: FakePlatform) -> None:
    """Who is signed in for one kitchen sees no order of another's."""
    await world.kitchen("bep-hai", owner="Hải", email=None)
    async with aclosing(ByWeb(world)) as web:
        await web.joins("Lan")
        order = await world.order(partner="bep-hai")
        assert "com ga" not in await web.details(order)
