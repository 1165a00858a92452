"""Whether Telegram takes our token and posts to us. Nothing is sent, nothing is changed."""

from datetime import UTC, datetime, timedelta
from typing import Final

from telegram import Bot, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from bot.telegram.client import close_bot, open_bot, username
from bot.telegram_webhook import PATH
from core.errors import Misconfigured
from core.settings import PREFIX, Settings

_REGISTER: Final = "run `chotdon telegram set-webhook`"
#: A trouble longer ago than this is over.
_LATELY: Final = timedelta(minutes=30)


async def check_telegram(settings: Settings) -> str:
    """Ask who the bot is and how its webhook is. Raises Misconfigured for what keeps it silent."""
    bot = open_bot(settings)
    try:
        name, info = await username(bot), await _webhook(bot)
    except InvalidToken:
        raise Misconfigured(f"Telegram does not know this token: look at {PREFIX}TELEGRAM_TOKEN") from None
    except TelegramError as error:
        raise Misconfigured(f"Telegram gave no answer that can be used: {type(error).__name__}") from None
    finally:
        await close_bot(bot)
    _look_at(info, settings.base_url + PATH)
    waiting = f", {info.pending_update_count} updates wait" if info.pending_update_count else ""
    return f"@{name} answers to our token; Telegram posts to us{waiting}"


async def _webhook(bot: Bot) -> WebhookInfo:
    try:
        return await bot.get_webhook_info()
    except (KeyError, TypeError, AttributeError):
        raise TelegramError("an answer without a webhook") from None


def _look_at(info: WebhookInfo, url: str) -> None:
    if not info.url:
        raise Misconfigured(f"Telegram posts nowhere: {_REGISTER}")
    if info.url != url:
        raise Misconfigured(f"Telegram posts to {info.url}, not to {url}: {_REGISTER}")
    if (
        info.last_error_date
        and datetime.now(UTC) - info.last_error_date < _LATELY
        and info.pending_update_count
    ):
        raise Misconfigured(
            f"Telegram cannot hand {info.pending_update_count} updates to us: {info.last_error_message}"
        )
