"""Telling an open board that it looks otherwise now: one look every few seconds for all who watch.

The page fetches itself again when it hears of a newer version; it is told a number here, nothing of an order.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from aiohttp import web

from bot.ops.session import operator_if_any
from bot.web.live import Full, tell
from core.database import AWAY, Database
from core.operators import changes, sessions

_log: Final = structlog.get_logger()

#: How many boards one process keeps up to date, and how many of one session.
MOST: Final = 100
MOST_EACH: Final = 6
#: Seconds: how often is looked, and how often a board without news is drawn again, because time passes on it.
LOOK_EVERY: Final = 2.0
DRAWN_EVERY: Final = 30


@dataclass(eq=False, slots=True)
class Viewer:
    """One open board, of one session."""

    session_id: UUID
    version: int = 0
    is_over: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def hears(self, version: int | None) -> None:
        """Take note of the board's version; None ends it: the session works no more."""
        if version == self.version:
            return
        self.is_over = version is None
        self.version = version or self.version
        self.woken.set()


class BoardLive:
    """The open boards of this process, and the one who looks for all of them."""

    def __init__(
        self, database: Database, operators: Sequence[str], *, look_every: float = LOOK_EVERY
    ) -> None:
        self._database = database
        self._operators = operators
        self._look_every = look_every
        self._viewers: set[Viewer] = set()
        self._some = asyncio.Event()

    async def version(self) -> int:
        """Return the board's version now; it grows with time as well."""
        moment = int(self._database.clock.now().timestamp()) // DRAWN_EVERY
        return moment + await changes.version(self._database.pool)

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[Viewer]:
        """Keep a board up to date until the block ends. Raises Full."""
        own = sum(other.session_id == viewer.session_id for other in self._viewers)
        if len(self._viewers) >= MOST or own >= MOST_EACH:
            raise Full
        self._viewers.add(viewer)
        self._some.set()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._some.clear()

    async def run(self) -> None:
        """Look every few seconds, as long as somebody watches; until cancelled."""
        while True:
            await self._some.wait()
            try:
                await self._look()
            except AWAY as away:  # boards stay as they are until it is back
                _log.warning("the board cannot look", error=type(away).__name__)
            await asyncio.sleep(self._look_every)

    async def _look(self) -> None:
        viewers = list(self._viewers)
        version = await self.version()
        living = await sessions.living(
            self._database.pool,
            [viewer.session_id for viewer in viewers],
            operators=self._operators,
            now=self._database.clock.now(),
        )
        for viewer in viewers:
            viewer.hears(version if viewer.session_id in living else None)

    def close(self) -> None:
        """End every line: the process stops, and another one may take them."""
        for viewer in self._viewers:
            viewer.hears(None)


BOARD: Final = web.AppKey("board", BoardLive)


async def keep_looking(app: web.Application) -> AsyncIterator[None]:
    """Look for open boards while the application runs; for `cleanup_ctx`."""
    looking = asyncio.create_task(app[BOARD].run())
    yield
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def hang_up(app: web.Application) -> None:
    """End every line before the process waits for its requests; for `on_shutdown`."""
    app[BOARD].close()


async def of_board(request: web.Request) -> web.StreamResponse:
    """Tell the board of somebody signed in when it looks otherwise; a stranger finds nothing here."""
    operator = await operator_if_any(request)
    if operator is None:
        raise web.HTTPNotFound
    viewer = Viewer(operator.session.id)
    return await tell(request, request.config_dict[BOARD].watching(viewer))
