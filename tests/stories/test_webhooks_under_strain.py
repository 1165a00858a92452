"""A platform that is dead, gone or slow: others hear in time, it hears all of it later, operators know."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from standardwebhooks import Webhook

from core.clock import real_now
from core.console.platforms import platforms as standing
from core.platforms import platform_deeds
from core.platforms.webhook_log import Operator
from jobs.relay import EACH
from sandbox.faults import TooMany
from sandbox.platform import Answer, FakePlatform
from tests.stories.world import Placed, Somebody, World

HA = Operator("Hà", "cli")
_AT_ONCE = """
SELECT count(*) FROM webhooks w JOIN platforms p ON p.id = w.platform_id
WHERE p.name = 'Im Lìm' AND w.leased_until > $1
"""


async def _done(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Call until a busy machine has time for it, as platforms are told to."""
    while (answer := await call()).status == 503:  # noqa: ASYNC110 - what a platform does
        await asyncio.sleep(0.2)
    assert answer.ok, answer
    return answer


async def _placed(world: World, platform: FakePlatform, count: int) -> list[str]:
    """Let a platform place many orders, some at a time; return their ids."""
    ids: list[str] = []
    for start in range(0, count, 8):
        bodies = [world.body() for _ in range(min(8, count - start))]
        answers = await asyncio.gather(*(_done(partial(platform.place, body)) for body in bodies))
        ids += [answer.body["id"] for answer in answers]
    return ids


def _cancelled(platform: FakePlatform) -> set[str]:
    return {attempt.order_id for attempt in platform.heard("order.cancelled")}


async def _until(wanted: Any, *, within: float = 40.0) -> None:
    async with asyncio.timeout(within):
        while not wanted():  # noqa: ASYNC110 - nobody tells when it is so
            await asyncio.sleep(0.05)


