"""What is known of one person, told or erased at their wish: a customer's orders, a member's of a kitchen.

Nothing of this is quick: it looks through everything, as nobody else ever does. Erasing is one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from core import audit
from core.channels import Address
from core.database import Connection, Database
from core.errors import NotFound
from core.masking import MASK, mask_orders
from core.partners.staff import let_go

#: What somebody who was erased is called from then on.
ERASED: Final = "Đã xoá"
_WITHIN: Final = 600.0


@dataclass(frozen=True, slots=True)
class Known:
    """Where a phone or mail address is known: orders as a customer's, and members of kitchens."""

    closed: tuple[UUID, ...]
    open: tuple[str, ...]
    members: tuple[UUID, ...]


async def known(connection: Connection, address: Address) -> Known:
    """Return where this phone or mail address is known; raises NotFound("nobody_known")."""
    orders = await connection.fetch(_ORDERS[address.kind.value], address.value, timeout=_WITHIN)
    members = await connection.fetch(_MEMBERS, address.kind.value, address.value)
    if not orders and not members:
        raise NotFound("nobody_known")
    return Known(
        tuple(row["id"] for row in orders if row["final_at"]),
        tuple(row["name"] for row in orders if not row["final_at"]),
        tuple(row["staff_id"] for row in members),
    )


async def export(database: Database, address: Address, *, who: str) -> dict[str, Any]:
    """Return everything that is known of a person, as JSON; that it was asked for is put on record."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        found = await known(connection, address)
        kind, value = address.kind.value, address.value
        orders = await connection.fetch(_EXPORT_ORDERS[kind], value, timeout=_WITHIN)
        members = await connection.fetch(_EXPORT_MEMBERS, list(found.members), timeout=_WITHIN)
        await _on_record(connection, database, found, deed="person.exported", who=who, reason="")
    return {
        "customer": [row["document"] for row in orders],
        "staff": [row["document"] for row in members],
    }


async def erase(database: Database, address: Address, *, who: str, reason: str) -> Known:
    """Erase what is known of a person; return where it was. Open orders keep their customer until they end.

    A member of a kitchen leaves it, and is called ERASED wherever a deed of theirs is shown; role and id
    stay. Raises NotFound("nobody_known"), RuleError("last_owner").
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        found = await known(connection, address)
        await connection.execute(_LOCK, sorted(found.closed), timeout=_WITHIN)
        await mask_orders(connection, found.closed)
        for staff_id in found.members:
            await _erase_member(connection, database, staff_id)
        await connection.execute(_TRACES, address.value)
        await _on_record(connection, database, found, deed="person.erased", who=who, reason=reason)
    return found


async def _erase_member(connection: Connection, database: Database, staff_id: UUID) -> None:
    row = await connection.fetchrow("SELECT partner_id, removed_at FROM staff WHERE id = $1", staff_id)
    if row and row["removed_at"] is None:
        await let_go(connection, row["partner_id"], staff_id, now=database.clock.now())
    for statement in _MEMBER:
        await connection.execute(statement, staff_id, ERASED, timeout=_WITHIN)
    for statement in _MEMBERS_ROWS:
        await connection.execute(statement, staff_id, timeout=_WITHIN)
    await connection.execute(
        "UPDATE messages SET address = $2 WHERE staff_id = $1 AND address <> $2",
        staff_id,
        MASK,
        timeout=_WITHIN,
    )


async def _on_record(
    connection: Connection, database: Database, found: Known, *, deed: str, who: str, reason: str
) -> None:
    """Put it on record by what and how many, never by whose phone or name."""
    about: Sequence[str] = [name for name, there in _sorts(found).items() if there]
    await audit.record(
        connection,
        who=who,
        via="cli",
        deed=deed,
        about=" and ".join(about),
        about_id=found.members[0] if found.members else None,
        reason=reason,
        now=database.clock.now(),
        data={
            "closed_orders": len(found.closed),
            "open_orders": len(found.open),
            "members": [str(staff_id) for staff_id in found.members],
        },
    )


def _sorts(found: Known) -> Mapping[str, bool]:
    return {"a customer": bool(found.closed or found.open), "a member of a kitchen": bool(found.members)}


