"""What a kitchen asks of its own orders: one by its code, lists by status and day, money, reviews."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from tortoise import Tortoise
from tortoise.expressions import Q
from tortoise.functions import Count, Sum

from core.database import Connection, Pool
from core.orders.events import Event, EventType
from core.orders.models import EventRow, OrderRow
from core.orders.order import Order
from core.orders.snapshot import load_by
from core.orders.status import Status

_EVER_SINCE: Final = datetime(1, 1, 2, tzinfo=UTC)
_EVER_AFTER: Final = datetime(9999, 12, 30, tzinfo=UTC)
_OPEN = (Status.PENDING.value, Status.CONFIRMED.value)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order with the name of the platform that placed it."""

    order: Order
    platform_name: str


@dataclass(frozen=True, slots=True)
class Heap:
    """Some orders taken together; `amount` in đồng."""

    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class MonthMoney:
    """What a month brought: completed in it, delivered in it but not completed yet, lost in it."""

    completed: Heap
    waiting: Heap
    cancelled: Heap
    expired: Heap


@dataclass(frozen=True, slots=True)
class Reviews:
    """The last reviewed orders, newest first, and the average of all reviews (None without any)."""

    latest: tuple[Order, ...]
    count: int
    average: float | None


async def by_id(order_id: UUID) -> Placed | None:
    """Return an order."""
    row = await OrderRow.get_or_none(id=order_id).select_related("platform")
    return _placed(row) if row else None


async def by_code(partner_ids: Collection[UUID], code: str) -> list[Placed]:
    """Return each kitchen's newest order of this code; codes are used again in time."""
    found = await _fetch(_NEWEST_OF_CODE, list(partner_ids), code)
    rows = await OrderRow.filter(id__in=[row["id"] for row in found]).select_related("platform")
    return [_placed(row) for row in sorted(rows, key=lambda row: row.placed_at, reverse=True)]


async def codes_in_use(partner_ids: Collection[UUID], *, since: datetime) -> list[str]:
    """Return the codes of open orders and of those that became final after `since`."""
    return [str(row["code"]) for row in await _fetch(_CODES_IN_USE, list(partner_ids), since)]


async def waiting(partner_ids: Collection[UUID], *, now: datetime, most: int) -> list[Placed]:
    """Return the orders that can be confirmed or cancelled now, the soonest delivery first."""
    return await _soonest(
        OrderRow.filter(partner_id__in=partner_ids, status=Status.PENDING.value, deliver_at__gte=now), most
    )


async def completable(partner_ids: Collection[UUID], *, due_by: datetime, most: int) -> list[Placed]:
    """Return the confirmed orders whose delivery time is at most `due_by`, the soonest first."""
    confirmed = Status.CONFIRMED.value
    return await _soonest(
        OrderRow.filter(partner_id__in=partner_ids, status=confirmed, deliver_at__lte=due_by), most
    )


async def open_orders(partner_ids: Collection[UUID], *, most: int) -> list[Placed]:
    """Return the orders that something is still to be done about, the soonest delivery first."""
    return await _soonest(OrderRow.filter(partner_id__in=partner_ids, status__in=_OPEN), most)


async def count_open(partner_id: UUID) -> int:
    """Return how many orders of a kitchen something is still to be done about."""
    return await OrderRow.filter(partner_id=partner_id, status__in=_OPEN).count()


async def page(
    partner_id: UUID, *, status: Status | None, after: UUID | None, most: int
) -> tuple[list[Order], bool]:
    """Return a kitchen's orders, the newest delivery first, those behind `after`; and if more follow."""
    wanted = OrderRow.filter(partner_id=partner_id)
    if status:
        wanted = wanted.filter(status=status.value)
    last = await OrderRow.get_or_none(id=after, partner_id=partner_id) if after else None
    if last:
        earlier = Q(deliver_at__lt=last.deliver_at) | Q(deliver_at=last.deliver_at, id__lt=last.id)
        # The first of these says nothing new, but where in the index to begin.
        wanted = wanted.filter(Q(deliver_at__lte=last.deliver_at), earlier)
    rows = await wanted.order_by("-deliver_at", "-id").limit(most + 1)
    return [row.to_order() for row in rows[:most]], len(rows) > most


async def deliveries(partner_id: UUID, day: date, zone: ZoneInfo) -> list[Order]:
    """Return what is delivered on a day of the kitchen, in time order; lost orders are left out."""
    start, end = _day(day, zone)
    rows = await OrderRow.filter(
        partner_id=partner_id,
        deliver_at__gte=start,
        deliver_at__lt=end,
        status__in=(*_OPEN, Status.COMPLETED.value),
    ).order_by("deliver_at", "id")
    return [row.to_order() for row in rows]


