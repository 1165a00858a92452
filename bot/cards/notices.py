"""The card of every notice that staff and operators are owed about an order. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from bot.cards import masking
from bot.cards.alarms import console_button
from bot.cards.brief import asked_for, free_words, time, told_of, when
from bot.cards.changes import brief_changes, change_lines
from bot.cards.order_card import (
    badge,
    calendar_entry,
    details_button,
    order_card,
)
from bot.cards.short import joined, told
from bot.cards.view import View
from bot.cards.words import deed_sentence, reason_words, who
from bot.texts import msg
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind
from core.orders.events import Json
from core.orders.order import By, Review
from core.orders.snapshot import load_by, load_reason
from core.orders.status import Status

Data = Mapping[str, Json]


def notice_card(view: View, kind: NoticeKind, data: Data) -> Card:
    """Return the card of a notice about an order; `data` is the notice's own."""
    return _CARDS[kind](view, data)


def _new(view: View, data: Data) -> Card:
    title = view.titled("Đơn {code} mới, chờ bạn xác nhận")
    short = asked_for(view, view.texts.t("Đơn mới {code} giao {time}", code=view.order.code, time=time(view)))
    return order_card(view, NoticeKind.ORDER_NEW, title, short=short, calendar=calendar_entry(view))


def _nudge(view: View, data: Data) -> Card:
    texts, order = view.texts, view.order
    first = texts.t("Đơn {code} giao {time} chưa ai xác nhận", code=order.code, time=time(view))
    return order_card(
        view,
        NoticeKind.CONFIRM_NUDGE,
        view.titled("Đơn {code} vẫn chờ bạn xác nhận"),
        short=asked_for(view, first, texts.relative(order.deliver_at, view.now)),
    )


def _expired(view: View, data: Data) -> Card:
    why = view.texts.t("Đến giờ giao mà chưa ai xác nhận, nên đơn tự huỷ. Đừng làm đơn này.")
    return order_card(
        view,
        NoticeKind.ORDER_EXPIRED,
        view.titled("Đơn {code} đã huỷ vì quá hạn xác nhận"),
        short=told_of(view, view.titled("Đơn {code} đã huỷ vì quá hạn xác nhận"), when(view), _stop(view)),
        lead=(Block(BlockRole.TEXT, (why,)),),
        calendar=calendar_entry(view, cancelled=True),
    )


def _stop(view: View) -> str:
    """Return "đừng làm" in words that still say so without accents."""
    return view.texts.t("KHÔNG làm đơn này nữa")


def _changed(view: View, data: Data) -> Card:
    lines = change_lines(view, data.get("changes")) or _changed_back(view, data)
    lead = (Block(BlockRole.CHANGES, lines, view.texts.t("Thay đổi")),) if lines else ()
    title = _changed_title(view, data)
    return order_card(
        view,
        NoticeKind.ORDER_CHANGED,
        title,
        lead=lead,
        short=told_of(view, title, *_short_changes(view, data.get("changes"))),
        calendar=calendar_entry(view),
    )


def _changed_back(view: View, data: Data) -> tuple[str, ...]:
    """Say so where all is again as this reader was told before."""
    back = data.get("changes") == {}
    return (view.texts.t("Đã đổi rồi đổi lại: nội dung như lần bạn được báo trước."),) if back else ()


def _short_changes(view: View, changes: Json) -> tuple[str, ...]:
    """Return when, then what differs; a new time stands among that."""
    lines = brief_changes(view, changes)
    has_new_time = isinstance(changes, dict) and "deliver_at" in changes
    return lines if has_new_time else (when(view), *lines)


def _changed_title(view: View, data: Data) -> str:
    if view.order.status is not Status.PENDING:
        return view.titled("Đơn {code} đã thay đổi")
    if data.get("from") == Status.CONFIRMED:
        return view.titled("Đơn {code} đã thay đổi, cần xác nhận lại")
    return view.titled("Đơn {code} đã thay đổi, chờ bạn xác nhận")


def _cancelled(view: View, data: Data) -> Card:
    lead = Block(BlockRole.TEXT, (view.texts.t("Đừng làm hoặc dừng làm đơn này."),))
    return order_card(
        view,
        NoticeKind.ORDER_CANCELLED,
        _deed(view, data),
        short=told_of(view, _deed(view, data), *_short_reason(view), when(view), _stop(view)),
        lead=(lead,),
        calendar=calendar_entry(view, cancelled=True),
    )


