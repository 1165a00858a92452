"""The bot as python-telegram-bot has it, on our own connections."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from telegram import Bot
from telegram.error import TelegramError
from telegram.helpers import create_deep_linked_url

from bot.telegram.request import AiohttpRequest
from core.settings import Settings

GATEWAY: Final = "telegram"
_log: Final = structlog.get_logger()
_ASK_AGAIN_AFTER: Final = 60.0


def open_bot(settings: Settings) -> Bot:
    """Return the bot that the settings name; nothing is called yet. Close it with `close_bot`."""
    request = AiohttpRequest()
    return Bot(
        settings.require("telegram_token"),
        base_url=f"{settings.telegram_api_url}/bot",
        request=request,
        get_updates_request=request,
    )


async def close_bot(bot: Bot) -> None:
    """Let go of its connections."""
    await bot.request.shutdown()


class BotName:
    """What the bot is called, once Telegram has told; asked for in the background, nobody waits for it."""

    def __init__(self, bot: Bot, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot = bot
        self._clock = clock
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None
        self.known = ""

    def ask(self) -> None:
        """Have it asked for, unless it is known or was asked for a moment ago."""
        now = self._clock()
        if self.known or (self._asked_at is not None and now - self._asked_at < _ASK_AGAIN_AFTER):
            return
        self._asked_at = now
        self._asking = asyncio.create_task(self._ask())

    async def drain(self) -> None:
        """Wait for a question that is under way; calls are bounded."""
        if self._asking is not None:
            await self._asking

    async def _ask(self) -> None:
        try:
            self.known = await username(self._bot)
        except TelegramError as error:
            _log.warning("bot not known by name", why=type(error).__name__)


async def username(bot: Bot) -> str:
    """Return the bot's name in links and commands. Raises TelegramError."""
    try:
        return (await bot.get_me()).username or ""
    except (KeyError, TypeError, AttributeError):
        raise TelegramError("an answer without a bot") from None


def deep_link(bot_name: str, code: str, *, group: bool = False) -> str:
    """Return the address that opens the bot with a link code, or adds it to a group with it."""
    return create_deep_linked_url(bot_name, code, group=group)
