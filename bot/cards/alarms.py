"""What operators are told: one alarm, or many in one message; what is the matter, and what to do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bot.cards.brief import free_words
from bot.cards.order_card import badge, details_button
from bot.cards.short import joined, listed, shortened, told
from bot.cards.view import Frame, View
from bot.cards.words import status_word
from bot.texts import Texts, msg
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.events import Json
from core.orders.order import Order
from core.orders.status import Status

Data = Mapping[str, Json]
#: One line of a list: a link to consent at Zalo fits, what a gateway says at length does not.
_LONGEST_LINE: Final = 380


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm of several, as it would stand alone."""

    card: Card
    is_over: bool


def alarm_card(frame: Frame, kind: NoticeKind, data: Data, view: View | None) -> Card:
    """Return an operators' alarm, or word that it is over."""
    if view and data.get("notice_over"):
        return _order_over(view)
    texts, is_over = frame.texts, data.get("over") is True
    title = _about(view, texts.t(_ALARMS[kind])) if view else _title(texts, kind, data)
    facts = facts_of(texts, data)
    lines = (*facts, *_since(frame, data), *(() if is_over else _advice(texts, data)))
    return Card(
        kind=kind,
        locale=texts.locale,
        title=title,
        short=told(title, *map(free_words, facts)),
        badge=badge(view) if view else None,
        blocks=(Block(BlockRole.TEXT, lines, texts.t("Chi tiết")),) if lines else (),
        buttons=(details_button(view), console_button(view)) if view else (_alarms_button(frame),),
        thread=str(view.order.id) if view else None,
    )


def alarms_card(frame: Frame, alarms: Sequence[Alarm], *, left: int) -> Card:
    """Return one card for several alarms, which come most urgent first; `left` more are only counted."""
    texts, count = frame.texts, len(alarms) + left
    is_well = all(alarm.is_over for alarm in alarms)
    lines = [_line(alarm) for alarm in alarms] + ([_more(texts, left)] if left else [])
    title = texts.n("{count} việc đã ổn", count) if is_well else texts.n("{count} việc cần xem", count)
    titles = [alarm.card.title for alarm in alarms]
    return Card(
        kind=NoticeKind.TROUBLE,
        locale=texts.locale,
        title=title,
        short=listed(title, titles, lambda unsaid: _more(texts, unsaid + left), has_more=left > 0),
        blocks=(Block(BlockRole.LIST, tuple(lines)),),
        buttons=(_alarms_button(frame),),
    )


def _line(alarm: Alarm) -> str:
    card = alarm.card
    said = [line for block in card.blocks if block.role is BlockRole.TEXT for line in block.lines[:1]]
    line = joined(card.title, *said) if said else card.short
    return shortened(f"✓ {line}" if alarm.is_over else line, _LONGEST_LINE)


def _more(texts: Texts, count: int) -> str:
    return texts.n("và {count} việc nữa", count)


def _order_over(view: View) -> Card:
    """Say what became of an order that operators were told to look at."""
    title = _about(view, _outcome(view))
    return Card(
        kind=NoticeKind.TROUBLE,
        locale=view.texts.locale,
        title=title,
        short=told(title),
        badge=badge(view),
        buttons=(details_button(view), console_button(view)),
        thread=str(view.order.id),
    )


def _outcome(view: View) -> str:
    if view.order.status is Status.EXPIRED:
        return view.texts.t("quá hạn xác nhận, đã tự huỷ")
    return view.texts.t("đã ổn ({status})", status=status_word(view.texts, view.order.status).lower())


def is_well(data: Data, order: Order | None) -> bool:
    """Whether an alarm's notice is an all-clear: that an order has expired is over, and not well."""
    return data.get("over") is True and (order is None or order.status is not Status.EXPIRED)


def console_button(view: View) -> Button:
    """Return the way to an order on the operators' console."""
    url = f"{view.frame.desk.base_url}/ops/orders/{view.order.id}"
    return Button(view.texts.t("Mở trang tổng đài"), url=url, style=ButtonStyle.PRIMARY)


def _alarms_button(frame: Frame) -> Button:
    url = f"{frame.desk.base_url}/ops/alarms"
    return Button(frame.texts.t("Mở trang tổng đài"), url=url, style=ButtonStyle.PRIMARY)


def _about(view: View, matter: str) -> str:
    """Return the matter with its order; a code is one kitchen's, so that is named too."""
    partner = view.frame.partner_name
    return view.texts.t(
        "Đơn {code} của {partner}: {matter}", code=view.order.code, partner=partner, matter=matter
    )


def _title(texts: Texts, kind: NoticeKind, data: Data) -> str:
    if kind is not NoticeKind.TROUBLE:
        return texts.t(_ALARMS[kind])
    what = matter_of(texts, str(data.get("name", "")))
    if data.get("over") is True:
        return texts.t("Trục trặc đã hết: {what}", what=what)
    return texts.t("Có trục trặc: {what}", what=what)


def matter_of(texts: Texts, name: str) -> str:
    """Return an alarm's matter in words; one that has none here is called by its own name."""
    who, _, matter = name.partition(": ")
    if name.startswith("webhook: "):
        return texts.t("{who} không nhận webhook", who=matter)
    return texts.t(_MATTERS[matter], who=_NAMES.get(who, who)) if matter in _MATTERS else name


