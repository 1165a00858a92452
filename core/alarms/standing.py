"""Alarms that stand, as a worker remembers them: whether a message that was taken shows that one is over."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.alarms.raising import Proof, clear
from core.database import Database

_FRESH_FOR: Final = 5.0


class Standing:
    """What stands, read again after five seconds of real time: no send asks the database each time."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._names: Mapping[str, Proof | None] = {}
        self._read_at = float("-inf")

    async def taken(self, database: Database, message: Proof) -> None:
        """Clear every alarm that a message shows to be over, now that its gateway has taken it."""
        standing = await self._read(database)
        over = [name for name, proof in standing.items() if proof and proof.is_given_by(message)]
        await self._clear(database, over)

    async def answers(self, database: Database, gateway: str) -> None:
        """Clear the alarm that a gateway does not answer; a worker before this one may have raised it."""
        alarm = f"{gateway}: gateway"
        if alarm in await self._read(database):
            await self._clear(database, [alarm])

    def forget(self) -> None:
        """Read anew at the next question: an alarm has just been raised."""
        self._read_at = float("-inf")

    async def _clear(self, database: Database, names: Sequence[str]) -> None:
        now = database.clock.now()
        for name in names:
            async with database.pool.acquire() as connection, connection.transaction():
                await clear(connection, name, now=now)
            self._names = {other: proof for other, proof in self._names.items() if other != name}

    async def _read(self, database: Database) -> Mapping[str, Proof | None]:
        if self._clock() - self._read_at >= _FRESH_FOR:
            self._read_at = self._clock()
            rows = await database.pool.fetch("SELECT name, channel, what, kind FROM alarms")
            self._names = {
                row["name"]: Proof(row["channel"], row["what"], row["kind"]) if row["channel"] else None
                for row in rows
            }
        return self._names
