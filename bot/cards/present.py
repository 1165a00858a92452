"""An order's card as it is now, for a message that is changed in its place. Pure."""

from bot.cards.brief import told_of, when
from bot.cards.order_card import order_card
from bot.cards.view import View
from bot.cards.words import state_sentence
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind


def present_card(view: View, *, note: str = "") -> Card:
    """Return the order with who made it so and when, and the buttons that apply; `note` comes first."""
    order = view.order
    title = state_sentence(
        view.texts,
        order.code,
        order.status,
        order.status_changed_by,
        order.status_changed_at,
        zone=view.zone,
        now=view.now,
    )
    lead = (Block(BlockRole.TEXT, (note,)),) if note else ()
    return order_card(view, NoticeKind.ANSWER, title, short=told_of(view, title, when(view)), lead=lead)
