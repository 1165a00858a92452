"""Moving product time, for every process that uses this database."""

from datetime import datetime, timedelta
from typing import Final

from core.clock import real_now
from core.database import Connection, Database
from core.errors import RuleError

#: How far product time may be ahead: far enough for any order, near enough for every date to exist.
FARTHEST: Final = timedelta(days=3650)
#: Other processes follow the clock once a second; until then they may still plan by the old time.
FOLLOWED_WITHIN: Final = timedelta(seconds=2)


async def ahead(database: Database) -> timedelta:
    """Return how far product time is ahead of real time."""
    found = await database.pool.fetchval("SELECT ahead FROM clock")
    return found if isinstance(found, timedelta) else timedelta()


async def advance(database: Database, by: timedelta) -> datetime:
    """Move product time forward for every process; return what it is now.

    What became due is not looked for here: the sweep does that, in the order of deadlines.
    Raises RuleError("clock_backwards", "clock_too_far").
    """
    if by <= timedelta():
        raise RuleError("clock_backwards")
    moved = await database.pool.fetchval(_ADVANCE, by, FARTHEST)
    if moved is None:
        raise RuleError("clock_too_far", days=FARTHEST.days)
    await database.set_clock()
    return database.clock.now()


async def reset(database: Database) -> timedelta:
    """Bring product time back to real time for every process; return how far ahead it was.

    Deliveries and locks that wait for a moment that is gone wait as long as before, no longer.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        was = await connection.fetchval("SELECT ahead FROM clock FOR UPDATE")
        await connection.execute("UPDATE clock SET ahead = '0'")
        await _bring_back(connection, later_than=real_now(), by=was)
    await database.set_clock()
    return was if isinstance(was, timedelta) else timedelta()


async def bring_stragglers_back(database: Database, was_ahead: timedelta) -> None:
    """Bring back what other processes still planned by the old time before they followed a reset.

    To be called once, FOLLOWED_WITHIN after it. A delivery that was to wait that long anyway is tried sooner.
    """
    threshold = real_now() + was_ahead - 2 * FOLLOWED_WITHIN
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await _bring_back(connection, later_than=threshold, by=was_ahead)


async def _bring_back(connection: Connection, *, later_than: datetime, by: timedelta) -> None:
    """Locks its rows in id order, as everybody does who changes several of them."""
    for statement in (_MESSAGES, _WEBHOOKS, _TRIES):
        await connection.execute(statement, later_than, by)


_ADVANCE: Final = """
UPDATE clock SET ahead = ahead + $1::interval WHERE ahead + $1::interval <= $2 RETURNING ahead
"""
_MESSAGES: Final = """
UPDATE messages SET next_at = next_at - $2::interval
 WHERE id IN (SELECT id FROM messages
               WHERE state IN ('waiting', 'unclear') AND next_at > $1 ORDER BY id FOR NO KEY UPDATE)
"""
_WEBHOOKS: Final = """
UPDATE webhooks SET next_at = next_at - $2::interval
 WHERE id IN (SELECT id FROM webhooks
               WHERE state = 'waiting' AND next_at > $1 ORDER BY id FOR NO KEY UPDATE)
"""
_TRIES: Final = """
UPDATE wrong_tries SET since = since - $2::interval, locked_until = locked_until - $2::interval
 WHERE (what, sender) IN (SELECT what, sender FROM wrong_tries
                           WHERE since > $1 OR locked_until > $1 ORDER BY what, sender FOR NO KEY UPDATE)
"""
