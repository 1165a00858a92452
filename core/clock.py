"""Product time: real time plus an offset that can be moved, the same for every process.

Due times, retries to platforms and the life of tokens and codes use it. Leases, rate limits,
breakers and timeouts use real time.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells product time."""

    def now(self) -> datetime:
        """Return product time, aware, in UTC."""


def real_now() -> datetime:
    """Return real time, aware, in UTC."""
    return datetime.now(UTC)


class ProductClock:
    """Real time plus an offset. Whoever knows the database's offset sets it."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Return product time, aware, in UTC."""
        return real_now() + self.offset


class StillClock:
    """A clock that moves by hand, for rules that are tried out without a database."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self._now += by
