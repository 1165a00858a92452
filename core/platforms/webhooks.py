"""What platforms are owed: a row per event and platform, taken in order, each order by one worker at a time.

How tries end is in `webhook_outcomes.py`; what was tried can be read in `webhook_log.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import real_now
from core.database import Connection, Database, Row

#: How many webhooks of one order are taken at once, the oldest first: whoever takes them holds the order.
MOST_TOGETHER: Final = 20
_LEASE_EACH: Final = timedelta(seconds=6)
_LEASE_MORE: Final = timedelta(seconds=10)
_OF_EACH: Final = 1_000

#: An order (or a kitchen) and the platform that is told of it.
_Subject = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class OwedWebhook:
    """One event that a platform is owed; `id` is every attempt's `webhook-id`, `tries` counts this one.

    With `of_partner` it is an event of a kitchen: `order_id` is the kitchen's id, `version` its number.
    With `test_at` it is of no event, but the test that was asked for at that moment, and is tried once.
    An attempt out of turn, on the way of a later event, is none of its schedule's: it is not counted.
    Every one of `secrets` signs it, the newest first: there are two while a secret is being renewed.
    """

    id: UUID
    order_id: UUID
    version: int
    platform_id: UUID
    url: str
    secrets: tuple[str, ...]
    tries: int
    in_turn: bool = True
    of_partner: bool = False
    test_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken, a list for each order, oldest first; and what has to wait, as its order is held."""

    groups: Sequence[Sequence[OwedWebhook]] = ()
    busy: Sequence[UUID] = ()


async def due(database: Database, *, most_of_each: int = _OF_EACH) -> list[UUID]:
    """Return webhooks that could be tried now, the longest waiting of each platform first; claims nothing.

    So many of each platform, that one which is owed much does not hide what another one is owed.
    """
    rows = await database.pool.fetch(_DUE, database.clock.now(), real_now(), most_of_each)
    return [row["id"] for row in rows]


