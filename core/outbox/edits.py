"""Cards that can be changed after they were sent, when their order moved on while they were leaving."""

from typing import Final
from uuid import UUID

from core import ids
from core.channels import ChannelName
from core.database import Database
from core.notices.kinds import Way
from core.notices.outgoing import Outgoing
from core.outbox.ways import Due


async def if_outdated(database: Database, outgoing: Outgoing) -> list[Due]:
    """Owe one more change of a card whose order changed after it was made; return it, to be tried now.

    Whoever changed the order could not know of a card that was on its way.
    """
    if outgoing.order is None or outgoing.staff is None or outgoing.channel is not ChannelName.TELEGRAM:
        return []
    now = database.clock.now()
    row = await database.pool.fetchrow(
        _AGAIN, outgoing.id, outgoing.order.version, ids.new(), now, Way.EDIT.value
    )
    return [Due(UUID(str(row["id"])), outgoing.channel, 0)] if row else []


_AGAIN: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at, deadline, edits, card_of)
SELECT $3, m.notice_id, m.order_id, $5, 'card:' || m.gateway_id || ':v' || o.version, m.staff_id, m.channel,
    m.address_kind, m.address, 1, 'waiting', $4, $4, $4, m.gateway_id, m.card_of
FROM messages m JOIN orders o ON o.id = m.card_of
WHERE m.id = $1 AND m.state = 'sent' AND m.gateway_id IS NOT NULL AND o.version > $2
ON CONFLICT DO NOTHING RETURNING id
"""