_FOUND: Final = """
SELECT o.id, p.code || '/' || o.code AS name, o.final_at FROM orders o JOIN partners p ON p.id = o.partner_id
WHERE {} ORDER BY o.id
"""
_EXPORTED: Final = """
SELECT to_jsonb(o) - 'fingerprint' - 'changed_in' || jsonb_build_object(
    'partner', p.name, 'platform', pl.name,
    'events', (SELECT jsonb_agg(jsonb_build_object('type', e.type, 'at', e.at, 'data', e.data)
            ORDER BY e.version)
        FROM events e WHERE e.order_id = o.id),
    'messages', (SELECT jsonb_agg(jsonb_build_object('kind', n.kind, 'channel', m.channel,
            'address', m.address, 'state', m.state, 'at', coalesce(m.sent_at, m.created_at))
            ORDER BY m.created_at)
        FROM messages m JOIN notices n ON n.id = m.notice_id WHERE m.order_id = o.id
            AND m.person = 'customer')
) AS document
FROM orders o JOIN partners p ON p.id = o.partner_id JOIN platforms pl ON pl.id = o.platform_id
WHERE {} ORDER BY o.placed_at
"""
# A phone has an index; a mail address has not, and is compared as people write it.
_WHOSE: Final = {
    "phone": "o.customer ->> 'phone' = $1",
    "email": "lower(o.customer ->> 'email') = lower($1)",
}
_ORDERS: Final = {kind: _FOUND.format(whose) for kind, whose in _WHOSE.items()}
_EXPORT_ORDERS: Final = {kind: _EXPORTED.format(whose) for kind, whose in _WHOSE.items()}
_MEMBERS: Final = """
SELECT DISTINCT staff_id FROM addresses
WHERE kind = $1 AND (value = $2 OR $1 = 'email' AND lower(value) = lower($2))
ORDER BY staff_id
"""
_EXPORT_MEMBERS: Final = """
SELECT jsonb_build_object('id', s.id, 'partner', p.name, 'name', s.name, 'role', s.role, 'notify', s.notify,
    'locale', s.locale, 'added_at', s.added_at, 'removed_at', s.removed_at,
    'addresses', (SELECT jsonb_agg(jsonb_build_object('kind', a.kind, 'value', a.value,
            'added_at', a.added_at, 'heard_at', a.heard_at, 'ended_at', a.ended_at) ORDER BY a.added_at)
        FROM addresses a WHERE a.staff_id = s.id),
    'sessions', (SELECT jsonb_agg(jsonb_build_object('via', x.via, 'device', x.device,
            'created_at', x.created_at, 'seen_at', x.seen_at) ORDER BY x.created_at)
        FROM sessions x WHERE x.staff_id = s.id),
    'deeds', (SELECT jsonb_agg(jsonb_build_object('type', e.type, 'at', e.at, 'via', e.by ->> 'via',
            'order', o.code) ORDER BY e.at)
        FROM events e JOIN orders o ON o.id = e.order_id WHERE e.by ->> 'id' = s.id::text)
) AS document
FROM staff s JOIN partners p ON p.id = s.partner_id WHERE s.id = ANY($1::uuid[]) ORDER BY s.added_at
"""
_LOCK: Final = "SELECT 1 FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
# Where it stands who did a thing: table, column, and the way to it within.
_DOERS: Final = (
    ("orders", "status_changed_by", ""),
    ("orders", "review", "answer,by,"),
    ("events", "by", ""),
    ("events", "snapshot", "status_changed_by,"),
    ("events", "snapshot", "review,answer,by,"),
    ("events", "data", "answer,by,"),
    ("partner_events", "by", ""),
    ("inbox", "answer", "by,"),
    ("notices", "data", "answer,by,"),
    ("notices", "data", "by,"),
)
_MEMBER: Final = (
    "UPDATE staff SET name = $2, locale = NULL, notify = false WHERE id = $1",
    *(
        f"UPDATE {table} SET {column} = jsonb_set({column}, '{{{way}name}}', to_jsonb($2::text))"  # noqa: S608
        f" WHERE {column} #>> '{{{way}id}}' = $1::uuid::text"
        for table, column, way in _DOERS
    ),
)
# The one row left of an address says that there was one; nobody can be reached by it.
_MEMBERS_ROWS: Final = (
    "DELETE FROM reach r USING addresses a WHERE a.staff_id = $1 AND r.address = a.value",
    "UPDATE addresses SET value = 'erased:' || id, ended_at = coalesce(ended_at, now()) WHERE staff_id = $1",
    "DELETE FROM sessions WHERE staff_id = $1",
    "DELETE FROM one_time_links WHERE staff_id = $1",
    "DELETE FROM link_codes WHERE staff_id = $1",
)
_TRACES: Final = """
WITH codes AS (DELETE FROM login_codes WHERE address = $1),
    tries AS (DELETE FROM wrong_tries WHERE sender = $1)
DELETE FROM reach WHERE address = $1
"""
