"""Cards that can be changed after they were sent, when their order moved on while they were leaving."""

from datetime import datetime
from typing import Final
from uuid import UUID

from core import ids
from core.channels import CHANGEABLE
from core.database import Connection, Database
from core.notices.kinds import Way
from core.notices.outgoing import Outgoing
from core.outbox.ways import Due


def can_be_outdated(outgoing: Outgoing) -> bool:
    """Whether a message, once it is sent, may show an order as it was."""
    is_card = outgoing.order is not None and outgoing.staff is not None
    return is_card and outgoing.channel in CHANGEABLE


async def if_outdated(connection: Connection, outgoing: Outgoing, *, now: datetime) -> list[Due]:
    """Owe one more change of a card whose order changed after it was made; return it, to be tried now.

    Whoever changed the order could not know of a card that was on its way. Call it in the transaction
    that records the card as sent.
    """
    if outgoing.order is None:
        return []
    row = await connection.fetchrow(
        _AGAIN, outgoing.id, outgoing.order.version, ids.beside(outgoing.notice_id), now, Way.EDIT.value
    )
    return [Due(UUID(str(row["id"])), outgoing.channel, 0)] if row else []


async def is_changed_anyway(database: Database, outgoing: Outgoing) -> bool:
    """Whether what an answer would change is a card of its order: a deed changes those by itself."""
    if outgoing.edits is None or outgoing.order is None:
        return False
    shown = await database.pool.fetchval(_SHOWN, outgoing.channel.value, outgoing.edits)
    return bool(shown == outgoing.order.id)


_SHOWN: Final = """
SELECT card_of FROM messages
WHERE channel = $1 AND gateway_id = $2 AND state = 'sent' AND staff_id IS NOT NULL
ORDER BY sent_at DESC, id DESC LIMIT 1
"""


_AGAIN: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at, deadline, edits, card_of)
SELECT $3, m.notice_id, m.order_id, $5, 'card:' || m.gateway_id || ':v' || o.version, m.staff_id, m.channel,
    m.address_kind, m.address, 1, 'waiting', $4, $4, $4, m.gateway_id, m.card_of
FROM messages m JOIN orders o ON o.id = m.card_of
WHERE m.id = $1 AND m.state = 'sent' AND m.gateway_id IS NOT NULL AND o.version > $2
ON CONFLICT DO NOTHING RETURNING id
"""
