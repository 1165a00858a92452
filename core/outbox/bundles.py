"""Bundles: where three or more orders of a kitchen wait, one nudge tells a person of all of them.

The message that goes out carries the others: they end as it ends, and whoever takes over from it
takes over from all. Nudges that come within minutes of it join it.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from core.clock import real_now
from core.database import Connection, Database
from core.notices.outgoing import Outgoing
from core.orders.order import Order
from core.orders.rows import order_of

#: So many waiting orders are told of at once.
_FROM: Final = 3
#: Who has just been told of all that waits is not told of one of them again.
_JOINS_WITHIN: Final = timedelta(minutes=5)
_MOST: Final = 50


async def gather(database: Database, outgoing: Outgoing) -> tuple[Order, ...] | None:
    """Return all that a claimed nudge tells of, nothing where it stands for itself.

    None when another message to the same person has just told of its order: it has joined that one.
    """
    partner = outgoing.partner
    if partner is None or outgoing.order is None:
        return ()
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        # Of two nudges to one person that are claimed at the same moment, the second sees the first.
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
            f"nudge:{outgoing.channel}:{outgoing.person}",
        )
        if await _has_joined(connection, outgoing):
            return None
        rows = await connection.fetch(_WAITING, partner.id, now, _MOST)
        together = tuple(order_of(row) for row in rows)
        if len(together) < _FROM:
            await release(connection, outgoing.id)
            return ()
        told = [order.id for order in together]
        await connection.execute("UPDATE messages SET orders_told = $2 WHERE id = $1", outgoing.id, told)
        await connection.execute(
            _CARRY, outgoing.id, outgoing.person, outgoing.channel.value, told, now, real_now()
        )
        return together


async def alone(connection: Connection, message_id: UUID) -> None:
    """Let nobody join a message until the transaction ends, and see from now on who has."""
    await connection.execute(_ALONE, message_id)


async def release(connection: Connection, message_id: UUID) -> None:
    """Let what a message was to carry go by itself: it will not tell of it."""
    await connection.execute(_RELEASE, message_id)


async def _has_joined(connection: Connection, outgoing: Outgoing) -> bool:
    assert outgoing.order  # noqa: S101  (a nudge is about an order)
    joined = await connection.fetchval(
        _JOIN, outgoing.id, outgoing.person, outgoing.channel.value, outgoing.order.id, _JOINS_WITHIN
    )
    return joined is not None


# The same lock as that under which a nudge joins: what has joined while a call was under way ends with it.
_ALONE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(':', 'nudge', channel, person), 0))
FROM messages WHERE id = $1 AND orders_told IS NOT NULL
"""

_WAITING: Final = """
SELECT * FROM orders WHERE partner_id = $1 AND status = 'pending' AND deliver_at > $2
ORDER BY deliver_at, id LIMIT $3
"""

# Those of other orders to the same person on the same channel that could be sent now and nobody holds,
# with whatever they were to carry themselves.
_CARRY: Final = """
WITH free AS (
    SELECT m.id FROM messages m JOIN notices n ON n.id = m.notice_id
    WHERE m.person = $2 AND m.channel = $3 AND m.order_id = ANY($4::uuid[]) AND m.id <> $1
        AND m.state = 'waiting' AND m.carrier_id IS NULL AND m.next_at <= $5
        AND (m.leased_until IS NULL OR m.leased_until < $6) AND n.kind = 'confirm_nudge'
    ORDER BY m.id FOR UPDATE OF m SKIP LOCKED
)
UPDATE messages SET carrier_id = $1, next_at = NULL WHERE id IN (
    SELECT id FROM free UNION SELECT m.id FROM messages m JOIN free ON m.carrier_id = free.id)
"""

_JOIN: Final = """
UPDATE messages mine SET carrier_id = c.id, state = c.state, sent_at = c.sent_at, receipt = c.receipt,
    next_at = NULL, leased_until = NULL
FROM (
    SELECT c.id, c.state, c.sent_at, c.receipt FROM messages c JOIN messages m ON m.id = $1
    WHERE c.person = $2 AND c.channel = $3 AND c.orders_told @> ARRAY[$4::uuid] AND c.id <> $1
        AND c.state IN ('waiting', 'sent', 'unclear') AND c.carrier_id IS NULL
        AND c.created_at BETWEEN m.created_at - $5::interval AND m.created_at + $5::interval
    ORDER BY c.created_at DESC LIMIT 1
) c WHERE mine.id = $1 OR mine.carrier_id = $1 RETURNING mine.id
"""

_RELEASE: Final = """
WITH carrier AS (UPDATE messages SET orders_told = NULL WHERE id = $1 RETURNING id, next_at)
UPDATE messages c SET carrier_id = NULL, state = 'waiting', next_at = m.next_at, leased_until = NULL
FROM carrier m WHERE c.carrier_id = m.id AND c.state IN ('waiting', 'unclear')
"""
