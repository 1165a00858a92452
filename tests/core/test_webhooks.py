"""What platforms are owed: in the order it happened, leased, retried by the schedule, then dead."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core.clock import real_now
from core.database import Database
from core.errors import NotFound
from core.ledger import Ledger
from core.orders.commands import CancelOrder, ChangeOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.order import OrderId
from core.platforms import platform_deeds, webhook_log, webhook_watch, webhooks
from core.platforms.webhook_outcomes import JITTER, Tried, settle
from core.platforms.webhooks import MOST_TOGETHER, OwedWebhook
from core.schedule import WEBHOOK_RETRIES
from tests.core.kitchens import (
    RIVAL,
    SHOP,
    Kitchen,
    add_platform,
    answers,
    count,
    ledger_of,
    open_kitchen,
    place,
    travel_to,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
async def kitchen(database: Database) -> Kitchen:
    """Return Cơm nhà Lan."""
    return await open_kitchen(database)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with ledger_of(database) as ledger:
        yield ledger


async def owed_to(database: Database, platform_id: UUID) -> list[UUID]:
    """Return what a platform is owed, oldest event first."""
    rows = await database.pool.fetch(
        "SELECT id FROM webhooks WHERE platform_id = $1 ORDER BY version", platform_id
    )
    return [row["id"] for row in rows]


async def claimed(database: Database, webhook_id: UUID) -> list[OwedWebhook]:
    """Claim a webhook that nobody holds; nothing when there is nothing to do."""
    claimed = await webhooks.claim(database, [webhook_id])
    assert not claimed.busy
    return list(claimed.groups[0]) if claimed.groups else []


async def test_every_platform_hears_of_every_event(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Its own order or another platform's; but not one that asked for its own only, or has no address."""
    own_only, silent = UUID(int=1), UUID(int=2)
    await add_platform(database, own_only, name="Riêng", scope="own")
    await add_platform(database, silent, name="Im", url=None)
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    assert len(await owed_to(database, SHOP)) == len(await owed_to(database, RIVAL)) == 2
    assert await owed_to(database, own_only) == await owed_to(database, silent) == []

    await place(database, ledger, platform_id=own_only)
    assert len(await owed_to(database, own_only)) == 1


