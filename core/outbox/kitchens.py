"""Who works where a notice's order is cooked, how they are reached, and who was told of it so far."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.actors import Role
from core.channels import CHANGEABLE, Address, AddressKind, ChannelName
from core.database import Connection, Row
from core.notices.routing import Group, Kitchen, Person, SentCard
from core.orders.order import Order
from core.outbox.reach import DOUBTED_FOR
from core.quiet import Quiet


async def kitchens_of(
    connection: Connection, orders: Sequence[Order], *, now: datetime, outdated: Sequence[UUID] = ()
) -> dict[UUID, Kitchen]:
    """Return, by order id, the people of its partner, who was told of it so far, and its quiet hours.

    Of orders that are `outdated` also the cards that were sent and can be changed.
    """
    if not orders:
        return {}
    partners = sorted({order.partner_id for order in orders})
    people, groups = await crews_of(connection, partners, now=now)
    cards, coming = await _cards(connection, outdated), await _coming(connection, outdated)
    quiet = {row["id"]: quiet_of(row) for row in await connection.fetch(_QUIET, partners)}
    rows = await connection.fetch(_TOLD, [order.id for order in orders])
    told: dict[UUID, dict[UUID, list[ChannelName]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        told[row["order_id"]][row["staff_id"]].append(ChannelName(row["channel"]))
    return {
        order.id: Kitchen(
            people[order.partner_id],
            told[order.id],
            quiet.get(order.partner_id),
            groups[order.partner_id],
            cards.get(order.id, ()),
            coming.get(order.id, frozenset()),
        )
        for order in orders
    }


async def kitchens_alone(
    connection: Connection, partner_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Kitchen]:
    """Return kitchens by their own ids, for what concerns no order of theirs."""
    if not partner_ids:
        return {}
    people, groups = await crews_of(connection, partner_ids, now=now)
    quiet = {row["id"]: quiet_of(row) for row in await connection.fetch(_QUIET, partner_ids)}
    return {key: Kitchen(people[key], {}, quiet.get(key), groups[key]) for key in partner_ids}


async def _cards(connection: Connection, order_ids: Sequence[UUID]) -> Mapping[UUID, list[SentCard]]:
    cards: dict[UUID, list[SentCard]] = defaultdict(list)
    if not order_ids:
        return cards
    for row in await connection.fetch(_CARDS, order_ids, CHANGEABLE):
        address = Address(AddressKind(row["address_kind"]), row["address"])
        channel = ChannelName(row["channel"])
        cards[row["card_of"]].append(
            SentCard(row["gateway_id"], row["staff_id"], channel, address, row["is_newest"])
        )
    return cards


async def _coming(connection: Connection, order_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[str]]:
    rows = await connection.fetch(_COMING, order_ids, CHANGEABLE) if order_ids else ()
    return {row["order_id"]: frozenset(row["chats"]) for row in rows}


def quiet_of(partner: Row) -> Quiet | None:
    """Return a kitchen's quiet hours from its row or its JSON."""
    begins, ends = partner["quiet_from"], partner["quiet_to"]
    if begins is None or ends is None:
        return None
    if isinstance(begins, str):
        begins, ends = time.fromisoformat(begins), time.fromisoformat(ends)
    return Quiet(begins, ends, ZoneInfo(partner["timezone"]))


async def people_of(
    connection: Connection, partner_ids: Sequence[UUID], *, now: datetime
) -> Mapping[UUID, list[Person]]:
    """Return, by partner, who works there now, with live addresses, in the order they were added."""
    people, _ = await crews_of(connection, partner_ids, now=now)
    return people


