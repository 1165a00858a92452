"""What was sent about an order, in the words of whoever reads its page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.cards.view import View
from bot.texts.catalogue import msg
from core.notices.kinds import NoticeKind
from core.outbox.history import Try


@dataclass(frozen=True, slots=True)
class SentLine:
    """One attempt: what was told to whom by which way, and what became of it."""

    what: str
    to: str
    became: str
    at: str
    machine: str
    cost: str


def sent_lines(view: View, tries: Sequence[Try]) -> tuple[SentLine, ...]:
    """Return every attempt, newest first; costs only for who may see money."""
    return tuple(_line(view, each) for each in reversed(tries))


def _line(view: View, each: Try) -> SentLine:
    texts = view.texts
    person = texts.t(OUTSIDERS[each.person]) if each.person in OUTSIDERS else each.person
    way = WAYS.get(each.channel, each.channel)
    shows_cost = view.frame.sees_money and each.cost is not None
    return SentLine(
        texts.t(_NOTICES[NoticeKind(each.notice)]),
        f"{person} · {texts.t(way)} {each.address}",
        texts.t(became(each)),
        texts.moment(each.at, view.zone, view.now),
        each.at.isoformat(timespec="seconds"),
        texts.money(each.cost) if shows_cost and each.cost is not None else "",
    )


def became(each: Try) -> str:
    """Return how far it came: what a receipt tells, else how the attempt ended, else what it waits for."""
    if each.receipt and each.outcome in {"sent", "unclear", None}:
        return _RECEIPTS[each.receipt]
    return _OUTCOMES[each.outcome] if each.outcome else _STATES[each.state]


#: What each channel is called, sentences of the catalogue.
WAYS: Final[Mapping[str, str]] = MappingProxyType(
    {"zalo": "Zalo", "telegram": "Telegram", "sms": "SMS", "email": msg("thư")}
)
OUTSIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"customer": msg("Khách"), "operator": msg("Tổng đài"), "stranger": msg("Số chưa liên kết")}
)
_RECEIPTS: Final[Mapping[str, str]] = MappingProxyType(
    {"delivered": msg("đã đến máy"), "seen": msg("đã xem"), "failed": msg("không đến được")}
)
_OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sent": msg("đã gửi"),
        "unclear": msg("chưa rõ đã đến chưa"),
        "no_such_recipient": msg("không liên lạc được"),
        "try_later": msg("chưa gửi được, sẽ thử lại"),
        "refused": msg("bị từ chối"),
    }
)
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "waiting": msg("đang chờ gửi"),
        "sent": msg("đã gửi"),
        "unclear": msg("chưa rõ đã đến chưa"),
        "failed": msg("không gửi được"),
        "dropped": msg("không cần gửi nữa"),
    }
)
_NOTICES: Final[Mapping[NoticeKind, str]] = MappingProxyType(
    {
        NoticeKind.ORDER_NEW: msg("Báo đơn mới"),
        NoticeKind.CONFIRM_NUDGE: msg("Nhắc xác nhận"),
        NoticeKind.ORDER_EXPIRED: msg("Báo quá hạn"),
        NoticeKind.ORDER_CHANGED: msg("Báo đơn đổi"),
        NoticeKind.ORDER_CANCELLED: msg("Báo đơn huỷ"),
        NoticeKind.ORDER_CONFIRMED: msg("Báo đã xác nhận"),
        NoticeKind.OPERATOR_COMPLETED: msg("Báo đã hoàn thành"),
        NoticeKind.DELIVERY_TOMORROW: msg("Nhắc mai giao"),
        NoticeKind.COMPLETE_REQUEST: msg("Xin báo hoàn thành"),
        NoticeKind.COMPLETE_REMINDER: msg("Nhắc báo hoàn thành"),
        NoticeKind.ORDER_COMPLETED: msg("Cảm ơn đã hoàn thành"),
        NoticeKind.REVIEW_RECEIVED: msg("Báo đánh giá"),
        NoticeKind.COLLEAGUE_ACTED: msg("Báo ai đã làm"),
        NoticeKind.CUSTOMER_CANCELLED: msg("Báo khách đơn huỷ"),
        NoticeKind.CUSTOMER_REVIEW: msg("Xin khách đánh giá"),
        NoticeKind.ANSWER: msg("Trả lời"),
        NoticeKind.ORDER_AT_RISK: msg("Báo động tổng đài"),
        NoticeKind.NOT_COMPLETED: msg("Báo động tổng đài"),
        NoticeKind.LOW_REVIEW: msg("Báo động tổng đài"),
        NoticeKind.UNDELIVERABLE: msg("Báo động tổng đài"),
        NoticeKind.WEBHOOK_DEAD: msg("Báo động tổng đài"),
        NoticeKind.CODES_USED_UP: msg("Báo động tổng đài"),
        NoticeKind.TROUBLE: msg("Báo động tổng đài"),
    }
)