def _confirmed(view: View, data: Data) -> Card:
    title = _deed(view, data)
    short = told_of(view, title, when(view))
    return order_card(view, NoticeKind.ORDER_CONFIRMED, title, short=short, calendar=calendar_entry(view))


def _operator_completed(view: View, data: Data) -> Card:
    title = _deed(view, data)
    return order_card(view, NoticeKind.OPERATOR_COMPLETED, title, short=told_of(view, title))


def _tomorrow(view: View, data: Data) -> Card:
    title = _tomorrow_title(view)
    return order_card(
        view,
        NoticeKind.DELIVERY_TOMORROW,
        title,
        short=asked_for(view, joined(title, time(view))),
        calendar=calendar_entry(view),
    )


def _tomorrow_title(view: View) -> str:
    day = view.order.deliver_at.astimezone(view.zone).date()
    if (day - view.now.astimezone(view.zone).date()).days == 1:
        return view.titled("Đơn {code} giao ngày mai")
    return view.texts.t("Đơn {code} giao {day}", code=view.order.code, day=view.texts.day(day))


def _complete_request(view: View, data: Data) -> Card:
    return order_card(
        view,
        NoticeKind.COMPLETE_REQUEST,
        view.titled("Đơn {code} giao xong chưa? Bấm Hoàn thành"),
        short=_short_completion(view, msg("Đơn {code} ({time}) giao xong chưa?")),
        lead=_waiting_money(view),
    )


def _complete_reminder(view: View, data: Data) -> Card:
    return order_card(
        view,
        NoticeKind.COMPLETE_REMINDER,
        view.titled("Đơn {code} chưa được báo hoàn thành"),
        short=_short_completion(view, msg("Đơn {code} ({time}) chưa báo hoàn thành")),
        lead=_waiting_money(view),
    )


def _short_completion(view: View, asked: str) -> str:
    """Return the question for the tap, in one SMS, with the amount that waits for it."""
    texts, order = view.texts, view.order
    amount = texts.t("Báo xong mới được tính {amount}", amount=texts.money(order.total))
    first = texts.t(asked, code=order.code, time=time(view))
    return asked_for(view, first, amount if view.frame.sees_money else "")


def _waiting_money(view: View) -> tuple[Block, ...]:
    """Return the amount that waits for the tap; a partner is paid only for completed orders."""
    if not view.frame.sees_money:
        return ()
    line = view.texts.t(
        "{amount} chờ bạn bấm Hoàn thành mới được đối soát", amount=view.texts.money(view.order.total)
    )
    return (Block(BlockRole.MONEY, (line,)),)


def _completed(view: View, data: Data) -> Card:
    return order_card(
        view,
        NoticeKind.ORDER_COMPLETED,
        view.titled("Đơn {code} đã hoàn thành, cảm ơn bạn"),
        short=told_of(view, view.titled("Đơn {code} đã hoàn thành, cảm ơn bạn")),
        lead=settled_money(view),
    )


def settled_money(view: View) -> tuple[Block, ...]:
    """Return the amount that a completed order brings."""
    if not view.frame.sees_money:
        return ()
    line = view.texts.t("{amount} đã vào kỳ đối soát", amount=view.texts.money(view.order.total))
    return (Block(BlockRole.MONEY, (line,)),)


def _reviewed(view: View, data: Data) -> Card:
    review = view.order.review
    lead = (review_block(view, review),) if review else ()
    rating = review.rating if review else 0
    title = view.texts.t("Đơn {code} được khách chấm {rating}/5", code=view.order.code, rating=rating)
    comment = free_words(review.comment) if review else ""
    short = told_of(view, title, comment)
    return order_card(view, NoticeKind.REVIEW_RECEIVED, title, lead=lead, short=short)


def review_block(view: View, review: Review) -> Block:
    """Return what a customer said: stars, words, name."""
    seen = masking.shows_customer(view.order, view.now) and not view.frame.in_group
    author = review.author if seen else masking.masked_name(review.author)
    lines = (stars(review.rating), *filter(None, (review.comment, author)), *_answered(view, review))
    return Block(BlockRole.REVIEW, lines, view.texts.t("Khách đánh giá"))


def _answered(view: View, review: Review) -> tuple[str, ...]:
    if review.answer is None:
        return ()
    answer = review.answer
    return (view.texts.t("{who} trả lời: {words}", who=who(view.texts, answer.by), words=answer.text),)


def stars(rating: int) -> str:
    """Return "★★★★☆ 4/5"."""
    return f"{'★' * rating}{'☆' * (5 - rating)} {rating}/5"


