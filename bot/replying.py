"""Answers to questions, and what we ask back, made of what the database says when they are sent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.answers import answer_card, plain_card
from bot.cards.linking import (
    code_sent_card,
    how_to_link_card,
    link_code_card,
    nobodys_phone_card,
    others_phone_card,
)
from bot.cards.lists import by_status_card, choice_card, day_card, list_card
from bot.cards.menu import help_card, languages_card, linked_card, more_card, pointed
from bot.cards.money import money_card
from bot.cards.one_order import details_card, other_reasons_card, reasons_card, suggestion_card
from bot.cards.pages import sent_card, way_in_card
from bot.cards.pauses import (
    from_now_on_card,
    how_long_card,
    not_yours_card,
    paused_card,
    resumed_card,
)
from bot.cards.reviews import reviews_card
from bot.cards.short import TWO, fitted
from bot.cards.view import Desk, Frame, View
from bot.intents import Verb, Why
from bot.questions import Reply
from bot.texts import msg
from bot.tokens import Bearer, Purpose
from core.channels import Card, ChannelName
from core.notices.outgoing import Outgoing
from core.orders import answers, lookups
from core.orders.events import Json
from core.orders.lookups import Placed
from core.orders.order import Order
from core.orders.status import Status
from core.partners.models import PartnerRow

_PAGE: Final = 10
_REVIEWS: Final = 5
#: So many orders are offered where a verb could mean several; Zalo shows five buttons.
_CHOICES: Final = 5

Data = Mapping[str, Json]


class Replying:
    """Makes the card of a reply, from what the database says now."""

    def __init__(self, frame: Frame, outgoing: Outgoing) -> None:
        self.frame = frame
        self.data = outgoing.data
        self.partner_id = outgoing.partner.id if outgoing.partner else None

    async def card(self) -> Card | None:
        """Return the card, or None where this is not to be told to this reader."""
        kind = Reply(str(self.data.get("reply")))
        if kind in _FOR_STRANGERS:
            return _FOR_STRANGERS[kind](self.frame, self.data)
        card = await _REPLIES[kind](self) if self.frame.staff and self.partner_id else None
        return self._with_kitchen(card) if card and self.data.get("of_several") else card

    def _with_kitchen(self, card: Card) -> Card:
        """Say which kitchen it is about: its reader works for several."""
        name = self.frame.partner_name
        if name in card.title:
            return card
        return replace(card, title=f"{name}: {card.title}", short=fitted(f"{name}: {card.short}", most=TWO))

    # --- reading ----------------------------------------------------------------------------------

    @property
    def partner(self) -> UUID:
        """The kitchen that is asked about; `card` has seen to it that there is one."""
        if self.partner_id is None:
            raise LookupError("no kitchen")
        return self.partner_id

    def text(self, name: str) -> str:
        """Return a fact of the reply, empty where it has none."""
        return str(self.data.get(name) or "")

    def view(self, placed: Placed) -> View:
        """Return an order as the reader sees it."""
        return View(self.frame, placed.order, placed.platform_name, Bearer.STAFF_CHAT)

    async def named(self) -> View | None:
        """Return the order that the reply is about, if it is this kitchen's."""
        name = self.text("order_id")
        placed = await lookups.by_id(UUID(name)) if name else None
        return self.view(placed) if placed and placed.order.partner_id == self.partner_id else None

    # --- one order --------------------------------------------------------------------------------

    async def details(self) -> Card | None:
        """Everything about one order."""
        view = await self.named()
        return details_card(view, await lookups.history(view.order.id)) if view else None

    async def reasons(self) -> Card | None:
        """Ask why an order is to be cancelled."""
        view = await self.named()
        return self._asking(view, reasons_card) if view else None

    async def other_reasons(self) -> Card | None:
        """Ask for the reasons that had no room."""
        view = await self.named()
        return self._asking(view, other_reasons_card) if view else None

    def _asking(self, view: View, ask: Callable[[View], Card]) -> Card:
        """Ask for a reason while the order can be cancelled; else say how it stands."""
        if view.may_confirm:
            return ask(view)
        if not self.frame.may_act:
            return answer_card(view, _as_refused(view.order))
        return answer_card(view, _as_it_stands(view.order))

    async def meant(self) -> Card | None:
        """Show the order that may have been meant."""
        view = await self.named()
        if view is None:
            return None
        why, texts = Why(self.text("why")), self.frame.texts
        facts = {"code": view.order.code, "typed": self.text("typed")}
        first = texts.t(_MEANT_IN_SHORT[why], **facts)
        return suggestion_card(view, texts.t(_MEANT[why], **facts), first=first)

    # --- several orders ---------------------------------------------------------------------------

    async def orders(self) -> Card:
        """A page of the kitchen's orders."""
        status = self.text("status")
        after = self.text("after")
        wanted = Status(status) if status else None
        orders, has_more = await lookups.page(
            self.partner, status=wanted, after=UUID(after) if after else None, most=_PAGE
        )
        return list_card(self.frame, orders, status=wanted, has_more=has_more)

    async def today(self) -> Card:
        """What is delivered today."""
        return await self._day(0)

    async def tomorrow(self) -> Card:
        """What is delivered tomorrow."""
        return await self._day(1)

    async def _day(self, ahead: int) -> Card:
        day = self._today() + timedelta(days=ahead)
        orders = await lookups.deliveries(self.partner, day, self.frame.zone)
        return day_card(self.frame, day, orders)

    def _today(self) -> date:
        return self.frame.now.astimezone(self.frame.zone).date()

    async def which(self) -> Card:
        """Show the orders that a verb without a code could mean."""
        verb = Verb(self.text("verb"))
        views = [
            self.view(placed)
            for placed in await fitting(verb, [self.partner], self.frame.desk, self.frame.now)
        ]
        texts = self.frame.texts
        if not views:
            title = texts.t(_NONE_FITS[verb])
            short = pointed(self.frame, title, "DS", texts.t("để xem các đơn"))
            return plain_card(self.frame, title, texts.t("Nhắn DS để xem các đơn."), short=short)
        word, purpose = WORDS[verb]
        return choice_card(self.frame, texts.t("Bạn nói đơn nào?"), views, word, purpose)

    async def money(self) -> Card:
        """What a month brought."""
        month = month_of(self._today(), self.data.get("month"), self.data.get("year"))
        money = await lookups.money(self.partner, month, self.frame.zone, now=self.frame.now)
        return money_card(self.frame, month, money)

    async def reviews(self) -> Card:
        """What customers said lately."""
        return reviews_card(self.frame, await lookups.reviews(self.partner, most=_REVIEWS))

    # --- words ------------------------------------------------------------------------------------

    async def help(self) -> Card:
        """What can be said."""
        return help_card(self.frame)

    async def more(self) -> Card:
        """The rest of the menu."""
        return more_card(self.frame)

    async def by_status(self) -> Card:
        """Which orders are to be listed."""
        return by_status_card(self.frame)

    async def languages(self) -> Card:
        """Which language is to be spoken."""
        return languages_card(self.frame)

    async def web(self) -> Card:
        """The way into the kitchen's pages."""
        until = datetime.fromisoformat(self.text("until"))
        return way_in_card(self.frame, UUID(self.text("link")), until)

    async def web_sent(self) -> Card:
        """Where that way was sent to."""
        where = self.text("where")
        return sent_card(self.frame, ChannelName(where) if where else None)

    # --- pauses -----------------------------------------------------------------------------------

    async def how_long(self) -> Card:
        """Ask how long the kitchen takes no orders."""
        row = await PartnerRow.get(id=self.partner)
        until = row.paused_until
        return how_long_card(self.frame, until if until and until > self.frame.now else None)

    async def from_now_on(self) -> Card:
        """Ask whether a pause is to begin now."""
        return from_now_on_card(self.frame, date.fromisoformat(self.text("day")))

    async def not_yours(self) -> Card:
        """Who may stop and start taking orders."""
        return not_yours_card(self.frame)

    async def paused(self) -> Card:
        """The kitchen takes no orders."""
        until = datetime.fromisoformat(self.text("until"))
        return paused_card(self.frame, until, still_open=await lookups.count_open(self.partner))

    async def resumed(self) -> Card:
        """The kitchen takes orders."""
        return resumed_card(self.frame)

    async def linked(self) -> Card:
        """Who this address is from now on."""
        return linked_card(self.frame)

    async def no_such_code(self) -> Card:
        """The code is nobody's here."""
        texts = self.frame.texts
        title = texts.t("Không có đơn {typed}, chưa có gì được làm", typed=self.text("typed"))
        short = pointed(self.frame, title, "DS", texts.t("để xem các đơn"))
        return plain_card(
            self.frame, title, texts.t("Xem lại mã đơn, hoặc nhắn DS để xem các đơn."), short=short
        )

    async def unclear(self) -> Card:
        """What kept us from acting."""
        why = Why(self.text("why"))
        if why is Why.NOT_UNDERSTOOD:
            texts = self.frame.texts
            title = texts.t("Mình chưa hiểu. Bạn có thể nhắn")
            return help_card(self.frame, title, first=texts.t("Mình chưa hiểu"))
        title = self.frame.texts.t(_UNCLEAR[why])
        texts = self.frame.texts
        short = pointed(self.frame, title, "XN 12345", texts.t("để nhận đơn 12345"))
        return plain_card(self.frame, title, texts.t("Ví dụ: XN 12345. Nhắn TG để xem thêm."), short=short)

    async def said(self) -> Card:
        """Return a reply that is nothing but words."""
        kind, texts = Reply(self.text("reply")), self.frame.texts
        title, *lines = map(texts.t, _WORDS[kind])
        word, aim = _WORD_AFTER.get(kind, ("", ""))
        short = pointed(self.frame, title, word, texts.t(aim)) if word else title
        return plain_card(self.frame, title, *lines, short=short)


