"""A kitchen's orders as a list, grouped by what is wanted and by day, in the reader's words. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Final

from bot.cards import masking
from bot.cards.view import Frame
from bot.cards.words import status_word
from bot.texts.catalogue import msg
from core.orders.order import Order
from core.orders.status import Status

_DISHES: Final = 2
_OPEN: Final = frozenset({Status.PENDING, Status.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Line:
    """One order of a list. `relative` and `total` are empty where they are not to be shown."""

    href: str
    code: str
    status: str
    word: str
    clock: str
    machine: str
    relative: str
    portions: str
    total: str
    dishes: str
    customer: str


@dataclass(frozen=True, slots=True)
class Day:
    """The orders of one day; `close` is "Hôm nay" and its like, else empty."""

    close: str
    name: str
    machine: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Heap:
    """Days under one heading; `title` is empty where there is only one heap."""

    title: str
    status: str
    days: tuple[Day, ...]


def heaps(frame: Frame, orders: Sequence[Order], *, by_status: bool) -> tuple[Heap, ...]:
    """Return orders under their headings, in the order they come."""
    if not by_status:
        return (Heap("", "", _days(frame, orders)),) if orders else ()
    return tuple(
        Heap(frame.texts.t(_HEADINGS[status]), status.value, _days(frame, group))
        for status, group in groupby(orders, key=lambda order: order.status)
    )


_HEADINGS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.PENDING: msg("Chờ bạn xác nhận"),
        Status.CONFIRMED: msg("Phải giao"),
        Status.COMPLETED: msg("Hoàn thành"),
        Status.CANCELLED: msg("Huỷ"),
        Status.EXPIRED: msg("Quá hạn xác nhận"),
    }
)


def _days(frame: Frame, orders: Iterable[Order]) -> tuple[Day, ...]:
    return tuple(
        Day(
            close_day(frame, day),
            f"{frame.texts.day(day)}/{day:%Y}",
            day.isoformat(),
            tuple(_line(frame, order) for order in group),
        )
        for day, group in groupby(orders, key=lambda order: order.deliver_at.astimezone(frame.zone).date())
    )


def close_day(frame: Frame, day: date) -> str:
    """Return "Hôm nay", "Ngày mai", "Hôm qua", or nothing."""
    away = day - frame.now.astimezone(frame.zone).date()
    return frame.texts.t(_CLOSE[away]) if away in _CLOSE else ""


_CLOSE: Final[Mapping[timedelta, str]] = MappingProxyType(
    {
        timedelta(): msg("Hôm nay"),
        timedelta(days=1): msg("Ngày mai"),
        timedelta(days=-1): msg("Hôm qua"),
    }
)


def _line(frame: Frame, order: Order) -> Line:
    texts = frame.texts
    return Line(
        href=href(order),
        code=order.code,
        status=order.status.value,
        word=status_word(texts, order.status),
        clock=texts.clock(order.deliver_at, frame.zone),
        machine=order.deliver_at.isoformat(timespec="seconds"),
        relative=texts.relative(order.deliver_at, frame.now) if order.status in _OPEN else "",
        portions=texts.portions(order.portions),
        total=texts.money(order.total) if frame.sees_money else "",
        dishes=dishes(frame, order),
        customer=masking.customer_name(order, frame.now),
    )


def href(order: Order) -> str:
    """Return where an order's page is; one that is over is named by its id too, as codes are used again."""
    return f"/orders/{order.code}" + (f"?order={order.id}" if order.status.is_final else "")


def dishes(frame: Frame, order: Order) -> str:
    """Return "20 × Cơm gà, 20 × Cơm sườn và 3 món nữa"."""
    shown = ", ".join(f"{item.quantity} × {item.name}" for item in order.items[:_DISHES])
    more = len(order.items) - _DISHES
    return shown if more <= 0 else frame.texts.n("{shown} và {count} món nữa", more, shown=shown)
