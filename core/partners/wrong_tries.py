"""Counting the wrong codes of one sender, so that nobody can try them all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Limit:
    """So many wrong tries `within` a time lock a sender for `locks_for`; both are product time.

    `what` names what was tried. The time counts from the first of the tries.
    """

    what: str
    tries: int
    within: timedelta
    locks_for: timedelta


@dataclass(frozen=True, slots=True)
class Tries:
    """Where a sender stands: wrong tries that count now, and until when it is locked."""

    count: int
    locked_until: datetime | None = None


async def held(connection: Connection, limit: Limit, sender: str, *, now: datetime) -> Tries:
    """Return where the sender stands and keep its other tries waiting until this transaction ends.

    Without that, a hundred tries at once would all see the count of the first.
    """
    row = await connection.fetchrow(_HOLD, limit.what, sender, now)
    assert row is not None  # noqa: S101  (the upsert returns its row)
    if row["locked_until"] is not None and row["locked_until"] > now:
        return Tries(row["tries"], row["locked_until"])
    fresh = row["locked_until"] is not None or row["since"] <= now - limit.within
    return Tries(0 if fresh else row["tries"])


async def is_locked(queryable: Connection | Pool, limit: Limit, sender: str, *, now: datetime) -> bool:
    """Whether the sender has to wait; counts nothing."""
    return bool(await queryable.fetchval(_IS_LOCKED, limit.what, sender, now))


async def began(connection: Connection, limit: Limit, sender: str) -> datetime | None:
    """Return when the first of the sender's tries that still count was made, or None."""
    since: datetime | None = await connection.fetchval(_BEGAN, limit.what, sender)
    return since


async def wrong(connection: Connection, limit: Limit, sender: str, so_far: Tries, *, now: datetime) -> Tries:
    """Count one more wrong try of a sender that is `held`, and lock it with the last one allowed."""
    count = so_far.count + 1
    locked_until = now + limit.locks_for if count >= limit.tries else None
    await connection.execute(_COUNT, limit.what, sender, count, now, locked_until)
    return Tries(count, locked_until)


async def is_one_more(connection: Connection, limit: Limit, sender: str, *, now: datetime) -> bool:
    """Count one more of what may be done so often only; return whether it may."""
    so_far = await held(connection, limit, sender, now=now)
    if so_far.locked_until is not None:
        return False
    await wrong(connection, limit, sender, so_far, now=now)
    return True


async def forget(connection: Connection, limit: Limit, sender: str) -> None:
    """Forget the sender's wrong tries, because it got one right."""
    await connection.execute("DELETE FROM wrong_tries WHERE what = $1 AND sender = $2", limit.what, sender)


_IS_LOCKED: Final = """
SELECT true FROM wrong_tries WHERE what = $1 AND sender = $2 AND locked_until > $3
"""
_BEGAN: Final = "SELECT since FROM wrong_tries WHERE what = $1 AND sender = $2 AND tries > 0"
_HOLD: Final = """
INSERT INTO wrong_tries (what, sender, tries, since) VALUES ($1, $2, 0, $3)
ON CONFLICT (what, sender) DO UPDATE SET tries = wrong_tries.tries
RETURNING tries, since, locked_until
"""
_COUNT: Final = """
UPDATE wrong_tries
   SET tries = $3, locked_until = $5, since = CASE WHEN $3 = 1 THEN $4 ELSE since END
 WHERE what = $1 AND sender = $2
"""