async def fitting(verb: Verb, partner_ids: list[UUID], desk: Desk, now: datetime) -> list[Placed]:
    """Return the orders that a verb without a code could mean, the soonest delivery first."""
    if verb is Verb.COMPLETE:
        due_by = now + desk.policy.complete_early
        return await lookups.completable(partner_ids, due_by=due_by, most=_CHOICES)
    if verb is Verb.DETAILS:
        return await lookups.open_orders(partner_ids, most=_CHOICES)
    return await lookups.waiting(partner_ids, now=now, most=_CHOICES)


def month_of(today: date, month: Json, year: Json) -> date:
    """Return the first day of the month that is meant: this one, or the latest such month."""
    if not isinstance(month, int):
        return today.replace(day=1)
    if isinstance(year, int):
        return date(year, month, 1)
    return date(today.year if month <= today.month else today.year - 1, month, 1)


def _as_it_stands(order: Order) -> answers.Answer:
    kind = answers.AnswerKind.ASK_OPERATOR if order.status is Status.CONFIRMED else answers.AnswerKind.STATE
    return answers.about(order, kind, "cancel")


def _as_refused(order: Order) -> answers.Answer:
    return replace(answers.about(order, answers.AnswerKind.FORBIDDEN, "cancel"), why="role")


#: The word and the button that stand for a verb.
WORDS: Final[Mapping[Verb, tuple[str, Purpose]]] = MappingProxyType(
    {
        Verb.CONFIRM: ("XN", Purpose.CONFIRM),
        Verb.CANCEL: ("HUY", Purpose.CANCEL),
        Verb.COMPLETE: ("HT", Purpose.COMPLETE),
        Verb.DETAILS: ("CT", Purpose.DETAILS),
    }
)

