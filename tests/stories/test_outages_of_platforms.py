"""Every platform hears of every change, in order and signed, however long its receiver was away."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from sandbox.platform import Attempt, FakePlatform
from tests.stories.world import Placed, Somebody, World, open_world

#: interface.md: now, then each counted from the attempt before, shortened by a tenth at most.
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


async def _state(world: World, order: Placed) -> list[str]:
    rows = await world.database.pool.fetch(
        "SELECT state FROM webhooks WHERE order_id = $1 ORDER BY version", order.id
    )
    return [row["state"] for row in rows]


def _taken(platform: FakePlatform, order: Placed) -> list[str]:
    """Return what the platform took, in the order in which it took it, repeats too."""
    return [a.type for a in platform.attempts if a.status == 200 and a.order_id == order.id]


async def _waits_for_next_try(world: World, platform: FakePlatform) -> None:
    """Let time pass to the next scheduled attempt, and no further."""
    due = await world.database.pool.fetchval("SELECT min(next_at) FROM webhooks WHERE state = 'waiting'")
    assert due is not None
    await world.passes(max(due - world.now, timedelta()) + timedelta(milliseconds=10))


async def test_a_failing_receiver_is_tried_by_the_schedule_and_then_given_up(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Eleven attempts over three days, each signed anew; then the operators are told."""
    platform.status_next(500, times=None)
    rice = await world.order(deliver_in=timedelta(days=20))
    for _ in SCHEDULE:
        await _waits_for_next_try(world, platform)

    attempts = [attempt for attempt in platform.attempts if attempt.type == "order.placed"]
    assert len(attempts) == 11
    assert all(attempt.signature_ok for attempt in attempts)
    assert len({attempt.webhook_id for attempt in attempts}) == 1
    assert len({attempt.body for attempt in attempts}) == 1
    _keep_to_the_schedule(attempts)
    assert await _state(world, rice) == ["dead"]
    world.operators.gets(rice.code)
    world.everybody_catches_up()

    await world.passes(timedelta(days=3))
    assert len([attempt for attempt in platform.attempts if attempt.type == "order.placed"]) == 11
    world.everybody_catches_up()


def _keep_to_the_schedule(attempts: Sequence[Attempt]) -> None:
    for planned, (before, after) in zip(SCHEDULE, pairwise(attempts), strict=True):
        waited = after.at - before.at
        assert planned * 0.9 <= waited <= planned + timedelta(seconds=3), (planned, waited)


async def test_an_hour_away_then_everything_is_heard_in_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The order was placed, changed, confirmed and cancelled while nobody listened."""
    await platform.refuse()
    rice = await world.order(deliver_in=timedelta(days=2))
    await platform.change(rice.id, note="Giao cổng trước")
    await world.passes(timedelta(minutes=20))
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.passes(timedelta(minutes=20))
    await platform.cancel(rice.id)
    await world.passes(timedelta(minutes=20))

    await platform.recover()
    for _ in range(3):
        await world.passes(timedelta(hours=1))

    events = ["order.placed", "order.changed", "order.confirmed", "order.cancelled"]
    assert _taken(platform, rice) == events
    assert [attempt.data["version"] for attempt in platform.heard(order=rice.id)] == [1, 2, 3, 4]
    assert all(attempt.signature_ok for attempt in platform.attempts)
    world.everybody_catches_up()


async def test_a_later_event_brings_the_older_ones_at_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Nobody hears that an order was confirmed before hearing that it was placed."""
    platform.status_next(500, times=3)
    rice = await world.order()
    await _waits_for_next_try(world, platform)
    await _waits_for_next_try(world, platform)  # the next try would be five minutes away
    assert _taken(platform, rice) == []

    await lan.phone.taps("Xác nhận đơn hàng")

    assert _taken(platform, rice) == ["order.placed", "order.confirmed"]
    world.everybody_catches_up()


async def test_a_receiver_that_takes_and_hangs_hears_it_again(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """At least once, with the same webhook-id each time, so that it can tell."""
    platform.accept_then_hang(7)
    rice = await world.order()
    await world.passes(timedelta(seconds=6))

    tried = [attempt for attempt in platform.attempts if attempt.order_id == rice.id]
    assert len(tried) == 2
    assert len({attempt.webhook_id for attempt in tried}) == 1
    world.everybody_catches_up()


async def test_a_hanging_platform_holds_no_other_up(world: World, lan: Somebody) -> None:
    """Each platform's trouble is its own."""
    first = await world.platform()
    second = await world.platform("Ăn Vặt")
    first.hang(30, times=None)

    answer = await first.place(world.body())
    await second.hears("order.placed", answer.body["id"], within=2)
    await lan.phone.person.sees(answer.body["code"], within=2)

    await first.recover()
    await world.settles()
    await world.passes(timedelta(seconds=6))
    await first.hears("order.placed", answer.body["id"])
    world.everybody_catches_up()


async def test_a_redirect_is_no_delivery(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """A signed order is not carried to wherever somebody points."""
    platform.status_next(302)
    rice = await world.order()
    assert await _state(world, rice) == ["waiting"]

    await world.passes(timedelta(seconds=6))

    rice.heard("order.placed")
    world.everybody_catches_up()


async def test_a_private_address_is_refused_at_sending(database_url: str, redis_url: str) -> None:
    """Whatever the name led to when the platform was added."""
    async with open_world(database_url, redis_url, webhook_allow_private=False) as world:
        platform = await world.platform()
        lan = await world.kitchen()
        rice = await world.order()

        assert platform.attempts == []
        why = await world.database.pool.fetchval("SELECT why FROM webhooks WHERE order_id = $1", rice.id)
        assert why == "private address"
        await lan.phone.sees(rice.code)


async def test_fifty_events_while_away_come_in_order_and_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Many orders, several changes each, and a receiver that comes and goes."""
    orders = [await world.order(deliver_in=timedelta(days=2)) for _ in range(10)]
    await platform.refuse()
    for note in ("một", "hai", "ba", "bốn", "năm"):
        await asyncio.gather(*(platform.change(order.id, note=note) for order in orders))
    await world.settles()
    await platform.recover()
    await world.passes(timedelta(seconds=6))
    await world.passes(timedelta(minutes=2))

    for order in orders:
        versions = [
            a.data["version"] for a in platform.attempts if a.status == 200 and a.order_id == order.id
        ]
        assert versions == [1, 2, 3, 4, 5, 6]
    world.everybody_catches_up()
