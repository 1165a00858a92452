"""What some days brought a kitchen: how many orders ended how, for how much, which dishes, which stars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.database import Connection, Pool, Row
from core.orders.listing import Place
from core.orders.lookups import Heap, Rated, rated
from core.orders.order import Order
from core.orders.rows import order_of
from core.orders.status import Status

_NOTHING: Final = Heap(0, 0)
_DAY: Final = timedelta(days=1)
#: Dishes are counted over so many completed orders at most, the last ones.
DISHES_OF: Final = 5_000
_MOST_DISHES: Final = 10

Queryable = Connection | Pool


class Step(StrEnum):
    """How long a piece of the summary is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Piece:
    """One step of the days: from `first` to `last`, both included. Orders count when they ended."""

    first: date
    last: date
    completed: Heap
    cancelled: Heap
    expired: Heap


@dataclass(frozen=True, slots=True)
class Dishes:
    """The dishes that were delivered most, with portions; `is_part`: only the last orders were counted."""

    most: tuple[tuple[str, int], ...]
    is_part: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """Some days of a kitchen. `waiting` were delivered in them and nobody has said so yet."""

    pieces: tuple[Piece, ...]
    waiting: Heap
    dishes: Dishes
    rated: Rated

    @property
    def completed(self) -> Heap:
        """What is paid for."""
        return _together(piece.completed for piece in self.pieces)

    @property
    def cancelled(self) -> Heap:
        """What was cancelled."""
        return _together(piece.cancelled for piece in self.pieces)

    @property
    def expired(self) -> Heap:
        """What nobody confirmed in time."""
        return _together(piece.expired for piece in self.pieces)


def _together(heaps: Iterable[Heap]) -> Heap:
    counted = list(heaps)
    return Heap(sum(heap.count for heap in counted), sum(heap.amount for heap in counted))


async def summarise(
    queryable: Queryable,
    partner_id: UUID,
    days: tuple[date, date],
    step: Step,
    zone: ZoneInfo,
    *,
    now: datetime,
) -> Summary:
    """Return what these days, both included and of the kitchen's zone, brought."""
    starts = steps(*days, step)
    begin, end = _begin(days[0], zone), _begin(days[1] + _DAY, zone)
    ended = await queryable.fetch(_ENDED, partner_id, begin, end, [_begin(start, zone) for start in starts])
    waiting = await queryable.fetchrow(_WAITING, partner_id, begin, min(end, now))
    dishes = await queryable.fetch(_DISHES, partner_id, begin, end, DISHES_OF + 1, _MOST_DISHES)
    return Summary(
        _pieces(starts, days[1], ended),
        Heap(waiting["count"], waiting["amount"]) if waiting else _NOTHING,
        Dishes(
            tuple((row["name"], row["portions"]) for row in dishes),
            is_part=bool(dishes) and dishes[0]["orders"] > DISHES_OF,
        ),
        await rated(queryable, partner_id, begin, end),
    )


def steps(first: date, last: date, step: Step) -> list[date]:
    """Return the days that pieces begin with: the first day, then Mondays, or firsts of months."""
    starts = [first]
    while (following := _next(starts[-1], step)) <= last:
        starts.append(following)
    return starts


def _next(day: date, step: Step) -> date:
    if step is Step.MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + (_DAY if step is Step.DAY else timedelta(days=7 - day.weekday()))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _pieces(starts: Sequence[date], last: date, rows: Sequence[Row]) -> tuple[Piece, ...]:
    heaps = {(row["piece"], row["status"]): Heap(row["count"], row["amount"]) for row in rows}
    ends = [start - _DAY for start in starts[1:]] + [last]
    return tuple(
        Piece(
            start,
            end,
            *(
                heaps.get((number, status.value), _NOTHING)
                for status in (Status.COMPLETED, Status.CANCELLED, Status.EXPIRED)
            ),
        )
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    )


# --- Reviews ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some reviewed orders, newest review first, and where the next page starts; None on the last one."""

    orders: tuple[Order, ...]
    next: Place | None


async def reviewed(queryable: Queryable, partner_id: UUID, *, after: Place | None, most: int) -> ReviewPage:
    """Return a page of a kitchen's reviewed orders."""
    if after:
        rows = await queryable.fetch(_REVIEWED_AFTER, partner_id, most + 1, after.at, after.id)
    else:
        rows = await queryable.fetch(_REVIEWED, partner_id, most + 1)
    orders = tuple(order_of(row) for row in rows[:most])
    last = orders[-1] if len(rows) > most else None
    return ReviewPage(orders, Place(last.updated_at, last.id) if last else None)


# Nothing happens to an order after its end but a review and the answer to it: `status_changed_at` is when it
# ended, and the last change of a reviewed one is one of these.
_ENDED: Final = """
SELECT width_bucket(status_changed_at, $4::timestamptz[]) AS piece, status,
       count(*) AS count, sum(total)::bigint AS amount
FROM orders
WHERE partner_id = $1 AND final_at IS NOT NULL AND status_changed_at >= $2 AND status_changed_at < $3
GROUP BY 1, 2
"""
_WAITING: Final = """
SELECT count(*) AS count, coalesce(sum(total), 0)::bigint AS amount FROM orders
WHERE partner_id = $1 AND status = 'confirmed' AND deliver_at >= $2 AND deliver_at < $3
"""
_DISHES: Final = """
WITH last AS MATERIALIZED (
    SELECT items FROM orders
    WHERE partner_id = $1 AND final_at IS NOT NULL AND status = 'completed'
      AND status_changed_at >= $2 AND status_changed_at < $3
    ORDER BY status_changed_at DESC, id DESC LIMIT $4
)
SELECT item ->> 'name' AS name, sum((item ->> 'quantity')::int)::bigint AS portions,
       (SELECT count(*) FROM last) AS orders
FROM last, jsonb_array_elements(items) item
GROUP BY 1 ORDER BY portions DESC, name LIMIT $5
"""
_REVIEWED: Final = """
SELECT * FROM orders WHERE partner_id = $1 AND review IS NOT NULL
ORDER BY updated_at DESC, id DESC LIMIT $2
"""
_REVIEWED_AFTER: Final = """
SELECT * FROM orders WHERE partner_id = $1 AND review IS NOT NULL AND (updated_at, id) < ($3, $4)
ORDER BY updated_at DESC, id DESC LIMIT $2
"""