_NONE_FITS: Final[Mapping[Verb, str]] = MappingProxyType(
    {
        Verb.CONFIRM: msg("Không có đơn nào chờ xác nhận"),
        Verb.CANCEL: msg("Không có đơn nào huỷ được"),
        Verb.COMPLETE: msg("Không có đơn nào chờ báo hoàn thành"),
        Verb.DETAILS: msg("Không có đơn nào đang mở"),
    }
)

_MEANT: Final[Mapping[Why, str]] = MappingProxyType(
    {
        Why.NO_VERB: msg("Bạn muốn làm gì với đơn {code}?"),
        Why.NEGATED: msg("Chưa có gì được làm với đơn {code}. Bạn muốn làm gì?"),
        Why.EXTRA_WORDS: msg("Mình chưa chắc ý bạn, chưa có gì được làm với đơn {code}"),
        Why.TWO_VERBS: msg("Mỗi tin chỉ một việc, chưa có gì được làm với đơn {code}"),
        Why.HALF_CODE: msg("Mã đơn có 5 số, bạn viết {typed}. Ý bạn là {code}?"),
        Why.WRONG_CODE: msg("Không có đơn {typed}. Ý bạn là {code}?"),
    }
)

#: The same with the code first, as SMS begin, and clear without accents.
_MEANT_IN_SHORT: Final[Mapping[Why, str]] = MappingProxyType(
    {
        Why.NO_VERB: msg("Đơn {code}: bạn muốn làm gì?"),
        Why.NEGATED: msg("Đơn {code}: chưa làm gì cả. Bạn muốn làm gì?"),
        Why.EXTRA_WORDS: msg("Đơn {code}: chưa làm gì cả, vì chưa hiểu hết ý bạn"),
        Why.TWO_VERBS: msg("Đơn {code}: chưa làm gì cả, mỗi tin chỉ một việc"),
        Why.HALF_CODE: msg("Ý bạn là {code}? Mã đơn có 5 số, bạn viết {typed}"),
        Why.WRONG_CODE: msg("Ý bạn là {code}? Không có đơn {typed}"),
    }
)

