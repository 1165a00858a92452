"""From a message about to go out to its card: reads what the card needs, then leaves it to `bot.cards`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from bot import kitchen_news
from bot.cards.alarms import ALARMS, Alarm, alarm_card, alarms_card, is_well
from bot.cards.answers import answer_card, refusal_card
from bot.cards.bundle import bundle_card
from bot.cards.customer import ask_review_card, customer_card
from bot.cards.login import login_code_card, operator_link_card
from bot.cards.notices import notice_card
from bot.cards.present import present_card
from bot.cards.view import Desk, Frame, View
from bot.replying import Replying
from bot.texts import texts_in
from bot.tokens import Bearer, Signer
from core.channels import Card, ChannelName
from core.database import Database
from core.notices.kinds import NoticeKind, Way
from core.notices.outgoing import Outgoing, PartnerFacts
from core.operators import links
from core.orders import answers, revisions
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import AnswerReview
from core.orders.decide import ASKED, differences
from core.orders.events import Json
from core.orders.order import Order
from core.orders.status import Status
from core.outbox import edits, gathering
from core.partners import login_codes
from core.settings import Settings

Data = Mapping[str, Json]


def desk_of(settings: Settings, signer: Signer) -> Desk:
    """Return what every card needs to know of this service."""
    return Desk(
        settings.base_url,
        signer,
        settings.policy,
        hotline=settings.hotline,
        reply_number=settings.sms_reply_number,
        reply_prefix=settings.sms_reply_prefix,
        sms_links=settings.sms_links,
    )


class Composer:
    """Makes the card of a message, as its reader may see it now."""

    def __init__(self, *, settings: Settings, signer: Signer, database: Database) -> None:
        self._desk = desk_of(settings, signer)
        self._locale: str = settings.locale
        self._zone = ZoneInfo(settings.timezone)
        self._database = database
        self._login_key = login_codes.code_key(settings.require("secret_key"))

    async def card(self, outgoing: Outgoing) -> Card | None:
        """Return the card, or None when there is nothing to say any more."""
        if outgoing.kind in {NoticeKind.CUSTOMER_CANCELLED, NoticeKind.CUSTOMER_REVIEW}:
            return self._for_customer(outgoing)
        if outgoing.others:
            return await self._alarms(outgoing)
        frame = self._frame(outgoing)
        view = self._view(frame, outgoing)
        if outgoing.kind in ALARMS:
            return alarm_card(frame, outgoing.kind, outgoing.data, view)
        if outgoing.kind is NoticeKind.LOGIN_CODE:
            return self._login_code(frame, outgoing)
        if outgoing.kind is NoticeKind.OPERATOR_LOGIN:
            return self._operator_link(frame, outgoing)
        if outgoing.kind in kitchen_news.KINDS:
            return await kitchen_news.news_card(frame, outgoing, _bearer(outgoing))
        if outgoing.way == Way.EDIT:
            return present_card(view) if view else None
        if outgoing.kind is NoticeKind.ANSWER:
            return await self._answer(frame, view, outgoing)
        return await self._notice(view, outgoing) if view else None

    async def _notice(self, view: View, outgoing: Outgoing) -> Card:
        if outgoing.together:
            return bundle_card(view, outgoing.together)
        is_change = outgoing.kind is NoticeKind.ORDER_CHANGED
        data = await self._since_told(outgoing, view.order) if is_change else outgoing.data
        return notice_card(view, outgoing.kind, data)

    async def _since_told(self, outgoing: Outgoing, order: Order) -> Data:
        """Return a change as the sum of all since its reader was told: others may never have left."""
        told = await revisions.last_told(self._database.pool, order, person=outgoing.person, way=outgoing.way)
        if told is None or told.revision == order.revision - 1:
            return outgoing.data
        changes = await self._changes(order, told.revision)
        known = Status.CONFIRMED if told.confirmed else Status.PENDING
        return {**outgoing.data, "changes": changes, "from": known.value}

    async def _changes(self, order: Order, revision: int) -> Json:
        before = await revisions.as_of(self._database.pool, order.id, revision)
        return differences(before, order) if before else None

    async def _alarms(self, outgoing: Outgoing) -> Card | None:
        """Return one card for a message that tells operators of several things."""
        together = sorted((replace(outgoing, others=()), *outgoing.others), key=gathering.urgency)
        cards = [(each, await self.card(each)) for each in together]
        alarms = [Alarm(card, is_well(each.data, each.order)) for each, card in cards if card]
        return alarms_card(self._frame(outgoing), alarms, left=outgoing.others_left) if alarms else None

    def _frame(self, outgoing: Outgoing) -> Frame:
        partner, staff = outgoing.partner, outgoing.staff
        return Frame(
            desk=self._desk,
            texts=texts_in(staff.locale if staff else self._locale),
            zone=partner.zone if partner else self._zone,
            now=self._now(outgoing),
            partner_name=partner.name if partner else "",
            staff=staff,
            in_group=outgoing.address.is_group,
        )

    def _view(self, frame: Frame, outgoing: Outgoing) -> View | None:
        if outgoing.order is None:
            return None
        return View(frame, outgoing.order, outgoing.platform_name, _bearer(outgoing))

    def _for_customer(self, outgoing: Outgoing) -> Card | None:
        order, partner = outgoing.order, outgoing.partner
        if order is None or partner is None:
            return None
        if outgoing.kind is NoticeKind.CUSTOMER_REVIEW:
            return self._ask_review(order, partner, outgoing.platform_name)
        return customer_card(
            texts_in(order.customer.locale),
            order,
            partner_name=partner.name,
            platform_name=outgoing.platform_name,
            zone=partner.zone,
            now=self._now(outgoing),
        )

    def _ask_review(self, order: Order, partner: PartnerFacts, platform_name: str) -> Card | None:
        """Return the question, unless its platform has passed on the answer already."""
        if order.review:
            return None
        return ask_review_card(
            texts_in(order.customer.locale),
            order,
            partner_name=partner.name,
            platform_name=platform_name,
            link=f"{self._desk.base_url}/r/{self._desk.signer.review(order.id)}",
            zone=partner.zone,
        )

    def _login_code(self, frame: Frame, outgoing: Outgoing) -> Card | None:
        """Return the code, unless it has died on its way."""
        if frame.now >= outgoing.owed_at + login_codes.LIFE:
            return None
        code_id = UUID(str(outgoing.data["login_code"]))
        return login_code_card(frame, login_codes.code_of(self._login_key, code_id))

    def _operator_link(self, frame: Frame, outgoing: Outgoing) -> Card | None:
        """Return the link to the console, unless it has died on its way."""
        if frame.now >= outgoing.owed_at + links.LIFE:
            return None
        return operator_link_card(frame, UUID(str(outgoing.data["link"])))

    def _now(self, outgoing: Outgoing) -> datetime:
        """Return the moment to write as of: another process may know of a moved clock before this one."""
        return max(self._database.clock.now(), outgoing.owed_at)

    async def _answer(self, frame: Frame, view: View | None, outgoing: Outgoing) -> Card | None:
        told = outgoing.data.get("answer")
        if not isinstance(told, dict):
            return await Replying(frame, outgoing).card()
        answer = answers.load(told, replayed=False)
        changes_cards = answer.kind is AnswerKind.DONE and answer.asked != ASKED[AnswerReview]
        if changes_cards and await edits.is_changed_anyway(self._database, outgoing):
            return None
        changes = await self._changes(view.order, answer.seen) if view and answer.seen else None
        return _command_answer(frame, view, outgoing, answer, changes)


def _bearer(outgoing: Outgoing) -> Bearer:
    if outgoing.staff is None:
        return Bearer.OPERATOR
    return Bearer.STAFF_MAIL if outgoing.channel is ChannelName.EMAIL else Bearer.STAFF_CHAT


#: Who pressed is not the person the button was made for: nothing of the order is told to them.
_STRANGERS: Final = frozenset({"not_linked", "not_staff"})


def _command_answer(
    frame: Frame, view: View | None, outgoing: Outgoing, answer: Answer, changes: Json
) -> Card | None:
    if answer.why in _STRANGERS:
        return None
    if view and outgoing.edits:
        return _in_place(view, answer, changes)
    return answer_card(view, answer, changes) if view else refusal_card(frame, answer)


def _in_place(view: View, answer: Answer, changes: Json) -> Card | None:
    """Return what the pressed card shows from now on; a group is not told what one of it may not do."""
    if answer.kind is AnswerKind.FORBIDDEN and view.frame.in_group:
        return None
    if answer.asked == ASKED[AnswerReview]:
        return answer_card(view, answer)
    if answer.kind is AnswerKind.OUTDATED:
        return answer_card(view, answer, changes)
    if answer.kind in {AnswerKind.DONE, AnswerKind.STATE}:
        return present_card(view)
    return present_card(view, note=answer_card(view, answer).title)
