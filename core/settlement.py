"""What a partner is paid for: completed orders, and only those."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.database import Connection, Pool
from core.orders.listing import Place
from core.orders.models import OrderRow
from core.orders.status import Status
from core.partners.partners import Partner

#: No zone is further from UTC than this: what is read from the database before days are told exactly.
_WIDEST_OFFSET: Final = timedelta(hours=16)


@dataclass(frozen=True, slots=True)
class SettledOrder:
    """A completed order. `partner` is the kitchen's code, `completed_at` is in its zone, `total` in đồng."""

    order_id: UUID
    external_id: str
    code: str
    partner: str
    completed_at: datetime
    total: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The completed orders of some days, oldest first."""

    items: tuple[SettledOrder, ...]

    @property
    def count(self) -> int:
        """How many orders are paid for."""
        return len(self.items)

    @property
    def total(self) -> int:
        """What they come to, in đồng."""
        return sum(item.total for item in self.items)


async def settle(
    first: date, last: date, *, platform_id: UUID | None = None, partner_id: UUID | None = None
) -> Settlement:
    """Return what was completed from `first` to `last`, both included, as days of each partner's zone.

    Without `platform_id` the orders of every platform count, without `partner_id` those of every partner.
    """
    narrowed: dict[str, Any] = {}
    if platform_id:
        narrowed["platform_id"] = platform_id
    if partner_id:
        narrowed |= {"partner_id": partner_id, "final_at__isnull": False}  # as `orders_ended` does
    rows = (
        await OrderRow.filter(
            status=Status.COMPLETED.value,
            status_changed_at__gte=_midnight(first) - _WIDEST_OFFSET,
            status_changed_at__lt=_midnight(last) + timedelta(days=1) + _WIDEST_OFFSET,
            **narrowed,
        )
        .order_by("status_changed_at", "id")
        .values(
            "id",
            "external_id",
            "code",
            "status_changed_at",
            "total",
            partner="partner__code",
            zone="partner__timezone",
        )
    )
    items = (_settled(row) for row in rows)
    return Settlement(tuple(item for item in items if first <= item.completed_at.date() <= last))


# --- One kitchen's own, page by page ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SettledPage:
    """Some of a kitchen's completed orders, oldest first, and where the next page starts.

    `count` and `total` (đồng) are of all days that were asked for, not of this page.
    """

    items: tuple[SettledOrder, ...]
    count: int
    total: int
    next: Place | None


async def settled_page(
    queryable: Connection | Pool,
    partner: Partner,
    days: tuple[date, date],
    *,
    after: Place | None,
    most: int,
) -> SettledPage:
    """Return a page of what was completed in these days, both included: the same orders as `settle` lists."""
    begin, end = (datetime.combine(day, time(), tzinfo=partner.zone) for day in (days[0], days[1] + _DAY))
    sums = await queryable.fetchrow(_SUMS, partner.id, begin, end)
    start = after or Place(begin - timedelta(microseconds=1), UUID(int=0))
    rows = await queryable.fetch(_SETTLED, partner.id, begin, end, start.at, start.id, most + 1)
    items = tuple(_settled({**row, "partner": partner.code, "zone": partner.zone.key}) for row in rows[:most])
    last = items[-1] if len(rows) > most else None
    return SettledPage(
        items,
        sums["count"] if sums else 0,
        sums["total"] if sums else 0,
        Place(last.completed_at.astimezone(UTC), last.order_id) if last else None,
    )


_DAY: Final = timedelta(days=1)
# Both read along `orders_ended`, which says in itself what the sums need.
_SUMS: Final = """
SELECT count(*) AS count, coalesce(sum(total), 0)::bigint AS total FROM orders
WHERE partner_id = $1 AND final_at IS NOT NULL AND status = 'completed'
  AND status_changed_at >= $2 AND status_changed_at < $3
"""
_SETTLED: Final = """
SELECT id, external_id, code, status_changed_at, total FROM orders
WHERE partner_id = $1 AND final_at IS NOT NULL AND status = 'completed'
  AND status_changed_at >= $2 AND status_changed_at < $3 AND (status_changed_at, id) > ($4, $5)
ORDER BY status_changed_at, id LIMIT $6
"""


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo("UTC"))


def _settled(row: Mapping[str, Any]) -> SettledOrder:
    # An order's last change of status is its completion: nothing changes a completed order's status.
    return SettledOrder(
        order_id=row["id"],
        external_id=row["external_id"],
        code=row["code"],
        partner=row["partner"],
        completed_at=row["status_changed_at"].astimezone(ZoneInfo(row["zone"])),
        total=row["total"],
    )
