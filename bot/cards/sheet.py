"""The morning sheet: today's deliveries in time order, dishes in all, what nobody has confirmed yet. Pure.

No money stands on it: it hangs in the kitchen.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.cards import masking
from bot.cards.lists import per_dish
from bot.cards.short import listed
from bot.cards.view import Frame, View
from bot.cards.words import status_word
from bot.cards.writing import write
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.status import Status

_MOST_BUTTONS: Final = 20


def sheet_card(frame: Frame, day: date, views: Sequence[View]) -> Card:
    """Return a day's sheet; `views` are the deliveries ahead, at least one, in time order."""
    texts = frame.texts
    waiting = [view for view in views if view.order.status is Status.PENDING]
    dishes = per_dish([view.order for view in views])
    portions = texts.portions(sum(view.order.portions for view in views))
    title = texts.n(
        "Hôm nay {day}: {count} đơn, {portions}", len(views), day=texts.day(day), portions=portions
    )
    return Card(
        kind=NoticeKind.MORNING_SHEET,
        locale=texts.locale,
        title=title,
        short=_short(frame, title, views, waiting),
        blocks=(
            *_unconfirmed(frame, waiting),
            Block(BlockRole.LIST, tuple(map(_line, views)), texts.t("Giao hôm nay")),
            Block(
                BlockRole.DISHES,
                tuple(f"{count} × {name}" for name, count in dishes.most_common()),
                texts.t("Tổng các món"),
            ),
        ),
        buttons=tuple(map(_confirm_button, waiting[:_MOST_BUTTONS])) if frame.may_act else (),
    )


def _unconfirmed(frame: Frame, waiting: Sequence[View]) -> tuple[Block, ...]:
    if not waiting:
        return ()
    texts = frame.texts
    codes = ", ".join(f"{view.order.code} ({_clock(view)})" for view in waiting)
    how = texts.t("Bấm nút, hoặc nhắn XN và mã đơn, HUY và mã đơn.") if frame.may_act else ""
    label = texts.t("Chưa xác nhận")
    return (Block(BlockRole.TEXT, tuple(filter(None, (codes, how))), label),)


def _line(view: View) -> str:
    order, texts = view.order, view.texts
    parts = (
        _clock(view),
        order.code,
        texts.portions(order.portions),
        masking.address(order, view.now),
        status_word(texts, order.status),
    )
    return " · ".join(parts)


def _clock(view: View) -> str:
    return view.texts.clock(view.order.deliver_at, view.zone)


def _confirm_button(view: View) -> Button:
    return Button(
        view.texts.t("Xác nhận {code}", code=view.order.code),
        payload=view.payload(Purpose.CONFIRM),
        url=f"{view.link}#confirm",
        word=f"XN {view.order.code}",
        style=ButtonStyle.PRIMARY,
    )


def _short(frame: Frame, title: str, views: Sequence[View], waiting: Sequence[View]) -> str:
    """Return as many deliveries as two SMS hold, those first that nobody has confirmed."""
    texts = frame.texts
    marked = [f"{_clock(view)} {view.order.code} {texts.t('chưa xác nhận')}" for view in waiting]
    others = [f"{_clock(view)} {view.order.code}" for view in views if view not in waiting]
    first = waiting[0] if waiting and frame.may_act else None
    word = (f"XN {first.order.code}", texts.t("để nhận")) if first else ("HN", texts.t("để xem"))
    return listed(
        title.replace(":", ","),
        [*marked, *others],
        lambda left: texts.n("còn {count} đơn nữa", left),
        words=write(frame.desk, texts, word),
    )
