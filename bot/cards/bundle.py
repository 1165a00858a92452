"""One card for several orders that wait to be confirmed: three reminders at once are read by nobody. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.cards.brief import dishes
from bot.cards.lists import FILTERS
from bot.cards.order_card import template
from bot.cards.short import ONE, listed
from bot.cards.view import View
from bot.cards.writing import routed, write
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, Card
from core.notices.kinds import NoticeKind
from core.orders.order import Order
from core.orders.status import Status

#: With the one for all of them these are the five buttons that Zalo has room for.
_MOST_BUTTONS: Final = 4
_MOST_LINES: Final = 20
_LONGEST_DISHES: Final = 80


def bundle_card(view: View, together: Sequence[Order]) -> Card:
    """Return a reminder of all orders that wait, the soonest delivery first.

    `view` is the order that the reminder was owed for. No button acts on several orders at once: each
    only shows its order, with its own buttons.
    """
    texts = view.texts
    return Card(
        kind=NoticeKind.CONFIRM_NUDGE,
        locale=texts.locale,
        title=texts.n("{count} đơn đang chờ bạn xác nhận", len(together)),
        short=_short(view, together),
        blocks=(Block(BlockRole.LIST, tuple(_lines(view, together))),),
        buttons=_buttons(view, together),
        template=_template(view, together),
        thread=str(view.order.id),
    )


def _template(view: View, together: Sequence[Order]) -> Mapping[str, str]:
    """Return what a Zalo template tells of all of them; where and how much is only known of each."""
    codes = [order.code for order in together]
    some = ", ".join(codes[:_MOST_BUTTONS])
    lines = " / ".join(_line(view, order) for order in together)
    return {
        **template(replace(view, order=together[0])),
        "order_code": f"{some}…" if len(codes) > _MOST_BUTTONS else some,
        "summary": f"{view.texts.n('{count} đơn đang chờ bạn xác nhận', len(codes))}: {lines}",
        "address": "",
        "total": "",
    }


def _lines(view: View, together: Sequence[Order]) -> list[str]:
    lines = [_line(view, order) for order in together[:_MOST_LINES]]
    left = len(together) - len(lines)
    return [*lines, view.texts.n("và {count} đơn nữa", left)] if left else lines


def _line(view: View, order: Order) -> str:
    texts = view.texts
    parts = (
        order.code,
        texts.moment(order.deliver_at, view.zone, view.now),
        texts.relative(order.deliver_at, view.now),
        texts.portions(order.portions),
        dishes(order, _LONGEST_DISHES),
    )
    return " · ".join(parts)


def _buttons(view: View, together: Sequence[Order]) -> tuple[Button, ...]:
    frame = view.frame
    shown = tuple(
        Button(
            view.texts.t("Xem {code}", code=order.code),
            payload=frame.asks(Purpose.DETAILS, number=order.revision, order_id=order.id),
            word=f"CT {order.code}",
        )
        for order in together[:_MOST_BUTTONS]
    )
    everything = Button(
        view.texts.t("Xem tất cả"),
        payload=frame.asks(Purpose.LIST, number=FILTERS.index(Status.PENDING)),
        word="DS CHO",
    )
    return (*shown, everything) if len(together) > len(shown) else shown


def _short(view: View, together: Sequence[Order]) -> str:
    """Return all codes that fit one SMS, each with its time, and how to see the others."""
    texts = view.texts
    entries = [
        f"{order.code} {texts.brief_moment(order.deliver_at, view.zone, view.now)}" for order in together
    ]
    code, waiting = together[0].code, routed(view.frame.desk, "DS CHO")
    words = write(view.frame.desk, texts, (f"XN {code}", texts.t("để nhận đơn {code}", code=code)))
    return listed(
        texts.n("{count} đơn chưa ai xác nhận", len(together)),
        entries,
        lambda left: texts.n("còn {count} đơn nữa: soạn {word}", left, word=waiting),
        words=words if view.frame.may_act else "",
        most=ONE,
    )
