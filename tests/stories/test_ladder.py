"""From one channel and person to the next: at once where one fails, in time where nobody answers."""

from collections.abc import AsyncIterator
from datetime import time, timedelta
from typing import Final

import pytest

from core.partners import partners
from core.partners.partners import PartnerChange
from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms, FakeSpeedSms
from tests.stories.world import START, Placed, Somebody, World, open_world

LAN_NUMBER: Final = "+84909000111"
BINH_NUMBER: Final = "+84909000222"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NO_REPLY: Final = -227  # banned or inactive: this person, on Zalo, now


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Zalo, SMS and mail; whoever got an unexpected message fails the story."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as opened:
        yield opened
        opened.inbox("an@example.com").opens_all()
        opened.nobody_got_more()


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who has Zalo and an old phone beside it, and reads no mail."""
    return await world.kitchen(phone=LAN_NUMBER, email=None)


@pytest.fixture
async def binh(world: World, lan: Somebody) -> Somebody:
    """Return Bình, who cooks at Lan's and has a phone that does SMS."""
    return await world.hires("Bình", "kitchen", phone=BINH_NUMBER, zalo=False)


@pytest.fixture
async def rice(world: World, platform: FakePlatform, lan: Somebody) -> Placed:
    """Return an order due in six hours, of which Lan was told by Zalo."""
    order = await world.order()
    await lan.phone.sees(order.code)
    return order


# --- where one channel fails -------------------------------------------------------------------------


async def test_who_cannot_be_reached_on_zalo_gets_an_sms_at_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """One copy, on the phone that works, without any time passing."""
    lan.phone.person.refusal = NO_REPLY
    order = await world.order()
    await lan.texts.sees(order.code, f"XN {order.code}")


