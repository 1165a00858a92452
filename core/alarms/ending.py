"""What is over without anybody saying so: troubles not seen for long, and orders that have moved on."""

from datetime import datetime, timedelta
from typing import Final

from core import ids
from core.alarms.raising import clear
from core.database import Connection, Database
from core.notices.kinds import NoticeKind

#: Who "deals" with an item that its order's moving on has settled.
BY_ITSELF: Final = "system"
#: What was alarmed longer ago is put aside without a word: nobody waits for it any more.
_STILL_OF_INTEREST: Final = timedelta(days=3)
_AT_ONCE: Final = 500


async def end_what_is_over(database: Database) -> int:
    """Give the operators their all-clears; return how many. For a job that runs with every sweep."""
    now = database.clock.now()
    over = 0
    for name in await database.pool.fetch(_NOT_SEEN, now):
        async with database.pool.acquire() as connection, connection.transaction():
            over += await clear(connection, name["name"], now=now)
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return over + await _end_orders(connection, now)


async def _end_orders(connection: Connection, now: datetime) -> int:
    """Put aside what was told of orders that have moved on; of each that operators know of, tell them so."""
    rows = await connection.fetch(_SETTLED, now, BY_ITSELF, _AT_ONCE)
    told = {row["order_id"]: row for row in rows if row["told"] and row["owed_at"] > now - _STILL_OF_INTEREST}
    for order_id, row in told.items():
        await connection.execute(
            "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            ids.new(),
            order_id,
            NoticeKind.TROUBLE.value,
            f"over:{row['id']}",
            row["revision"],
            {"over": True, "notice_over": row["kind"]},
            now,
        )
    return len(told)


_NOT_SEEN: Final = "SELECT name FROM alarms WHERE seen_at + over_after <= $1"

# An item about a kitchen that did not know of a new order is settled when somebody has acted on that order.
# What is still on its way to an operator is looked at again: it may yet have been told.
_SETTLED: Final = """
WITH settled AS (
    SELECT n.id FROM notices n JOIN orders o ON o.id = n.order_id
    WHERE n.handled_at IS NULL AND (n.kind IN ('order_at_risk', 'not_completed')
            OR (n.kind = 'undeliverable' AND n.data ->> 'notice' IN ('order_new', 'confirm_nudge')))
        AND n.state <> 'owed'
        AND o.status <> CASE n.kind WHEN 'not_completed' THEN 'confirmed' ELSE 'pending' END
        AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.notice_id = n.id AND m.state = 'waiting')
    ORDER BY n.owed_at LIMIT $3 FOR NO KEY UPDATE OF n SKIP LOCKED
)
UPDATE notices n SET handled_at = $1, handled_by = $2 FROM settled WHERE n.id = settled.id
RETURNING n.id, n.order_id, n.kind, n.revision, n.owed_at, EXISTS (
    SELECT 1 FROM messages m WHERE m.notice_id = n.id AND m.state IN ('sent', 'unclear')) AS told
"""
