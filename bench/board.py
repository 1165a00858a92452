"""What the operators' board costs when a great many orders wait: a page, one far behind, its numbers."""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from bench.figures import Aim, Figure, of_runs, percentile
from bench.sizes import Size
from bench.stage import Stage
from bench.town import RowKind, at_leisure, copy_orders, tidy
from bench.world import open_world
from core.database import Database
from core.operators import board, changes, items, stuck
from core.operators.board import Place, Urgency, Wanted
from core.schedule import Policy

#: Milliseconds: what somebody who opens a page does not notice.
_AIM: Final = (Aim.AT_MOST, 100.0)
_FIRST: Final = 40_000_000
_SHOWN: Final = 50
#: Deliveries from now on over three days, as a city has them.
_SPREAD: Final = f"""
UPDATE orders SET deliver_at = now() + (1 + n % 4319) * interval '1 minute'
FROM generate_series($1::bigint, $2::bigint) n WHERE id = bench_id({RowKind.ORDER}, n)
"""  # noqa: S608  (names of ours)
_WHAT: Final = {
    "page": "the board's first page",
    "far": "a page of the board from the middle on",
    "silent": "the board's orders without a reminder left",
    "counts": "the board's numbers",
    "version": "one look whether the board has changed",
}


async def measure(stage: Stage, size: Size) -> list[Figure]:
    """Let so many orders wait, and read the board as its page does."""
    url = await stage.new_database("board")
    async with open_world(url, "http://127.0.0.1:9/webhooks", kitchens=200, mail=True) as world:
        async with at_leisure(url) as connection:
            orders = await copy_orders(connection, world.town, _FIRST, size.open_orders)
            await connection.execute(_SPREAD, orders[0], orders[-1])
            await tidy(connection)
        return await _read(world.database, size)


async def _read(database: Database, size: Size) -> list[Figure]:
    middle = await database.pool.fetchrow(_MIDDLE)
    assert middle is not None  # noqa: S101  (orders were just copied)
    place = Place(middle["deliver_at"], middle["id"])
    readings = _readings(database, place, database.clock.now())
    figures = []
    for name, what in _WHAT.items():
        runs = [await _took(readings[name], size.readings) for _ in range(size.rounds)]
        figures.append(
            of_runs(f"board.{name}.p99", f"{what}, {size.open_orders:,} orders open, p99", runs, "ms", _AIM)
        )
    return figures


def _readings(database: Database, place: Place, now: datetime) -> dict[str, Callable[[], Awaitable[object]]]:
    pool, policy, all_of_it = database.pool, Policy(), Wanted()

    async def page(wanted: Wanted = all_of_it, after: Place | None = None) -> object:
        return await board.page(pool, wanted, policy=policy, after=after, most=_SHOWN, now=now)

    async def counts() -> object:
        counted = await board.counts(pool, all_of_it, policy=policy, now=now)
        return counted, await items.counts(pool, now=now), await stuck.webhooks(pool)

    return {
        "page": page,
        "far": lambda: page(after=place),
        "silent": lambda: page(Wanted(urgency=Urgency.SILENT)),
        "counts": counts,
        "version": lambda: changes.version(pool),
    }


async def _took(read: Callable[[], Awaitable[object]], times: int) -> float:
    await read()
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        await read()
        spans.append((time.perf_counter() - started) * 1000)
    return percentile(spans, 0.99)


_MIDDLE: Final = """
SELECT deliver_at, id FROM orders WHERE status = 'pending' AND deliver_at > now() + interval '36 hours'
ORDER BY deliver_at, id LIMIT 1
"""
