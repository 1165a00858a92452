"""Tables that are kept in parts, one for each month of real time.

Three of them are parted by ids that rise with time: an event by its own, a message and its attempts by the
notice's that the message is of, so that what must be there once lies in one part. The inbox is parted by
when a key was written down; `decisions/0036` says how a key stays unique across the end of a month.

What has no part of its own goes into the default one: everything of before, and of the month in which the
parts began. So a row always finds a home, whatever its id.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core import alarms
from core.clock import real_now
from core.database import Connection, Database

#: Whoever makes or drops parts holds this advisory lock; nobody waits for it.
_PARTING: Final = 7_214_902_612
_AHEAD: Final = 2
#: How long anything of ours may stand in the way of the service, which itself waits a second for a lock.
_LOCK_WITHIN: Final = "300ms"
#: What is dropped must have ended that much longer ago: clocks of several machines differ.
_SLACK: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parted:
    """A table kept in parts; `by_id` where the column is an id that begins with its time."""

    table: str
    column: str
    by_id: bool
    fill: int = 100


PARTED: Final = (
    Parted("events", "id", by_id=True),
    Parted("messages", "id", by_id=True, fill=80),
    Parted("attempts", "message_id", by_id=True),
    Parted("inbox", "made_at", by_id=False),
)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of real time, in UTC."""

    begins: datetime

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """Return the month that this moment lies in."""
        there = moment.astimezone(UTC)
        return cls(datetime(there.year, there.month, 1, tzinfo=UTC))

    @property
    def following(self) -> "Month":
        """The next one."""
        return Month.of(self.begins + timedelta(days=31))

    def part_of(self, parted: Parted) -> str:
        """Return the name of the part that holds this month."""
        return f"{parted.table}_{self.begins:%Y_%m}"

    def bounds(self, parted: Parted) -> tuple[str, str]:
        """Return the first value of this month and that of the next, as SQL has them."""
        return _value(parted, self.begins), _value(parted, self.following.begins)


def _value(parted: Parted, moment: datetime) -> str:
    return f"'{first_id(moment)}'::uuid" if parted.by_id else f"'{moment.isoformat()}'::timestamptz"


def first_id(moment: datetime) -> UUID:
    """Return what every id made from this moment on is not below."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def coming(now: datetime) -> list[Month]:
    """Return the months that are to have parts before they begin."""
    months = [Month.of(now).following]
    while len(months) < _AHEAD:
        months.append(months[-1].following)
    return months


async def keep_ahead(database: Database) -> int:
    """Make the parts of the next months, and alarm the operators when one is still missing that begins soon.

    Safe from several workers at once: who finds another at it leaves it to them. Returns how many were made.
    """
    async with database.pool.acquire() as connection:
        made = await make_ahead(connection, now=real_now())
        await tell_of_missing(connection, real_now(), now=database.clock.now())
    return made


async def make_ahead(connection: Connection, *, now: datetime) -> int:
    """Make the parts of the months after `now`'s that are not there yet; return how many were made.

    Nothing waits longer than a moment for this: what cannot have its locks at once is left for the next call.
    """
    made = 0
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _PARTING):
        return made
    try:
        for parted, month in missing(await parts(connection), coming(now)):
            with suppress(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                made += await _make(connection, parted, month)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _PARTING)
    return made


def missing(there: Sequence[str], months: Sequence[Month]) -> Iterator[tuple[Parted, Month]]:
    """Tell which parts of these months are not there."""
    for month in months:
        for parted in PARTED:
            if month.part_of(parted) not in there:
                yield parted, month


async def parts(connection: Connection) -> list[str]:
    """Return the names of all parts."""
    rows = await connection.fetch(_PARTS, [parted.table for parted in PARTED])
    return [row["name"] for row in rows]


async def _make(connection: Connection, parted: Parted, month: Month) -> bool:
    """Make one part; whether it could be made. A month that has rows already stays with the default part.

    That the default part has none of them is first promised for new rows, then looked up without holding
    anybody up; with the promise kept, attaching the new part has nothing to look at.
    """
    name, default = month.part_of(parted), f"{parted.table}_default"
    low, high = month.bounds(parted)
    outside = f"NOT ({parted.column} IS NOT NULL AND {parted.column} >= {low} AND {parted.column} < {high})"
    await _at_once(
        connection,
        f"ALTER TABLE {default} DROP CONSTRAINT IF EXISTS not_{name}",
        f"ALTER TABLE {default} ADD CONSTRAINT not_{name} CHECK ({outside}) NOT VALID",
    )
    try:
        await connection.execute(f"ALTER TABLE {default} VALIDATE CONSTRAINT not_{name}", timeout=3600)
    except asyncpg.CheckViolationError:
        await _at_once(connection, f"ALTER TABLE {default} DROP CONSTRAINT not_{name}")
        return False
    await _at_once(
        connection,
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE TABLE {name} (LIKE {default} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES"
        f" INCLUDING STORAGE) WITH (fillfactor = {parted.fill})",
        f"ALTER TABLE {name} DROP CONSTRAINT not_{name}",
        f"ALTER TABLE {parted.table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})",
        f"ALTER TABLE {default} DROP CONSTRAINT not_{name}",
    )
    return True


async def _at_once(connection: Connection, *statements: str) -> None:
    """Carry out statements of ours in one transaction that gives up rather than wait for a lock."""
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
        for statement in statements:
            await connection.execute(statement)


async def tell_of_missing(connection: Connection, moment: datetime, *, now: datetime) -> None:
    """Alarm about tables whose next month has no part a week before it begins; `moment` is real time."""
    soon = Month.of(moment + timedelta(days=7))
    lacking = [parted.table for parted, _ in missing(await parts(connection), [soon])]
    is_new = soon in coming(moment)  # the month in which the parts began is the default's
    async with connection.transaction(isolation="read_committed"):
        if lacking and is_new:
            await alarms.raise_(connection, _ALARM, f"Chưa có phần cho {', '.join(lacking)}", now=now)
        else:
            await alarms.clear(connection, _ALARM, now=now)


_ALARM: Final = "database: months"


async def drop(connection: Connection, parted: Parted, month: Month) -> bool:
    """Drop the part of a month with all that is in it; whether it could have its lock at once."""
    try:
        await _at_once(connection, f"DROP TABLE IF EXISTS {month.part_of(parted)}")
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return False
    return True


async def ended(connection: Connection, parted: Parted, before: datetime) -> list[Month]:
    """Return the months of a table that have parts and ended before this moment (real time), oldest first."""
    prefix = f"{parted.table}_"
    named = [name.removeprefix(prefix) for name in await parts(connection) if name.startswith(prefix)]
    months = [
        Month(datetime.strptime(name, "%Y_%m").replace(tzinfo=UTC)) for name in named if name != "default"
    ]
    found = [month for month in months if month.following.begins <= before - _SLACK]
    return sorted(found, key=lambda month: month.begins)


_PARTS: Final = """
SELECT part.relname AS name FROM pg_inherits i
JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class whole ON whole.oid = i.inhparent
WHERE whole.relname = ANY($1::text[]) AND whole.relnamespace = 'public'::regnamespace
ORDER BY part.relname
"""
