"""Several orders: by status, by day, and those that a verb could mean. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from bot.cards.answers import plain_card
from bot.cards.short import TWO, fitted, joined, listed, shortened
from bot.cards.view import Frame, View
from bot.cards.words import status_word
from bot.cards.writing import write
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.order import Order
from core.orders.status import Status

_KIND: Final = NoticeKind.ANSWER
_LONGEST_TITLE: Final = 60
#: More than a thumb scrolls through; the text tells of all of them.
_MOST_BUTTONS: Final = 20

#: The filters of `DS`, by the number that a paging button carries.
FILTERS: Final[tuple[Status | None, ...]] = (None, *Status)

#: What is texted behind `DS`.
STATUS_WORDS_TEXTED: Final[Mapping[str, Status]] = MappingProxyType(
    {
        "CHO": Status.PENDING,
        "XN": Status.CONFIRMED,
        "HT": Status.COMPLETED,
        "HUY": Status.CANCELLED,
        "QH": Status.EXPIRED,
    }
)


def list_card(frame: Frame, orders: Sequence[Order], *, status: Status | None, has_more: bool) -> Card:
    """Return a page of orders, the newest delivery first, and a button for the next page."""
    title = _list_title(frame, status)
    if not orders:
        return plain_card(frame, title, frame.texts.t("Chưa có đơn nào ở đây."))
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=_short_list(frame, title, orders, status=status, has_more=has_more),
        blocks=(Block(BlockRole.LIST, tuple(_line(frame, order) for order in orders)),),
        buttons=_list_buttons(frame, orders, status=status, has_more=has_more),
    )


def _list_buttons(
    frame: Frame, orders: Sequence[Order], *, status: Status | None, has_more: bool
) -> tuple[Button, ...]:
    """Return the way on first: a chat that has room for few shows at least that."""
    texts = frame.texts
    following = frame.asks(Purpose.LIST, number=FILTERS.index(status), order_id=orders[-1].id)
    further = (Button(texts.t("Xem tiếp"), payload=following),) if has_more else ()
    sorting = (_by_status_button(frame),) if status is None else ()
    return (*further, *sorting, *(show_button(frame, order) for order in orders))


def _by_status_button(frame: Frame) -> Button:
    return Button(frame.texts.t("Theo trạng thái"), payload=frame.asks(Purpose.BY_STATUS))


def show_button(frame: Frame, order: Order) -> Button:
    """Return the button that shows one order of several, with the buttons that apply to it."""
    return Button(
        frame.texts.t("Xem {code}", code=order.code),
        payload=frame.asks(Purpose.DETAILS, number=order.revision, order_id=order.id),
        word=f"CT {order.code}",
    )


def by_status_card(frame: Frame) -> Card:
    """Ask which orders are to be listed."""
    texts = frame.texts
    words = {status: word for word, status in STATUS_WORDS_TEXTED.items()}
    choices = tuple(
        Button(
            status_word(texts, status),
            payload=frame.asks(Purpose.LIST, number=FILTERS.index(status)),
            word=f"DS {words[status]}",
        )
        for status in Status
    )
    title = texts.t("Bạn muốn xem đơn nào?")
    said = ", ".join(f"DS {words[status]}: {status_word(texts, status).lower()}" for status in Status)
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=fitted(title, said, most=TWO),
        buttons=choices,
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
    dishes = tuple(f"{count} × {name}" for name, count in per_dish(orders).most_common())
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_day(frame, title, orders, dishes),
        blocks=(
            Block(BlockRole.LIST, lines),
            Block(BlockRole.DISHES, dishes, texts.t("Tổng các món")),
        ),
        buttons=tuple(show_button(frame, order) for order in orders[:_MOST_BUTTONS]),
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


def per_dish(orders: Sequence[Order]) -> Counter[str]:
    """Return how much of each dish these orders are together."""
    counted: Counter[str] = Counter()
    for order in orders:
        for item in order.items:
            counted[item.name] += item.quantity
    return counted


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
