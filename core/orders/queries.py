"""Orders as they are read: as of one version with all that happened until then, and page by page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from tortoise import Tortoise
from tortoise.expressions import Q, RawSQL

from core.orders import snapshot
from core.orders.events import Event, EventType
from core.orders.models import EventRow, OrderRow
from core.orders.order import Order
from core.orders.status import Status
from core.partners.models import PartnerRow


@dataclass(frozen=True, slots=True)
class Told:
    """An order as of its last event in `events` (oldest first), with its kitchen's code and zone."""

    order: Order
    events: tuple[Event, ...]
    partner_code: str
    zone: ZoneInfo


async def as_of(order_id: UUID, version: int | None = None) -> Told | None:
    """Return the order as it was right after the event of this version, by default the newest.

    None when there is no such order or no such version of it.
    """
    # Read for every order placed and every webhook: one statement of our own instead of three of the ORM.
    rows = await Tortoise.get_connection("default").execute_query_dict(_AS_OF, [order_id, version])
    if not rows or (version is not None and rows[-1]["version"] != version):
        return None
    last = rows[-1]
    order = snapshot.load(msgspec.json.decode(last["snapshot"]))
    return Told(order, tuple(_read_event(row) for row in rows), last["code"], ZoneInfo(last["timezone"]))


def _read_event(row: Mapping[str, Any]) -> Event:
    by, data = (msgspec.json.decode(row[name]) for name in ("by", "data"))
    return Event(EventType(row["type"]), row["version"], row["at"], snapshot.load_by(by), data)


def _event(row: EventRow) -> Event:
    return Event(EventType(row.type), row.version, row.at, snapshot.load_by(row.by), row.data)


_AS_OF: Final = """
SELECT e.version, e.type, e.at, e.by, e.data, p.code, p.timezone,
       CASE WHEN e.version = max(e.version) OVER () THEN e.snapshot END AS snapshot
FROM events e JOIN orders o ON o.id = e.order_id JOIN partners p ON p.id = o.partner_id
WHERE e.order_id = $1 AND ($2::int IS NULL OR e.version <= $2) ORDER BY e.version
"""


@dataclass(frozen=True, slots=True)
class After:
    """The place of the last order of a page: by what pages are sorted, then its id."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders of a platform are wanted; None and nothing leave them all in.

    Delivery lies in `delivered_from <= t < delivered_before`. With `updated_after` the pages go
    forward by time of change, else from the newest placed to the oldest.
    """

    platform_id: UUID
    statuses: frozenset[Status] = frozenset()
    partner_id: UUID | None = None
    delivered_from: datetime | None = None
    delivered_before: datetime | None = None
    updated_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, and where the next page starts; None on the last one."""

    items: tuple[Told, ...]
    next: After | None


async def page(wanted: Wanted, *, after: After | None, limit: int) -> Page:
    """Return up to `limit` of a platform's orders after a place."""
    rows = await _sorted(wanted, after).limit(limit + 1)
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return Page(await _told(shown), _place(wanted, last) if last else None)


def _place(wanted: Wanted, row: OrderRow) -> After:
    return After(row.updated_at if wanted.updated_after else row.placed_at, row.id)


def _sorted(wanted: Wanted, after: After | None) -> Any:
    rows = OrderRow.filter(*_conditions(wanted))
    if wanted.updated_after is None:
        if after:
            rows = rows.filter(Q(placed_at__lt=after.at) | Q(placed_at=after.at, id__lt=after.id))
        return rows.order_by("-placed_at", "-id")
    if after:
        rows = rows.filter(Q(updated_at__gt=after.at) | Q(updated_at=after.at, id__gt=after.id))
    # Transactions commit in another order than they took their time: whoever pages forward must not
    # pass by one that is still open, so only what is older than the oldest open one is seen.
    settled = RawSQL("(changed_in < pg_snapshot_xmin(pg_current_snapshot()))")
    return rows.annotate(settled=settled).filter(settled=True).order_by("updated_at", "id")


def _conditions(wanted: Wanted) -> Iterable[Q]:
    yield Q(platform_id=wanted.platform_id)
    if wanted.statuses:
        yield Q(status__in=sorted(status.value for status in wanted.statuses))
    if wanted.partner_id:
        yield Q(partner_id=wanted.partner_id)
    if wanted.delivered_from:
        yield Q(deliver_at__gte=wanted.delivered_from)
    if wanted.delivered_before:
        yield Q(deliver_at__lt=wanted.delivered_before)
    if wanted.updated_after:
        yield Q(updated_at__gt=wanted.updated_after)


async def _told(rows: Sequence[OrderRow]) -> tuple[Told, ...]:
    """Return the rows with their events; events that came after a row was read are left out."""
    events: dict[UUID, list[EventRow]] = defaultdict(list)
    wanted = EventRow.filter(order_id__in=[row.id for row in rows]).order_by("version")
    for event in await wanted.only("order_id", "version", "type", "at", "by", "data"):
        events[event.order_id].append(event)
    partners = {
        partner.id: partner
        for partner in await PartnerRow.filter(id__in={row.partner_id for row in rows}).only(
            "id", "code", "timezone"
        )
    }
    return tuple(
        Told(
            row.to_order(),
            tuple(_event(event) for event in events[row.id] if event.version <= row.version),
            partners[row.partner_id].code,
            ZoneInfo(partners[row.partner_id].timezone),
        )
        for row in rows
    )
