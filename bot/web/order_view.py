"""An order's page in the words of whoever reads it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.cards import masking
from bot.cards.answers import answer_card, refusal_card
from bot.cards.changes import change_lines
from bot.cards.view import View
from bot.cards.words import REASON_WORDS, reason_words, state_sentence, status_word, way, who
from bot.texts.catalogue import msg
from bot.web.reading import Reading
from bot.web.sent_view import SentLine, sent_lines
from core.channels import BlockRole
from core.orders.answers import Answer, AnswerKind
from core.orders.events import Event, EventType, Json
from core.orders.order import Review
from core.orders.snapshot import load_reason
from core.orders.status import Status


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for people and for machines."""

    machine: str
    clock: str
    day: str
    relative: str


@dataclass(frozen=True, slots=True)
class Dish:
    """One dish: quantity first; `money` only for who may see it."""

    quantity: int
    name: str
    note: str
    money: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who ordered, as far as the reader may know; `call` is the number to dial."""

    name: str
    phone: str | None
    call: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the history."""

    what: str
    by: str
    at: str
    ago: str
    machine: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stars:
    """A review and the kitchen's answer; `shown` are stars for the eye, `said` the same for the ear.

    `mark` is what an answer to it is bound to.
    """

    shown: str
    said: str
    comment: str
    author: str
    mark: int
    answer: str
    answered_by: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says first: what happened, by whom, and what comes next. `tone` is good, calm or bad."""

    tone: str
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Everything that the template shows of an order."""

    code: str
    partner: str
    status: str
    word: str
    when: Moment
    is_final: bool
    portions: str
    total: str
    dishes: tuple[Dish, ...]
    sums: tuple[tuple[str, str], ...]
    address: str
    note: str
    person: Person
    platform: str
    told: Told | None
    review: Stars | None
    history: tuple[Step, ...]
    sent: tuple[SentLine, ...]
    may_confirm: bool
    may_complete: bool
    may_thank: bool
    hotline: str | None
    reasons: tuple[tuple[int, str], ...]


def order_page(reading: Reading, told: Told | None = None) -> OrderPage:
    """Return the page of an order that its reader may see whole."""
    view, order = reading.view, reading.order
    money = view.frame.sees_money
    return OrderPage(
        code=order.code,
        partner=view.frame.partner_name,
        status=order.status.value,
        word=status_word(view.texts, order.status),
        when=moment(view, order.deliver_at),
        is_final=order.status.is_final,
        portions=view.texts.portions(order.portions),
        total=view.texts.money(order.total) if money else "",
        dishes=tuple(_dish(view, n) for n in range(len(order.items))),
        sums=_sums(view) if money else (),
        address=masking.address(order, view.now),
        note=order.note,
        person=_person(view),
        platform=view.platform_name,
        told=told or standing(reading),
        review=_stars(view, order.review) if order.review else None,
        history=tuple(_step(view, event) for event in reversed(reading.events)) if reading.is_inside else (),
        sent=sent_lines(view, reading.tries) if reading.is_inside else (),
        may_confirm=reading.may_act and view.may_confirm,
        may_complete=reading.may_act and view.may_complete,
        may_thank=view.may_thank and not reading.has_left,
        hotline=view.frame.desk.hotline if order.status is Status.CONFIRMED else None,
        reasons=tuple((number, view.texts.t(words)) for number, words in REASON_WORDS.items()),
    )


def moment(view: View, at: datetime) -> Moment:
    """Return a time on the kitchen's wall, and how far away it is."""
    local, texts = at.astimezone(view.zone), view.texts
    return Moment(
        at.isoformat(timespec="seconds"),
        texts.clock(at, view.zone),
        f"{texts.day(local)}/{local:%Y}",
        texts.relative(at, view.now),
    )


# --- What is said first -----------------------------------------------------------------------------


def standing(reading: Reading) -> Told | None:
    """Return who made the order what it is and what comes next; nothing for one that simply waits."""
    view, order, texts = reading.view, reading.order, reading.view.texts
    if order.status is Status.PENDING:
        return _waiting(reading)
    if not reading.is_inside:
        return None
    title = state_sentence(
        texts,
        order.code,
        order.status,
        order.status_changed_by,
        order.status_changed_at,
        zone=view.zone,
        now=view.now,
    )
    return Told("calm", f"{title}.", _next_lines(reading))


def _waiting(reading: Reading) -> Told | None:
    texts, frame = reading.view.texts, reading.view.frame
    if frame.staff is None:
        return None
    if not frame.may_act:
        return Told("calm", texts.t("Vai của bạn chỉ được xem. Nhờ chủ quán, quản lý hoặc bếp bấm."))
    if reading.is_outdated:
        advice = texts.t("Xem nội dung mới ở dưới, rồi mở thư hoặc tin nhắn mới nhất của đơn để bấm.")
        return Told("bad", texts.t("Đơn đã thay đổi sau khi đường dẫn này được gửi."), (advice,))
    return None


def _next_lines(reading: Reading) -> tuple[str, ...]:
    view, order, texts = reading.view, reading.order, reading.view.texts
    if order.status is Status.CONFIRMED:
        return _before_completion(reading)
    if order.status is Status.CANCELLED and order.reason:
        reason = texts.t("Lý do: {reason}", reason=reason_words(texts, order.reason))
        return (reason, texts.t("Đừng làm hoặc dừng làm đơn này."))
    if order.status is Status.EXPIRED:
        return (texts.t("Đến giờ giao mà chưa ai xác nhận, nên đơn tự huỷ. Đừng làm đơn này."),)
    if order.status is Status.COMPLETED and view.frame.sees_money:
        return (texts.t("{money} được tính vào kỳ đối soát.", money=texts.money(order.total)),)
    return ()


