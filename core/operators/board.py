"""The board: every order that waits for its kitchen, the most urgent first, and how far its ladder got.

Orders are found by their index alone; how far each got is read for those that are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.database import Row
from core.notices.kinds import NoticeKind
from core.orders.order import Order
from core.orders.rows import order_of
from core.outbox.history import Try, tries_of_all
from core.partners.addresses import Queryable
from core.schedule import Policy, Rung, TimerKind, confirm_ladder


class Urgency(StrEnum):
    """A part of the board, by the time left until delivery."""

    SILENT = "silent"  # every step of the ladder is behind it: nobody will be asked again
    HOUR = "hour"
    FOUR = "four"
    DAY = "day"
    LATER = "later"


_HOUR: Final = timedelta(hours=1)
_FOUR: Final = timedelta(hours=4)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are shown; None leaves all in."""

    partner_id: UUID | None = None
    platform_id: UUID | None = None
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last order's delivery time and id."""

    deliver_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unconfirmed order. `tries` told somebody to confirm it; `next_rung` is None when there is none left.

    `alarmed_at` is when the operators were owed a word about it.
    """

    order: Order
    partner_code: str
    partner_name: str
    zone: ZoneInfo
    platform_name: str
    tries: tuple[Try, ...]
    next_rung: Rung | None
    alarmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders of the board, and where the next page starts; None on the last one."""

    orders: tuple[Waiting, ...]
    next: Place | None


async def page(
    queryable: Queryable,
    wanted: Wanted,
    *,
    policy: Policy,
    after: Place | None,
    most: int,
    now: datetime,
) -> Page:
    """Return up to `most` of the orders behind a place, the soonest delivery first."""
    since, before = _bounds(wanted.urgency, policy, now)
    rows = await queryable.fetch(
        _page_of(wanted),
        after.deliver_at if after else None,
        after.id if after else None,
        since,
        before,
        most + 1,
        *_who(wanted),
    )
    shown = rows[:most]
    last = shown[-1] if len(rows) > most else None
    return Page(
        tuple(await _with_ladders(queryable, shown, policy)),
        Place(last["deliver_at"], last["id"]) if last else None,
    )


async def counts(
    queryable: Queryable, wanted: Wanted, *, policy: Policy, now: datetime
) -> Mapping[Urgency, int]:
    """Return how many orders wait in each part of the board; those that are `SILENT` stand in another too."""
    _, silent_before = _bounds(Urgency.SILENT, policy, now)
    row = await queryable.fetchrow(
        _counts_of(wanted), now + _HOUR, now + _FOUR, now + _DAY, silent_before, *_who(wanted)
    )
    return {urgency: int(row[urgency.value]) if row else 0 for urgency in Urgency}


