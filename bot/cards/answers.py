"""What whoever gave a command is told. Pure.

The title says what the stored answer says, so that a repeat says the same; what can be done, and the
order beneath, are as they are when it is sent.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.cards.brief import answered, facts, free_words, told_of, when
from bot.cards.changes import brief_changes, change_lines
from bot.cards.notices import review_block, settled_money
from bot.cards.order_card import badge, buttons, order_card
from bot.cards.order_card import when as when_block
from bot.cards.short import fitted, told
from bot.cards.view import Frame, View
from bot.cards.words import reason_words, state_sentence
from bot.cards.writing import write
from bot.texts import msg
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import LONGEST_ANSWER, AnswerReview
from core.orders.decide import ASKED
from core.orders.events import Json
from core.orders.status import Status

_KIND: Final = NoticeKind.ANSWER
#: What was asked by whoever answers a review.
_ANSWERING: Final = ASKED[AnswerReview]


def answer_card(view: View, answer: Answer, changes: Json = None) -> Card:
    """Return the end of a command that somebody gave in a chat, about an order that is theirs.

    `changes` are those since what they went by, where that is outdated.
    """
    if answer.kind is AnswerKind.OUTDATED and answer.asked != _ANSWERING:
        return _outdated(view, changes)
    if answer.asked == _ANSWERING:
        return _about_review(view, answer)
    return _ANSWERS[answer.kind](view, answer)


def refusal_card(frame: Frame, answer: Answer) -> Card:
    """Return the answer to a command about no order of theirs."""
    if answer.why == "not_linked":
        return plain_card(frame, frame.texts.t("Nút này gửi cho người khác, bạn không bấm thay được."))
    return plain_card(frame, frame.texts.t("Không tìm thấy đơn này trong quán của bạn."))


def plain_card(frame: Frame, title: str, *lines: str, short: str = "") -> Card:
    """Return some words, without an order; `short` where an SMS says it in others."""
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=short or told(title, *lines),
        blocks=(Block(BlockRole.TEXT, lines),) if lines else (),
    )


def _done(view: View, answer: Answer) -> Card:
    return _DEEDS.get(answer.asked, _state)(view, answer)


def _confirmed(view: View, answer: Answer) -> Card:
    texts = view.texts
    early = view.order.deliver_at - view.frame.desk.policy.complete_early
    after = texts.t("Giao xong, bấm Hoàn thành (từ {time}).", time=texts.moment(early, view.zone, view.now))
    next_step = (Block(BlockRole.TEXT, (after,)),) if _is_as_told(view, answer) else _now(view, answer)
    title = view.titled("Đã xác nhận đơn {code}")
    return order_card(view, _KIND, title, short=_short_confirmed(view, answer), lead=next_step)


def _short_confirmed(view: View, answer: Answer) -> str:
    first = view.titled("Đơn {code}: bạn đã xác nhận")
    if not _is_as_told(view, answer) or view.may_complete:
        return told_of(view, first, when(view), *_now_lines(view, answer))
    desk = view.frame.desk
    done = (f"HT {view.order.code}", view.texts.t("khi giao xong"))
    return fitted(first, when(view), *facts(view), words=(write(desk, view.texts, done),))


def _cancelled(view: View, answer: Answer) -> Card:
    texts, reason = view.texts, view.order.reason
    lines = [texts.t("Lý do: {reason}", reason=reason_words(texts, reason))] if reason else []
    lines.append(texts.t("{platform} sẽ được báo ngay. Đừng làm đơn này.", platform=view.platform_name))
    stop = texts.t("KHÔNG làm đơn này nữa")
    short = answered(view, view.titled("Đơn {code}: bạn đã huỷ"), *map(free_words, lines[:-1]), stop)
    return _brief(view, view.titled("Đã huỷ đơn {code}"), *lines, short=short)


def _completed(view: View, answer: Answer) -> Card:
    money = tuple(line for block in settled_money(view) for line in block.lines)
    short = answered(view, view.titled("Đơn {code}: đã hoàn thành, cảm ơn bạn!"), *money)
    return _brief(view, view.titled("Đã hoàn thành đơn {code}. Cảm ơn bạn!"), *money, short=short)


def _state(view: View, answer: Answer) -> Card:
    """Say how it stands and who made it so: what was asked had been settled before."""
    title, now = state_title(view, answer), _now_lines(view, answer)
    short = answered(view, title, *map(free_words, _reason_lines(view)), *now)
    return _brief(view, title, *_reason_lines(view), *now, short=short)


def _too_early(view: View, answer: Answer) -> Card:
    texts = view.texts
    title = view.titled("Chưa báo hoàn thành đơn {code} được")
    if answer.not_before is None:
        return _brief(view, title, short=answered(view, view.titled("Đơn {code} chưa báo hoàn thành được")))
    moment = texts.moment(answer.not_before, view.zone, view.now)
    first = view.titled("Đơn {code} chưa báo hoàn thành được")
    at = texts.brief_moment(answer.not_before, view.zone, view.now)
    again = (f"HT {view.order.code}", texts.t("từ {time}", time=at))
    short = told(first, words=(write(view.frame.desk, texts, again),))
    return _brief(view, title, texts.t("Bấm Hoàn thành được từ {time}.", time=moment), short=short)


def _ask_operator(view: View, answer: Answer) -> Card:
    texts, hotline = view.texts, view.frame.desk.hotline
    line = (
        texts.t("Cần huỷ, hãy gọi tổng đài {phone}.", phone=hotline)
        if hotline
        else texts.t("Cần huỷ, hãy liên hệ {platform}.", platform=view.platform_name)
    )
    return _brief(view, view.titled("Đơn {code} đã xác nhận nên bạn không tự huỷ được"), line)


def _outdated(view: View, changes: Json) -> Card:
    why = Block(BlockRole.TEXT, (view.texts.t("Nội dung mới ở dưới, xem lại rồi bấm nhé."),))
    lines = change_lines(view, changes)
    lead = (why, Block(BlockRole.CHANGES, lines, view.texts.t("Thay đổi"))) if lines else (why,)
    title = view.titled("Đơn {code} đã thay đổi sau thẻ bạn bấm, chưa có gì được làm")
    first = view.titled("Đơn {code} đã thay đổi, chưa có gì được làm")
    short = told_of(view, first, *(brief_changes(view, changes) or (when(view),)))
    return order_card(view, _KIND, title, short=short, lead=lead)


def _forbidden(view: View, answer: Answer) -> Card:
    if answer.why == "role":
        line = view.texts.t("Vai của bạn chỉ được xem. Nhờ chủ quán, quản lý hoặc bếp bấm.")
        short = answered(view, view.titled("Đơn {code}: vai của bạn chỉ được xem"))
        return _brief(view, view.titled("Bạn không bấm cho đơn {code} được"), line, short=short)
    return refusal_card(view.frame, answer)


def _nothing(view: View, answer: Answer) -> Card:
    now = _now_lines(view, answer)
    short = answered(view, view.titled("Đơn {code}: không có gì để làm"), *now)
    return _brief(view, view.titled("Đơn {code} không có gì để làm"), *now, short=short)


def state_title(view: View, answer: Answer) -> str:
    """Return who settled it and when, as of the answer."""
    order = view.order
    return state_sentence(
        view.texts,
        order.code,
        answer.status or order.status,
        answer.by or order.status_changed_by,
        answer.at or order.status_changed_at,
        zone=view.zone,
        now=view.now,
    )


def _about_review(view: View, answer: Answer) -> Card:
    """Return the end of answering a review: what the customer said, and what was said to that."""
    texts, review = view.texts, view.order.review
    title, lines = _answered_title(view, answer), _answered_lines(view, answer)
    shown = (review_block(view, review),) if review else ()
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=answered(view, title, *map(free_words, lines)),
        badge=badge(view),
        blocks=(*((Block(BlockRole.TEXT, lines),) if lines else ()), *shown),
        buttons=buttons(view),
        thread=str(view.order.id),
    )


def _answered_title(view: View, answer: Answer) -> str:
    if answer.kind is AnswerKind.NOTHING and answer.why == "no_review":
        return view.titled("Đơn {code} chưa có đánh giá để trả lời")
    return view.titled(_ANSWERED_TITLES[answer.kind])


_ANSWERED_TITLES: Final[Mapping[AnswerKind, str]] = MappingProxyType(
    {
        AnswerKind.DONE: msg("Đơn {code}: đã ghi lời quán trả lời khách"),
        AnswerKind.STATE: msg("Đơn {code}: quán đã trả lời khách rồi"),
        AnswerKind.OUTDATED: msg("Đơn {code}: khách vừa đổi đánh giá, chưa trả lời gì"),
        AnswerKind.NOTHING: msg("Đơn {code}: chưa trả lời gì"),
        AnswerKind.FORBIDDEN: msg("Đơn {code}: bạn không trả lời khách được"),
    }
)


def _answered_lines(view: View, answer: Answer) -> tuple[str, ...]:
    texts = view.texts
    if answer.why == "length":
        return (texts.t("Lời trả lời dài quá {most} chữ. Viết ngắn hơn.", most=LONGEST_ANSWER),)
    if answer.why == "role":
        return (texts.t("Chỉ chủ quán và quản lý trả lời khách."),)
    if answer.kind is AnswerKind.DONE:
        return (texts.t("{platform} được báo ngay.", platform=view.platform_name),)
    return ()


def _reason_lines(view: View) -> tuple[str, ...]:
    reason = view.order.reason
    if reason is None or view.order.status is not Status.CANCELLED:
        return ()
    return (view.texts.t("Lý do: {reason}", reason=reason_words(view.texts, reason)),)


def _is_as_told(view: View, answer: Answer) -> bool:
    return answer.status is None or answer.status is view.order.status


def _now(view: View, answer: Answer) -> tuple[Block, ...]:
    return (Block(BlockRole.TEXT, _now_lines(view, answer)),)


def _now_lines(view: View, answer: Answer) -> tuple[str, ...]:
    """Say how the order stands now, where that is not what the answer says any more."""
    if _is_as_told(view, answer):
        return ()
    order = view.order
    return (
        state_sentence(
            view.texts,
            order.code,
            order.status,
            order.status_changed_by,
            order.status_changed_at,
            zone=view.zone,
            now=view.now,
        ),
    )


def _brief(view: View, title: str, *lines: str, short: str = "") -> Card:
    """Return a short answer with what can be done now; the order itself is behind the link."""
    said = (Block(BlockRole.TEXT, lines),) if lines else ()
    return Card(
        kind=_KIND,
        locale=view.texts.locale,
        title=title,
        short=short or answered(view, title, *lines),
        badge=badge(view),
        blocks=said if view.order.status.is_final else (*said, when_block(view)),
        buttons=buttons(view),
        thread=str(view.order.id),
    )


_DEEDS: Final[Mapping[str, Callable[[View, Answer], Card]]] = MappingProxyType(
    {"confirm": _confirmed, "cancel": _cancelled, "complete": _completed}
)

_ANSWERS: Final[Mapping[AnswerKind, Callable[[View, Answer], Card]]] = MappingProxyType(
    {
        AnswerKind.DONE: _done,
        AnswerKind.STATE: _state,
        AnswerKind.TOO_EARLY: _too_early,
        AnswerKind.ASK_OPERATOR: _ask_operator,
        AnswerKind.FORBIDDEN: _forbidden,
        AnswerKind.NOTHING: _nothing,
    }
)