async def money(partner_id: UUID, first: date, zone: ZoneInfo, *, now: datetime) -> MonthMoney:
    """Return what the month that begins with `first` brought, by days of the kitchen's zone."""
    start, _ = _day(first, zone)
    end, _ = _day((first + timedelta(days=32)).replace(day=1), zone)
    own = OrderRow.filter(partner_id=partner_id)
    # `orders_ended` holds all that this asks for.
    ended = own.filter(final_at__isnull=False, status_changed_at__gte=start, status_changed_at__lt=end)
    due = own.filter(deliver_at__gte=start, deliver_at__lt=min(end, now), status=Status.CONFIRMED.value)
    by_status = await _heaps(ended)
    nothing = Heap(0, 0)
    return MonthMoney(
        completed=by_status.get(Status.COMPLETED, nothing),
        waiting=(await _heaps(due)).get(Status.CONFIRMED, nothing),
        cancelled=by_status.get(Status.CANCELLED, nothing),
        expired=by_status.get(Status.EXPIRED, nothing),
    )


async def reviews(partner_id: UUID, *, most: int) -> Reviews:
    """Return what customers said lately, and their average."""
    reviewed = OrderRow.filter(partner_id=partner_id, review__isnull=False)
    rows = await reviewed.order_by("-updated_at", "-id").limit(most)
    rated = rated_by(
        {row["rating"]: row["count"] for row in await _fetch(STARS, partner_id, _EVER_SINCE, _EVER_AFTER)}
    )
    return Reviews(tuple(row.to_order() for row in rows), rated.count, rated.average)


@dataclass(frozen=True, slots=True)
class Rated:
    """How customers rated; `average` is None without any. `stars` says how often each number was given."""

    count: int
    average: float | None
    stars: Mapping[int, int]


def rated_by(stars: Mapping[int, int]) -> Rated:
    """Return what so many reviews of so many stars come to."""
    count = sum(stars.values())
    average = sum(rating * many for rating, many in stars.items()) / count if count else None
    return Rated(count, average, stars)


async def rated(
    queryable: Connection | Pool,
    partner_id: UUID,
    since: datetime = _EVER_SINCE,
    before: datetime = _EVER_AFTER,
) -> Rated:
    """Return how a kitchen was rated in `since <= t < before`, by default ever."""
    rows = await queryable.fetch(STARS, partner_id, since, before)
    return rated_by({row["rating"]: row["count"] for row in rows})


async def history(order_id: UUID) -> list[Event]:
    """Return all that happened to an order, oldest first."""
    rows = (
        await EventRow.filter(order_id=order_id)
        .order_by("version")
        .only("version", "type", "at", "by", "data")
    )
    return [Event(EventType(row.type), row.version, row.at, load_by(row.by), row.data) for row in rows]


async def acted_since(partner_ids: Collection[UUID], staff_ids: Collection[UUID], since: datetime) -> bool:
    """Whether one of these people has changed the status of an order since."""
    people = [str(staff_id) for staff_id in staff_ids]
    (row,) = await _fetch(_ACTED_SINCE, list(partner_ids), people, since)
    return bool(row["acted"])


async def _soonest(wanted: Any, most: int) -> list[Placed]:
    rows: Sequence[OrderRow] = (
        await wanted.select_related("platform").order_by("deliver_at", "id").limit(most)
    )
    return [_placed(row) for row in rows]


async def _heaps(wanted: Any) -> dict[Status, Heap]:
    rows = (
        await wanted.annotate(count=Count("id"), amount=Sum("total"))
        .group_by("status")
        .values("status", "count", "amount")
    )
    return {Status(row["status"]): Heap(row["count"], int(row["amount"])) for row in rows}


async def _fetch(statement: str, *given: object) -> Sequence[Mapping[str, Any]]:
    return await Tortoise.get_connection("default").execute_query_dict(statement, list(given))


_NEWEST_OF_CODE: Final = """
SELECT newest.id FROM unnest($1::uuid[]) partner, LATERAL (
    SELECT id FROM orders WHERE partner_id = partner AND code = $2 ORDER BY placed_at DESC LIMIT 1) newest
"""
# An open order stands in `orders_status`, one that ended lately in `orders_ended`; no index has both.
_CODES_IN_USE: Final = """
SELECT code FROM orders WHERE partner_id = ANY($1::uuid[]) AND status IN ('pending', 'confirmed')
UNION
SELECT code FROM orders WHERE partner_id = ANY($1::uuid[]) AND final_at IS NOT NULL AND status_changed_at > $2
"""
_ACTED_SINCE: Final = """
SELECT EXISTS (SELECT FROM orders WHERE partner_id = ANY($1::uuid[]) AND status IN ('pending', 'confirmed')
                  AND status_changed_at > $3 AND status_changed_by ->> 'id' = ANY($2::text[]))
    OR EXISTS (SELECT FROM orders WHERE partner_id = ANY($1::uuid[]) AND final_at IS NOT NULL
                  AND status_changed_at > $3 AND status_changed_by ->> 'id' = ANY($2::text[])) AS acted
"""
#: How many reviews of a time gave how many stars. An order's last change is its review or the answer to it.
STARS: Final = " UNION ALL ".join(
    f"SELECT {rating} AS rating, count(*) AS count FROM orders"  # noqa: S608  (numbers of ours)
    f" WHERE partner_id = $1 AND review ->> 'rating' = '{rating}' AND updated_at >= $2 AND updated_at < $3"
    for rating in range(1, 6)
)


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), tzinfo=zone)
    return start, datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


def _placed(row: OrderRow) -> Placed:
    return Placed(row.to_order(), row.platform.name)
