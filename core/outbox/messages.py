"""Messages as they are first written: one notice on one channel to one address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core import ids
from core.database import Connection
from core.notices.kinds import NoticeKind
from core.notices.routing import Leg
from core.orders.order import Order


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """A notice that is to become messages, with its order as it is now."""

    id: UUID
    kind: NoticeKind
    revision: int
    data: Mapping[str, Any]
    order: Order | None


def message_row(notice: OwedNotice, leg: Leg, now: datetime, *, rung: int = 0) -> dict[str, Any]:
    """Return the row of a message that can be tried at once."""
    return {
        "id": str(ids.new()),
        "notice_id": str(notice.id),
        "order_id": str(notice.order.id) if notice.order else None,
        "leg": leg.way.value,
        "person": leg.person,
        "staff_id": str(leg.staff_id) if leg.staff_id else None,
        "channel": leg.channel.value,
        "address_kind": leg.address.kind.value,
        "address": leg.address.value,
        "rung": rung,
        "next_at": now.isoformat(),
        "created_at": now.isoformat(),
    }


async def insert_messages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write messages that wait for their first try."""
    await connection.execute(_INSERT_MESSAGES, rows)


_INSERT_MESSAGES: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at)
SELECT id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    'waiting', next_at, created_at
FROM jsonb_populate_recordset(NULL::messages, $1::jsonb)
ON CONFLICT DO NOTHING
"""
