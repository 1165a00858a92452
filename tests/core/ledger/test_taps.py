"""One tap, one effect: whoever acts first wins, everybody else is told by whom."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import pytest
from prometheus_client import REGISTRY

from core.actors import SYSTEM
from core.clock import ProductClock, real_now
from core.database import Database
from core.ledger import Ledger
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import (
    CancelOrder,
    ChangeOrder,
    CompleteOrder,
    ConfirmOrder,
    FireTimer,
    ReviewOrder,
)
from core.orders.decide import reason_of
from core.orders.order import OrderId
from core.orders.status import Status
from tests.core.kitchens import Kitchen, count, ledger_of, place, soon, travel_to

_TAPS: Final = 200
_ROUNDS: Final = 50


async def notices_of(database: Database, order_id: OrderId) -> list[str]:
    """Return the kinds of notices owed for an order."""
    rows = await database.pool.fetch("SELECT kind FROM notices WHERE order_id = $1 ORDER BY kind", order_id)
    return [row["kind"] for row in rows]


async def events_of(database: Database, order_id: OrderId) -> list[tuple[int, str]]:
    """Return the order's events, oldest first."""
    rows = await database.pool.fetch(
        "SELECT version, type FROM events WHERE order_id = $1 ORDER BY version", order_id
    )
    return [(row["version"], row["type"]) for row in rows]


async def live_timers(database: Database, order_id: OrderId) -> set[str]:
    """Return the kinds of the order's live timers."""
    rows = await database.pool.fetch(
        "SELECT kind FROM timers WHERE order_id = $1 AND state = 'live'", order_id
    )
    return {row["kind"] for row in rows}


async def test_two_hundred_taps_have_one_effect(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """Three people tap two hundred times, through two processes: one event and what is owed for it, once."""
    order_id = await place(database, ledger)
    taps = [
        (ledger if n % 2 else elsewhere).submit(
            ConfirmOrder(order_id, revision=1), actor=kitchen.acting[n % 3].taps(), key=f"zalo:{n}"
        )
        for n in range(_TAPS)
    ]
    answers = await asyncio.gather(*taps)

    (won,) = [answer for answer in answers if answer.kind is AnswerKind.DONE]
    others = [answer for answer in answers if answer.kind is AnswerKind.STATE]
    assert len(others) == _TAPS - 1
    assert {(other.by, other.at, other.status) for other in others} == {(won.by, won.at, Status.CONFIRMED)}
    assert await events_of(database, order_id) == [(1, "order.placed"), (2, "order.confirmed")]
    assert await notices_of(database, order_id) == ["colleague_acted", "order_new"]
    assert await count(database, "webhooks", "order_id = $1 AND version = 2", order_id) == 2
    assert await live_timers(database, order_id) == {"completion_ladder"}
    assert await count(database, "inbox") == _TAPS


def at(database: Database, moment: datetime) -> Database:
    """Return the database as a process sees it whose clock shows this moment."""
    return Database(database.pool, ProductClock(moment - real_now()))


_CONSEQUENCES: Final = {
    "confirmed": (["colleague_acted", "order_new"], {"completion_ladder"}),
    "cancelled": (["colleague_acted", "customer_cancelled", "order_new"], set[str]()),
    "expired": (["customer_cancelled", "order_expired", "order_new"], set[str]()),
}


async def _race(
    ledgers: tuple[Ledger, Ledger], order_id: OrderId, kitchen: Kitchen, expiry: FireTimer
) -> list[Answer]:
    """Confirm and cancel just before, expire just after, at the same moment, in any sequence."""
    before, after = ledgers
    contenders = [
        before.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key=f"confirm:{order_id}"),
        before.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.mai.taps(), key=f"no:{order_id}"),
        after.submit(expiry, actor=SYSTEM),
    ]
    random.shuffle(contenders)
    return await asyncio.gather(*contenders)


async def test_confirm_cancel_and_expiry_at_the_same_moment(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Fifty rounds over two processes: one final status, and the consequences of the winner only."""
    deliver_at = soon(database, timedelta(hours=1))
    won: Counter[str] = Counter()
    async with (
        ledger_of(at(database, deliver_at - timedelta(minutes=10))) as before,
        ledger_of(at(database, deliver_at + timedelta(minutes=1))) as after,
    ):
        for _ in range(_ROUNDS):
            order_id = await place(database, ledger, deliver_at=deliver_at)
            timer = await database.pool.fetchval(
                "SELECT id FROM timers WHERE order_id = $1 AND kind = 'expiry'", order_id
            )
            answers = await _race((before, after), order_id, kitchen, FireTimer(order_id, timer))
            assert Counter(answer.kind for answer in answers)[AnswerKind.DONE] == 1
            status = await database.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id)
            notices, timers = _CONSEQUENCES[status]
            assert await events_of(database, order_id) == [(1, "order.placed"), (2, f"order.{status}")]
            assert await notices_of(database, order_id) == notices
            assert await live_timers(database, order_id) == timers
            assert await count(database, "webhooks", "order_id = $1", order_id) == 4
            won[status] += 1
    assert len(won) > 1, "one of them always won: this was no race"


async def test_one_after_the_other_in_one_batch(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A life in one breath: each command sees what the one before it did."""
    deliver_at = soon(database, timedelta(minutes=30))
    order_id = await place(database, ledger, deliver_at=deliver_at)
    confirmed, completed, reviewed = await asyncio.gather(
        ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps()),
        ledger.submit(CompleteOrder(order_id), actor=kitchen.hung.taps()),
        ledger.submit(ReviewOrder(order_id, 5, "Ngon", "An"), actor=kitchen.shop),
    )
    assert [answer.version for answer in (confirmed, completed, reviewed)] == [2, 3, 4]
    types = [kind for _, kind in await events_of(database, order_id)]
    assert types == ["order.placed", "order.confirmed", "order.completed", "order.reviewed"]
    assert await live_timers(database, order_id) == set()


