"""One order, named by its code: all about it, why it is to be cancelled, whether it was meant. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.cards.brief import free_words, in_full, told_of, when
from bot.cards.notices import review_block
from bot.cards.order_card import badge, order_card
from bot.cards.short import fitted
from bot.cards.view import View
from bot.cards.words import REASON_WORDS, deed_sentence, status_word
from bot.cards.writing import write
from bot.texts import msg
from bot.tokens import Purpose, cancel_for
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.events import Event, EventType
from core.orders.status import Status

_KIND: Final = NoticeKind.ANSWER
#: The reasons that the first question shows; the others are asked for. Zalo has room for five buttons.
_FIRST_REASONS: Final = (1, 2, 3, 4)
_OTHER_REASONS: Final = (5, 6)


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
        EventType.REVIEW_ANSWERED: msg("Đơn {code}: quán trả lời đánh giá"),
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
    # Where the question takes the card's place, it is the way back; Zalo has no room for it, nor need of it.
    back = Button(
        texts.t("Không huỷ nữa"), payload=view.payload(Purpose.DETAILS), style=ButtonStyle.SECONDARY
    )
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_question(view),
        badge=badge(view),
        blocks=(Block(BlockRole.TEXT, (texts.t("Đơn chưa bị huỷ. Chọn một lý do để huỷ."), own_words)),),
        buttons=(*choices, back),
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


def suggestion_card(view: View, title: str, *, first: str) -> Card:
    """Show the order that may have been meant, with its buttons; nothing was done. An SMS says `first`."""
    return order_card(view, _KIND, title, short=told_of(view, first, when(view)))
