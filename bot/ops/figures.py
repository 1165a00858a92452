"""The numbers of the board: counted once in a while for everybody who looks at it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.ops.live import BoardLive
from core.database import Database
from core.operators import board, items, stuck
from core.operators.board import Urgency, Wanted
from core.operators.stuck import StuckWebhooks
from core.schedule import Policy

#: Seconds (real time) that a count is shown for, and how many selections are remembered.
SHOWN_FOR: Final = 1.0
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Figures:
    """How many orders wait, by urgency, and what else stands still, as of a version of the board."""

    version: int
    waiting: Mapping[Urgency, int]
    items: int
    alarms: int
    webhooks: Sequence[StuckWebhooks]

    @property
    def all_waiting(self) -> int:
        """Every order that waits; who is `SILENT` is counted by the time left."""
        return sum(count for urgency, count in self.waiting.items() if urgency is not Urgency.SILENT)


class Counting:
    """Counts for one process: who asks while somebody counts gets that count."""

    def __init__(self, database: Database, policy: Policy, live: BoardLive) -> None:
        self._database = database
        self._policy = policy
        self._live = live
        self._known: dict[Wanted, tuple[float, Figures]] = {}
        self._counting = asyncio.Lock()

    async def figures(self, wanted: Wanted) -> Figures:
        """Return the numbers for the orders of a selection, at most a second old."""
        async with self._counting:
            known = self._known.get(wanted)
            if known and time.monotonic() < known[0] + SHOWN_FOR:
                return known[1]
            figures = await self._counted(wanted)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[wanted] = (time.monotonic(), figures)
            return figures

    async def _counted(self, wanted: Wanted) -> Figures:
        pool, now = self._database.pool, self._database.clock.now()
        version = await self._live.version()
        by_kind = await items.counts(pool, now=now)
        return Figures(
            version,
            await board.counts(pool, wanted, policy=self._policy, now=now),
            sum(by_kind.values()),
            len(await stuck.alarms_raised(pool)),
            await stuck.webhooks(pool),
        )


COUNTING: Final = web.AppKey("counting", Counting)
