"""What a sweep costs with few and with many timers waiting: nothing due, and a hundred due.

Two databases on one server, swept in turns, so that what else the machine does meets both alike.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import asyncpg

from bench.figures import Aim, Figure, of_runs
from bench.sizes import Size
from bench.stage import Child, Failed, Stage, helper
from bench.town import RowKind, Town, at_leisure, copy_orders, quieten, tidy
from bench.world import open_world

DUE: Final = 100
_FIRST_DUE: Final = 5_000_000
_AIM: Final = (Aim.AT_MOST, 1.2)
#: The product's own default, CONFIRM_NUDGES_AFTER.
_FIRST_NUDGE: Final = "interval '15 minutes'"

#: Orders that were placed a first nudge ago, to the second, so that their ladder's timer is due.
_MAKE_DUE: Final = f"""
WITH old AS (
    UPDATE orders SET asked_at = now() - {_FIRST_NUDGE} - interval '1 second'
    WHERE id IN (SELECT bench_id({RowKind.ORDER}, n) FROM generate_series($1::bigint, $2::bigint) n)
    RETURNING id, asked_at
)
UPDATE timers t SET due_at = old.asked_at + {_FIRST_NUDGE} FROM old
WHERE t.order_id = old.id AND t.kind = 'confirm_ladder' AND t.state = 'live'
"""  # noqa: S608  (names of ours)
_KILL: Final = f"""
UPDATE timers SET state = 'dead' WHERE state = 'live'
AND order_id IN (SELECT bench_id({RowKind.ORDER}, n) FROM generate_series($1::bigint, $2::bigint) n)
"""  # noqa: S608  (names of ours)
_WAITING: Final = "SELECT count(*) FROM timers WHERE state = 'live'"
_DUE_NOW: Final = "SELECT count(*) FROM timers WHERE state = 'live' AND due_at <= now()"


@dataclass(slots=True)
class Waiting:
    """A database in which so many timers wait, and whoever sweeps it."""

    name: str
    connection: "asyncpg.Connection[asyncpg.Record]"
    sweeper: Child
    timers: int
    town: Town
    next_order: int = _FIRST_DUE
    idle: list[float] = field(default_factory=list)
    due: list[float] = field(default_factory=list)

    async def sweep_idle(self, times: int) -> None:
        """Sweep with nothing due; keep the median."""
        self.idle.append(median(await self.sweeper.ask(times)))

    async def sweep_due(self) -> None:
        """Sweep with a hundred timers due, of orders made for it; as many wait afterwards as before."""
        orders = await copy_orders(self.connection, self.town, self.next_order, DUE)
        self.next_order += DUE
        await self.connection.execute(_MAKE_DUE, orders[0], orders[-1])
        if await self.connection.fetchval(_DUE_NOW) != DUE:
            raise Failed("not as many timers are due as should be")
        [took] = await self.sweeper.ask(1)
        if await self.connection.fetchval(_DUE_NOW):
            raise Failed("the sweep left timers that are due")
        self.due.append(took)
        await self.connection.execute(_KILL, orders[0], orders[-1])
        await quieten(self.connection)


async def measure(stage: Stage, size: Size) -> list[Figure]:
    """Sweep both databases in turns."""
    async with (
        _waiting(stage, "few", size.few_timers) as few,
        _waiting(stage, "many", size.many_timers) as many,
    ):
        for _ in range(size.sweep_rounds):
            for each in (few, many):
                await each.sweep_idle(size.sweeps_a_round)
                await each.sweep_due()
        return [*_figures("idle", "nothing due", few, many), *_figures("due", f"{DUE} due", few, many)]


@asynccontextmanager
async def _waiting(stage: Stage, name: str, timers: int) -> AsyncIterator[Waiting]:
    url = await stage.new_database(name)
    async with open_world(url, "http://127.0.0.1:9/webhooks", kitchens=20, mail=False) as world:
        async with at_leisure(url) as copying:
            planned = await copying.fetchval(_WAITING)
            each = planned // len(world.town.kitchens)
            await copy_orders(copying, world.town, 0, -(-(timers - planned) // each))
            await tidy(copying)
        town = world.town
        settings = {**stage.basics, "DATABASE_URL": url}
    async with at_leisure(url) as connection, helper(stage, "sweeper", settings, name=name) as sweeper:
        await sweeper.heard()
        await sweeper.ask(5)
        yield Waiting(name, connection, sweeper, await connection.fetchval(_WAITING), town)


def _figures(key: str, what: str, few: Waiting, many: Waiting) -> list[Figure]:
    less, more = getattr(few, key), getattr(many, key)
    by_round = [high / low for low, high in zip(less, more, strict=True)]
    ratio = median(more) / median(less)
    return [
        of_runs(f"sweep.{key}.few", f"a sweep, {few.timers:,} timers waiting, {what}", less, "ms"),
        of_runs(f"sweep.{key}.many", f"a sweep, {many.timers:,} timers waiting, {what}", more, "ms"),
        Figure(f"sweep.{key}.ratio", "   many ÷ few", ratio, "", _AIM, tuple(by_round)),
    ]