async def of_platforms(database: Database, webhook_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """Return those of these webhooks that can be tried now, in this order, by the platforms they are for."""
    rows = await database.pool.fetch(_ASKED, webhook_ids, database.clock.now())
    platform_of = {row["id"]: row["platform_id"] for row in rows}
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for webhook_id in webhook_ids:
        if webhook_id in platform_of:
            found[platform_of[webhook_id]].append(webhook_id)
    return found


async def claim(database: Database, webhook_ids: Sequence[UUID]) -> Claimed:
    """Take webhooks that are due, each with the older undelivered ones of its order.

    What is not due, or of a platform that is switched off or has no address, is in no group. Nor is an order
    about which the platform asked to be left alone: its later events wait with the one that was answered so.
    """
    now, moment = database.clock.now(), real_now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        asked = await connection.fetch(_ASKED, webhook_ids, now)
        wanted = _by_subject(asked)
        if not wanted:
            return Claimed()
        waiting = _by_subject(await _locked(connection, wanted))
        resting = _resting(waiting, now)
        await _put_off(connection, wanted, resting)
        held = {
            subject
            for subject, rows in waiting.items()
            if any(row["leased_until"] and row["leased_until"] > moment for row in rows)
        }
        taken = {
            subject: sorted(rows, key=_version)[:MOST_TOGETHER]
            for subject, rows in waiting.items()
            if subject not in held and subject not in resting
        }
        groups = await _lease(connection, taken, moment=moment, now=now)
    claimed = {webhook.id for group in groups for webhook in group}
    busy = [
        row["id"]
        for subject, rows in wanted.items()
        for row in rows
        if subject not in resting and row["id"] not in claimed
    ]
    return Claimed(groups, busy)


def _resting(waiting: Mapping[_Subject, Sequence[Row]], now: datetime) -> dict[_Subject, datetime]:
    """Return the orders that a platform wants no call about yet, and until when.

    One that is due all the same was asked for again, or its platform was switched on: it does not rest.
    """
    until = {
        subject: max(min(row["rest_until"] or now, row["next_at"]) for row in rows)
        for subject, rows in waiting.items()
    }
    return {subject: moment for subject, moment in until.items() if moment > now}


async def _put_off(
    connection: Connection, wanted: Mapping[_Subject, Sequence[Row]], resting: Mapping[_Subject, datetime]
) -> None:
    later = [(row["id"], moment) for subject, moment in resting.items() for row in wanted.get(subject, ())]
    if later:
        await connection.execute(_PUT_OFF, *map(list, zip(*later, strict=True)))


async def release(database: Database, webhooks: Sequence[OwedWebhook]) -> None:
    """Give back what was claimed and not tried."""
    await database.pool.execute(
        _RELEASE, [webhook.id for webhook in webhooks], [int(webhook.in_turn) for webhook in webhooks]
    )


async def waiting(database: Database, order_id: UUID) -> Sequence[UUID]:
    """Return the webhooks of an order that are not delivered yet."""
    rows = await database.pool.fetch(
        "SELECT id FROM webhooks WHERE order_id = $1 AND state = 'waiting' ORDER BY version", order_id
    )
    return [row["id"] for row in rows]


async def _locked(connection: Connection, wanted: Mapping[_Subject, Sequence[Row]]) -> Sequence[Row]:
    newest = [(*subject, max(map(_version, rows))) for subject, rows in wanted.items()]
    return await connection.fetch(_LOCK, *map(list, zip(*newest, strict=True)))


async def _lease(
    connection: Connection, taken: Mapping[_Subject, Sequence[Row]], *, moment: datetime, now: datetime
) -> list[list[OwedWebhook]]:
    leases = {
        row["id"]: moment + _LEASE_EACH * len(rows) + _LEASE_MORE for rows in taken.values() for row in rows
    }
    rows = await connection.fetch(_CLAIM, list(leases), list(leases.values()), now)
    return [[_owed(row) for row in sorted(group, key=_version)] for group in _by_subject(rows).values()]


def _by_subject(rows: Iterable[Row]) -> dict[_Subject, list[Row]]:
    found: dict[_Subject, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["order_id"], row["platform_id"]].append(row)
    return found


def _version(row: Row) -> int:
    return int(row["version"])


def _owed(row: Row) -> OwedWebhook:
    return OwedWebhook(
        row["id"],
        row["order_id"],
        row["version"],
        row["platform_id"],
        row["webhook_url"] or "",
        tuple(secret for secret in (row["webhook_secret"], row["secret_before"]) if secret),
        row["tries"],
        row["in_turn"],
        row["of_partner"],
        row["test_at"],
    )


_DUE: Final = """
SELECT w.id FROM platforms p CROSS JOIN LATERAL (
    SELECT id, next_at FROM webhooks
    WHERE platform_id = p.id AND state = 'waiting' AND next_at <= $1
        AND (leased_until IS NULL OR leased_until < $2)
    ORDER BY next_at LIMIT $3
) w WHERE p.disabled_at IS NULL AND p.webhook_url IS NOT NULL ORDER BY w.next_at, w.id
"""

_ASKED: Final = """
SELECT w.id, w.order_id, w.platform_id, w.version FROM webhooks w JOIN platforms p ON p.id = w.platform_id
WHERE w.id = ANY($1::uuid[]) AND w.state = 'waiting' AND w.next_at <= $2
    AND p.disabled_at IS NULL AND p.webhook_url IS NOT NULL
"""

# Whoever locks several webhooks does it in the order of their ids.
_LOCK: Final = """
SELECT w.id, w.order_id, w.platform_id, w.version, w.leased_until, w.next_at, w.rest_until
FROM webhooks w JOIN unnest($1::uuid[], $2::uuid[], $3::int[]) AS asked (order_id, platform_id, version)
    ON w.order_id = asked.order_id AND w.platform_id = asked.platform_id AND w.version <= asked.version
WHERE w.state = 'waiting' ORDER BY w.id FOR NO KEY UPDATE OF w
"""

_PUT_OFF: Final = """
UPDATE webhooks w SET next_at = later.next_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS later (id, next_at) WHERE w.id = later.id
"""

_CLAIM: Final = """
UPDATE webhooks w SET leased_until = taken.until, tries = w.tries + (w.next_at <= $3)::int
FROM unnest($1::uuid[], $2::timestamptz[]) AS taken (id, until), platforms p
WHERE w.id = taken.id AND p.id = w.platform_id
RETURNING w.id, w.order_id, w.version, w.platform_id, w.tries, p.webhook_url, p.webhook_secret,
    CASE WHEN p.secret_before_until > $3 THEN p.secret_before END AS secret_before,
    w.next_at <= $3 AS in_turn, w.of_partner, w.test_at
"""

_RELEASE: Final = """
UPDATE webhooks w SET leased_until = NULL, tries = w.tries - given.counted
FROM unnest($1::uuid[], $2::int[]) AS given (id, counted) WHERE w.id = given.id
"""