def _colleague(view: View, data: Data) -> Card:
    """Say who settled it; short, for who was asked on this channel before."""
    title = _deed(view, data)
    reason = data.get("reason")
    lines = (reason_words(view.texts, load_reason(reason)),) if isinstance(reason, dict) else ()
    label = view.texts.t("Lý do huỷ")
    return Card(
        kind=NoticeKind.COLLEAGUE_ACTED,
        locale=view.texts.locale,
        title=title,
        short=told(title, *map(free_words, lines)),
        badge=badge(view),
        blocks=(Block(BlockRole.TEXT, lines, label),) if lines else (),
        buttons=(details_button(view),),
        thread=str(view.order.id),
    )


def _deed(view: View, data: Data) -> str:
    """Return "Đơn 48273 đã được Lan xác nhận lúc 09:12 qua Zalo", as of what this notice tells of."""
    order, texts = view.order, view.texts
    status, by = Status(str(data.get("to") or order.status)), _by(data, order.status_changed_by)
    if status is not order.status:  # it has moved on since; when this was is not told any more
        return deed_sentence(texts, order.code, status, by, "")
    when = texts.t("lúc {time}", time=texts.happened(order.status_changed_at, view.zone, view.now))
    return deed_sentence(texts, order.code, status, by, when)


def _short_reason(view: View) -> tuple[str, ...]:
    reason = view.order.reason
    if reason is None or view.order.status is not Status.CANCELLED:
        return ()
    return (free_words(reason_words(view.texts, reason)),)


def _by(data: Data, otherwise: By) -> By:
    by = data.get("by")
    return load_by(by) if isinstance(by, dict) else otherwise


# --- Operators ------------------------------------------------------------------------------------


def _at_risk(view: View, data: Data) -> Card:
    title = view.texts.t(
        "Đơn {code} của {partner} chưa được xác nhận",
        code=view.order.code,
        partner=view.frame.partner_name,
    )
    card = order_card(view, NoticeKind.ORDER_AT_RISK, title, short=told_of(view, title, when(view)))
    return replace(card, buttons=(*card.buttons, console_button(view)))


def _not_completed(view: View, data: Data) -> Card:
    title = view.texts.t(
        "Đơn {code} của {partner} đã giao mà chưa được báo hoàn thành",
        code=view.order.code,
        partner=view.frame.partner_name,
    )
    card = order_card(view, NoticeKind.NOT_COMPLETED, title, short=told_of(view, title, when(view)))
    return replace(card, buttons=(*card.buttons, console_button(view)))


def _low_review(view: View, data: Data) -> Card:
    """Say whose dish did not please, with the way to the order on the console."""
    review = view.order.review
    title = view.texts.t(
        "Đơn {code} của {partner} bị khách chấm {rating}/5",
        code=view.order.code,
        partner=view.frame.partner_name,
        rating=review.rating if review else 0,
    )
    return Card(
        kind=NoticeKind.LOW_REVIEW,
        locale=view.texts.locale,
        title=title,
        short=told(title, free_words(review.comment) if review else ""),
        badge=badge(view),
        blocks=(review_block(view, review),) if review else (),
        buttons=(console_button(view),),
        thread=str(view.order.id),
    )


_CARDS: Final[Mapping[NoticeKind, Callable[[View, Data], Card]]] = MappingProxyType(
    {
        NoticeKind.ORDER_NEW: _new,
        NoticeKind.CONFIRM_NUDGE: _nudge,
        NoticeKind.ORDER_EXPIRED: _expired,
        NoticeKind.ORDER_CHANGED: _changed,
        NoticeKind.ORDER_CANCELLED: _cancelled,
        NoticeKind.ORDER_CONFIRMED: _confirmed,
        NoticeKind.OPERATOR_COMPLETED: _operator_completed,
        NoticeKind.DELIVERY_TOMORROW: _tomorrow,
        NoticeKind.COMPLETE_REQUEST: _complete_request,
        NoticeKind.COMPLETE_REMINDER: _complete_reminder,
        NoticeKind.ORDER_COMPLETED: _completed,
        NoticeKind.REVIEW_RECEIVED: _reviewed,
        NoticeKind.COLLEAGUE_ACTED: _colleague,
        NoticeKind.ORDER_AT_RISK: _at_risk,
        NoticeKind.NOT_COMPLETED: _not_completed,
        NoticeKind.LOW_REVIEW: _low_review,
    }
)
