"""An order as a card: what is wanted, when, how much, what, where, note, who. Pure."""

from collections.abc import Mapping, Sequence

from bot.cards import masking
from bot.cards.view import Desk, View
from bot.cards.words import reason_words, status_word
from bot.texts import Texts
from bot.tokens import Purpose
from core.channels import Badge, Block, BlockRole, Button, ButtonStyle, CalendarEntry, Card
from core.orders.order import Item, Review
from core.orders.status import Status


def order_card(
    view: View,
    kind: str,
    title: str,
    *,
    short: str,
    lead: Sequence[Block] = (),
    tail: Sequence[Block] = (),
    calendar: CalendarEntry | None = None,
) -> Card:
    """Return the whole order under a title; `lead` comes before the order, `tail` after it.

    `short` is what an SMS says instead.
    """
    return Card(
        kind=kind,
        locale=view.texts.locale,
        title=title,
        short=short,
        badge=badge(view),
        blocks=(*lead, *blocks(view), *tail),
        buttons=buttons(view),
        template=template(view),
        thread=str(view.order.id),
        calendar=calendar,
    )


def badge(view: View) -> Badge:
    """Return the status beside the code."""
    order = view.order
    return Badge(order.status.value, status_word(view.texts, order.status), order.code)


def blocks(view: View) -> tuple[Block, ...]:
    """Return what an order is, in the order of importance; nothing that this reader may not see."""
    order, texts = view.order, view.texts
    parts = [
        *_why_cancelled(view),
        when(view),
        Block(BlockRole.AMOUNT, (amount(view),)),
        Block(BlockRole.DISHES, tuple(dish(item) for item in order.items), texts.t("Món")),
        Block(BlockRole.WHERE, (masking.address(order, view.now),), texts.t("Giao đến")),
    ]
    if order.note:
        parts.append(Block(BlockRole.NOTE, (order.note,), texts.t("Ghi chú")))
    parts.append(Block(BlockRole.WHO, (_person(view),), texts.t("Khách")))
    parts.append(Block(BlockRole.WHO, (texts.t("Đặt qua {platform}", platform=view.platform_name),)))
    return tuple(parts)


def _why_cancelled(view: View) -> tuple[Block, ...]:
    reason = view.order.reason
    if reason is None or view.order.status is not Status.CANCELLED:
        return ()
    return (Block(BlockRole.TEXT, (reason_words(view.texts, reason),), view.texts.t("Lý do huỷ")),)


def when(view: View) -> Block:
    """Return the delivery time, absolute and, while it matters, relative."""
    order, texts = view.order, view.texts
    moment = texts.t("Giao {moment}", moment=texts.moment(order.deliver_at, view.zone, view.now))
    if order.status.is_final:
        return Block(BlockRole.WHEN, (moment,))
    return Block(BlockRole.WHEN, (moment, texts.relative(order.deliver_at, view.now)))


def amount(view: View) -> str:
    """Return "40 suất · 2.400.000 đ"; without the money for who may not see it."""
    portions = view.texts.portions(view.order.portions)
    return f"{portions} · {view.texts.money(view.order.total)}" if view.frame.sees_money else portions


def dish(item: Item) -> str:
    """Return "20 × Cơm gà (không hành)"."""
    return f"{item.quantity} × {item.name} ({item.note})" if item.note else f"{item.quantity} × {item.name}"


def _person(view: View) -> str:
    if view.frame.in_group:  # strangers may read along
        return masking.masked_customer(view.order)
    name = masking.customer_name(view.order, view.now)
    phone = masking.customer_phone(view.order, view.now)
    return f"{name} · {phone}" if phone else name


# --- What can be done -----------------------------------------------------------------------------


def buttons(view: View) -> tuple[Button, ...]:
    """Return the buttons that apply to this order now, for this reader; the details link is always there."""
    return (*_acting(view), details_button(view))


def _acting(view: View) -> tuple[Button, ...]:
    if view.may_confirm:
        return (_confirm_button(view), _cancel_button(view))
    complete = (_complete_button(view),) if view.may_complete else ()
    thank = (_thank_button(view, view.order.review),) if view.may_thank and view.order.review else ()
    return (*complete, *thank, *_hotline_buttons(view))


def _confirm_button(view: View) -> Button:
    return Button(
        view.texts.label("Xác nhận đơn hàng"),
        payload=view.payload(Purpose.CONFIRM),
        url=f"{view.link}#confirm",
        word=f"XN {view.order.code}",
        style=ButtonStyle.PRIMARY,
    )


def _cancel_button(view: View) -> Button:
    return Button(
        view.texts.label("Huỷ đơn hàng"),
        payload=view.payload(Purpose.CANCEL),
        url=f"{view.link}#cancel",
        word=f"HUY {view.order.code}",
        style=ButtonStyle.DANGER,
    )


def _complete_button(view: View) -> Button:
    return Button(
        view.texts.label("Hoàn thành"),
        payload=view.payload(Purpose.COMPLETE),
        url=f"{view.link}#complete",
        word=f"HT {view.order.code}",
        style=ButtonStyle.PRIMARY,
    )


def _thank_button(view: View, review: Review) -> Button:
    """Return the button that thanks for this very review: its mark stands where others have a revision."""
    return Button(
        view.texts.label("Cảm ơn khách"),
        payload=view.frame.asks(Purpose.THANK, number=review.mark, order_id=view.order.id),
        url=f"{view.link}#thank",
        word=f"CAM ON {view.order.code}",
        style=ButtonStyle.SECONDARY,
    )


def _hotline_buttons(view: View) -> tuple[Button, ...]:
    """Return the way to cancel what was confirmed: only the operators can."""
    if view.order.status is Status.CONFIRMED and view.frame.may_act:
        return hotline_buttons(view.frame.desk, view.texts)
    return ()


def hotline_buttons(desk: Desk, texts: Texts) -> tuple[Button, ...]:
    """Return the button that calls the operators, where their number is known."""
    return (Button(texts.label("Gọi tổng đài"), phone=desk.hotline),) if desk.hotline else ()


def details_button(view: View) -> Button:
    """Return the link to the order's page."""
    return Button(view.texts.label("Xem chi tiết đơn hàng"), url=view.link, word=f"CT {view.order.code}")


# --- For other eyes ---------------------------------------------------------------------------------


def template(view: View) -> Mapping[str, str]:
    """Return what a Zalo template is filled with, by the keys of the setting ZALO_TEMPLATES."""
    order, texts = view.order, view.texts
    local = order.deliver_at.astimezone(view.zone)
    dishes = ", ".join(f"{item.quantity} {item.name}" for item in order.items)
    return {
        "order_code": order.code,
        "partner_name": view.frame.partner_name,
        "deliver_at": f"{local:%H:%M %d/%m/%Y}",
        "address": masking.address(order, view.now),
        "summary": f"{texts.portions(order.portions)}: {dishes}",
        "total": texts.money(order.total) if view.frame.sees_money else "",
        "link": view.link_ref,
    }


def calendar_entry(view: View, *, cancelled: bool = False) -> CalendarEntry:
    """Return the delivery for a calendar; every later one of the same order replaces it."""
    order, texts = view.order, view.texts
    return CalendarEntry(
        uid=f"order-{order.id}@{view.frame.desk.host}",
        starts_at=order.deliver_at,
        summary=texts.t("Giao đơn {code}: {amount}", code=order.code, amount=amount(view)),
        location=masking.address(order, view.now),
        sequence=order.version,
        tentative=order.status is Status.PENDING,
        cancelled=cancelled,
    )
