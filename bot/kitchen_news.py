"""What concerns a whole kitchen and no one order: its morning sheet, its pauses. Read when it is sent."""

from datetime import date, datetime
from uuid import UUID

from bot.cards.pauses import paused_notice, resumed_notice
from bot.cards.sheet import sheet_card
from bot.cards.view import Frame, View
from bot.tokens import Bearer
from core.actors import Via
from core.channels import Card
from core.notices.kinds import NoticeKind
from core.notices.outgoing import Outgoing
from core.orders import lookups
from core.orders.snapshot import load_by
from core.orders.status import FINAL
from core.partners.models import PartnerRow

KINDS = frozenset({NoticeKind.MORNING_SHEET, NoticeKind.KITCHEN_PAUSED, NoticeKind.KITCHEN_RESUMED})


async def news_card(frame: Frame, outgoing: Outgoing, bearer: Bearer) -> Card | None:
    """Return the card, or None when it is over: another day has begun, or it is otherwise by now."""
    partner_id = UUID(str(outgoing.data["partner_id"]))
    if outgoing.kind is NoticeKind.MORNING_SHEET:
        return await _sheet(frame, partner_id, date.fromisoformat(str(outgoing.data["day"])), bearer)
    return await _pause(frame, partner_id, outgoing)


async def _sheet(frame: Frame, partner_id: UUID, day: date, bearer: Bearer) -> Card | None:
    if frame.now.astimezone(frame.zone).date() != day:
        return None
    orders = await lookups.deliveries(partner_id, day, frame.zone)
    ahead = [order for order in orders if order.status not in FINAL and order.deliver_at > frame.now]
    return sheet_card(frame, day, [View(frame, order, "", bearer) for order in ahead]) if ahead else None


async def _pause(frame: Frame, partner_id: UUID, outgoing: Outgoing) -> Card | None:
    row = await PartnerRow.get(id=partner_id)
    told = outgoing.data.get("until")
    until = datetime.fromisoformat(str(told)) if told else None
    if row.paused_until != until:
        return None
    by = outgoing.data["by"]
    actor = load_by(by) if isinstance(by, dict) else None
    if until:
        still_open = await lookups.count_open(partner_id)
        return paused_notice(frame, actor.name if actor else "", until, still_open=still_open)
    return resumed_notice(frame, actor.name if actor and actor.via is not Via.SYSTEM else None)
