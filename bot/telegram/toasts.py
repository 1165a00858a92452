"""What somebody sees for a moment who pressed a button, until the card itself has changed.

Best effort: nobody is owed it. It stops the sign of waiting on the button, on every path.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bot.texts import Texts
from core import metrics
from core.channels import BlockRole, Card, ChannelName
from core.orders.answers import Answer, AnswerKind

_log: Final = structlog.get_logger()
# docs/facts.md#telegram-toast
MAX_TEXT: Final = 200
_WITHIN: Final = 5.0
#: So many may be under way; while Telegram says nothing, further ones are let go.
_AT_ONCE: Final = 200
_QUIET: Final = frozenset({AnswerKind.DONE, AnswerKind.STATE, AnswerKind.NOTHING})


@dataclass(frozen=True, slots=True)
class Toast:
    """Some words over the chat; an `alert` stays until it is closed."""

    text: str = ""
    alert: bool = False


NOTHING: Final = Toast()


def toast_of(card: Card, answer: Answer) -> Toast:
    """Return the end of a pressed command in few words; a refusal stays until it was read."""
    if answer.kind in _QUIET:
        return Toast(_fitted(card.title))
    said = [line for block in card.blocks if block.role is BlockRole.TEXT for line in block.lines]
    return Toast(_fitted(". ".join([card.title, *said[:1]])), alert=True)


def not_theirs(texts: Texts) -> Toast:
    """Tell somebody who is nobody of the kitchen."""
    words = texts.t("Bạn chưa liên kết với quán này nên chưa bấm được. Nhắn riêng cho bot để liên kết nhé.")
    return Toast(_fitted(words), alert=True)


def not_for_them(texts: Texts) -> Toast:
    """Tell somebody of a kitchen that the button was sent to a colleague."""
    return Toast(_fitted(texts.t("Nút này gửi cho người khác, bạn không bấm thay được.")), alert=True)


def not_ours(texts: Texts) -> Toast:
    """Tell somebody that a button is none of ours, or none any more."""
    return Toast(_fitted(texts.t("Nút này không dùng được nữa. Nhắn DS để xem các đơn nhé.")), alert=True)


def try_again(texts: Texts) -> Toast:
    """Tell somebody that nothing was done yet."""
    return Toast(_fitted(texts.t("Hệ thống đang bận, bạn bấm lại sau ít phút nhé.")), alert=True)


def _fitted(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"


class Toasts:
    """Answers taps in the background; needs a running event loop."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._under_way: set[asyncio.Task[None]] = set()

    def show(self, tap: str, make: Callable[[], Awaitable[Toast]]) -> None:
        """Answer a tap with what `make` returns, or with nothing where that fails."""
        if len(self._under_way) >= _AT_ONCE:
            metrics.INBOUND.labels(ChannelName.TELEGRAM.value, "tap not answered").inc()
            return
        task = asyncio.create_task(self._show(tap, make))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def drain(self) -> None:
        """Wait for those that are under way, as long as one may take."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=_WITHIN)

    async def _show(self, tap: str, make: Callable[[], Awaitable[Toast]]) -> None:
        try:
            async with asyncio.timeout(_WITHIN):
                toast = await _made(make)
                await self._bot.answer_callback_query(tap, text=toast.text or None, show_alert=toast.alert)
        except (TelegramError, TimeoutError, KeyError, TypeError) as error:
            metrics.INBOUND.labels(ChannelName.TELEGRAM.value, "tap not answered").inc()
            _log.warning("tap not answered", why=type(error).__name__)


async def _made(make: Callable[[], Awaitable[Toast]]) -> Toast:
    try:
        return await make()
    except Exception:  # noqa: BLE001  (the words are the least of it: the button must stop waiting)
        _log.exception("toast not made")
        return NOTHING
