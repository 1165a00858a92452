"""What an order was in an earlier revision, and which one somebody was told of last."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.database import Connection, Pool
from core.notices.kinds import NoticeKind
from core.orders import snapshot
from core.orders.events import EventType
from core.orders.order import Order


@dataclass(frozen=True, slots=True)
class Told:
    """The newest revision before the present one that somebody knows; `confirmed`: the kitchen took it on."""

    revision: int
    confirmed: bool


async def as_of(queryable: Connection | Pool, order_id: UUID, revision: int) -> Order | None:
    """Return the order as it was last in this revision."""
    found = await queryable.fetchval(_AS_OF, order_id, revision)
    return snapshot.load(found) if found else None


async def last_told(queryable: Connection | Pool, order: Order, *, person: str, way: str) -> Told | None:
    """Return what this person was told last by this way, else what anybody of the kitchen was.

    What the kitchen confirmed, it knows. None where nobody was told anything yet.
    """
    row = await queryable.fetchrow(
        _TOLD,
        order.id,
        order.revision,
        person,
        way,
        NoticeKind.ANSWER.value,
        EventType.CONFIRMED.value,
    )
    assert row is not None  # noqa: S101  (aggregates have one row)
    told = row["theirs"] or row["anybodys"]
    known = max((revision for revision in (told, row["confirmed"]) if revision), default=None)
    return Told(known, row["confirmed"] == known) if known else None


_AS_OF: Final = """
SELECT snapshot FROM events WHERE order_id = $1 AND (snapshot ->> 'revision')::int = $2
ORDER BY version DESC LIMIT 1
"""

_TOLD: Final = """
SELECT max(n.revision) FILTER (WHERE m.person = $3 AND m.leg = $4) AS theirs, max(n.revision) AS anybodys,
    (SELECT max((e.snapshot ->> 'revision')::int) FROM events e
     WHERE e.order_id = $1 AND e.type = $6 AND (e.snapshot ->> 'revision')::int < $2) AS confirmed
FROM messages m JOIN notices n ON n.id = m.notice_id
WHERE m.order_id = $1 AND m.state = 'sent' AND m.staff_id IS NOT NULL AND m.leg <> 'edit'
    AND n.kind <> $5 AND n.revision BETWEEN 1 AND $2 - 1
"""