def _bounds(
    urgency: Urgency | None, policy: Policy, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return from when and until when orders of a part are delivered."""
    if urgency is Urgency.SILENT:
        # An order that is delivered later has that step of the ladder still ahead.
        return None, now + min(policy.confirm_nudges_before, default=timedelta(days=366))
    return {
        None: (None, None),
        Urgency.HOUR: (None, now + _HOUR),
        Urgency.FOUR: (now + _HOUR, now + _FOUR),
        Urgency.DAY: (now + _FOUR, now + _DAY),
        Urgency.LATER: (now + _DAY, None),
    }[urgency]


def _who(wanted: Wanted) -> list[UUID]:
    return [named for named in (wanted.partner_id, wanted.platform_id) if named]


async def _with_ladders(queryable: Queryable, rows: Sequence[Row], policy: Policy) -> list[Waiting]:
    orders = [order_of(row) for row in rows]
    ids = [order.id for order in orders]
    tries = await tries_of_all(queryable, ids)
    steps = {row["order_id"]: row["step"] for row in await queryable.fetch(_STEPS, ids)}
    alarmed = {row["order_id"]: row["owed_at"] for row in await queryable.fetch(_ALARMED, ids)}
    return [
        Waiting(
            order=order,
            partner_code=row["partner_code"],
            partner_name=row["partner_name"],
            zone=ZoneInfo(row["timezone"]),
            platform_name=row["platform_name"],
            tries=tuple(each for each in tries[order.id] if each.notice in _ASKING),
            next_rung=_rung(order, steps.get(order.id), policy),
            alarmed_at=alarmed.get(order.id),
        )
        for row, order in zip(rows, orders, strict=True)
    ]


_ASKING: Final = frozenset({NoticeKind.ORDER_NEW, NoticeKind.ORDER_CHANGED, NoticeKind.CONFIRM_NUDGE})


def _rung(order: Order, step: str | None, policy: Policy) -> Rung | None:
    """Return the step of the ladder that the live timer is for; settings may have changed since."""
    return next((rung for rung in confirm_ladder(order, policy) if rung.name == step), None)


# --- Statements -------------------------------------------------------------------------------------

#: Of an order whose ladder is climbed to the end no timer of it lives.
_SILENT: Final = (
    "NOT EXISTS (SELECT FROM timers t WHERE t.order_id = o.id"
    f" AND t.kind = '{TimerKind.CONFIRM_LADDER}' AND t.state = 'live')"
)


def _of_whom(wanted: Wanted, first: int) -> str:
    """Return the conditions for the kitchen and the platform, whose parameters begin with this number."""
    columns = [
        column
        for column, named in (("partner_id", wanted.partner_id), ("platform_id", wanted.platform_id))
        if named
    ]
    return "".join(f" AND o.{column} = ${first + n}" for n, column in enumerate(columns))


def _page_of(wanted: Wanted) -> str:
    silent = f" AND {_SILENT}" if wanted.urgency is Urgency.SILENT else ""
    return f"""
SELECT o.*, p.code AS partner_code, p.name AS partner_name, p.timezone, f.name AS platform_name
  FROM (SELECT * FROM orders o
         WHERE o.status = 'pending'
           AND ($1::timestamptz IS NULL OR (o.deliver_at >= $1 AND (o.deliver_at, o.id) > ($1, $2::uuid)))
           AND ($3::timestamptz IS NULL OR o.deliver_at > $3)
           AND ($4::timestamptz IS NULL OR o.deliver_at <= $4){_of_whom(wanted, 6)}{silent}
         ORDER BY o.deliver_at, o.id LIMIT $5) o
  JOIN partners p ON p.id = o.partner_id JOIN platforms f ON f.id = o.platform_id
 ORDER BY o.deliver_at, o.id
"""  # noqa: S608  (our own words)


def _counts_of(wanted: Wanted) -> str:
    whose = _of_whom(wanted, 5)
    return f"""
SELECT count(*) FILTER (WHERE deliver_at <= $1) AS hour,
       count(*) FILTER (WHERE deliver_at > $1 AND deliver_at <= $2) AS four,
       count(*) FILTER (WHERE deliver_at > $2 AND deliver_at <= $3) AS day,
       count(*) FILTER (WHERE deliver_at > $3) AS later,
       (SELECT count(*) FROM orders o
         WHERE o.status = 'pending' AND o.deliver_at <= $4 AND {_SILENT}{whose}) AS silent
  FROM orders o WHERE o.status = 'pending'{whose}
"""  # noqa: S608  (our own words)


_STEPS: Final = f"""
SELECT order_id, step FROM timers
 WHERE order_id = ANY($1::uuid[]) AND kind = '{TimerKind.CONFIRM_LADDER}' AND state = 'live'
"""  # noqa: S608  (our own words)
_ALARMED: Final = f"""
SELECT n.order_id, max(n.owed_at) AS owed_at FROM notices n JOIN orders o ON o.id = n.order_id
 WHERE n.order_id = ANY($1::uuid[]) AND n.kind = '{NoticeKind.ORDER_AT_RISK}' AND n.revision = o.revision
 GROUP BY n.order_id
"""  # noqa: S608  (our own words)
