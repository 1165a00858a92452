"""What goes wrong around the ledger harms as few as possible, and nobody for long."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY

from core.actors import SYSTEM
from core.database import Database, connect
from core.errors import RuleError, Unavailable
from core.ledger import Ledger
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, ConfirmOrder, FireTimer
from core.orders.decide import reason_of
from core.orders.order import Customer, OrderId
from core.orders.status import Status
from core.schedule import Policy
from tests.core.kitchens import (
    CODE_KEY,
    Kitchen,
    count,
    ledger_of,
    open_kitchen,
    place,
    placing,
    soon,
    travel_to,
)


@asynccontextmanager
async def held_by_somebody_else(database_url: str, order_id: OrderId) -> AsyncIterator[None]:
    """Lock an order on a connection of nobody's, until the block ends."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", order_id)
            yield
    finally:
        await connection.close()


async def placed(database: Database, ledger: Ledger, many: int) -> list[OrderId]:
    """Place so many orders."""
    return list(await asyncio.gather(*(place(database, ledger) for _ in range(many))))


async def test_one_locked_order_stalls_nobody_else(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Somebody holds one order: taps on it fail, all others commit while it is still held."""
    locked, *others = await placed(database, ledger, 21)
    async with held_by_somebody_else(database_url, locked):
        stuck = [
            asyncio.create_task(
                ledger.submit(ConfirmOrder(locked), actor=person.taps(), key=f"stuck:{person.name}")
            )
            for person in kitchen.acting
        ]
        same_batch = [ledger.submit(ConfirmOrder(each), actor=kitchen.lan.taps()) for each in others[:10]]
        answers = await asyncio.gather(*same_batch)
        later = await asyncio.gather(
            *(ledger.submit(ConfirmOrder(each), actor=kitchen.lan.taps()) for each in others[10:])
        )
        assert {answer.kind for answer in [*answers, *later]} == {AnswerKind.DONE}
        outcomes = await asyncio.gather(*stuck, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
    again = await ledger.submit(ConfirmOrder(locked), actor=kitchen.lan.taps(), key="stuck:Lan")
    assert again.kind is AnswerKind.DONE


BAD: Final[dict[str, dict[str, Any]]] = {
    "NUL": {"note": "a\0b"},
    "a lone surrogate": {"note": "\ud800"},
    "NUL in a name": {"customer": Customer("An\0", None, "an@example.com", "vi")},
    "money beyond the column": {"fees": 2**70, "total": 2**70 + 1_190_000},
    "the end of time": {"deliver_at": datetime.max.replace(tzinfo=UTC)},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_bad_command_harms_only_itself(
    database: Database, kitchen: Kitchen, ledger: Ledger, bad: dict[str, Any]
) -> None:
    """It is refused; what came in the same batch and what comes after is done."""
    wrong = placing(external_id="bad", **{"deliver_at": soon(database), **bad})
    outcomes = await asyncio.gather(
        *(place(database, ledger) for _ in range(10)),
        ledger.submit(wrong, actor=kitchen.shop, key="api:bad"),
        *(place(database, ledger) for _ in range(10)),
        return_exceptions=True,
    )
    assert isinstance(outcomes[10], RuleError)
    assert outcomes[10].code == "bad_data"
    assert [outcome for n, outcome in enumerate(outcomes) if n != 10 and isinstance(outcome, Exception)] == []
    assert await count(database, "orders") == 20
    assert (await ledger.submit(placing(deliver_at=soon(database)), actor=kitchen.shop)).order_id


async def test_a_fault_of_ours_harms_only_itself(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """What no rule foresees reaches whoever asked, and the ledger lives on."""
    order_id = await place(database, ledger)
    nonsense = ConfirmOrder(OrderId("no id"))  # type: ignore[arg-type]
    good, bad = await asyncio.gather(
        ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps()),
        ledger.submit(nonsense, actor=kitchen.lan.taps()),
        return_exceptions=True,
    )
    assert isinstance(bad, Exception)
    assert isinstance(good, Answer)
    assert good.kind is AnswerKind.DONE


async def test_a_caller_that_goes_away_does_not_cancel_the_commit(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The tap was taken: the repeat finds its answer."""
    order_id = await place(database, ledger)
    tap = asyncio.create_task(ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1"))
    await asyncio.sleep(0)
    tap.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tap
    repeat = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    assert (repeat.kind, repeat.replayed) == (AnswerKind.DONE, True)


async def test_nor_does_a_caller_that_goes_away_while_it_waits_its_turn(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """What was taken in is carried out, though nobody waits for it by the time it is its turn."""
    locked, order_id = await placed(database, ledger, 2)
    async with held_by_somebody_else(database_url, locked):
        stuck = asyncio.create_task(ledger.submit(ConfirmOrder(locked), actor=kitchen.lan.taps()))
        await waits_for_a_lock(database_url)
        tap = asyncio.create_task(
            ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
        )
        await asyncio.sleep(0)
        tap.cancel()
    await asyncio.gather(stuck, tap, return_exceptions=True)
    repeat = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    assert (repeat.kind, repeat.replayed) == (AnswerKind.DONE, True)


async def test_a_command_decides_on_what_is_committed(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """It waits for whoever is changing the order, and then sees the change: nothing is overwritten."""
    order_id = await place(database, ledger)
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "UPDATE orders SET status = 'cancelled', final_at = now() WHERE id = $1", order_id
            )
            tap = asyncio.create_task(ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps()))
            await waits_for_a_lock(database_url)
    finally:
        await connection.close()
    answer = await tap
    assert (answer.kind, answer.status) == (AnswerKind.STATE, Status.CANCELLED)
    assert await count(database, "orders", "status = 'cancelled'") == 1


async def test_a_caller_waits_no_longer_than_its_patience(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A tap that cannot commit in time is unavailable; it commits later, and the repeat finds its answer."""
    order_id = await place(database, ledger)
    async with (
        ledger_of(database, patience=timedelta(seconds=0.3)) as hasty,
        held_by_somebody_else(database_url, order_id),
    ):
        with pytest.raises(Unavailable):
            await hasty.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    repeat = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    assert (repeat.kind, repeat.replayed) == (AnswerKind.DONE, True)


async def kill_connections(database_url: str) -> int:
    """End every connection to this database but our own, as a restart of the server would."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name = 'chotdon'"
        )
        return len(rows)
    finally:
        await connection.close()


async def test_a_connection_lost_in_mid_transaction(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Who waits is told to try again; the next tap is on a connection of its own."""
    order_id, other = await placed(database, ledger, 2)
    async with held_by_somebody_else(database_url, order_id):
        tap = asyncio.create_task(
            ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
        )
        await waits_for_a_lock(database_url)
        assert await kill_connections(database_url) > 0
        with pytest.raises(Unavailable):
            await tap
    for each, key in ((order_id, "zalo:1"), (other, "zalo:2")):
        answer = await ledger.submit(ConfirmOrder(each), actor=kitchen.lan.taps(), key=key)
        assert answer.kind is AnswerKind.DONE


async def waits_for_a_lock(database_url: str) -> None:
    """Return when a connection of ours waits for a lock."""
    connection = await asyncpg.connect(database_url)
    try:
        for _ in range(500):
            if await connection.fetchval(_WAITING):
                return
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
    pytest.fail("nobody waits for a lock")


_WAITING: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_a_connection_lost_while_idle_costs_nobody_anything(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The server was restarted between two taps."""
    order_id = await place(database, ledger)
    assert await kill_connections(database_url) > 0
    await asyncio.sleep(0.2)
    answer = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    assert answer.kind is AnswerKind.DONE


async def test_connections_lost_under_load(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Taps go on while connections are killed: repeated until answered, each has one effect."""
    orders = await placed(database, ledger, 60)

    async def tap(order_id: OrderId) -> Answer:
        for _ in range(100):
            try:
                return await ledger.submit(
                    ConfirmOrder(order_id), actor=kitchen.lan.taps(), key=f"zalo:{order_id}"
                )
            except Unavailable:
                await asyncio.sleep(0.02)
        raise AssertionError("never answered")

    async def killing() -> None:
        for _ in range(5):
            await asyncio.sleep(0.03)
            await kill_connections(database_url)

    async def tapping(some: Sequence[OrderId]) -> list[Answer]:
        return [await tap(order_id) for order_id in some]

    batches, _ = await asyncio.gather(asyncio.gather(*(tapping(orders[n::6]) for n in range(6))), killing())
    assert {answer.kind for answers in batches for answer in answers} == {AnswerKind.DONE}
    assert await count(database, "events", "type = 'order.confirmed'") == 60


async def test_a_full_queue_says_so_at_once(
    database_url: str, database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Five thousand wait while the database stands still: the next one is refused, not kept waiting."""
    order_id = await place(database, ledger)
    nowhere = ConfirmOrder(OrderId(UUID(int=7)))
    async with held_by_somebody_else(database_url, order_id):
        stuck = asyncio.create_task(ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps()))
        await waits_for_a_lock(database_url)
        crowd = [asyncio.create_task(ledger.submit(nowhere, actor=kitchen.shop)) for _ in range(5_000)]
        await asyncio.sleep(0)
        asked = time.monotonic()
        with pytest.raises(Unavailable):
            await ledger.submit(nowhere, actor=kitchen.shop)
        assert time.monotonic() - asked < 0.1
    outcomes = await asyncio.gather(stuck, *crowd, return_exceptions=True)
    assert all(isinstance(outcome, Answer | Unavailable) for outcome in outcomes)


async def test_nothing_is_taken_before_the_start_and_after_the_end(
    database: Database, kitchen: Kitchen
) -> None:
    """A stopped ledger refuses; what it had taken it finishes first."""
    ledger = ledger_of(database)
    with pytest.raises(Unavailable):
        await ledger.submit(placing(deliver_at=soon(database)), actor=kitchen.shop)
    async with ledger:
        tasks = [asyncio.create_task(place(database, ledger)) for _ in range(150)]
        await asyncio.sleep(0)
    assert len({await task for task in tasks}) == 150
    with pytest.raises(Unavailable):
        await ledger.submit(placing(deliver_at=soon(database)), actor=kitchen.shop)


async def test_draining_waits_for_what_runs_beside(database: Database, kitchen: Kitchen) -> None:
    """A bad command splits its batch again and again: all of it is done before the ledger has stopped."""
    async with ledger_of(database) as ledger:
        bad = placing(external_id="bad", note="\0", deliver_at=soon(database))
        tasks = [asyncio.create_task(place(database, ledger)) for _ in range(30)]
        refused = asyncio.create_task(ledger.submit(bad, actor=kitchen.shop))
        await asyncio.sleep(0)
    assert all(task.done() for task in [*tasks, refused])
    assert await count(database, "orders") == 30
    with pytest.raises(RuleError):
        await refused


class BrokenWake:
    """A Redis that is away, or that hangs."""

    def __init__(self, hangs: float) -> None:
        self._hangs = hangs

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Hang, then fail."""
        await asyncio.sleep(self._hangs)
        raise ConnectionError


def _failed_wakes() -> float:
    return REGISTRY.get_sample_value("chotdon_failed_wakes_total") or 0


@pytest.mark.parametrize("hangs", [0, 60])
async def test_a_wake_that_fails_is_noticed_by_a_counter_only(
    database: Database, kitchen: Kitchen, hangs: float
) -> None:
    """The rows are committed; the sweep finds what was not woken."""
    wake, failed = BrokenWake(hangs), _failed_wakes()
    started = time.monotonic()
    async with Ledger(database, policy=Policy(), code_key=CODE_KEY, wake=wake) as ledger:
        await place(database, ledger)
    assert time.monotonic() - started < 5
    assert _failed_wakes() == failed + 1
    assert await count(database, "notices", "state = 'owed'") == 1


@pytest.fixture
async def watchful_url(database_url: str) -> str:
    """Return a database that looks for deadlocks at once, before our own lock_timeout hides them."""
    connection = await asyncpg.connect(database_url)
    try:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '10ms'")
    finally:
        await connection.close()
    return database_url


async def test_no_deadlocks_under_load(watchful_url: str) -> None:
    """Two processes tap and place while a sweep fires timers, all on the same orders: not one deadlock."""
    async with connect(watchful_url) as one, connect(watchful_url) as two:
        kitchen = await open_kitchen(one)
        async with ledger_of(one) as first, ledger_of(two) as second:
            orders = await placed(one, first, 40)
            await travel_to(one, one.clock.now() + timedelta(minutes=31))
            await two.set_clock()
            timers = await one.pool.fetch("SELECT id, order_id FROM timers WHERE kind = 'confirm_ladder'")
            outcomes = await asyncio.gather(
                *_taps((first, second), orders, kitchen),
                *(
                    which.submit(FireTimer(OrderId(row["order_id"]), row["id"]), actor=SYSTEM)
                    for row in timers
                    for which in (second, first)
                ),
                *(place(one, which) for which in (first, second) for _ in range(40)),
                return_exceptions=True,
            )
    assert Counter(type(outcome).__name__ for outcome in outcomes if isinstance(outcome, Exception)) == {}
    assert await deadlocks(watchful_url) == 0


async def test_no_deadlocks_when_batches_overlap(watchful_url: str) -> None:
    """Four processes lock the same hundred orders again and again, asked for in different sequences."""
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(connect(watchful_url)) for _ in range(4)]
        ledgers = [await stack.enter_async_context(ledger_of(each)) for each in databases]
        kitchen = await open_kitchen(databases[0])
        orders = await placed(databases[0], ledgers[0], 100)
        for _ in range(10):
            answers = await asyncio.gather(
                *(
                    which.submit(ConfirmOrder(each), actor=kitchen.lan.taps())
                    for which in ledgers
                    for each in random.sample(orders, len(orders))
                )
            )
            assert {answer.status for answer in answers} == {Status.CONFIRMED}
    assert await deadlocks(watchful_url) == 0


def _taps(ledgers: tuple[Ledger, Ledger], orders: Sequence[OrderId], kitchen: Kitchen) -> list[Any]:
    taps = []
    for n in range(8):
        person, which = kitchen.acting[n % 3], ledgers[n % 2]
        some = orders if n % 4 < 2 else orders[::-1]
        for order_id in some:
            command = ConfirmOrder(order_id) if n % 3 else CancelOrder(order_id, reason_of(1))
            taps.append(which.submit(command, actor=person.taps(), key=f"zalo:{n // 2}:{order_id}"))
    return taps


async def deadlocks(database_url: str) -> int:
    """Return how many deadlocks the server has found in this database; its connections are closed by now."""
    connection = await asyncpg.connect(database_url)
    try:
        await asyncio.sleep(0.2)
        found = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(found)
    finally:
        await connection.close()
