"""Telling an open page that its order has changed (server-sent events): one look a second for all of them.

The page fetches itself again when it hears of a newer version; it is told a number here, never the order.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

import structlog
from aiohttp import web

from bot.keys import DATABASE
from bot.web.order_inside import opened_by
from bot.web.order_page import reading_of
from bot.web.session import seat_if_any
from core.database import AWAY, Database

_log: Final = structlog.get_logger()

#: How many pages one process keeps up to date, and how many of one person or link.
MOST: Final = 500
MOST_EACH: Final = 6
#: Seconds: how often is looked, how often a silent line says that it is still there, how long one lasts.
LOOK_EVERY: Final = 1.0
HEARTBEAT: Final = 15.0
LIFE: Final = 600.0
_RETRY: Final = b"retry: 5000\n\n"
_STILL_HERE: Final = b": still here\n\n"


class Hearer(Protocol):
    """Whoever is told: the newest version, whether it is over, and what wakes it."""

    @property
    def version(self) -> int:
        """The version it has heard of."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to be heard."""

    @property
    def woken(self) -> asyncio.Event:
        """Set when there is something new."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One open page: whose it is, and the version it has heard of. Without `staff_id` it is no member's."""

    order_id: UUID
    staff_id: UUID | None
    session_id: UUID | None
    version: int = 0
    is_over: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def holder(self) -> UUID:
        """Return by whom pages are counted: a session, the person of a link, or the order of a customer's."""
        return self.session_id or self.staff_id or self.order_id

    def hears(self, version: int | None) -> None:
        """Take note of the order's version; None ends it: nobody may see the order by this any more."""
        if version is None:
            self.is_over = True
        elif version == self.version:
            return
        self.version = version or self.version
        self.woken.set()


class Full(Exception):
    """As many pages are kept up to date as may be."""


class Live:
    """The open pages of this process, and the one who looks for all of them."""

    def __init__(self, database: Database, *, look_every: float = LOOK_EVERY) -> None:
        self._database = database
        self._look_every = look_every
        self._watchers: set[Watcher] = set()
        self._each: Counter[UUID] = Counter()
        self._some = asyncio.Event()

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[Watcher]:
        """Keep a page up to date until the block ends. Raises Full."""
        if len(self._watchers) >= MOST or self._each[watcher.holder] >= MOST_EACH:
            raise Full
        self._watchers.add(watcher)
        self._each[watcher.holder] += 1
        self._some.set()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            self._each[watcher.holder] -= 1
            if not self._each[watcher.holder]:
                del self._each[watcher.holder]
            if not self._watchers:
                self._some.clear()

    async def run(self) -> None:
        """Look once a second, as long as there is a page to look for; until cancelled."""
        while True:
            await self._some.wait()
            try:
                await self._look()
            except AWAY as away:  # pages stay as they are until it is back
                _log.warning("live pages cannot look", error=type(away).__name__)
            await asyncio.sleep(self._look_every)

    async def _look(self) -> None:
        watchers = list(self._watchers)
        rows = await self._database.pool.fetch(
            _VERSIONS,
            list({watcher.order_id for watcher in watchers}),
            list({watcher.staff_id for watcher in watchers if watcher.staff_id}),
            list({watcher.session_id for watcher in watchers if watcher.session_id}),
            self._database.clock.now(),
        )
        known = {row["id"]: row["version"] for row in rows}
        for watcher in watchers:
            may = all(id_ in known for id_ in (watcher.staff_id, watcher.session_id) if id_)
            watcher.hears(known.get(watcher.order_id) if may else None)

    def close(self) -> None:
        """End every line: the process stops, and another one may take them."""
        for watcher in self._watchers:
            watcher.hears(None)


_VERSIONS: Final = """
SELECT id, version FROM orders WHERE id = ANY($1::uuid[])
UNION ALL
SELECT id, 0 FROM staff WHERE id = ANY($2::uuid[]) AND removed_at IS NULL
UNION ALL
SELECT id, 0 FROM sessions s WHERE id = ANY($3::uuid[]) AND ended_at IS NULL AND expires_at > $4
    AND (s.address IS NULL OR EXISTS (
        SELECT FROM addresses a
        WHERE a.staff_id = s.staff_id AND a.kind = s.address_kind AND a.value = s.address))
"""

LIVE: Final = web.AppKey("live", Live)


async def keep_looking(app: web.Application) -> AsyncIterator[None]:
    """Look for open pages while the application runs; for `cleanup_ctx`."""
    app[LIVE] = Live(app[DATABASE])
    looking = asyncio.create_task(app[LIVE].run())
    yield
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def hang_up(app: web.Application) -> None:
    """End every line before the process waits for its requests; for `on_shutdown`."""
    app[LIVE].close()


# --- The lines -------------------------------------------------------------------------------------


async def of_link(request: web.Request) -> web.StreamResponse:
    """Tell the page of a link when its order changes."""
    reading = await reading_of(request)
    if isinstance(reading, web.Response):
        return reading
    if reading.has_left:
        raise web.HTTPNotFound
    watcher = Watcher(reading.order.id, reading.token.staff_id, None)
    return await tell(request, request.config_dict[LIVE].watching(watcher))


async def of_seat(request: web.Request) -> web.StreamResponse:
    """Tell the page of somebody signed in when its order changes; a stranger finds nothing here."""
    seat = await seat_if_any(request)
    if seat is None:
        raise web.HTTPNotFound
    opened = await opened_by(request, seat, request.query.get("order", ""))
    watcher = Watcher(opened.order.id, seat.staff.id, seat.session.id)
    return await tell(request, request.config_dict[LIVE].watching(watcher))


async def tell(request: web.Request, watching: AbstractContextManager[Hearer]) -> web.StreamResponse:
    """Tell an open page of each new version, until it goes away; 503 where `watching` raises Full."""
    try:
        with watching as watcher:
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
            )
            await response.prepare(request)
            with suppress(ConnectionError):
                await _speak(response, watcher)
            return response
    except Full:
        raise web.HTTPServiceUnavailable from None


async def _speak(response: web.StreamResponse, watcher: Hearer) -> None:
    """Write each version as it is heard of; the browser calls again when a line has had its time."""
    await response.write(_RETRY)
    with suppress(TimeoutError):
        async with asyncio.timeout(LIFE):
            while line := await _next(watcher):
                await response.write(line)


async def _next(watcher: Hearer) -> bytes:
    """Return the next line, nothing when there is none any more."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            await watcher.woken.wait()
    except TimeoutError:
        return _STILL_HERE
    watcher.woken.clear()
    return b"" if watcher.is_over else f"event: version\ndata: {watcher.version}\n\n".encode()
