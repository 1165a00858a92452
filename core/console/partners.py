"""What operators see of the kitchens: a list to search, and one kitchen's orders and what it waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.channels import ChannelName
from core.database import Connection, Pool, Row
from core.orders.listing import words_of
from core.orders.order import Order
from core.orders.rows import order_of
from core.orders.status import Status
from core.schedule import TimerKind

Queryable = Connection | Pool


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A kitchen in the list. `troubled` counts its people's addresses that messages do not reach."""

    id: UUID
    code: str
    name: str
    timezone: str
    paused_until: datetime | None
    pending: int
    confirmed: int
    staff: int
    troubled: int


@dataclass(frozen=True, slots=True)
class KitchenPage:
    """Some kitchens by their codes, and the code that the next page begins behind; None on the last one."""

    kitchens: tuple[Kitchen, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class NextTimer:
    """What a kitchen is going to be told of by itself, and when."""

    order_id: UUID
    code: str
    status: Status
    kind: TimerKind
    step: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an address on one channel; `why` is why it last failed, in the gateway's words."""

    channel: ChannelName
    worked_at: datetime | None
    failed_at: datetime | None
    out_until: datetime | None
    why: str | None


async def kitchens(
    queryable: Queryable, text: str, *, after: str | None, most: int, now: datetime
) -> KitchenPage:
    """Return a page of the kitchens whose code or name has every word of `text`, accents and case aside."""
    rows = await queryable.fetch(_KITCHENS, words_of(text), after or "", most + 1, now)
    page = tuple(_kitchen(row) for row in rows[:most])
    return KitchenPage(page, page[-1].code if len(rows) > most else None)


async def kitchen(queryable: Queryable, partner_id: UUID, *, now: datetime) -> Kitchen | None:
    """Return one kitchen as the list shows it."""
    row = await queryable.fetchrow(_KITCHEN, partner_id, now)
    return _kitchen(row) if row else None


async def last_orders(queryable: Queryable, partner_id: UUID, *, most: int) -> Sequence[Order]:
    """Return a kitchen's orders, those first that are due last."""
    rows = await queryable.fetch(_LAST, partner_id, most)
    return [order_of(row) for row in rows]


async def next_timers(queryable: Queryable, partner_id: UUID, *, most: int) -> Sequence[NextTimer]:
    """Return what falls due next for a kitchen's open orders."""
    rows = await queryable.fetch(_NEXT, partner_id, most)
    return [
        NextTimer(
            row["order_id"],
            row["code"],
            Status(row["status"]),
            TimerKind(row["kind"]),
            row["step"],
            row["due_at"],
        )
        for row in rows
    ]


async def known(queryable: Queryable, values: Sequence[str]) -> Mapping[str, Sequence[Known]]:
    """Return what is known of these addresses, channel by channel."""
    found: dict[str, list[Known]] = {}
    for row in await queryable.fetch(_KNOWN, list(values)):
        each = Known(
            ChannelName(row["channel"]), row["worked_at"], row["failed_at"], row["out_until"], row["why"]
        )
        found.setdefault(row["address"], []).append(each)
    return found


async def last_sent(queryable: Queryable, partner_id: UUID) -> Mapping[str, datetime]:
    """Return when a gateway last took a message for an address, of those about a kitchen's last orders."""
    rows = await queryable.fetch(_SENT, partner_id, _LOOKED_AT)
    return {row["address"]: row["sent_at"] for row in rows}


def _kitchen(row: Row) -> Kitchen:
    return Kitchen(
        row["id"],
        row["code"],
        row["name"],
        row["timezone"],
        row["paused_until"],
        row["pending"],
        row["confirmed"],
        row["staff"],
        row["troubled"],
    )


#: An address is in trouble when it ended, rests, or failed after it last worked: as its own page says it.
_WITH_COUNTS: Final = """
SELECT p.id, p.code, p.name, p.timezone,
    CASE WHEN p.paused_until > {now} THEN p.paused_until END AS paused_until,
    (SELECT count(*) FROM orders o WHERE o.partner_id = p.id AND o.status = 'pending') AS pending,
    (SELECT count(*) FROM orders o WHERE o.partner_id = p.id AND o.status = 'confirmed') AS confirmed,
    (SELECT count(*) FROM staff s WHERE s.partner_id = p.id AND s.removed_at IS NULL) AS staff,
    (SELECT count(*) FROM staff s JOIN addresses a ON a.staff_id = s.id
      WHERE s.partner_id = p.id AND s.removed_at IS NULL AND (a.ended_at IS NOT NULL OR EXISTS (
        SELECT FROM (SELECT max(r.worked_at) AS worked_at, max(r.failed_at) AS failed_at,
                            max(r.out_until) AS out_until FROM reach r WHERE r.address = a.value) known
        WHERE known.failed_at > coalesce(known.worked_at, '-infinity')))) AS troubled
FROM {of} p
"""
#: A page of those that have every word that is looked for.
_SOUGHT: Final = r"""(
    SELECT * FROM partners WHERE code > $2
        AND (plain_words(code || ' ' || replace(code, '-', ' ') || ' ' || name) LIKE ALL (ARRAY(
            SELECT '%' || replace(replace(replace(word, '\', '\\'), '%', '\%'), '_', '\_') || '%'
            FROM regexp_split_to_table(plain_words($1), '\s+') word WHERE word <> '')))
    ORDER BY code LIMIT $3
)"""
_KITCHENS: Final = f"{_WITH_COUNTS.format(now='$4', of=_SOUGHT)} ORDER BY p.code"
_KITCHEN: Final = f"{_WITH_COUNTS.format(now='$2', of='partners')} WHERE p.id = $1"
_LAST: Final = "SELECT * FROM orders WHERE partner_id = $1 ORDER BY deliver_at DESC, id DESC LIMIT $2"
_NEXT: Final = """
SELECT o.id AS order_id, o.code, o.status, t.kind, t.step, t.due_at
FROM orders o JOIN timers t ON t.order_id = o.id AND t.state = 'live'
WHERE o.partner_id = $1 AND o.status IN ('pending', 'confirmed')
ORDER BY t.due_at, t.id LIMIT $2
"""
_LOOKED_AT: Final = 20
_SENT: Final = """
SELECT m.address, max(m.sent_at) AS sent_at FROM (
    SELECT id FROM orders WHERE partner_id = $1 ORDER BY deliver_at DESC, id DESC LIMIT $2
) o JOIN messages m ON m.order_id = o.id
WHERE m.sent_at IS NOT NULL AND m.state IN ('sent', 'unclear') GROUP BY m.address
"""
_KNOWN: Final = """
SELECT address, channel, worked_at, failed_at, out_until, why FROM reach
WHERE address = ANY($1::text[]) ORDER BY address, channel
"""
