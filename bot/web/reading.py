"""What the page of an order is made of, as whoever holds the link may see it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.cards.view import Desk, Frame, View
from bot.keys import DATABASE, SETTINGS, SIGNER
from bot.texts.catalogue import texts_in
from bot.tokens import Bearer, LinkToken
from core.actors import Role
from core.errors import NotFound
from core.notices.outgoing import StaffFacts
from core.orders.events import Event, EventType
from core.orders.models import EventRow, OrderRow
from core.orders.order import Order
from core.orders.snapshot import load_by
from core.outbox.history import Try, tries_of
from core.partners.models import StaffRow

#: How long a link shows its order after the final status.
_SHOWN_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Reading:
    """An order before the holder of a link. `has_left`: who got the link does not work there any more."""

    token: LinkToken
    view: View
    events: Sequence[Event]
    tries: Sequence[Try]
    has_left: bool

    @property
    def order(self) -> Order:
        """The order as it is now."""
        return self.view.order

    @property
    def is_closed(self) -> bool:
        """Whether the order has been final for too long to be shown."""
        final_at = self.order.final_at
        return final_at is not None and self.view.now >= final_at + _SHOWN_FOR

    @property
    def is_outdated(self) -> bool:
        """Whether time, items, address or note have changed since the link was made."""
        return self.token.revision != self.order.revision

    @property
    def may_act(self) -> bool:
        """Whether the holder could act by this link at all; the order's status may still forbid it."""
        return self.view.frame.may_act and not self.has_left and not self.is_outdated

    @property
    def is_inside(self) -> bool:
        """Whether the holder is one of the kitchen or of ours, and may know who did what."""
        return not self.has_left and self.token.bearer is not Bearer.CUSTOMER


async def read(request: web.Request, token: LinkToken) -> Reading:
    """Return the order of a link. Raises NotFound without such an order, or such a person in its kitchen."""
    row = await OrderRow.get_or_none(id=token.order_id).select_related("partner", "platform")
    if row is None:
        raise NotFound("no_such_order")
    staff = await _staff(token, row)
    events = await EventRow.filter(order_id=token.order_id).order_by("version")
    frame = Frame(
        desk=_desk(request),
        texts=texts_in((staff and staff.locale) or row.partner.locale),
        zone=ZoneInfo(row.partner.timezone),
        now=request.config_dict[DATABASE].clock.now(),
        partner_name=row.partner.name,
        staff=_facts(staff, row.partner.locale) if staff else None,
        by_mail=token.bearer is Bearer.STAFF_MAIL,
    )
    view = View(frame, row.to_order(), row.platform.name, token.bearer)
    tries = await tries_of(request.config_dict[DATABASE].pool, token.order_id)
    return Reading(token, view, [_event(event) for event in events], tries, bool(staff and staff.removed_at))


async def _staff(token: LinkToken, order: OrderRow) -> StaffRow | None:
    if token.staff_id is None:
        return None
    staff = await StaffRow.get_or_none(id=token.staff_id, partner_id=order.partner_id)
    if staff is None:
        raise NotFound("no_such_staff")
    return staff


def _facts(staff: StaffRow, usual_locale: str) -> StaffFacts:
    return StaffFacts(staff.id, staff.name, Role(staff.role), staff.locale or usual_locale)


def _event(row: EventRow) -> Event:
    return Event(EventType(row.type), row.version, row.at, load_by(row.by), row.data)


def _desk(request: web.Request) -> Desk:
    settings = request.config_dict[SETTINGS]
    signer = request.config_dict[SIGNER]
    return Desk(settings.base_url, signer, settings.policy, hotline=settings.hotline)
