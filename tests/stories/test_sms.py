"""A kitchen with a cheap phone: told by SMS, answers by SMS, whichever gateway carries it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import (
    BEFORE_ANSWER,
    DELIVERED,
    DUPLICATE,
    REVERSED,
    FakeEsms,
    FakeSpeedSms,
    FakeTwilio,
    Receipts,
)
from tests.stories.world import Placed, Somebody, World, open_world

GATEWAYS: Final[Mapping[str, type[FakeEsms | FakeSpeedSms | FakeTwilio]]] = {
    "esms": FakeEsms,
    "speedsms": FakeSpeedSms,
    "twilio": FakeTwilio,
}
NUMBER: Final = "+84909000111"
CUSTOMER: Final = "+84909123456"
ONE_MINUTE: Final = timedelta(minutes=1)


@pytest.fixture(params=list(GATEWAYS))
async def world(request: pytest.FixtureRequest, database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with one of the gateways; whoever got an unexpected message fails the story."""
    gateway = GATEWAYS[request.param]
    prices = {"esms": 820, "speedsms": 700, "twilio": 1_900}
    async with open_world(database_url, redis_url, gateway=gateway, prices=prices) as opened:
        yield opened
        opened.nobody_got_more()


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who has no Zalo and no mail: a number is all we know of her."""
    return await world.kitchen(phone=NUMBER, email=None, zalo=False)


@pytest.fixture
async def rice(world: World, platform: FakePlatform, lan: Somebody) -> Placed:
    """Return an order of which Lan has been told."""
    order = await world.order()
    sms = await lan.texts.sees(order.code)
    assert (sms.parts, sms.is_unicode) == (1, False), sms.text
    return order


async def test_a_kitchen_confirms_by_sms(world: World, lan: Somebody, rice: Placed) -> None:
    """One SMS told of it and where to answer; one word with the code settles it, for everybody."""
    await lan.texts.writes(f"xn {rice.code}")

    sms = await lan.texts.sees(rice.code)
    assert sms.parts == 1
    told = rice.heard("order.confirmed")
    assert told["data"]["status_changed_by"] == {"channel": "sms", "name": "Lan"}


async def test_the_code_may_be_left_out_where_one_order_waits(lan: Somebody, rice: Placed) -> None:
    """A bare word is enough."""
    await lan.texts.writes("ok em")
    await lan.texts.sees(rice.code)
    rice.heard("order.confirmed")


async def test_cancelling_asks_for_a_reason_and_echoes_the_code(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """A slip of the thumb cancels nothing; the customer hears by SMS too, in one."""
    await lan.texts.writes(f"HUY {rice.code}")
    await lan.texts.sees(f"HUY {rice.code} 1")
    rice.heard("order.cancelled", times=0)

    await lan.texts.writes(f"huỷ {rice.code} hết gà")

    await lan.texts.sees(rice.code)
    rice.heard("order.cancelled")
    customer = await world.text_phone(CUSTOMER).sees("Com Ngon")
    assert customer.parts == 1
    world.inbox("an@example.com").gets()


async def test_a_confirmed_order_is_completed_by_sms(world: World, lan: Somebody, rice: Placed) -> None:
    """Ten minutes after delivery time the kitchen is asked, in one SMS."""
    await lan.texts.writes(f"XN {rice.code}")
    await lan.texts.sees(rice.code)
    await world.passes(timedelta(hours=6, minutes=11))
    asked = await lan.texts.sees(f"HT {rice.code}")
    assert asked.parts == 1

    await lan.texts.writes("xong rồi nha")

    await lan.texts.sees(rice.code)
    rice.heard("order.completed")


async def test_a_second_word_says_who_was_first(world: World, lan: Somebody, rice: Placed) -> None:
    """Whoever acts first wins; the answer says who and when, and nothing happens twice."""
    await lan.texts.writes(f"XN {rice.code}")
    await lan.texts.sees(rice.code)
    await world.passes(ONE_MINUTE * 3)
    await lan.texts.writes(f"{rice.code} xn")
    await lan.texts.sees("Lan", "09:12")
    rice.heard("order.confirmed")


async def test_a_stranger_gets_no_answer(world: World, lan: Somebody, rice: Placed) -> None:
    """Whoever is not of a kitchen learns nothing, not even that the code was right."""
    stranger = world.text_phone("+84977777777")
    await stranger.writes(f"XN {rice.code}")
    await stranger.writes("TG")
    assert stranger.phone.received == []
    rice.heard("order.confirmed", times=0)


async def test_five_wrong_codes_lock_the_number(world: World, lan: Somebody, rice: Placed) -> None:
    """One answer says so, then silence; the operators hear. After an hour the number is heard again."""
    for number in range(5):
        await lan.texts.writes(f"XN 1234{number}")
    assert len(lan.texts.phone.reads_all()) == 5
    await lan.texts.writes(f"XN {rice.code}")
    assert lan.texts.phone.unread == []
    rice.heard("order.confirmed", times=0)
    world.operators.gets("trục trặc")

    await world.passes(timedelta(minutes=61))
    world.everybody_catches_up()
    await lan.texts.writes(f"XN {rice.code}")
    await lan.texts.sees(rice.code)
    rice.heard("order.confirmed")


async def test_questions_are_answered_in_two_segments_at_most(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Lists are cut, not sent as a novel."""
    for _ in range(12):
        await world.order()
    lan.texts.phone.reads_all()
    for question in ("DS", "DS CHO", "HN", "MAI", f"CT {rice.code}", "TIEN", "DG", "TG", "gi the"):
        await lan.texts.writes(question)
        (sms,) = lan.texts.phone.reads_all()
        assert sms.parts <= 2, (question, sms.text)
        assert not sms.is_unicode, (question, sms.text)


