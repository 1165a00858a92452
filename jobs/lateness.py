"""Whether timers are late: the sweep does not keep up, or some of them fail again and again."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from core import alarms
from core.database import Database

ALARM: Final = "timers: late"
#: Later than this is worth a person's look; the sweep itself comes every ten seconds.
LATE: Final = timedelta(minutes=1)


class Lateness:
    """Looks how long the oldest due timer has waited, and alarms the operators.

    A clock that was moved by a day makes everything a day late at once: no timer counts as later than product
    time has been running evenly.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset: timedelta | None = None
        self._even_since = 0.0
        self._may_be_raised = True

    async def look(self, database: Database) -> timedelta:
        """Return how late timers are; raise the alarm, or clear it. Call it before the due ones are fired."""
        late = min(await self._oldest(database), self._even(database))
        if late > LATE:
            await self._raise(database, late)
        elif self._may_be_raised:
            await self._clear(database)
        return late

    def _even(self, database: Database) -> timedelta:
        if database.clock.offset != self._offset:
            self._offset, self._even_since = database.clock.offset, self._clock()
        return timedelta(seconds=self._clock() - self._even_since)

    async def _oldest(self, database: Database) -> timedelta:
        now = database.clock.now()
        due = await database.pool.fetchval("SELECT min(due_at) FROM timers WHERE state = 'live'")
        return max(now - due, timedelta()) if due else timedelta()

    async def _raise(self, database: Database, late: timedelta) -> None:
        detail = f"Nhắc hẹn lâu nhất đã trễ {late // timedelta(minutes=1)} phút"
        async with database.pool.acquire() as connection, connection.transaction():
            await alarms.raise_(connection, ALARM, detail, now=database.clock.now())
        self._may_be_raised = True

    async def _clear(self, database: Database) -> None:
        async with database.pool.acquire() as connection, connection.transaction():
            await alarms.clear(connection, ALARM, now=database.clock.now())
        self._may_be_raised = False
