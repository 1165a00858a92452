"""Forgetting who ordered: the customer's name, phone, mail, address and notes, everywhere an order left them.

What was eaten, when, for how much and how it was liked stays: settlements and averages are made of it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.database import Connection, Database
from core.orders.events import Json

#: What stands where a name, an address or a note stood. It is in `orders_unmasked`, too.
MASK: Final = "•••"
_MOST: Final = 200


async def mask_due(database: Database, after: timedelta, *, most: int = _MOST) -> int:
    """Forget the customers of orders that have been final for this long (product time); return of how many.

    At most `most` in one transaction: whoever wants all calls until it returns none. Orders that
    somebody is at are left for the next call.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        rows = await connection.fetch(_DUE, database.clock.now() - after, most)
        await mask_orders(connection, [row["id"] for row in rows])
        return len(rows)


async def mask_orders(connection: Connection, order_ids: Sequence[UUID]) -> None:
    """Forget the customers of these orders, which must be final and locked by the caller.

    Platforms hear nothing of it: what is delivered or replayed from now on is masked.
    """
    if not order_ids:
        return
    await connection.execute(_ORDERS, order_ids, MASK)
    await connection.execute(_SEARCH, order_ids)
    await connection.execute(_MESSAGES, order_ids, MASK)
    events = await connection.fetch(_EVENTS, order_ids)
    await connection.executemany(
        "UPDATE events SET data = $2, snapshot = $3 WHERE id = $1",
        [(row["id"], masked(row["data"]), masked(row["snapshot"])) for row in events],
    )
    notices = await connection.fetch(
        "SELECT id, data FROM notices WHERE order_id = ANY($1::uuid[])", order_ids
    )
    changed = [(row["id"], masked(row["data"])) for row in notices if masked(row["data"]) != row["data"]]
    await connection.executemany("UPDATE notices SET data = $2 WHERE id = $1", changed)


def masked(data: Json) -> Json:
    """Return an order, an event's data or a notice's with its customer forgotten; dishes stay as they are."""
    if isinstance(data, list):
        return [masked(each) for each in data]
    if not isinstance(data, dict):
        return data
    return {name: _masked_field(name, value) for name, value in data.items()}


def _masked_field(name: str, value: Json) -> Json:
    if name == "items":
        return value
    if name == "customer" and isinstance(value, dict):
        return {**value, "name": MASK, "phone": None, "email": None}
    if name in {"address", "note", "author"}:
        return _masked_words(value)
    return masked(value)


def _masked_words(value: Json) -> Json:
    """Mask a text, or the two of what it was before and after; what is empty tells nothing."""
    if isinstance(value, dict):
        return {name: _masked_words(each) for name, each in value.items()}
    return MASK if isinstance(value, str) and value else value


# The condition is word for word that of the index orders_unmasked. What somebody is at is passed over.
_DUE: Final = """
SELECT id FROM orders
WHERE final_at IS NOT NULL AND (customer ->> 'name' <> '•••' OR review ->> 'author' <> '•••')
    AND final_at < $1
ORDER BY final_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""
_ORDERS: Final = """
UPDATE orders SET
    customer = customer || jsonb_build_object('name', $2::text, 'phone', NULL, 'email', NULL),
    address = $2, note = CASE note WHEN '' THEN '' ELSE $2 END,
    review = CASE WHEN review IS NULL THEN NULL ELSE review || jsonb_build_object('author', $2::text) END
WHERE id = ANY($1::uuid[])
"""
_SEARCH: Final = """
UPDATE order_search s SET words = order_words(o.code, o.customer, o.items)
FROM orders o WHERE o.id = s.order_id AND o.id = ANY($1::uuid[])
"""
_MESSAGES: Final = """
UPDATE messages SET address = $2 WHERE order_id = ANY($1::uuid[]) AND person = 'customer' AND address <> $2
"""
_EVENTS: Final = "SELECT id, data, snapshot FROM events WHERE order_id = ANY($1::uuid[]) ORDER BY id"
