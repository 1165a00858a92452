"""What request handlers find in the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.tokens import Signer
from core.database import Database
from core.ledger import Ledger
from core.settings import Settings
from core.waking import Wake

LEDGER: Final = web.AppKey("ledger", Ledger)
DATABASE: Final = web.AppKey("database", Database)
SETTINGS: Final = web.AppKey("settings", Settings)
SIGNER: Final = web.AppKey("signer", Signer)


@dataclass(frozen=True, slots=True)
class Waking:
    """How the worker is woken for what was just written."""

    wake: Wake


WAKING: Final = web.AppKey("waking", Waking)


@dataclass(frozen=True, slots=True)
class TelegramLinks:
    """Makes the address that opens the bot with a link code; None while the bot's name is not known."""

    to: Callable[[str], Awaitable[str | None]]


TELEGRAM_LINKS: Final = web.AppKey("telegram_links", TelegramLinks)
