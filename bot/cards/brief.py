"""An order in few letters: what an SMS tells of it, the most important first. Pure.

Every sentence here is read without its accents: none may then mean its opposite ("đừng làm", "đúng làm").
"""

from typing import Final

from bot.cards import masking
from bot.cards.short import TWO, fitted, joined, shortened, told
from bot.cards.view import View
from bot.cards.writing import answers_to, with_link
from core.orders.order import Order

_LONGEST_PLACE: Final = 40
_LONGEST_DISHES: Final = 60
_LONGEST_WORDS: Final = 80
#: Where there is room for two SMS.
_WHOLE_PLACE: Final = 90
_WHOLE_DISHES: Final = 110


def asked_for(view: View, first: str, *more: str) -> str:
    """Return one SMS that asks for something: `first`, then the order, then what to text."""
    further = _unsaid(view, joined(first, *more))
    return with_link(view, fitted(first, *more, *further, words=answers_to(view)))


def told_of(view: View, first: str, *pieces: str) -> str:
    """Return what happened, in one SMS where it fits, else in two; then the order as far as there is room."""
    further = _unsaid(view, joined(first, *pieces))
    return with_link(view, told(first, *pieces, more=further, words=answers_to(view)))


def answered(view: View, first: str, *pieces: str) -> str:
    """Return an answer about an order, without the order: in one SMS where it fits, else in two."""
    return told(first, *pieces, words=answers_to(view))


def in_full(view: View, first: str, *more: str) -> str:
    """Return everything that two SMS hold of an order."""
    further = facts(view, place=_WHOLE_PLACE, food=_WHOLE_DISHES)
    said = fitted(joined(first, when(view)), *further, *more, words=answers_to(view), most=TWO)
    return with_link(view, said, TWO)


def facts(view: View, *, place: int = _LONGEST_PLACE, food: int = _LONGEST_DISHES) -> tuple[str, ...]:
    """Return how much, for how much, where to and what, with nobody's phone; the last two so long at most."""
    order, texts = view.order, view.texts
    address = masking.without_phones(masking.address(order, view.now))
    return (
        texts.portions(order.portions),
        texts.money(order.total) if view.frame.sees_money else "",
        shortened(address, place),
        dishes(order, food),
    )


def _unsaid(view: View, said: str) -> list[str]:
    return [fact for fact in facts(view) if fact not in said]


def when(view: View) -> str:
    """Return "giao 11:30 24/11"."""
    return view.texts.t("giao {time}", time=time(view))


def time(view: View) -> str:
    """Return the delivery time: "11:30 24/11"."""
    return view.texts.brief_moment(view.order.deliver_at, view.zone, view.now)


def dishes(order: Order, longest: int) -> str:
    """Return the dishes on one line, as many as have room; an ellipsis stands for the others."""
    said = ""
    for item in order.items:
        longer = f"{said}, {item.quantity} {item.name}" if said else f"{item.quantity} {item.name}"
        if len(longer) > longest:
            return (
                f"{masking.without_phones(said)}…"
                if said
                else shortened(masking.without_phones(longer), longest)
            )
        said = longer
    return masking.without_phones(said)


def free_words(text: str) -> str:
    """Return what somebody wrote, cut, with nobody's phone."""
    return shortened(masking.without_phones(text), _LONGEST_WORDS)
