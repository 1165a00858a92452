"""What request handlers find in the application."""

from typing import Final

from aiohttp import web

from bot.tokens import Signer
from core.database import Database
from core.ledger import Ledger
from core.settings import Settings

LEDGER: Final = web.AppKey("ledger", Ledger)
DATABASE: Final = web.AppKey("database", Database)
SETTINGS: Final = web.AppKey("settings", Settings)
SIGNER: Final = web.AppKey("signer", Signer)
