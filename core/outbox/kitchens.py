"""Who works where a notice's order is cooked, how they are reached, and who was told of it so far."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.database import Connection, Row
from core.notices.routing import Kitchen, Person
from core.orders.order import Order


async def kitchens_of(connection: Connection, orders: Sequence[Order]) -> dict[UUID, Kitchen]:
    """Return, by order id, the people of its partner and who was told of it so far."""
    if not orders:
        return {}
    people = await people_of(connection, [order.partner_id for order in orders])
    rows = await connection.fetch(_TOLD, [order.id for order in orders])
    told: dict[UUID, dict[UUID, list[ChannelName]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        told[row["order_id"]][row["staff_id"]].append(ChannelName(row["channel"]))
    return {order.id: Kitchen(people[order.partner_id], told[order.id]) for order in orders}


async def people_of(connection: Connection, partner_ids: Sequence[UUID]) -> Mapping[UUID, list[Person]]:
    """Return, by partner, who works there now, with live addresses, in the order they were added."""
    rows = await connection.fetch(_PEOPLE, partner_ids)
    people: dict[UUID, list[Person]] = defaultdict(list)
    for row in rows:
        people[row["partner_id"]].append(_person(row))
    return people


def _person(row: Row) -> Person:
    addresses = tuple(
        Address(AddressKind(kind), value, datetime.fromisoformat(heard) if heard else None)
        for kind, value, heard in row["addresses"] or ()
    )
    return Person(row["id"], row["name"], Role(row["role"]), row["notify"], addresses)


_PEOPLE: Final = """
SELECT s.id, s.partner_id, s.name, s.role, s.notify,
    (SELECT jsonb_agg(jsonb_build_array(a.kind, a.value, a.heard_at) ORDER BY a.added_at, a.id)
     FROM addresses a WHERE a.staff_id = s.id AND a.ended_at IS NULL) AS addresses
FROM staff s WHERE s.partner_id = ANY($1::uuid[]) AND s.removed_at IS NULL ORDER BY s.position
"""


_TOLD: Final = """
SELECT order_id, staff_id, channel FROM messages
WHERE order_id = ANY($1::uuid[]) AND staff_id IS NOT NULL AND state IN ('waiting', 'sent', 'unclear')
ORDER BY created_at, id
"""
