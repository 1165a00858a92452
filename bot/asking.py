"""What a pressed button or a plain question asks for, as a command or as an answer to be. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.lists import FILTERS
from bot.intents import Question
from bot.questions import Reply, reply
from bot.tokens import ButtonToken, Purpose
from core.actors import Via
from core.channels import ChannelName
from core.orders.commands import AnswerReview, CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.events import Json

#: In a token: no order.
NOBODY: Final = UUID(int=0)

VIA: Final[Mapping[ChannelName, Via]] = MappingProxyType(
    {
        ChannelName.ZALO: Via.ZALO,
        ChannelName.TELEGRAM: Via.TELEGRAM,
        ChannelName.SMS: Via.SMS,
        ChannelName.EMAIL: Via.EMAIL,
    }
)

#: The questions that are answered with what the database says, and nothing else happens.
REPLIES: Final[Mapping[Question, Reply]] = MappingProxyType(
    {
        Question.TODAY: Reply.TODAY,
        Question.TOMORROW: Reply.TOMORROW,
        Question.REVIEWS: Reply.REVIEWS,
        Question.LANGUAGE: Reply.LANGUAGES,
    }
)


def command_of(token: ButtonToken) -> Command | None:
    """Return the command that a button gives, None for one that asks something."""
    if token.purpose is Purpose.CONFIRM:
        return ConfirmOrder(token.order_id, token.revision)
    if token.purpose is Purpose.COMPLETE:
        return CompleteOrder(token.order_id, token.revision)
    if token.purpose is Purpose.THANK:
        return AnswerReview(token.order_id, "", mark=token.revision)
    if token.purpose.reason:
        return CancelOrder(token.order_id, reason_of(token.purpose.reason), token.revision)
    return None


def question_of(token: ButtonToken) -> Mapping[str, Json]:
    """Return what answers a button that only asks."""
    match token.purpose:
        case Purpose.CANCEL:
            return reply(Reply.REASONS, order_id=token.order_id)
        case Purpose.CANCEL_OTHER:
            return reply(Reply.OTHER_REASONS, order_id=token.order_id)
        case Purpose.DETAILS:
            return reply(Reply.DETAILS, order_id=token.order_id)
        case Purpose.LIST:
            return _page(token)
        case Purpose.MONEY:
            year, month = divmod(token.revision, 100)
            return reply(Reply.MONEY, month=month or None, year=year or None)
    return reply(_PLAIN.get(token.purpose, Reply.HELP))


def is_private(token: ButtonToken) -> bool:
    """Whether the answer is for who pressed alone, also in a group."""
    return token.purpose is Purpose.MONEY


_PLAIN: Final[Mapping[Purpose, Reply]] = MappingProxyType(
    {
        Purpose.TODAY: Reply.TODAY,
        Purpose.TOMORROW: Reply.TOMORROW,
        Purpose.REVIEWS: Reply.REVIEWS,
        Purpose.MORE: Reply.MORE,
        Purpose.BY_STATUS: Reply.BY_STATUS,
        Purpose.LANGUAGE: Reply.LANGUAGES,
        Purpose.PAUSE: Reply.HOW_LONG,
    }
)


def _page(token: ButtonToken) -> Mapping[str, Json]:
    status = FILTERS[token.revision] if token.revision < len(FILTERS) else None
    after = token.order_id if token.order_id != NOBODY else None
    return reply(Reply.LIST, status=status, after=after)
