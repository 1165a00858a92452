"""Answers to questions: lists, days, money, reviews, one order, help, linking, and what we ask back. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from bot.cards.answers import plain_card
from bot.cards.brief import free_words, in_full, told_of, when
from bot.cards.notices import review_block, stars
from bot.cards.order_card import badge, order_card
from bot.cards.short import TWO, fitted, joined, listed, shortened, told
from bot.cards.view import Frame, View
from bot.cards.words import REASON_WORDS, deed_sentence, status_word
from bot.cards.writing import write
from bot.texts import msg
from bot.tokens import Purpose, cancel_for
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.events import Event, EventType
from core.orders.lookups import Heap, MonthMoney, Reviews
from core.orders.order import Order
from core.orders.status import Status

_KIND: Final = NoticeKind.ANSWER
#: The reasons that the first question shows; the others are asked for. Zalo has room for five buttons.
_FIRST_REASONS: Final = (1, 2, 3, 4)
_OTHER_REASONS: Final = (5, 6)

_LONGEST_TITLE: Final = 60

#: The filters of `DS`, by the number that a paging button carries.
FILTERS: Final[tuple[Status | None, ...]] = (None, *Status)


# --- One order ------------------------------------------------------------------------------------


def details_card(view: View, history: Sequence[Event]) -> Card:
    """Return everything about one order: content, review, history, and what can be done now."""
    review = view.order.review
    tail = (
        *((review_block(view, review),) if review else ()),
        Block(
            BlockRole.HISTORY, tuple(_happened(view, event) for event in history), view.texts.t("Diễn biến")
        ),
    )
    state = status_word(view.texts, view.order.status)
    title = view.texts.t("Đơn {code}: {state}", code=view.order.code, state=state)
    return order_card(view, _KIND, title, short=in_full(view, title, *_remarks(view)), tail=tail)


def _remarks(view: View) -> tuple[str, ...]:
    """Return what was written about an order, for an SMS: the kitchen's note and the customer's stars."""
    order, texts = view.order, view.texts
    note = texts.t("ghi chú: {note}", note=free_words(order.note)) if order.note else ""
    rated = texts.t("khách chấm {rating}/5", rating=order.review.rating) if order.review else ""
    return (note, rated)


def _happened(view: View, event: Event) -> str:
    when = view.texts.happened(event.at, view.zone, view.now)
    status = _STATUS_AFTER.get(event.type)
    if status:
        return f"{when}: {deed_sentence(view.texts, view.order.code, status, event.by, '')}"
    return f"{when}: {view.titled(_OTHER_EVENTS[event.type])}"


_STATUS_AFTER: Final[Mapping[EventType, Status]] = MappingProxyType(
    {
        EventType.CONFIRMED: Status.CONFIRMED,
        EventType.CANCELLED: Status.CANCELLED,
        EventType.COMPLETED: Status.COMPLETED,
    }
)
_OTHER_EVENTS: Final[Mapping[EventType, str]] = MappingProxyType(
    {
        EventType.PLACED: msg("Đơn {code} được đặt"),
        EventType.CHANGED: msg("Đơn {code} được thay đổi"),
        EventType.EXPIRED: msg("Đơn {code} quá hạn xác nhận"),
        EventType.REVIEWED: msg("Đơn {code} được khách đánh giá"),
    }
)


def reasons_card(view: View) -> Card:
    """Ask why the order is to be cancelled; nothing is cancelled yet."""
    more = Button(view.texts.t("Lý do khác…"), payload=view.payload(Purpose.CANCEL_OTHER))
    first = tuple(_reason_button(view, number) for number in _FIRST_REASONS)
    return _ask_reason(view, (*first, more))


def other_reasons_card(view: View) -> Card:
    """Ask for the reasons that the first question had no room for."""
    return _ask_reason(view, tuple(_reason_button(view, number) for number in _OTHER_REASONS))


def _ask_reason(view: View, choices: tuple[Button, ...]) -> Card:
    texts, code = view.texts, view.order.code
    own_words = texts.t("Hoặc nhắn: HUY {code} và lý do của bạn.", code=code)
    title = view.titled("Huỷ đơn {code} vì lý do gì?")
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_question(view),
        badge=badge(view),
        blocks=(Block(BlockRole.TEXT, (texts.t("Đơn chưa bị huỷ. Chọn một lý do để huỷ."), own_words)),),
        buttons=choices,
        thread=str(view.order.id),
    )


def _short_question(view: View) -> str:
    """Ask for the reason in one SMS; what to text is a whole example, since it will be copied."""
    texts, code = view.texts, view.order.code
    options = ", ".join(f"{number} {texts.t(words)}" for number, words in _SHORT_REASONS.items())
    example = write(view.frame.desk, texts, (f"HUY {code} 1", f"({options})"))
    return fitted(view.titled("Đơn {code} chưa huỷ. Vì sao huỷ?"), words=(example,))


_SHORT_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: msg("hết món"),
        2: msg("quá tải"),
        3: msg("đóng cửa"),
        4: msg("ngoài vùng"),
        5: msg("sai giá"),
        6: msg("khác"),
    }
)


def _reason_button(view: View, number: int) -> Button:
    return Button(
        view.texts.t(REASON_WORDS[number]),
        payload=view.payload(cancel_for(number)),
        word=f"HUY {view.order.code} {number}",
        style=ButtonStyle.DANGER,
    )


# --- Several orders -------------------------------------------------------------------------------


def list_card(frame: Frame, orders: Sequence[Order], *, status: Status | None, has_more: bool) -> Card:
    """Return a page of orders, the newest delivery first, and a button for the next page."""
    title = _list_title(frame, status)
    if not orders:
        return plain_card(frame, title, frame.texts.t("Chưa có đơn nào ở đây."))
    number = FILTERS.index(status)
    payload = frame.asks(Purpose.LIST, number=number, order_id=orders[-1].id)
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=_short_list(frame, title, orders, status=status, has_more=has_more),
        blocks=(Block(BlockRole.LIST, tuple(_line(frame, order) for order in orders)),),
        buttons=(Button(frame.texts.t("Xem tiếp"), payload=payload),) if has_more else (),
    )


def _list_title(frame: Frame, status: Status | None) -> str:
    if status is None:
        return frame.texts.t("Đơn của {partner}", partner=frame.partner_name)
    return frame.texts.t("Đơn {state}", state=status_word(frame.texts, status).lower())


def _line(frame: Frame, order: Order) -> str:
    texts = frame.texts
    parts = [
        order.code,
        status_word(texts, order.status),
        texts.moment(order.deliver_at, frame.zone, frame.now),
        texts.portions(order.portions),
        texts.money(order.total) if frame.sees_money else "",
    ]
    return " · ".join(part for part in parts if part)


def _short_list(
    frame: Frame, title: str, orders: Sequence[Order], *, status: Status | None, has_more: bool
) -> str:
    """Return as many orders as two SMS hold, and how to see the others: no word of ours turns a page."""
    texts = frame.texts
    entries = [_short_line(frame, order, status) for order in orders]
    waiting = () if status else (("DS CHO", texts.t("đơn chưa xác nhận")),)
    days = (("HN", texts.t("giao hôm nay")), ("MAI", texts.t("giao ngày mai")))
    rest = joined(texts.t("còn nữa"), write(frame.desk, texts, *waiting, *days))
    return listed(shortened(title, _LONGEST_TITLE), entries, lambda _: rest, has_more=has_more)


def _short_line(frame: Frame, order: Order, status: Status | None) -> str:
    moment = frame.texts.brief_moment(order.deliver_at, frame.zone, frame.now)
    if status is not None:
        return f"{order.code} {moment}"
    return f"{order.code} {moment} {status_word(frame.texts, order.status).lower()}"


def day_card(frame: Frame, day: date, orders: Sequence[Order]) -> Card:
    """Return what is delivered on a day, in time order, and how much of each dish that is."""
    texts = frame.texts
    title = texts.t("Giao {day}", day=texts.day(day))
    if not orders:
        return plain_card(frame, title, texts.t("Không có đơn nào phải giao."))
    lines = tuple(_delivery_line(frame, order) for order in orders)
    dishes = tuple(f"{count} × {name}" for name, count in _per_dish(orders).most_common())
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_day(frame, title, orders, dishes),
        blocks=(
            Block(BlockRole.LIST, lines),
            Block(BlockRole.DISHES, dishes, texts.t("Tổng các món")),
        ),
    )


def _delivery_line(frame: Frame, order: Order) -> str:
    texts = frame.texts
    when = texts.clock(order.deliver_at, frame.zone)
    state = status_word(texts, order.status)
    return f"{when} · {order.code} · {texts.portions(order.portions)} · {state}"


def _short_day(frame: Frame, title: str, orders: Sequence[Order], dishes: Sequence[str]) -> str:
    """Return as many deliveries as two SMS hold; where all do, what they are together."""
    entries = [_short_delivery(frame, order) for order in orders]
    texts = frame.texts
    example = write(frame.desk, texts, (f"CT {orders[0].code}", texts.t("để xem")))
    said = listed(title, entries, lambda left: texts.n("còn {count} đơn nữa", left), words=example)
    together = f"{title}: {', '.join(entries)}"
    is_whole = together in said
    return fitted(f"{together}.", *dishes, words=(example,), most=TWO) if is_whole else said


def _short_delivery(frame: Frame, order: Order) -> str:
    when = frame.texts.clock(order.deliver_at, frame.zone)
    return f"{when} {order.code} {frame.texts.portions(order.portions)}"


def _per_dish(orders: Sequence[Order]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for order in orders:
        for item in order.items:
            counted[item.name] += item.quantity
    return counted


# --- Money and reviews ----------------------------------------------------------------------------


def money_card(frame: Frame, month: date, money: MonthMoney) -> Card:
    """Return what a month brought; only for who may see money."""
    texts = frame.texts
    if not frame.sees_money:
        return plain_card(frame, texts.t("Vai của bạn không xem được tiền. Hỏi chủ quán nhé."))
    heaps = (
        (msg("Hoàn thành"), money.completed),
        (msg("Đã giao, chờ bấm Hoàn thành"), money.waiting),
        (msg("Huỷ"), money.cancelled),
        (msg("Quá hạn xác nhận"), money.expired),
    )
    lines = [_money_line(frame, label, heap) for label, heap in heaps]
    brief = [lines[0], _money_line(frame, msg("Chưa báo hoàn thành"), money.waiting), *lines[2:]]
    advice = texts.t("Chỉ đơn hoàn thành mới được đối soát.")
    title = texts.t("Tiền tháng {month}", month=f"{month:%m/%Y}")
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=fitted(f"{title}:", *brief, most=TWO),
        blocks=(Block(BlockRole.MONEY, tuple(lines)), Block(BlockRole.TEXT, (advice,))),
    )


def _money_line(frame: Frame, label: str, heap: Heap) -> str:
    texts = frame.texts
    return texts.n(
        "{label}: {count} đơn, {amount}",
        heap.count,
        label=texts.t(label),
        amount=texts.money(heap.amount),
    )


def reviews_card(frame: Frame, reviews: Reviews) -> Card:
    """Return the last reviews and the average."""
    texts = frame.texts
    if reviews.average is None:
        return plain_card(frame, texts.t("Chưa có đánh giá nào của khách."))
    average = f"{reviews.average:.1f}".replace(".", ",")
    title = texts.n("Khách chấm {average}/5 ({count} lượt)", reviews.count, average=average)
    lines = tuple(_review_line(order) for order in reviews.latest)
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_reviews(frame, title, reviews),
        blocks=(Block(BlockRole.REVIEW, lines),),
    )


def _short_reviews(frame: Frame, title: str, reviews: Reviews) -> str:
    entries = [
        f"{order.code} {order.review.rating}/5 {free_words(order.review.comment)}".rstrip()
        for order in reviews.latest
        if order.review
    ]
    return listed(title, entries, lambda left: frame.texts.n("còn {count} đơn nữa", left))


def _review_line(order: Order) -> str:
    if order.review is None:
        return order.code
    return " · ".join(part for part in (order.code, stars(order.review.rating), order.review.comment) if part)


# --- Help, languages, linking ---------------------------------------------------------------------


def help_card(frame: Frame, title: str | None = None, *, first: str = "") -> Card:
    """Return what can be said; an SMS begins with `first`."""
    texts = frame.texts
    lines = [
        texts.t("XN 12345: xác nhận đơn"),
        texts.t("HUY 12345 1: huỷ đơn, kèm lý do (1 hết món, 2 quá tải, 3 đóng cửa, 4 ngoài vùng giao)"),
        texts.t("HT 12345: báo hoàn thành"),
        texts.t("CT 12345: xem chi tiết đơn"),
        texts.t("DS: các đơn của quán (DS CHO, DS XN, DS HT, DS HUY, DS QH)"),
        texts.t("HN, MAI: đơn giao hôm nay, ngày mai"),
        texts.t("TIEN: tiền tháng này · DG: khách đánh giá"),
        texts.t("EN: English"),
    ]
    heading = title or texts.t("Bạn có thể nhắn")
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=heading,
        short=_short_help(frame, first),
        blocks=(Block(BlockRole.TEXT, tuple(lines)),),
        buttons=_menu(frame),
    )


def _short_help(frame: Frame, first: str) -> str:
    """Return all words in two SMS; 12345 stands for a code, and is none: it would be refused."""
    desk, texts = frame.desk, frame.texts
    example = write(desk, texts, ("XN 12345", texts.t("để nhận đơn 12345")))
    words = (
        texts.t("HUY 12345 1 để huỷ vì hết món"),
        texts.t("HT 12345 khi giao xong"),
        texts.t("CT 12345 để xem"),
        texts.t("DS CHO: đơn chưa xác nhận"),
        texts.t("DS: tất cả đơn"),
        texts.t("HN: giao hôm nay"),
        texts.t("MAI: giao ngày mai"),
        texts.t("TIEN: tiền tháng này"),
        texts.t("DG: khách đánh giá"),
        texts.t("EN: English"),
    )
    return fitted(joined(first, example), *words, most=TWO)


def pointed(frame: Frame, said: str, word: str, aim: str) -> str:
    """Return some words for an SMS, and the word to text next."""
    return told(said, words=(write(frame.desk, frame.texts, (word, aim)),))


def _menu(frame: Frame) -> tuple[Button, ...]:
    texts = frame.texts
    choices = (
        (texts.t("Đơn chờ xác nhận"), Purpose.LIST, FILTERS.index(Status.PENDING), "DS CHO"),
        (texts.t("Giao hôm nay"), Purpose.TODAY, 0, "HN"),
        (texts.t("Giao ngày mai"), Purpose.TOMORROW, 0, "MAI"),
    )
    return tuple(
        Button(label, payload=frame.asks(purpose, number=number), word=word)
        for label, purpose, number, word in choices
    )


def linked_card(frame: Frame) -> Card:
    """Say who this address is now."""
    if frame.in_group:
        return _linked_group_card(frame)
    name = frame.staff.name if frame.staff else ""
    title = frame.texts.t("Xong! Bạn là {name} của {partner}", name=name, partner=frame.partner_name)
    line = frame.texts.t("Đơn mới sẽ đến đây. Nhắn TG để xem có thể nói gì.")
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=_short_welcome(frame, title),
        blocks=(Block(BlockRole.TEXT, (line,)),),
        buttons=_menu(frame),
    )


def _linked_group_card(frame: Frame) -> Card:
    title = frame.texts.t("Xong! Nhóm này nhận đơn của {partner}", partner=frame.partner_name)
    line = frame.texts.t("Ai là người của quán đều bấm nút được, người khác chỉ xem.")
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=joined(title, line),
        blocks=(Block(BlockRole.TEXT, (line,)),),
        buttons=_menu(frame),
    )


def _short_welcome(frame: Frame, title: str) -> str:
    texts = frame.texts
    said = joined(title, texts.t("đơn mới sẽ đến đây"))
    return pointed(frame, said, "TG", texts.t("để được hướng dẫn"))


# --- Asking back ----------------------------------------------------------------------------------


def suggestion_card(view: View, title: str, *, first: str) -> Card:
    """Show the order that may have been meant, with its buttons; nothing was done. An SMS says `first`."""
    return order_card(view, _KIND, title, short=told_of(view, first, when(view)))


def choice_card(frame: Frame, title: str, views: Sequence[View], word: str, purpose: Purpose) -> Card:
    """Show the orders that a verb could mean; each has its own word and its own button."""
    lines = tuple(_line(frame, view.order) for view in views)
    words = [f"{word} {view.order.code}" for view in views]
    choices = tuple(
        Button(said, payload=view.payload(purpose), word=said, style=ButtonStyle.PRIMARY)
        for said, view in zip(words, views, strict=True)
    )
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=_short_choice(frame, title, words),
        blocks=(Block(BlockRole.LIST, lines),) if lines else (),
        buttons=choices if frame.may_act else (),
    )


def _short_choice(frame: Frame, title: str, words: Sequence[str]) -> str:
    """Return the first order's word whole, to be copied, and the codes of the others."""
    first, *others = words
    codes = [word.rpartition(" ")[2] for word in others]
    texts = frame.texts
    aim = texts.t("hoặc mã {codes}", codes=", ".join(codes)) if codes else ""
    return fitted(title, words=(write(frame.desk, texts, (first, aim)),), most=TWO)
