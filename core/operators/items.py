"""What operators were owed a word about and nobody has dealt with yet; product time.

What is about an order drops out by itself when the order moves on. Once handled, a deed for the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core import audit
from core.audit import Signed
from core.database import Connection, Row
from core.notices.kinds import RULES, Audience, NoticeKind
from core.orders.events import Json
from core.orders.status import Status
from core.partners.addresses import Queryable

#: Troubles are alarms: they are over when they are over, whoever has looked at them.
KINDS: Final = tuple(
    kind
    for kind, rule in RULES.items()
    if rule.audience is Audience.OPERATORS and kind is not NoticeKind.TROUBLE
)
#: What nobody has dealt with for so long is of no use to anybody.
KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Item:
    """Something to look at; without an order `data` says what it is about."""

    id: UUID
    kind: NoticeKind
    owed_at: datetime
    data: Mapping[str, Json]
    order_id: UUID | None
    code: str
    partner_code: str
    partner_name: str
    deliver_at: datetime | None


async def open_items(queryable: Queryable, *, most: int, now: datetime) -> list[Item]:
    """Return what is to be looked at, of each kind the newest first, up to so many of each."""
    rows = await queryable.fetch(_OPEN, now - KEPT_FOR, most)
    return [_item(row) for row in rows]


async def counts(queryable: Queryable, *, now: datetime) -> Mapping[NoticeKind, int]:
    """Return how much there is to be looked at of each kind."""
    rows = await queryable.fetch(_COUNTS, now - KEPT_FOR)
    return {NoticeKind(row["kind"]): row["count"] for row in rows}


async def handle(connection: Connection, item_id: UUID, words: str, *, signed: Signed, now: datetime) -> bool:
    """Say that an item is dealt with, and put it on record; False where somebody was quicker.

    Call it inside a transaction.
    """
    row = await connection.fetchrow(_HANDLE, item_id, now, signed.who, [kind.value for kind in KINDS])
    if row is None:
        return False
    await audit.record(
        connection,
        who=signed.who,
        via=signed.via,
        deed="item.handled",
        about=f"{row['kind']} {row['named']}".strip(),
        now=now,
        about_id=row["order_id"],
        reason=words,
        data={"notice": str(item_id)},
    )
    return True


def _item(row: Row) -> Item:
    data: Any = row["data"]
    return Item(
        id=row["id"],
        kind=NoticeKind(row["kind"]),
        owed_at=row["owed_at"],
        data=data,
        order_id=row["order_id"],
        code=row["code"] or "",
        partner_code=row["partner_code"] or "",
        partner_name=row["partner_name"] or "",
        deliver_at=row["deliver_at"],
    )


def _listed(values: "tuple[str, ...]") -> str:
    return ", ".join(f"'{value}'" for value in values)


def _lasts() -> str:
    """Return the condition that an item's order has not moved on, by the table of the notices."""
    narrow = {
        kind: RULES[kind].while_status for kind in KINDS if RULES[kind].while_status != frozenset(Status)
    }
    moved = " ".join(
        f"WHEN '{kind.value}' THEN o.status IN ({_listed(tuple(sorted(statuses)))})"
        for kind, statuses in narrow.items()
    )
    at_risk = f"(n.kind <> '{NoticeKind.ORDER_AT_RISK.value}' OR n.revision = o.revision)"
    return f"(o.id IS NULL OR ({at_risk} AND CASE n.kind {moved} ELSE true END))"


# The kinds stand here as words, so that the planner sees that `notices_items` has them all.
_WHERE: Final = f"""
  FROM notices n LEFT JOIN orders o ON o.id = n.order_id
 WHERE n.kind IN ({_listed(tuple(kind.value for kind in KINDS))}) AND n.handled_at IS NULL
   AND n.owed_at > $1 AND {_lasts()}
"""
_OPEN: Final = f"""
SELECT i.*, p.code AS partner_code, p.name AS partner_name
  FROM (SELECT n.id, n.kind, n.owed_at, n.data, n.order_id, o.code, o.partner_id, o.deliver_at,
               row_number() OVER (PARTITION BY n.kind ORDER BY n.owed_at DESC, n.id DESC) AS place
          {_WHERE}) i
  LEFT JOIN partners p ON p.id = i.partner_id
 WHERE i.place <= $2 ORDER BY i.kind, i.place
"""  # noqa: S608  (our own words)
_COUNTS: Final = f"SELECT n.kind, count(*) AS count {_WHERE} GROUP BY n.kind"
_HANDLE: Final = """
UPDATE notices n SET handled_at = $2, handled_by = $3
 WHERE n.id = $1 AND n.handled_at IS NULL AND n.kind = ANY($4::text[])
RETURNING n.kind, n.order_id, coalesce((
    SELECT p.code || '/' || o.code FROM orders o JOIN partners p ON p.id = o.partner_id
     WHERE o.id = n.order_id), n.data ->> 'name', '') AS named
"""