_UNCLEAR: Final[Mapping[Why, str]] = MappingProxyType(
    {
        Why.TWO_VERBS: msg("Mỗi tin chỉ một việc, chưa có gì được làm"),
        Why.TWO_CODES: msg("Mỗi tin chỉ một mã đơn, chưa có gì được làm"),
        Why.NEGATED: msg("Chưa có gì được làm. Bạn muốn làm gì với đơn nào?"),
        Why.EXTRA_WORDS: msg("Mình chưa chắc ý bạn, chưa có gì được làm"),
        Why.HALF_CODE: msg("Mã đơn phải đủ 5 số, chưa có gì được làm"),
    }
)

_WORDS: Final[Mapping[Reply, tuple[str, ...]]] = MappingProxyType(
    {
        Reply.LANGUAGE: (msg("Từ nay mình nói tiếng Việt với bạn"),),
        Reply.UNREADABLE: (msg("Mình chỉ đọc được chữ"), msg("Nhắn TG để xem có thể nói gì.")),
        Reply.LOCKED: (
            msg("Bạn gửi sai mã nhiều lần, số này tạm khoá một giờ"),
            msg("Nút trên các thẻ vẫn bấm được."),
        ),
    }
)


#: What an SMS says after the title instead of the lines: they speak of buttons.
_WORD_AFTER: Final[Mapping[Reply, tuple[str, str]]] = MappingProxyType(
    {
        Reply.UNREADABLE: ("TG", msg("để được hướng dẫn")),
    }
)


def _how_to_link(frame: Frame, data: Data) -> Card:
    return how_to_link_card(
        frame, by_phone=bool(data.get("by_phone")), is_vouched_for=bool(data.get("vouched"))
    )


def _code_sent(frame: Frame, data: Data) -> Card:
    return code_sent_card(frame)


def _link_code(frame: Frame, data: Data) -> Card:
    return link_code_card(frame, str(data.get("text") or ""))


def _link_wrong(frame: Frame, data: Data) -> Card:
    left = data.get("tries_left")
    tries = frame.texts.n("Bạn còn {count} lần thử.", left if isinstance(left, int) else 0)
    return plain_card(frame, frame.texts.t("Mã nối không đúng hoặc đã hết hạn"), tries)


def _link_locked(frame: Frame, data: Data) -> Card:
    return plain_card(frame, frame.texts.t("Sai mã nhiều lần, hãy thử lại sau một giờ"))


#: What may be told to an address of no staff member.
_FOR_STRANGERS: Final[Mapping[Reply, Callable[[Frame, Data], Card]]] = MappingProxyType(
    {
        Reply.HOW_TO_LINK: _how_to_link,
        Reply.CODE_SENT: _code_sent,
        Reply.NOBODYS_PHONE: lambda frame, _: nobodys_phone_card(frame),
        Reply.OTHERS_PHONE: lambda frame, _: others_phone_card(frame),
        Reply.LINK_CODE: _link_code,
        Reply.LINK_WRONG: _link_wrong,
        Reply.LINK_LOCKED: _link_locked,
    }
)

_REPLIES: Final[Mapping[Reply, Callable[[Replying], Awaitable[Card | None]]]] = MappingProxyType(
    {
        Reply.DETAILS: Replying.details,
        Reply.REASONS: Replying.reasons,
        Reply.OTHER_REASONS: Replying.other_reasons,
        Reply.LIST: Replying.orders,
        Reply.TODAY: Replying.today,
        Reply.TOMORROW: Replying.tomorrow,
        Reply.MONEY: Replying.money,
        Reply.REVIEWS: Replying.reviews,
        Reply.HELP: Replying.help,
        Reply.WEB: Replying.web,
        Reply.WEB_SENT: Replying.web_sent,
        Reply.MORE: Replying.more,
        Reply.BY_STATUS: Replying.by_status,
        Reply.LANGUAGES: Replying.languages,
        Reply.HOW_LONG: Replying.how_long,
        Reply.FROM_NOW_ON: Replying.from_now_on,
        Reply.NOT_YOURS: Replying.not_yours,
        Reply.PAUSED: Replying.paused,
        Reply.RESUMED: Replying.resumed,
        Reply.LANGUAGE: Replying.said,
        Reply.LINKED: Replying.linked,
        Reply.NO_SUCH_CODE: Replying.no_such_code,
        Reply.MEANT: Replying.meant,
        Reply.WHICH: Replying.which,
        Reply.UNCLEAR: Replying.unclear,
        Reply.UNREADABLE: Replying.said,
        Reply.LOCKED: Replying.said,
    }
)