async def test_what_works_is_preferred_and_what_failed_tried_again(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The next order goes by SMS without asking Zalo first; a day later Zalo has its turn again."""
    lan.phone.person.refusal = NO_REPLY
    first = await world.order(deliver_in=timedelta(days=9))
    await lan.texts.sees(first.code)
    lan.phone.person.refusal = None

    second = await world.order(deliver_in=timedelta(days=9))
    await lan.texts.sees(second.code)

    await lan.texts.writes(f"XN {first.code}")
    await lan.texts.writes(f"XN {second.code}")
    lan.texts.phone.reads_all()
    await world.passes(timedelta(hours=25))
    third = await world.order(deliver_in=timedelta(days=9))
    await lan.phone.sees(third.code)


async def test_whoever_writes_on_zalo_is_told_there_again(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Hearing from Lan proves that it works."""
    lan.phone.person.refusal = NO_REPLY
    first = await world.order()
    await lan.texts.sees(first.code)
    lan.phone.person.refusal = None
    await lan.phone.says("HN")
    await lan.phone.sees(first.code)

    second = await world.order()
    await lan.phone.sees(second.code)


async def test_a_silent_zalo_is_followed_by_an_sms_within_the_minute(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """It may have arrived: nobody knows, so the next channel tells too. Two copies, never three."""
    world.zalo.accept_then_hang(30)
    order = await world.order()
    await lan.phone.sees(order.code)
    assert lan.texts.phone.received == []

    await world.passes(MINUTE)
    await lan.texts.sees(order.code)
    await world.passes(5 * MINUTE)


async def test_a_zalo_that_is_down_is_left_alone_and_orders_go_by_sms(
    database_url: str, redis_url: str
) -> None:
    """Five calls failed: the next order is on Lan's old phone at once, not after Zalo's minute."""
    async with open_world(database_url, redis_url, gateway=FakeEsms, gateway_rest=HOUR) as world:
        await world.platform()
        lan = await world.kitchen(phone=LAN_NUMBER, email=None)
        await world.zalo.refuse()
        for _ in range(5):
            await world.order()
        await world.passes(MINUTE)
        lan.texts.phone.reads_all()
        world.operators.gets("trục trặc")
        assert world.sms

        order = await world.order()

        await lan.texts.sees(order.code)
        await world.zalo.recover()


# --- where nobody answers ----------------------------------------------------------------------------


async def test_quarter_past_the_next_channel_half_past_the_next_person(
    world: World, rice: Placed, lan: Somebody, binh: Somebody
) -> None:
    """Lan's SMS after fifteen minutes, Bình's after thirty; Bình answers and the ladder ends."""
    await world.passes(15 * MINUTE)
    await lan.texts.sees(rice.code)
    assert binh.texts.phone.received == []
    await world.passes(15 * MINUTE)
    await binh.texts.sees(rice.code)

    await binh.texts.writes(f"XN {rice.code}")

    await binh.texts.sees(rice.code)
    await lan.texts.sees("Binh")  # on the chat that told her last
    await world.passes(4 * HOUR)
    rice.heard("order.confirmed")


async def test_it_stops_at_once_when_anybody_acts(
    world: World, rice: Placed, lan: Somebody, binh: Somebody
) -> None:
    """A step that was owed but has not left is dropped."""
    assert world.sms
    await world.sms.refuse()
    await world.passes(15 * MINUTE)
    await lan.phone.taps("Xác nhận đơn hàng")
    await lan.phone.sees("Đã xác nhận")
    await world.sms.recover()
    await world.passes(30 * MINUTE)
    assert lan.texts.phone.received == []
    assert binh.texts.phone.received == []


# --- quiet hours --------------------------------------------------------------------------------------


@pytest.fixture
async def quiet(world: World, lan: Somebody) -> None:
    """Let Lan's kitchen be quiet from 21:00 to 06:00, and make it 20:50."""
    await partners.change(world.database, "com-nha-lan", PartnerChange(quiet=(time(21), time(6))))
    await world.passes_until(START.replace(hour=20, minute=50))


async def test_nudges_wait_for_the_morning(
    world: World, platform: FakePlatform, lan: Somebody, quiet: None
) -> None:
    """Placed at ten to nine for the day after tomorrow: told at once, reminded at six, once."""
    order = await world.order(deliver_in=timedelta(hours=40))
    await lan.phone.sees(order.code)
    await world.passes(15 * MINUTE)
    await world.passes(15 * MINUTE)
    await world.passes_until(START.replace(day=21, hour=5, minute=55))
    assert lan.texts.phone.received == []

    await world.passes_until(START.replace(day=21, hour=6, minute=0))
    await lan.texts.sees(order.code)


async def test_a_new_order_is_told_in_the_night(
    world: World, platform: FakePlatform, lan: Somebody, quiet: None
) -> None:
    """N1 is never silenced: breakfast for a hundred may hang on it."""
    await world.passes_until(START.replace(hour=23, minute=30))
    order = await world.order(deliver_in=timedelta(hours=40))
    await lan.phone.sees(order.code)


async def test_nor_are_the_last_two_steps(
    world: World, platform: FakePlatform, lan: Somebody, quiet: None
) -> None:
    """Delivery at five in the morning: phones ring two hours and one hour before it, not four hours."""
    order = await world.order(deliver_in=timedelta(hours=8, minutes=10))
    await lan.phone.sees(order.code)
    await world.passes_until(order.deliver_at - 4 * HOUR)
    assert [lan.phone.person.unread, lan.texts.phone.unread] == [[], []]

    await world.passes_until(order.deliver_at - 2 * HOUR)
    first = len(lan.phone.person.reads_all()) + len(lan.texts.phone.reads_all())
    await world.passes_until(order.deliver_at - HOUR)
    second = len(lan.phone.person.reads_all()) + len(lan.texts.phone.reads_all())
    assert (first, second) == (1, 1)
    world.operators.gets(order.code)


# --- many orders at once ------------------------------------------------------------------------------


async def test_three_waiting_orders_are_one_sms(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """One segment with every code; each is confirmed by its own."""
    orders = [await world.order() for _ in range(3)]
    lan.phone.person.reads_all()
    await world.passes(16 * MINUTE)

    sms = await lan.texts.sees(*[order.code for order in orders])
    assert sms.parts == 1
    await lan.texts.writes(f"XN {orders[1].code}")
    await lan.texts.sees(orders[1].code)
    orders[1].heard("order.confirmed")
    orders[0].heard("order.confirmed", times=0)


async def test_ten_orders_for_noon_ring_once_an_hour_before(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Their last steps come due in the same second: one message, not ten."""
    orders = [await world.order() for _ in range(10)]
    lan.phone.person.reads_all()
    for hours in (4, 2, 1):
        await world.passes_until(orders[-1].deliver_at - timedelta(hours=hours))
        rings = len(lan.phone.person.reads_all()) + len(lan.texts.phone.reads_all())
        assert rings == 1, hours
        world.operators.opens_all()


# --- a gateway that takes less than there is ----------------------------------------------------------


async def test_beyond_what_the_gateway_takes_the_most_urgent_leave_first(
    database_url: str, redis_url: str
) -> None:
    """SpeedSMS takes sixty a minute: of twenty orders none fails, and what waits leaves by its deadline."""
    async with open_world(database_url, redis_url, gateway=FakeSpeedSms) as world:
        platform = await world.platform()
        lan = await world.kitchen(phone=LAN_NUMBER, email=None, zalo=False)
        soonest_last = [timedelta(hours=40 - number) for number in range(20)]
        placed = [await platform.place(world.body(deliver_in=each)) for each in soonest_last]
        await world.settles()

        texts = [sms.text for sms in lan.texts.phone.reads_all()]
        orders = sorted((answer.body for answer in placed), key=lambda order: str(order["deliver_at"]))
        codes = [str(order["code"]) for order in orders]
        came = [next(code for code in codes if code in text) for text in texts]
        assert sorted(came) == sorted(codes)
        late = [codes.index(code) for code in came[16:]]
        assert late == sorted(late)
        outcomes = await world.database.pool.fetch("SELECT DISTINCT outcome FROM attempts")
        assert [row["outcome"] for row in outcomes] == ["sent"]


# --- what was done is on record -----------------------------------------------------------------------


async def test_every_attempt_is_on_the_orders_page_and_in_the_list(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Zalo refused, SMS went out: channel, masked address, outcome and cost, oldest first."""
    lan.phone.person.refusal = NO_REPLY
    order = await world.order()
    await lan.texts.sees(order.code)
    rows = await world.database.pool.fetch(
        "SELECT m.channel, a.outcome, a.what, a.parts FROM attempts a JOIN messages m ON m.id = a.message_id"
        " WHERE m.order_id = $1 ORDER BY a.id",
        order.order_id,
    )
    assert [tuple(row) for row in rows] == [
        ("zalo", "no_such_recipient", None, None),
        ("sms", "sent", "esms", 1),
    ]
