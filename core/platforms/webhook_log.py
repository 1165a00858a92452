"""What a platform was told, and how each try ended; and telling it again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from core import audit, ids
from core.database import Connection, Database, Row
from core.errors import NotFound, RuleError
from core.orders.events import Json
from core.partners.addresses import Queryable

TEST: Final = "test"
#: Seconds; whoever replays a range looks through everything that ever happened.
_PATIENCE: Final = 120.0


class WebhookState(StrEnum):
    """Where a webhook stands; a dead one was given up."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. `status` is None where there was no answer; `why` says how it failed."""

    at: datetime
    took: timedelta
    status: int | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as its platform may see it; `order_id` is None for what is of no order."""

    id: UUID
    event_id: UUID | None
    type: str
    order_id: UUID | None
    version: int | None
    state: WebhookState
    tries: int
    last_status: int | None
    why: str | None
    next_at: datetime | None
    delivered_at: datetime | None
    attempts: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first, and the id after which the next page starts; None on the last one."""

    items: Sequence[Delivery]
    next: UUID | None


async def page(
    queryable: Queryable,
    platform_id: UUID,
    *,
    state: WebhookState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> DeliveryPage:
    """Return a platform's deliveries, the newest first, each with its calls."""
    rows = await queryable.fetch(
        _PAGE.format(state=f"AND w.state = '{state.value}'" if state else ""), platform_id, after, limit + 1
    )
    shown = rows[:limit]
    attempts = await _attempts(queryable, [row["id"] for row in shown])
    items = [_delivery(row, attempts.get(row["id"], ())) for row in shown]
    return DeliveryPage(items, shown[-1]["id"] if len(rows) > limit else None)


async def one(queryable: Queryable, platform_id: UUID, webhook_id: UUID) -> Delivery:
    """Return one of a platform's deliveries. Raises NotFound("no_such_webhook")."""
    row = await queryable.fetchrow(_ONE, platform_id, webhook_id)
    if row is None:
        raise NotFound("no_such_webhook")
    attempts = await _attempts(queryable, [webhook_id])
    return _delivery(row, attempts.get(webhook_id, ()))


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator who has something sent, as the record names them: a mailbox, and `console` or `cli`."""

    who: str
    via: str


async def replay(
    database: Database, platform_id: UUID, webhook_id: UUID, *, operator: Operator | None = None
) -> None:
    """Let a webhook be sent once more, now, under its own id and with the same body; then by the schedule.

    An operator's deed is on record. Raises NotFound("no_such_webhook"), RuleError("webhooks_off").
    """
    async with database.pool.acquire() as connection, connection.transaction():
        name = await _check_is_on(connection, platform_id)
        now = database.clock.now()
        replayed = await connection.fetchval(_REPLAY_ONE, platform_id, webhook_id, now)
        if replayed is None:
            raise NotFound("no_such_webhook")
        if operator:
            told: Mapping[str, Json] = {"webhook": str(webhook_id)}
            await _record(
                connection, operator, "webhook_replayed", name, platform_id=platform_id, data=told, now=now
            )


async def replay_between(
    database: Database, platform_id: UUID, *, from_: datetime, to: datetime, operator: Operator
) -> list[UUID]:
    """Let everything that happened from one moment until before another be sent once more, in order.

    Returns which. It is on record as the operator's deed. Raises RuleError("webhooks_off").
    """
    async with database.pool.acquire() as connection, connection.transaction():
        name = await _check_is_on(connection, platform_id)
        now = database.clock.now()
        rows = await connection.fetch(_REPLAY_BETWEEN, platform_id, from_, to, now, timeout=_PATIENCE)
        told: Mapping[str, Json] = {"from": from_.isoformat(), "to": to.isoformat(), "count": len(rows)}
        await _record(
            connection, operator, "webhooks_replayed", name, platform_id=platform_id, data=told, now=now
        )
    return [row["id"] for row in rows]


async def replay_undelivered(database: Database, platform_id: UUID, *, operator: Operator) -> list[UUID]:
    """Let everything that a platform does not have be sent once more, now, what was given up too.

    Returns which. It is on record as the operator's deed. Raises RuleError("webhooks_off").
    """
    async with database.pool.acquire() as connection, connection.transaction():
        name = await _check_is_on(connection, platform_id)
        now = database.clock.now()
        rows = await connection.fetch(_REPLAY_UNDELIVERED, platform_id, now, timeout=_PATIENCE)
        told: Mapping[str, Json] = {"count": len(rows)}
        await _record(
            connection, operator, "webhooks_replayed", name, platform_id=platform_id, data=told, now=now
        )
    return [row["id"] for row in rows]


async def test(database: Database, platform_id: UUID, *, operator: Operator | None = None) -> UUID:  # noqa: PT028  (no test of ours)
    """Owe a platform a webhook that tells of nothing, sent once, now; return its id.

    An operator's deed is on record. Raises RuleError("webhooks_off").
    """
    async with database.pool.acquire() as connection, connection.transaction():
        name = await _check_is_on(connection, platform_id)
        webhook_id, now = ids.new(), database.clock.now()
        await connection.execute(_TEST, webhook_id, platform_id, now)
        if operator:
            told: Mapping[str, Json] = {"webhook": str(webhook_id)}
            await _record(connection, operator, "tested", name, platform_id=platform_id, data=told, now=now)
    return webhook_id


async def _record(
    connection: Connection,
    operator: Operator,
    deed: str,
    name: str,
    *,
    platform_id: UUID,
    data: Mapping[str, Json],
    now: datetime,
) -> None:
    await audit.record(
        connection,
        who=operator.who,
        via=operator.via,
        deed=f"platform.{deed}",
        about=name,
        about_id=platform_id,
        now=now,
        data=data,
    )


async def _check_is_on(connection: Connection, platform_id: UUID) -> str:
    """Return the platform's name, if it is sent webhooks at all."""
    row = await connection.fetchrow(
        "SELECT name, webhook_url IS NOT NULL AND disabled_at IS NULL AS is_on FROM platforms WHERE id = $1",
        platform_id,
    )
    if row is None or not row["is_on"]:
        raise RuleError("webhooks_off")
    return str(row["name"])


async def _attempts(queryable: Queryable, webhook_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Attempt]]:
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for row in await queryable.fetch(_ATTEMPTS, webhook_ids):
        found[row["webhook_id"]].append(Attempt(row["at"], row["took"], row["status"], row["why"]))
    return found