async def crews_of(
    connection: Connection, partner_ids: Sequence[UUID], *, now: datetime
) -> tuple[Mapping[UUID, list[Person]], Mapping[UUID, list[Group]]]:
    """Return, by partner, who works there now in the order they were added, and the kitchen's groups."""
    rows = await connection.fetch(_PEOPLE, partner_ids, now, now - DOUBTED_FOR)
    people: dict[UUID, list[Person]] = defaultdict(list)
    groups: dict[UUID, list[Group]] = defaultdict(list)
    for row in rows:
        person = _person(row)
        theirs = [Group(person.id, address) for address in person.addresses if address.is_group]
        groups[row["partner_id"]] += theirs
        own = tuple(address for address in person.addresses if not address.is_group)
        people[row["partner_id"]].append(replace(person, addresses=own) if theirs else person)
    return people, groups


def _person(row: Row) -> Person:
    addresses = tuple(
        Address(AddressKind(kind), value, datetime.fromisoformat(heard) if heard else None)
        for kind, value, heard in row["addresses"] or ()
    )
    failures = [(ChannelName(channel), value, is_out) for channel, value, is_out in row["failures"] or ()]
    return Person(
        row["id"],
        row["name"],
        Role(row["role"]),
        row["notify"],
        addresses,
        doubtful=frozenset((channel, value) for channel, value, is_out in failures if not is_out),
        out=frozenset((channel, value) for channel, value, is_out in failures if is_out),
    )


_PEOPLE: Final = """
SELECT s.id, s.partner_id, s.name, s.role, s.notify,
    (SELECT jsonb_agg(jsonb_build_array(a.kind, a.value, a.heard_at) ORDER BY a.added_at, a.id)
     FROM addresses a WHERE a.staff_id = s.id AND a.ended_at IS NULL) AS addresses,
    (SELECT jsonb_agg(jsonb_build_array(r.channel, r.address, coalesce(r.out_until > $2, false)))
     FROM addresses a JOIN reach r ON r.address = a.value
     WHERE a.staff_id = s.id AND a.ended_at IS NULL AND r.failed_at IS NOT NULL
        AND (r.out_until > $2 OR r.failed_at > $3)) AS failures
FROM staff s WHERE s.partner_id = ANY($1::uuid[]) AND s.removed_at IS NULL ORDER BY s.position
"""


_QUIET: Final = "SELECT id, quiet_from, quiet_to, timezone FROM partners WHERE id = ANY($1::uuid[])"

_TOLD: Final = """
SELECT order_id, staff_id, channel FROM messages
WHERE order_id = ANY($1::uuid[]) AND staff_id IS NOT NULL AND state IN ('waiting', 'sent', 'unclear')
    AND leg <> 'edit' AND person NOT LIKE 'group:%'
ORDER BY created_at, id
"""

# What is on its way is changed once it is there (edits.if_outdated).
_COMING: Final = """
SELECT order_id, array_agg(address) AS chats FROM messages
WHERE order_id = ANY($1::uuid[]) AND channel = ANY($2::text[]) AND state = 'waiting' AND leg <> 'edit'
GROUP BY order_id
"""

# A message that can be changed may have shown several things one after the other: the last one counts.
_CARDS: Final = """
SELECT card_of, gateway_id, staff_id, channel, address_kind, address,
    row_number() OVER (PARTITION BY card_of, address ORDER BY first_at DESC, gateway_id DESC) = 1 AS is_newest
FROM (
    SELECT DISTINCT ON (m.channel, m.gateway_id) m.*,
        min(m.created_at) OVER (PARTITION BY m.channel, m.gateway_id) AS first_at
    FROM messages m
    WHERE m.channel = ANY($2::text[]) AND m.state = 'sent' AND m.gateway_id IN (
        SELECT gateway_id FROM messages
        WHERE card_of = ANY($1::uuid[]) AND channel = ANY($2::text[]) AND gateway_id IS NOT NULL)
    ORDER BY m.channel, m.gateway_id, m.sent_at DESC, m.id DESC
) shown
WHERE card_of = ANY($1::uuid[]) AND staff_id IS NOT NULL
ORDER BY first_at
"""