async def test_what_is_owed_can_be_tried_at_once(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The first try is now, with the platform's address and secret."""
    order_id = await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    assert set(await webhooks.due(database)) == {webhook_id, *await owed_to(database, RIVAL)}
    (webhook,) = await claimed(database, webhook_id)
    assert (webhook.id, webhook.order_id, webhook.version, webhook.tries) == (webhook_id, order_id, 1, 1)
    assert webhook.url == "https://shop.example/hook"


async def test_older_events_go_first(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A later event does not wait for the schedule of those before it: they are tried with it, in order."""
    order_id = await place(database, ledger)
    first = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, first[0])
    await answers(database, webhook, 500, why="HTTP 500")
    await ledger.submit(ChangeOrder(order_id, note=""), actor=kitchen.shop)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())

    *_, newest = await owed_to(database, SHOP)
    group = await claimed(database, newest)
    assert [webhook.version for webhook in group] == [1, 2, 3]
    assert [webhook.tries for webhook in group] == [1, 1, 1]


async def test_many_events_use_no_webhook_up(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A busy order's first event is still owed after an hour's outage: only its own schedule ends it."""
    order_id = await place(database, ledger)
    (first,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, first)
    await answers(database, webhook, 500, why="HTTP 500")
    again = await next_at(database, first)
    for number in range(len(WEBHOOK_RETRIES) + 1):
        await ledger.submit(ChangeOrder(order_id, note=f"Cổng {number}"), actor=kitchen.shop)
        for webhook in await claimed(database, (await owed_to(database, SHOP))[-1]):
            await answers(database, webhook, 502, why="HTTP 502")

    row = await database.pool.fetchrow("SELECT * FROM webhooks WHERE id = $1", first)
    assert row is not None
    assert (row["state"], row["tries"], row["last_status"]) == ("waiting", 1, 502)
    assert await next_at(database, first) == again
    await travel_to(database, again)
    (webhook,) = await claimed(database, first)
    assert (webhook.tries, webhook.in_turn) == (2, True)


async def test_what_is_delivered_is_not_tried_again(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Neither by itself nor before a later event."""
    order_id = await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    await answers(database, webhook, 204)
    assert await claimed(database, webhook_id) == []

    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    group = await claimed(database, (await owed_to(database, SHOP))[1])
    assert [webhook.version for webhook in group] == [2]


async def test_one_worker_at_a_time_is_at_an_order(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Another one leaves it be, also with a later event, so that events do not overtake each other."""
    order_id = await place(database, ledger)
    (first,) = await owed_to(database, SHOP)
    claims = await asyncio.gather(*(webhooks.claim(database, [first]) for _ in range(5)))
    assert sorted(len(claim.groups) for claim in claims) == [0, 0, 0, 0, 1]
    assert sorted(len(claim.busy) for claim in claims) == [0, 1, 1, 1, 1]

    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    second = (await owed_to(database, SHOP))[1]
    assert (await webhooks.claim(database, [second])).busy == [second]
    assert first not in await webhooks.due(database)


async def test_platforms_do_not_wait_for_each_other(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """One platform's order is held; the other platform hears of it meanwhile."""
    await place(database, ledger)
    (mine,), (theirs,) = await owed_to(database, SHOP), await owed_to(database, RIVAL)
    assert await claimed(database, mine)
    assert await claimed(database, theirs)


async def test_a_lease_ends_in_real_time(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A worker that died is forgotten after its lease, whatever product time does."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    assert await claimed(database, webhook_id)
    await travel_to(database, database.clock.now() + timedelta(days=1))
    assert (await webhooks.claim(database, [webhook_id])).busy == [webhook_id]
    await database.pool.execute("UPDATE webhooks SET leased_until = $1", real_now() - SECOND)
    (webhook,) = await claimed(database, webhook_id)
    assert webhook.tries == 2


async def next_at(database: Database, webhook_id: UUID) -> datetime:
    """Return when a webhook is tried again."""
    found = await database.pool.fetchval("SELECT next_at FROM webhooks WHERE id = $1", webhook_id)
    assert isinstance(found, datetime)
    return found


async def test_the_schedule_of_retries(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Eleven tries, each counted from the one before; then it is dead, and the operators hear."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    waits = []
    for _ in range(20):
        (webhook,) = await claimed(database, webhook_id)
        wait = await answers(database, webhook, 503, why="HTTP 503")
        if wait is None:
            break
        assert abs(await next_at(database, webhook_id) - database.clock.now() - wait) < SECOND
        assert await claimed(database, webhook_id) == []
        waits.append(wait)
        await travel_to(database, database.clock.now() + wait)
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    assert waits == [
        5 * SECOND,
        minute,
        5 * minute,
        30 * minute,
        2 * hour,
        5 * hour,
        10 * hour,
        14 * hour,
        20 * hour,
        24 * hour,
    ]
    row = await database.pool.fetchrow("SELECT * FROM webhooks WHERE id = $1", webhook_id)
    assert row is not None
    assert (row["state"], row["last_status"], row["why"], row["tries"]) == ("dead", 503, "HTTP 503", 11)
    assert await count(database, "notices", "kind = 'webhook_dead'") == 1


@pytest.mark.parametrize("status", [100, 199, 300, 302, 304, 399, 400])
async def test_2xx_alone_is_a_delivery(
    database: Database, kitchen: Kitchen, ledger: Ledger, status: int
) -> None:
    """Whatever else a platform answers, it is told again."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    assert await answers(database, webhook, status, why="HTTP") == WEBHOOK_RETRIES[0]
    assert await count(database, "webhooks", "id = $1 AND state = 'waiting'", webhook_id) == 1


async def test_the_settings_say_how_often(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """With one retry a minute later, the second failure is the last."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    ends = []
    for _ in range(2):
        (webhook,) = await claimed(database, webhook_id)
        ends += await settle(database, [Tried(webhook, 500)], retries=[timedelta(minutes=1)])
        await travel_to(database, database.clock.now() + timedelta(minutes=2))
    assert ends == [timedelta(minutes=1), None]


async def test_what_was_held_up_is_in_no_log(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """It failed with another one of its order, without a call: the log tells of calls alone."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    await settle(database, [Tried(webhook, None, "held up: HTTP 503", called=False)])
    assert await count(database, "webhook_attempts") == 0
    assert await count(database, "webhooks", "id = $1 AND state = 'waiting'", webhook_id) == 1


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
async def test_jitter_shortens_by_a_tenth_at_most(
    database: Database, kitchen: Kitchen, ledger: Ledger, jitter: float
) -> None:
    """A retry never comes later than the schedule says."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    wait = await answers(database, webhook, None, why="ClientError", jitter=jitter)
    assert wait == WEBHOOK_RETRIES[0] * (1 - JITTER * jitter)
    assert WEBHOOK_RETRIES[0] * 0.9 <= wait <= WEBHOOK_RETRIES[0]


async def test_a_dead_webhook_holds_up_no_later_event(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The platform was away for three days: what happens now is told, the dead one is not tried again."""
    order_id = await place(database, ledger)
    await database.pool.execute("UPDATE webhooks SET state = 'dead'")
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    _, newest = await owed_to(database, SHOP)
    assert [webhook.version for webhook in await claimed(database, newest)] == [2]


async def test_what_still_waits_can_be_asked(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Per order, oldest first."""
    order_id: OrderId = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    first, second = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, first)
    await answers(database, webhook, 200)
    waiting = await webhooks.waiting(database, order_id)
    assert first not in waiting
    assert second in waiting


# --- Retry-After, 410, and one platform among others ---------------------------------------------


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (timedelta(minutes=3), timedelta(minutes=3)),
        (SECOND, WEBHOOK_RETRIES[0]),
        (timedelta(days=30), timedelta(hours=24)),
        (timedelta(), WEBHOOK_RETRIES[0]),
    ],
    ids=["later", "sooner", "much-later", "now"],
)
async def test_a_platform_may_ask_for_more_time(
    database: Database, kitchen: Kitchen, ledger: Ledger, asked: timedelta, wait: timedelta
) -> None:
    """The later of what it asks and what the schedule says, a day at most."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    assert await answers(database, webhook, 429, retry_after=asked) == wait
    assert abs(await next_at(database, webhook_id) - database.clock.now() - wait) < SECOND


async def test_a_try_out_of_turn_hears_how_long_to_wait(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Its own schedule goes on, but not before the platform said."""
    order_id = await place(database, ledger)
    (first,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, first)
    await answers(database, webhook, 500)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    webhook, _ = await claimed(database, (await owed_to(database, SHOP))[-1])
    assert not webhook.in_turn
    await answers(database, webhook, 503, retry_after=timedelta(hours=1))
    assert await next_at(database, first) - database.clock.now() > timedelta(minutes=59)
    assert await count(database, "webhooks", "id = $1 AND tries = 1", first) == 1


async def test_later_events_wait_while_a_platform_rests(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Who asks for an hour gets no call about that order within it, a new event or not; then all."""
    order_id = await place(database, ledger)
    (webhook,) = await claimed(database, (await owed_to(database, SHOP))[0])
    await answers(database, webhook, 503, retry_after=timedelta(hours=1))
    rested = await next_at(database, webhook.id)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    newest = (await owed_to(database, SHOP))[-1]
    assert await claimed(database, newest) == []
    assert await next_at(database, newest) == rested
    await travel_to(database, rested)
    assert [each.version for each in await claimed(database, newest)] == [1, 2]


async def test_a_replay_does_not_wait_for_a_platform_at_rest(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Who asks for a webhook again wants it now, whatever was asked for before."""
    await place(database, ledger)
    (webhook,) = await claimed(database, (await owed_to(database, SHOP))[0])
    await answers(database, webhook, 503, retry_after=timedelta(hours=1))
    await webhook_log.replay(database, SHOP, webhook.id)
    assert [each.id for each in await claimed(database, webhook.id)] == [webhook.id]


async def test_who_wants_no_more_is_left_alone(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """410 switches the platform off: nothing of it is due, nothing is given up, the operators hear once."""
    first, second = await place(database, ledger), await place(database, ledger)
    owed = await owed_to(database, SHOP)
    for group in (await webhooks.claim(database, owed)).groups:
        await answers(database, group[0], 410)
    assert first != second
    await travel_to(database, database.clock.now() + timedelta(days=9))
    assert not set(owed) & set(await webhooks.due(database))
    assert not (await webhooks.claim(database, owed)).groups
    assert await count(database, "webhooks", "platform_id = $1 AND state = 'waiting'", SHOP) == 2
    assert await count(database, "platforms", "disabled_why = 'HTTP 410'") == 1
    assert await count(database, "alarms", "starts_with(name, 'webhook: ')") == 1


async def test_a_410_at_the_last_try_gives_nothing_up(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """It waits for the platform to be switched on again, as everything else of it does."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    await database.pool.execute("UPDATE webhooks SET tries = $1", len(WEBHOOK_RETRIES))
    (webhook,) = await claimed(database, webhook_id)
    assert await answers(database, webhook, 410) is not None
    assert await count(database, "webhooks", "id = $1 AND state = 'waiting'", webhook_id) == 1
    assert await count(database, "notices", "kind = 'webhook_dead'") == 0


async def test_a_410_of_an_old_address_switches_nothing_off(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The platform moved while the call was on its way."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    await database.pool.execute("UPDATE platforms SET webhook_url = 'https://shop.example/new'")
    await answers(database, webhook, 410)
    assert await count(database, "platforms", "disabled_at IS NOT NULL") == 0


async def test_one_that_is_owed_much_does_not_hide_the_others(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The sweep finds some of each platform, however long the line of one is."""
    for _ in range(4):
        await place(database, ledger)
    theirs = await owed_to(database, RIVAL)
    await database.pool.execute(
        "UPDATE webhooks SET state = 'delivered' WHERE id <> $1 AND platform_id = $2", theirs[0], RIVAL
    )
    due = await webhooks.due(database, most_of_each=2)
    assert theirs[0] in due
    assert len(due) == 3


async def test_a_long_history_is_taken_in_parts(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """So that whoever takes it does not hold the order for minutes: the oldest first, the newest waits."""
    order_id = await place(database, ledger)
    for number in range(MOST_TOGETHER):
        await ledger.submit(ChangeOrder(order_id, note=f"Cổng {number}"), actor=kitchen.shop)
    newest = (await owed_to(database, SHOP))[-1]
    found = await webhooks.claim(database, [newest])
    assert [webhook.version for webhook in found.groups[0]] == list(range(1, MOST_TOGETHER + 1))
    assert found.busy == [newest]


async def test_many_are_taken_in_one_transaction(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A group for each order; one that somebody else holds is told apart."""
    for _ in range(3):
        await place(database, ledger)
    first, second, third = await owed_to(database, SHOP)
    await claimed(database, second)
    found = await webhooks.claim(database, [first, second, third])
    assert sorted(webhook.id for group in found.groups for webhook in group) == sorted([first, third])
    assert found.busy == [second]


async def test_what_is_given_back_was_not_tried(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A worker that ends leaves no trace of what it did not come to."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    await webhooks.release(database, await claimed(database, webhook_id))
    (webhook,) = await claimed(database, webhook_id)
    assert webhook.tries == 1
    assert await count(database, "webhook_attempts") == 0


async def test_two_workers_never_lock_each_other_out(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Claims, settlements and a replay of the same webhooks at once: every one of them comes through."""
    for _ in range(12):
        await place(database, ledger)
    owed = [*await owed_to(database, SHOP), *await owed_to(database, RIVAL)]

    async def works() -> int:
        found = await webhooks.claim(database, owed)
        for group in found.groups:
            for webhook in group:
                await answers(database, webhook, 500)
        return len(found.groups)

    async def replays() -> int:
        start = database.clock.now() - timedelta(days=1)
        end = database.clock.now() + timedelta(days=1)
        by = webhook_log.Operator("Hà", "cli")
        return len(await webhook_log.replay_between(database, SHOP, from_=start, to=end, operator=by))

    done = await asyncio.gather(works(), replays(), works(), replays(), works())
    assert sum(done) >= 24


async def test_a_range_ends_before_its_end(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """What happened at its first moment is told again, what happened at its last is not."""
    order_id = await place(database, ledger)
    await travel_to(database, database.clock.now() + timedelta(hours=1))
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    first, second = await database.pool.fetch("SELECT at FROM events ORDER BY version")
    placed, confirmed = await owed_to(database, SHOP)
    by = webhook_log.Operator("Hà", "cli")
    for start, end, told in (
        (first["at"], second["at"], [placed]),
        (second["at"], second["at"] + SECOND, [confirmed]),
        (first["at"] + SECOND, second["at"], []),
    ):
        again = await webhook_log.replay_between(database, SHOP, from_=start, to=end, operator=by)
        assert again == told


async def test_a_platform_sees_nothing_of_anothers_log(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Neither by the id of a webhook, nor in its list."""
    await place(database, ledger)
    (theirs,) = await owed_to(database, RIVAL)
    with pytest.raises(NotFound):
        await webhook_log.one(database.pool, SHOP, theirs)
    with pytest.raises(NotFound):
        await webhook_log.replay(database, SHOP, theirs)
    shown = await webhook_log.page(database.pool, SHOP)
    assert [delivery.id for delivery in shown.items] == await owed_to(database, SHOP)


# --- the operators hear ---------------------------------------------------------------------------


async def _alarms(database: Database) -> list[tuple[str, str]]:
    await webhook_watch.look(database)
    rows = await database.pool.fetch("SELECT name, detail FROM alarms WHERE starts_with(name, 'webhook: ')")
    return sorted((row["name"], row["detail"]) for row in rows)


async def test_a_cancel_unheard_for_five_minutes_is_alarmed(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Once for each platform; what is given up is not over, what is delivered is."""
    order_id = await place(database, ledger)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    await travel_to(database, database.clock.now() + timedelta(minutes=4, seconds=50))
    assert await _alarms(database) == []

    await travel_to(database, database.clock.now() + timedelta(seconds=20))
    detail = "Nền tảng chưa nhận tin 1 đơn đã huỷ hoặc quá hạn"
    assert await _alarms(database) == [("webhook: Cơm Ngon", detail), ("webhook: Ăn Nhanh", detail)]
    assert await count(database, "notices", "kind = 'trouble'") == 2

    await database.pool.execute("UPDATE webhooks SET state = 'dead' WHERE platform_id = $1", SHOP)
    await database.pool.execute("UPDATE webhooks SET state = 'delivered' WHERE platform_id = $1", RIVAL)
    assert await _alarms(database) == [("webhook: Cơm Ngon", detail)]
    await database.pool.execute("UPDATE webhooks SET state = 'delivered'")
    assert await _alarms(database) == []
    assert await count(database, "notices", "kind = 'trouble'") == 4


async def test_telling_again_what_was_heard_alarms_nobody(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The platform knows of the cancel; what it has not heard is alarmed still, replayed or not."""
    order_id = await place(database, ledger)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    await database.pool.execute("UPDATE webhooks SET state = 'delivered' WHERE platform_id = $1", SHOP)
    await travel_to(database, database.clock.now() + timedelta(hours=1))
    for platform_id in (SHOP, RIVAL):
        _, cancelled = await owed_to(database, platform_id)
        await webhook_log.replay(database, platform_id, cancelled)
    assert [name for name, _ in await _alarms(database)] == ["webhook: Ăn Nhanh"]


async def test_who_wants_no_more_stays_alarmed_until_switched_on(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Looking again is no all-clear: the alarm is over when an operator has switched the platform on."""
    await place(database, ledger)
    (webhook_id,) = await owed_to(database, SHOP)
    (webhook,) = await claimed(database, webhook_id)
    await answers(database, webhook, 410)
    for _ in range(2):
        assert [name for name, _ in await _alarms(database)] == ["webhook: Cơm Ngon (410)"]
    assert await count(database, "notices", "kind = 'trouble'") == 1

    await platform_deeds.enable(database, "Cơm Ngon", by=webhook_log.Operator("Hà", "cli"))
    assert await _alarms(database) == []


async def test_whose_address_was_taken_away_is_nobodys_matter(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A platform that wants no webhooks is not late."""
    order_id = await place(database, ledger)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    await travel_to(database, database.clock.now() + timedelta(hours=1))
    await database.pool.execute("UPDATE platforms SET webhook_url = NULL")
    assert await _alarms(database) == []
