"""Which orders a command means."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from tortoise.expressions import Q

from core.database import Database
from core.errors import NotFound, RuleError
from core.orders.models import OrderRow
from core.orders.order import Order
from core.orders.status import Status
from core.partners import partners
from core.partners.models import PartnerRow
from core.partners.words import partner_code_of


async def order_named(text: str) -> OrderRow:
    """Return the order of an id or of `PARTNER/CODE`; of several with one code the one placed last.

    Raises NotFound("no_such_order").
    """
    partner, slash, code = text.partition("/")
    found = await (_by_code(partner, code) if slash else _by_id(text))
    if found is None:
        raise NotFound("no_such_order", order=text)
    return found


async def _by_id(text: str) -> OrderRow | None:
    try:
        order_id = UUID(text)
    except ValueError:
        return None
    return await OrderRow.get_or_none(id=order_id)


async def _by_code(partner: str, code: str) -> OrderRow | None:
    if not (code.isascii() and code.isdigit()):
        return None
    rows = OrderRow.filter(partner__code=partner_code_of(partner), code=code)
    return await rows.order_by("-placed_at", "-id").first()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are listed. Days are the partner's, or the service's where no partner is named."""

    statuses: frozenset[Status] = frozenset()
    partner: str | None = None
    delivered_from: date | datetime | None = None
    delivered_to: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order, with its kitchen's code and zone."""

    order: Order
    partner_code: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Listed:
    """One page; `next_cursor` is None on the last."""

    orders: tuple[ListedOrder, ...]
    next_cursor: str | None


class _Place(msgspec.Struct, array_like=True):
    """The last order of a page."""

    deliver_at: datetime
    id: UUID


async def listed_orders(
    database: Database, wanted: Wanted, *, default_zone: str, cursor: str | None, limit: int
) -> Listed:
    """Return a page of orders, newest delivery first; a page starts where the one before ended.

    Raises NotFound("no_such_partner"), RuleError("cursor_invalid").
    """
    zone, conditions = ZoneInfo(default_zone), []
    if wanted.partner is not None:
        partner = await partners.by_code(database.pool, wanted.partner)
        zone, conditions = partner.zone, [Q(partner_id=partner.id)]
    conditions += [*_conditions(wanted, zone), *_after(cursor)]
    rows = await OrderRow.filter(*conditions).order_by("-deliver_at", "-id").limit(limit + 1)
    shown = rows[:limit]
    return Listed(await _listed(shown), _cursor(shown[-1]) if len(rows) > limit else None)


def _conditions(wanted: Wanted, zone: ZoneInfo) -> Iterator[Q]:
    if wanted.statuses:
        yield Q(status__in=sorted(wanted.statuses))
    if wanted.delivered_from is not None:
        yield Q(deliver_at__gte=_moment(wanted.delivered_from, zone))
    if isinstance(wanted.delivered_to, datetime):
        yield Q(deliver_at__lte=wanted.delivered_to)
    elif wanted.delivered_to is not None and wanted.delivered_to < date.max:
        yield Q(deliver_at__lt=_moment(wanted.delivered_to + timedelta(days=1), zone))


def _moment(when: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(when, datetime):
        return when
    try:
        return datetime.combine(when, time(), tzinfo=zone).astimezone(UTC)
    except OverflowError:  # the first or the last day there is
        return datetime.combine(when, time(), tzinfo=UTC)


def _after(cursor: str | None) -> Iterator[Q]:
    if cursor is None:
        return
    place = _place(cursor)
    yield Q(deliver_at__lt=place.deliver_at) | Q(deliver_at=place.deliver_at, id__lt=place.id)


def _cursor(row: OrderRow) -> str:
    packed = msgspec.msgpack.encode(_Place(row.deliver_at, row.id))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _place(cursor: str) -> _Place:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=_Place)
    except (ValueError, binascii.Error):  # msgspec's errors are ValueErrors
        raise RuleError("cursor_invalid") from None


async def _listed(rows: Sequence[OrderRow]) -> tuple[ListedOrder, ...]:
    ids = {row.partner_id for row in rows}
    kitchens: dict[UUID, Any] = {row.id: row for row in await PartnerRow.filter(id__in=ids)}
    return tuple(
        ListedOrder(
            row.to_order(),
            kitchens[row.partner_id].code,
            ZoneInfo(kitchens[row.partner_id].timezone),
        )
        for row in rows
    )