async def test_passive_answers_stop_after_five(lan: Somebody, rice: Placed) -> None:
    """Two robots do not talk for ever; a command that is understood begins anew."""
    for number in range(8):
        await lan.texts.writes(f"May dang ban, goi lai sau {number} phut")
    assert len(lan.texts.phone.reads_all()) == 5
    await lan.texts.writes(f"XN {rice.code}")
    await lan.texts.sees(rice.code)


# --- the gateway in trouble ---------------------------------------------------------------------------


async def test_the_gateway_refuses_connections_for_a_while(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """It surely was not sent: one SMS as soon as the gateway is back, within the minute."""
    assert world.sms
    await world.sms.refuse()
    order = await world.order()
    assert lan.texts.phone.received == []
    await world.sms.recover()
    await world.passes(ONE_MINUTE)
    await lan.texts.sees(order.code)


@pytest.mark.parametrize("trouble", ["500", "too many"])
async def test_the_gateway_says_later(
    world: World, platform: FakePlatform, lan: Somebody, trouble: str
) -> None:
    """500, or 429 with a time to wait: tried again then, sent once."""
    assert world.sms
    if trouble == "500":
        world.sms.status_next(500, path=world.sms.sends)
    else:
        world.sms.too_many(20, path=world.sms.sends)
    order = await world.order()
    assert lan.texts.phone.received == []
    await world.passes(ONE_MINUTE)
    await lan.texts.sees(order.code)


async def test_the_gateway_takes_it_and_says_nothing(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """At least one copy, at most two; one where the gateway knows a repeat by its request id."""
    assert world.sms
    world.sms.accept_then_hang(30, path=world.sms.sends)
    order = await world.order()
    for _ in range(3):
        await world.passes(ONE_MINUTE * 2)
    copies = [sms for sms in lan.texts.phone.reads_all() if order.code in sms.text]
    assert len(copies) == (1 if world.sms.name == "esms" else 2)


@pytest.mark.parametrize(
    "receipts",
    [DELIVERED, DUPLICATE, REVERSED, BEFORE_ANSWER],
    ids=["in order", "twice", "reversed", "before the answer"],
)
async def test_reports_come_as_they_like(
    world: World, platform: FakePlatform, lan: Somebody, receipts: Receipts
) -> None:
    """Delivered is delivered; nothing is sent again."""
    assert world.sms
    world.sms.receipts = receipts
    order = await world.order()
    await lan.texts.sees(order.code)
    async with asyncio.timeout(5):
        while await _receipts(world) != ["delivered"]:  # noqa: ASYNC110 - nobody tells when a report is in
            await asyncio.sleep(0.05)
    await world.passes(ONE_MINUTE * 5)
    assert await _receipts(world) == ["delivered"]


async def _receipts(world: World) -> list[str | None]:
    rows = await world.database.pool.fetch("SELECT receipt FROM messages WHERE channel = 'sms'")
    return [row["receipt"] for row in rows]


async def test_what_it_cost_is_on_record(world: World, rice: Placed) -> None:
    """Segments times the price of the gateway, or what the gateway itself said."""
    row = await world.database.pool.fetchrow("SELECT what, parts, cost FROM attempts WHERE what IS NOT NULL")
    assert row
    assert world.sms
    assert (row["what"], row["parts"]) == (world.sms.name, 1)
    assert row["cost"] is not None


# --- eSMS' short code --------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["esms"], indirect=True)
async def test_the_answer_travels_in_the_reply_of_the_webhook(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """It costs no message of its own; sent again by eSMS, the same answer comes and nothing happens twice."""
    assert isinstance(world.sms, FakeEsms)
    accepted = len(world.sms.accepted)
    delivery = await lan.texts.writes(f"XN {rice.code}")
    assert rice.code in delivery.body
    await lan.texts.sees(rice.code)

    again = await world.sms.redeliver(delivery)
    assert again.body == delivery.body
    await world.passes(ONE_MINUTE)
    lan.texts.phone.reads_all()
    assert len(world.sms.accepted) == accepted
    rice.heard("order.confirmed")