async def test_a_tap_in_time_counts_though_the_sweep_is_late(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A confirmation after the delivery time expires the order instead, whether or not the sweep came by."""
    order_id = await place(database, ledger, deliver_at=soon(database, timedelta(hours=1)))
    await travel_to(database, database.clock.now() + timedelta(hours=2))
    answer = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    assert (answer.kind, answer.status) == (AnswerKind.STATE, Status.EXPIRED)
    assert await notices_of(database, order_id) == ["customer_cancelled", "order_expired", "order_new"]


async def test_time_in_the_trail_never_goes_back(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """After a reset of the clock an event is not older than the one before it."""
    await travel_to(database, database.clock.now() + timedelta(days=1))
    order_id = await place(database, ledger)
    await travel_to(database, real_now())
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    first, second = [
        row["at"]
        for row in await database.pool.fetch(
            "SELECT at FROM events WHERE order_id = $1 ORDER BY version", order_id
        )
    ]
    assert first == second


async def test_orders_are_counted_by_the_status_they_enter(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Once each, however often somebody taps; a changed note is no new status."""

    def counted(status: Status) -> float:
        return REGISTRY.get_sample_value("chotdon_orders_total", {"status": status.value}) or 0

    before = {status: counted(status) for status in Status}
    order_id = await place(database, ledger)
    await ledger.submit(ChangeOrder(order_id, note=""), actor=kitchen.shop)
    for _ in range(2):
        await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    rose = {status: counted(status) - before[status] for status in Status if counted(status) > before[status]}
    assert rose == {Status.PENDING: 1, Status.CONFIRMED: 1}


async def test_a_dead_timer_does_nothing(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A timer that the sweep saw before somebody acted is checked again under the order's lock."""
    order_id = await place(database, ledger)
    timers = await database.pool.fetch("SELECT id FROM timers WHERE order_id = $1", order_id)
    await ledger.submit(CancelOrder(order_id, reason_of(3)), actor=kitchen.lan.taps())
    await travel_to(database, database.clock.now() + timedelta(days=3))
    for timer in timers:
        answer = await ledger.submit(FireTimer(order_id, timer["id"]), actor=SYSTEM)
        assert answer.kind is AnswerKind.NOTHING
    assert len(await events_of(database, order_id)) == 2


async def test_another_orders_timer_does_nothing(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A timer belongs to its order."""
    order_id, other = await place(database, ledger), await place(database, ledger)
    timer = await database.pool.fetchval(
        "SELECT id FROM timers WHERE order_id = $1 AND kind = 'confirm_ladder'", other
    )
    await travel_to(database, database.clock.now() + timedelta(hours=1))
    answer = await ledger.submit(FireTimer(order_id, timer), actor=SYSTEM)
    assert answer.kind is AnswerKind.NOTHING
    assert await database.pool.fetchval("SELECT state FROM timers WHERE id = $1", timer) == "live"


@pytest.mark.parametrize("times", [1, 5])
async def test_a_timer_fires_once(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger, times: int
) -> None:
    """Two sweeps at the same moment: one nudge, one next step."""
    order_id = await place(database, ledger)
    timer = await database.pool.fetchval(
        "SELECT id FROM timers WHERE order_id = $1 AND kind = 'confirm_ladder'", order_id
    )
    await travel_to(database, database.clock.now() + timedelta(minutes=20))
    await elsewhere._database.set_clock()
    fire = FireTimer(order_id, timer)
    answers = await asyncio.gather(
        *(which.submit(fire, actor=SYSTEM) for which in (ledger, elsewhere) for _ in range(times))
    )
    assert Counter(answer.kind for answer in answers) == {
        AnswerKind.DONE: 1,
        AnswerKind.NOTHING: 2 * times - 1,
    }
    assert await notices_of(database, order_id) == ["confirm_nudge", "order_new"]
    assert await live_timers(database, order_id) == {"expiry", "confirm_ladder"}