def facts_of(texts: Texts, data: Data) -> tuple[str, ...]:
    """Return what a notice to the operators says beside its kind: whom it is about, and why."""
    notice = data.get("notice")
    return (
        *((str(data["name"]),) if "detail" not in data and "name" in data else ()),
        *(str(data[name]) for name in ("detail", "why") if data.get(name)),
        *((texts.t(_NOTICES[NoticeKind(str(notice))]),) if notice else ()),
    )


def _since(frame: Frame, data: Data) -> tuple[str, ...]:
    if not data.get("since"):
        return ()
    since = datetime.fromisoformat(str(data["since"]))
    return (frame.texts.t("Từ {time}", time=frame.texts.happened(since, frame.zone, frame.now)),)


def _advice(texts: Texts, data: Data) -> tuple[str, ...]:
    known = advice_of(texts, str(data.get("name", "")))
    return (known,) if known else ()


def advice_of(texts: Texts, name: str) -> str:
    """Return what to do about an alarm; empty where nothing is to be said."""
    known = _ADVICE.get("webhook" if name.startswith("webhook: ") else name.partition(": ")[2])
    return texts.t(known) if known else ""


_ALARMS: Final[Mapping[NoticeKind, str]] = MappingProxyType(
    {
        NoticeKind.UNDELIVERABLE: msg("Có tin không đến được ai"),
        NoticeKind.WEBHOOK_DEAD: msg("Không báo được cho nền tảng"),
        NoticeKind.CODES_USED_UP: msg("Một quán đã dùng hết mã đơn"),
        NoticeKind.TROUBLE: msg("Hệ thống có trục trặc"),
    }
)

#: How who is written: alarms are named "who: what".
_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "zalo": "Zalo",
        "telegram": "Telegram",
        "sms": "SMS",
        "email": "email",
        "esms": "eSMS",
        "speedsms": "SpeedSMS",
        "twilio": "Twilio",
        "smpp": "SMPP",
        "smtp": "SMTP",
    }
)
_MATTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gateway": msg("cổng {who} không trả lời"),
        "token": msg("mã truy cập của {who} có vấn đề"),
        "silence": msg("webhook của {who} im lặng"),
        "signature": msg("chữ ký sai gửi đến webhook {who}"),
        "late": msg("nhắc hẹn đang trễ"),
        "months": msg("cơ sở dữ liệu chưa có chỗ cho tháng tới"),
    }
)

#: What to do; docs/operations.md says more.
_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gateway": msg("Tin đang đi bằng kênh khác. Nếu quá 15 phút chưa hết, hãy gọi cho bên cung cấp."),
        "silence": msg("Kiểm tra xem webhook còn được đăng ký trong trang quản trị không."),
        "signature": msg("Kiểm tra khoá trong phần cài đặt và BASE_URL; nếu đều đúng thì có người đang thử."),
        "late": msg("Xem tải của máy chủ và cơ sở dữ liệu; chạy thêm một worker nếu cần."),
        "webhook": msg("Báo cho nền tảng, xem nhật ký gửi trên trang tổng đài rồi gửi lại."),
    }
)

#: What a notice that reached nobody was to tell; answers, courtesies and alarms are not alarmed about.
_NOTICES: Final[Mapping[NoticeKind, str]] = MappingProxyType(
    {
        NoticeKind.ORDER_NEW: msg("Quán chưa biết có đơn mới"),
        NoticeKind.CONFIRM_NUDGE: msg("Quán chưa được nhắc xác nhận đơn"),
        NoticeKind.ORDER_EXPIRED: msg("Quán chưa biết đơn đã quá hạn xác nhận"),
        NoticeKind.ORDER_CHANGED: msg("Quán chưa biết đơn đã thay đổi"),
        NoticeKind.ORDER_CANCELLED: msg("Quán chưa biết đơn đã huỷ"),
        NoticeKind.ORDER_CONFIRMED: msg("Quán chưa biết đơn đã được xác nhận thay"),
        NoticeKind.OPERATOR_COMPLETED: msg("Quán chưa biết đơn đã được báo hoàn thành thay"),
        NoticeKind.DELIVERY_TOMORROW: msg("Quán chưa được nhắc đơn giao ngày mai"),
        NoticeKind.COMPLETE_REQUEST: msg("Quán chưa được hỏi đã giao xong chưa"),
        NoticeKind.COMPLETE_REMINDER: msg("Quán chưa được nhắc bấm Hoàn thành"),
        NoticeKind.ORDER_COMPLETED: msg("Quán chưa nhận thư cảm ơn"),
        NoticeKind.REVIEW_RECEIVED: msg("Quán chưa biết khách đánh giá"),
        NoticeKind.CUSTOMER_CANCELLED: msg("Khách chưa biết đơn đã huỷ"),
        NoticeKind.MORNING_SHEET: msg("Quán chưa nhận phiếu buổi sáng"),
        NoticeKind.KITCHEN_PAUSED: msg("Quán chưa biết là đang nghỉ nhận đơn"),
        NoticeKind.KITCHEN_RESUMED: msg("Quán chưa biết là đã nhận đơn trở lại"),
    }
)

ALARMS: Final = frozenset(_ALARMS)
