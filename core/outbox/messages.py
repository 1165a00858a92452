"""Messages as they are first written: one notice on one channel to one address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core import ids
from core.channels import CHANGEABLE
from core.database import Connection
from core.notices.kinds import RULES, Audience, NoticeKind, Way
from core.notices.routing import Leg
from core.orders.order import Order
from core.orders.status import Status
from core.quiet import Quiet


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """A notice that is to become messages, with its order as it is now."""

    id: UUID
    kind: NoticeKind
    revision: int
    data: Mapping[str, Any]
    order: Order | None

    @property
    def about(self) -> str | None:
        """The order whose card this shows, if it is one: an answer names it in its data."""
        return str(self.order.id) if self.order else self.data.get("order_id")


#: Who is asked to do something before an order is delivered; who asked waits for the answer now.
_ASKED: Final = frozenset({Audience.RECIPIENTS, Audience.LADDER})
#: What asks for nothing can wait for what does, when a gateway takes less than there is.
_NOT_URGENT: Final = timedelta(hours=12)


def message_row(
    notice: OwedNotice, leg: Leg, now: datetime, *, rung: int = 0, quiet: Quiet | None = None
) -> dict[str, Any]:
    """Return the row of a message that can be tried at once, or when the kitchen's quiet hours are over."""
    return {
        "id": str(ids.beside(notice.id)),  # in one part with all that its notice is told by
        "notice_id": str(notice.id),
        "order_id": str(notice.order.id) if notice.order else None,
        "leg": leg.way.value,
        "person": leg.person,
        "staff_id": str(leg.staff_id) if leg.staff_id else None,
        "channel": leg.channel.value,
        "address_kind": leg.address.kind.value,
        "address": leg.address.value,
        "rung": rung or leg.rung,
        "edits": leg.edits,
        "card_of": notice.about if leg.channel in CHANGEABLE else None,
        "next_at": begins(notice.kind, notice.data, leg.way, quiet, now).isoformat(),
        "created_at": now.isoformat(),
        "deadline": _deadline(notice, now).isoformat(),
    }


def begins(
    kind: NoticeKind, data: Mapping[str, Any], way: Way, quiet: Quiet | None, now: datetime
) -> datetime:
    """Return when a message may first be tried: mails make no noise, and some things cannot wait.

    For customers `quiet` is the night: they are not told then by any way.
    """
    rule = RULES[kind]
    if quiet is None or not rule.may_wait or data.get("loud"):
        return now
    if way is not Way.CHAT and rule.audience is not Audience.CUSTOMER:
        return now
    return quiet.over_at(now)


def _deadline(notice: OwedNotice, now: datetime) -> datetime:
    """Return by when it should have been told: what is sent first when not everything can be."""
    rule = RULES[notice.kind]
    if notice.order and Status.PENDING in rule.while_status and rule.audience in _ASKED:
        return notice.order.deliver_at
    return now + _NOT_URGENT if rule.may_wait else now


async def insert_messages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write messages that wait for their first try."""
    await connection.execute(_INSERT_MESSAGES, rows)


_INSERT_MESSAGES: Final = """
INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    state, next_at, created_at, deadline, edits, card_of)
SELECT id, notice_id, order_id, leg, person, staff_id, channel, address_kind, address, rung,
    'waiting', next_at, created_at, deadline, edits, card_of
FROM jsonb_populate_recordset(NULL::messages, $1::jsonb)
ON CONFLICT DO NOTHING
"""
