"""What the Bot API's refusals mean for a message: one line for each."""

from typing import Final

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)

from bot.telegram.request import NotSent, TooMany
from core.channels import NoSuchRecipient, Outcome, Refused, Scope, TryLater, Unclear

TOKEN_ALARM: Final = "token"  # noqa: S105  (the name of an alarm)
_REFUSED: Final = "Telegram không nhận token của bot: kiểm tra CHOTDON_TELEGRAM_TOKEN và _API_URL"

# docs/facts.md#telegram-errors: what a 400 says when nobody is there any more.
_GONE: Final = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "user_is_deactivated",
    "group chat was deactivated",
    "group chat was deleted",
)
# docs/facts.md#telegram-errors: a chat that is there and that the bot may not write to.
_CLOSED: Final = ("not enough rights", "have no rights to send", "chat_write_forbidden", "topic_closed")
# docs/facts.md#telegram-errors: it shows this already.
_SAME: Final = "message is not modified"
# docs/facts.md#telegram-errors: too old, deleted, or not the bot's own.
_UNCHANGEABLE: Final = (
    "message can't be edited",
    "message to edit not found",
    "message_id_invalid",
    "message identifier is not specified",
)


def is_same(error: TelegramError) -> bool:
    """Whether an edit was refused because the message shows this already."""
    return isinstance(error, BadRequest) and _SAME in error.message.lower()


def is_unchangeable(error: TelegramError) -> bool:
    """Whether an edit was refused because that message cannot be changed any more."""
    return isinstance(error, BadRequest) and _says(error, _UNCHANGEABLE)


def outcome_of(error: TelegramError, *, in_group: bool = False, is_edit: bool = False) -> Outcome:
    """Return what became of a call that raised this; an edit may be made again whatever became of it."""
    match error:
        case ChatMigrated():
            return NoSuchRecipient("the group has another id", moved_to=str(error.new_chat_id))
        case TooMany():
            return TryLater("429", error.after, Scope.RECIPIENT if in_group else Scope.EVERYBODY)
        case Forbidden():  # docs/facts.md#telegram-errors: blocked, kicked, deactivated, never started
            return NoSuchRecipient(_why(error), gone=True)
        case InvalidToken():
            return Refused(_REFUSED, Scope.EVERYBODY, alarm=TOKEN_ALARM)
        case BadRequest():
            return _bad(error)
        case NotSent():
            return TryLater(error.message)
        case TimedOut():
            return TryLater(error.message) if is_edit else Unclear(error.message)
        case NetworkError() | Conflict():  # any other status: it says that it did nothing
            return TryLater(_why(error))
        case _:
            return TryLater(_why(error)) if is_edit else Unclear(_why(error))


def _bad(error: BadRequest) -> Outcome:
    if _says(error, _GONE):
        return NoSuchRecipient(_why(error), gone=True)
    if _says(error, _CLOSED):
        return NoSuchRecipient(_why(error))
    return Refused(_why(error))


def _says(error: TelegramError, what: tuple[str, ...]) -> bool:
    words = error.message.lower()
    return any(each in words for each in what)


#: What may be kept of what Telegram says: other words could quote what was sent.
_KNOWN: Final = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "bot can't initiate conversation",
    "bot can't send messages to bots",
    *_GONE,
    *_CLOSED,
    *_UNCHANGEABLE,
    "can't parse entities",
    "button_data_invalid",
    "button_url_invalid",
    "wrong http url",
    "unsupported url protocol",
    "message is too long",
    "message_too_long",
    "message text is empty",
)


def _why(error: TelegramError) -> str:
    """Return the fault in words that may be logged."""
    words = error.message.lower()
    return next((each for each in _KNOWN if each in words), type(error).__name__)