def _before_completion(reading: Reading) -> tuple[str, ...]:
    view, texts = reading.view, reading.view.texts
    if not view.frame.may_act:
        return ()
    if reading.is_outdated:
        return (texts.t("Muốn bấm Hoàn thành, mở thư hoặc tin nhắn mới nhất của đơn."),)
    if view.may_complete:
        return (texts.t("Giao xong thì bấm Hoàn thành."),)
    early = view.order.deliver_at - view.frame.desk.policy.complete_early
    return (texts.t("Giao xong, bấm Hoàn thành (từ {time}).", time=texts.moment(early, view.zone, view.now)),)


def told_of(reading: Reading, answer: Answer, changes: Json = None) -> Told:
    """Return what came of a press on this page, in the words that chats use.

    `changes` are those since the page was made, where they kept the press from doing anything.
    """
    view = reading.view
    card = answer_card(view, answer) if answer.order_id else refusal_card(view.frame, answer)
    lines = card.blocks[0].lines if card.blocks and card.blocks[0].role is BlockRole.TEXT else ()
    lines = (*lines, *change_lines(view, _seen(view, changes)))
    tone = _TONES.get(answer.kind, "bad")
    return Told(tone, card.title if card.title.endswith((".", "!")) else f"{card.title}.", lines)


_TONES: Final[Mapping[AnswerKind, str]] = MappingProxyType(
    {AnswerKind.DONE: "good", AnswerKind.STATE: "calm", AnswerKind.NOTHING: "calm"}
)


# --- The order --------------------------------------------------------------------------------------


def _dish(view: View, n: int) -> Dish:
    item = view.order.items[n]
    money = view.texts.money(item.quantity * item.unit_price) if view.frame.sees_money else ""
    return Dish(item.quantity, item.name, item.note, money)


def _sums(view: View) -> tuple[tuple[str, str], ...]:
    """Return fees, discount and total; the total alone is above already."""
    order, texts = view.order, view.texts
    parts = ((texts.t("Phí"), order.fees), (texts.t("Giảm giá"), -order.discount))
    shown = tuple((label, texts.money(amount)) for label, amount in parts if amount)
    return (*shown, (texts.t("Tổng tiền"), texts.money(order.total))) if shown else ()


def _person(view: View) -> Person:
    order = view.order
    call = order.customer.phone if masking.shows_customer(order, view.now) else None
    return Person(masking.customer_name(order, view.now), masking.customer_phone(order, view.now), call)


def _stars(view: View, review: Review) -> Stars:
    author = (
        review.author if masking.shows_address(view.order, view.now) else masking.masked_name(review.author)
    )
    return Stars(
        "★" * review.rating + "☆" * (5 - review.rating),
        view.texts.t("{rating} trên 5 sao", rating=review.rating),
        review.comment,
        author,
        review.mark,
        review.answer.text if review.answer else "",
        who(view.texts, review.answer.by) if review.answer and view.frame.staff else "",
    )


# --- What happened ----------------------------------------------------------------------------------


_DEEDS: Final[Mapping[EventType, str]] = MappingProxyType(
    {
        EventType.PLACED: msg("Đặt đơn"),
        EventType.CHANGED: msg("Đổi đơn"),
        EventType.CONFIRMED: msg("Xác nhận đơn"),
        EventType.CANCELLED: msg("Huỷ đơn"),
        EventType.EXPIRED: msg("Quá hạn xác nhận"),
        EventType.COMPLETED: msg("Báo hoàn thành"),
        EventType.REVIEWED: msg("Khách đánh giá"),
        EventType.REVIEW_ANSWERED: msg("Trả lời đánh giá"),
    }
)


def _step(view: View, event: Event) -> Step:
    by = " ".join(part for part in (who(view.texts, event.by), way(view.texts, event.by.via)) if part)
    return Step(
        view.texts.t(_DEEDS[event.type]),
        by,
        view.texts.moment(event.at, view.zone, view.now),
        _ago(view, event.at),
        event.at.isoformat(timespec="seconds"),
        _details(view, event),
    )


def _ago(view: View, at: datetime) -> str:
    past = view.now - at
    if past < timedelta(minutes=1):
        return view.texts.t("vừa xong")
    return view.texts.t("{span} trước", span=view.texts.span(past))


def _details(view: View, event: Event) -> tuple[str, ...]:
    if event.type is EventType.CHANGED:
        return change_lines(view, _seen(view, event.data.get("changes")))
    answer = event.data.get("answer")
    if isinstance(answer, dict):
        return (str(answer["text"]),)
    reason = event.data.get("reason")
    if isinstance(reason, dict):
        return (view.texts.t("Lý do: {reason}", reason=reason_words(view.texts, load_reason(reason))),)
    return ()


def _seen(view: View, changes: Json) -> Json:
    """Return the changes with addresses as the reader may see them."""
    if not isinstance(changes, dict) or masking.shows_address(view.order, view.now):
        return changes
    return {name: _masked(change) if name == "address" else change for name, change in changes.items()}


def _masked(change: Json) -> Json:
    if not isinstance(change, dict):
        return change
    return {side: masking.masked_address(str(text)) for side, text in change.items()}
