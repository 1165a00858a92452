"""What platforms are owed: one row per event and platform, tried in order, settled one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import ids
from core.clock import real_now
from core.database import Connection, Database
from core.notices.kinds import NoticeKind

#: After each failed attempt, how long until the next one (before jitter); after the last one it is dead.
RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: Each retry comes sooner by up to this part of its wait.
JITTER: Final = 0.1
_LEASE_EACH: Final = timedelta(seconds=6)
_LEASE_MORE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class OwedWebhook:
    """One event that a platform is owed; `id` is every attempt's `webhook-id`, `tries` counts this one.

    With `of_partner` it is an event of a kitchen: `order_id` is the kitchen's id, `version` its number.
    An attempt out of turn, on the way of a later event, is none of its schedule's: it is not counted.
    """

    id: UUID
    order_id: UUID
    version: int
    platform_id: UUID
    url: str
    secret: str
    tries: int
    in_turn: bool = True
    of_partner: bool = False


async def due(database: Database, *, most: int = 500) -> list[UUID]:
    """Return webhooks that could be tried now, the longest waiting first; claims nothing."""
    rows = await database.pool.fetch(_DUE, database.clock.now(), real_now(), most)
    return [row["id"] for row in rows]


async def claim(database: Database, webhook_id: UUID) -> list[OwedWebhook] | None:
    """Take a webhook that is due together with the older undelivered ones of its order, oldest first.

    Returns an empty list when there is nothing to do, None when somebody else is at this order.
    """
    now, moment = database.clock.now(), real_now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        row = await connection.fetchrow(
            "SELECT order_id, platform_id, version FROM webhooks"
            " WHERE id = $1 AND state = 'waiting' AND next_at <= $2",
            webhook_id,
            now,
        )
        if row is None:
            return []
        rows = await connection.fetch(_LOCK_GROUP, row["order_id"], row["platform_id"], row["version"])
        if any(row["leased_until"] and row["leased_until"] > moment for row in rows):
            return None
        lease = moment + _LEASE_EACH * len(rows) + _LEASE_MORE
        claimed = await connection.fetch(_CLAIM, [row["id"] for row in rows], lease, now)
        return [
            OwedWebhook(
                row["id"],
                row["order_id"],
                row["version"],
                row["platform_id"],
                row["webhook_url"] or "",
                row["webhook_secret"],
                row["tries"],
                row["in_turn"],
                row["of_partner"],
            )
            for row in sorted(claimed, key=lambda row: int(row["version"]))
        ]


async def delivered(database: Database, webhook: OwedWebhook, *, status: int) -> None:
    """Put on record that the platform has it."""
    await database.pool.execute(
        "UPDATE webhooks SET state = 'delivered', delivered_at = $2, last_status = $3, why = NULL,"
        " leased_until = NULL WHERE id = $1",
        webhook.id,
        database.clock.now(),
        status,
    )


async def failed(
    database: Database, webhook: OwedWebhook, *, status: int | None, why: str, jitter: float
) -> timedelta | None:
    """Put a failed attempt on record; return how long until the next one, None when there is none.

    `jitter` from 0 to 1 shortens the wait by up to JITTER. After the last attempt the operators are told.
    An attempt out of turn leaves the schedule as it is: many events must not use a webhook up early.
    """
    if not webhook.in_turn:
        await _failed_out_of_turn(database, webhook, status=status, why=why)
        return None
    if webhook.tries > len(RETRIES):
        async with database.pool.acquire() as connection, connection.transaction():
            await _bury(connection, webhook, status=status, why=why, now=database.clock.now())
        return None
    wait = RETRIES[webhook.tries - 1] * (1 - JITTER * jitter)
    await database.pool.execute(
        "UPDATE webhooks SET next_at = $2, last_status = $3, why = $4, leased_until = NULL WHERE id = $1",
        webhook.id,
        database.clock.now() + wait,
        status,
        why,
    )
    return wait


async def _failed_out_of_turn(
    database: Database, webhook: OwedWebhook, *, status: int | None, why: str
) -> None:
    await database.pool.execute(
        "UPDATE webhooks SET last_status = $2, why = $3, leased_until = NULL WHERE id = $1",
        webhook.id,
        status,
        why,
    )


async def _bury(
    connection: Connection, webhook: OwedWebhook, *, status: int | None, why: str, now: datetime
) -> None:
    await connection.execute(
        "UPDATE webhooks SET state = 'dead', last_status = $2, why = $3, leased_until = NULL WHERE id = $1",
        webhook.id,
        status,
        why,
    )
    name = await connection.fetchval("SELECT name FROM platforms WHERE id = $1", webhook.platform_id)
    await connection.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT DO NOTHING",
        ids.new(),
        None if webhook.of_partner else webhook.order_id,
        NoticeKind.WEBHOOK_DEAD.value,
        str(webhook.id),
        {"webhook": str(webhook.id), "name": name, "why": why},
        now,
    )


async def waiting(database: Database, order_id: UUID) -> Sequence[UUID]:
    """Return the webhooks of an order that are not delivered yet."""
    rows = await database.pool.fetch(
        "SELECT id FROM webhooks WHERE order_id = $1 AND state = 'waiting' ORDER BY version", order_id
    )
    return [row["id"] for row in rows]


_DUE: Final = """
SELECT id FROM webhooks
WHERE state = 'waiting' AND next_at <= $1 AND (leased_until IS NULL OR leased_until < $2)
ORDER BY next_at LIMIT $3
"""

_LOCK_GROUP: Final = """
SELECT id, leased_until FROM webhooks
WHERE order_id = $1 AND platform_id = $2 AND version <= $3 AND state = 'waiting'
ORDER BY version FOR NO KEY UPDATE
"""

_CLAIM: Final = """
UPDATE webhooks w SET leased_until = $2, tries = w.tries + (w.next_at <= $3)::int
FROM platforms p WHERE w.id = ANY($1::uuid[]) AND p.id = w.platform_id
RETURNING w.id, w.order_id, w.version, w.platform_id, w.tries, p.webhook_url, p.webhook_secret,
    w.next_at <= $3 AS in_turn, w.of_partner
"""