def _delivery(row: Row, attempts: Sequence[Attempt]) -> Delivery:
    of_order = row["test_at"] is None and not row["of_partner"]
    state = WebhookState(row["state"])
    return Delivery(
        id=row["id"],
        event_id=row["event_id"] if row["test_at"] is None else None,
        type=row["type"] or TEST,
        order_id=row["order_id"] if of_order else None,
        version=row["version"] if of_order else None,
        state=state,
        tries=row["tries"],
        last_status=row["last_status"],
        why=row["why"],
        next_at=row["next_at"] if state is WebhookState.WAITING else None,
        delivered_at=row["delivered_at"],
        attempts=tuple(attempts),
    )


_COLUMNS: Final = """
SELECT w.id, w.event_id, w.order_id, w.version, w.of_partner, w.test_at, w.state, w.tries, w.last_status,
    w.why, w.next_at, w.delivered_at, coalesce(e.type, p.type) AS type
FROM webhooks w LEFT JOIN events e ON e.id = w.event_id AND NOT w.of_partner
LEFT JOIN partner_events p ON p.id = w.event_id AND w.of_partner
"""
_PAGE: Final = (
    _COLUMNS
    + "WHERE w.platform_id = $1 AND ($2::uuid IS NULL OR w.id < $2) {state} ORDER BY w.id DESC LIMIT $3"
)
_ONE: Final = _COLUMNS + "WHERE w.platform_id = $1 AND w.id = $2"
_ATTEMPTS: Final = """
SELECT webhook_id, at, took, status, why FROM webhook_attempts
WHERE webhook_id = ANY($1::uuid[]) ORDER BY id
"""

# One that is being sent just now goes on as it is.
_REPLAY_ONE: Final = """
UPDATE webhooks SET state = 'waiting', next_at = $3, tries = 0, delivered_at = NULL,
    overdue_at = CASE WHEN state <> 'delivered' THEN overdue_at END
WHERE id = $2 AND platform_id = $1 RETURNING id
"""
_REPLAY_UNDELIVERED: Final = """
UPDATE webhooks SET state = 'waiting', next_at = $2, tries = 0 WHERE id IN (
    SELECT id FROM webhooks WHERE platform_id = $1 AND state IN ('waiting', 'dead')
    ORDER BY id FOR NO KEY UPDATE
) RETURNING id
"""
_REPLAY_BETWEEN: Final = """
WITH happened AS (
    SELECT id FROM events WHERE at >= $2 AND at < $3
    UNION ALL SELECT id FROM partner_events WHERE at >= $2 AND at < $3
), again AS (
    SELECT w.id FROM webhooks w JOIN happened h ON h.id = w.event_id
    WHERE w.platform_id = $1 ORDER BY w.id FOR NO KEY UPDATE OF w
)
UPDATE webhooks w SET state = 'waiting', next_at = $4, tries = 0, delivered_at = NULL,
    overdue_at = CASE WHEN w.state <> 'delivered' THEN w.overdue_at END
FROM again WHERE w.id = again.id RETURNING w.id
"""
_TEST: Final = """
INSERT INTO webhooks (id, event_id, order_id, version, platform_id, next_at, test_at)
VALUES ($1, $1, $1, 0, $2, $3, $3)
"""