async def test_a_dead_platform_keeps_nobody_else_from_hearing_that_orders_are_cancelled(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Two platforms hear of every cancel while the third one hangs on its first calls.

    How fast that is on a quiet machine, `make bench` measures: here it is a matter of who waits for whom.
    """
    other, dead = await world.platform("Chợ Đêm"), await world.platform("Im Lìm")
    orders = await _placed(world, platform, 3 * EACH)
    await world.settles()
    dead.hang(60, times=None)

    for some in (orders[start : start + 8] for start in range(0, len(orders), 8)):
        await asyncio.gather(*(_done(partial(platform.cancel, order)) for order in some))
    await _until(lambda: _cancelled(platform) == _cancelled(other) == set(orders))

    assert 0 < await world.database.pool.fetchval(_AT_ONCE, real_now()) <= EACH
    assert _cancelled(dead) == set()
    board = {one.name: one.waiting for one in await standing(world.database.pool, after=None, most=50)}
    assert board["Im Lìm"] == len(orders)

    await dead.recover()
    await _until(lambda: world.service.relay.is_idle)
    await world.passes(timedelta(seconds=6))
    await _until(lambda: _cancelled(dead) == set(orders))
    world.everybody_catches_up()


async def test_the_operators_hear_of_a_cancel_that_a_platform_does_not_know_of(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """After five minutes, once for the platform and not for each order; and again when it is over."""
    other = await world.platform("Chợ Đêm")
    first, second = await world.order(), await world.order()
    world.everybody_catches_up()
    other.status_next(500, times=None)
    await platform.cancel(first.id)
    await platform.cancel(second.id)
    await world.settles()
    await world.passes(timedelta(minutes=4))
    assert not [mail for mail in world.operators.unread if "webhook" in mail.subject]

    await world.passes(timedelta(minutes=2))
    await _sweep(world)
    world.operators.gets("Chợ Đêm", "2 đơn")

    await other.recover()
    await world.passes(timedelta(minutes=40))
    await _sweep(world)
    world.operators.gets("Chợ Đêm", "đã hết")
    world.everybody_catches_up()


async def test_an_order_that_is_only_placed_alarms_nobody(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A platform that is away for an hour is not the operators' matter while nothing was cancelled."""
    other = await world.platform("Chợ Đêm")
    other.status_next(500, times=None)
    await world.order(deliver_in=timedelta(days=2))
    world.everybody_catches_up()
    await world.passes(timedelta(minutes=30))
    await _sweep(world)
    assert not [mail for mail in world.operators.unread if "webhook" in mail.subject]
    world.everybody_catches_up()


async def test_who_wants_no_more_is_sent_no_more(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """410: switched off at once, operators told; enabled again it hears all of it, in order."""
    other = await world.platform("Chợ Đêm")
    other.status_next(410)
    rice = await world.order()
    await platform.change(rice.id, note="Giao cổng trước")
    await lan.phone.says(f"XN {rice.code}")
    await world.passes(timedelta(hours=1))

    assert [attempt.status for attempt in other.attempts] == [410]
    world.operators.gets("Chợ Đêm", "410")
    world.everybody_catches_up()

    state = await platform_deeds.enable(world.database, "Chợ Đêm", by=HA)
    assert state.disabled_at is None
    await _sweep(world)

    assert [attempt.type for attempt in other.heard("", rice.id)] == [
        "order.placed",
        "order.changed",
        "order.confirmed",
    ]
    await _sweep(world)
    world.operators.gets("Chợ Đêm", "đã hết")
    world.everybody_catches_up()


async def test_a_platform_that_asks_for_time_gets_it(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Retry-After is later than the schedule: nothing comes before it, and the later event waits as well."""
    other = await world.platform("Chợ Đêm")
    other.faults.plan(TooMany(600), times=1, path="/webhooks")
    rice = await world.order()
    await world.passes(timedelta(minutes=9))
    assert [attempt.status for attempt in other.attempts] == [429]

    await world.passes(timedelta(minutes=2))
    assert [attempt.type for attempt in other.heard("", rice.id)] == ["order.placed"]
    world.everybody_catches_up()


async def test_a_renewed_secret_and_the_one_before_sign_together(
    world: World, platform: FakePlatform, rice: Placed, lan: Somebody
) -> None:
    """The platform goes on with the old one until it has taken the new one in; then the old one ends."""
    new = await platform_deeds.renew_secret(world.database, "Cơm Ngon", keep=timedelta(days=1), by=HA)
    await platform.change(rice.id, note="Giao cổng trước")
    await world.settles()
    told = platform.heard("order.changed", rice.id)[0]  # checked with the old one
    assert Webhook(new).verify(told.body, dict(told.headers))

    await world.passes(timedelta(days=1, hours=1))
    world.everybody_catches_up()
    late = await world.order()
    assert platform.heard("order.placed", late.id) == []
    newest = platform.attempts[-1]
    assert Webhook(new).verify(newest.body, dict(newest.headers))
    await platform_deeds.disable(world.database, "Cơm Ngon", reason="thử", by=HA)
    world.everybody_catches_up()


async def test_a_test_arrives_signed_and_is_told_of_in_the_log(world: World, platform: FakePlatform) -> None:
    """Sent at once; what the platform answered can be read."""
    answer = await platform.call("POST", "/webhooks/test")
    assert answer.status == 202
    attempt = await platform.hears("test")
    assert attempt.data == {}
    await world.settles()
    log = await platform.call("GET", "/webhooks?state=delivered")
    assert [(item["type"], item["last_status"]) for item in log.body["items"]] == [("test", 200)]


async def test_a_replay_comes_under_the_same_id_with_the_same_body(
    world: World, platform: FakePlatform, rice: Placed
) -> None:
    """So that a platform that lost it takes it in, and one that has it drops it."""
    (first,) = platform.heard("order.placed", rice.id)
    answer = await platform.call("POST", f"/webhooks/{first.webhook_id}/replay")
    assert answer.status == 202
    await world.settles()
    attempts = [attempt for attempt in platform.attempts if attempt.webhook_id == first.webhook_id]
    assert len(attempts) == 2
    assert attempts[0].body == attempts[1].body


async def _sweep(world: World) -> None:
    await world.service.sweeper.sweep()
    await world.settles()


@pytest.mark.parametrize("times", [2, 3], ids=["two", "three"])
async def test_who_does_not_answer_is_not_asked_again_and_again_in_one_breath(
    world: World, platform: FakePlatform, lan: Somebody, times: int
) -> None:
    """After two calls of an order that got no answer the rest of it waits for its schedule, in order."""
    other = await world.platform("Chợ Đêm")
    await other.refuse()
    rice = await world.order(deliver_in=timedelta(days=2))
    for number in range(times):
        await platform.change(rice.id, note=f"Cổng {number}")
        await world.settles()
    await other.recover()
    await world.passes(timedelta(minutes=2))
    versions = [attempt.data["version"] for attempt in other.heard("", rice.id)]
    assert versions == list(range(1, times + 2))
    world.everybody_catches_up()
