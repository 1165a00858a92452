"""Handing over: which channel takes over from a message, and what it takes with it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from core.channels import ChannelName
from core.database import Connection
from core.notices.kinds import RULES, Audience, Way
from core.notices.outgoing import Outgoing
from core.notices.routing import Leg, next_leg
from core.outbox.failures import tell_undeliverable
from core.outbox.kitchens import people_of
from core.outbox.messages import OwedNotice, insert_messages, message_row
from core.outbox.ways import Due, Ways


async def following_leg(
    connection: Connection,
    outgoing: Outgoing,
    ways: Ways,
    now: datetime,
    *,
    silent: ChannelName | None = None,
) -> Leg | None:
    """Return how the next channel takes over from a message of its person, None where none is left.

    Other addresses of a channel that is `silent` come last.
    """
    audience = RULES[outgoing.kind].audience
    if outgoing.way != Way.CHAT or audience not in {Audience.RECIPIENTS, Audience.LADDER}:
        return None
    if outgoing.partner is None or outgoing.staff is None or outgoing.address.is_group:
        return None
    people = await people_of(connection, [outgoing.partner.id], now=now)
    person = next((p for p in people[outgoing.partner.id] if p.id == outgoing.staff.id), None)
    if person is None:
        return None
    tried = await connection.fetch(_TRIED, outgoing.notice_id, outgoing.person)
    return next_leg(
        outgoing.kind,
        person,
        [(ChannelName(row["channel"]), row["address"]) for row in tried],
        chat_order=ways.chat_order,
        reaches=ways.at(now),
        silent=silent,
    )


async def hand_over(
    connection: Connection, outgoing: Outgoing, following: Leg | None, now: datetime
) -> list[Due]:
    """Write the message that takes over, and for what its forerunner carried; return what can be tried now.

    Without one the operators are told, when nothing of the notice can reach anybody any more.
    """
    if following is None:
        await _notice_may_have_failed(connection, outgoing, now)
        return []
    notice = OwedNotice(outgoing.notice_id, outgoing.kind, outgoing.revision, outgoing.data, outgoing.order)
    rung = await connection.fetchval(_NEXT_RUNG, outgoing.notice_id, outgoing.way, outgoing.person)
    quiet = outgoing.partner.quiet if outgoing.partner else None
    row = message_row(notice, following, now, rung=rung, quiet=quiet)
    await insert_messages(connection, [row])
    await connection.execute(_FOLLOW, outgoing.id, UUID(row["id"]))
    return [Due(UUID(row["id"]), following.channel, 0)] if row["next_at"] == now.isoformat() else []


async def _notice_may_have_failed(connection: Connection, outgoing: Outgoing, now: datetime) -> None:
    """When nothing of a notice can reach anybody any more, say so to the operators."""
    # Of two messages that fail at the same moment, the later one must see the earlier one's end.
    await connection.execute("SELECT 1 FROM notices WHERE id = $1 FOR NO KEY UPDATE", outgoing.notice_id)
    alive = await connection.fetchval(
        "SELECT count(*) FROM messages WHERE notice_id = $1 AND state IN ('waiting', 'sent', 'unclear')",
        outgoing.notice_id,
    )
    if alive:
        return
    await connection.execute(
        "UPDATE notices SET state = 'failed', why = 'every way failed' WHERE id = $1", outgoing.notice_id
    )
    if RULES[outgoing.kind].audience is Audience.OPERATORS:
        await connection.execute(_CARRIED_FAILED, outgoing.id)
    await tell_undeliverable(connection, outgoing.notice_id, outgoing.kind, outgoing.order, now)


# What operators were to be told together has failed together, but for what another of them was told.
_CARRIED_FAILED: Final = """
UPDATE notices n SET state = 'failed', why = 'every way failed' FROM messages c
WHERE c.carrier_id = $1 AND n.id = c.notice_id AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE m.notice_id = n.id AND m.state IN ('waiting', 'sent', 'unclear'))
"""

_TRIED: Final = "SELECT channel, address FROM messages WHERE notice_id = $1 AND person = $2 AND leg = 'chat'"

# What was carried with a message is owed by the channel that takes over from it, too.
_FOLLOW: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at, deadline)
SELECT id_beside(old.notice_id), old.notice_id, old.order_id, old.leg, old.person, old.staff_id, new.channel,
    new.address_kind, new.address, old.rung + 1, 'waiting', new.next_at, new.created_at, old.deadline
FROM messages old, messages new WHERE old.carrier_id = $1 AND new.id = $2
ON CONFLICT DO NOTHING
"""

_NEXT_RUNG: Final = """
SELECT coalesce(max(rung) + 1, 0) FROM messages WHERE notice_id = $1 AND leg = $2 AND person = $3
"""
