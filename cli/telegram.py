"""The Telegram bot: its webhook and its menu of commands."""

from typing import Final
from urllib.parse import urlsplit

import click
from telegram import Bot, BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.commands import COMMANDS
from bot.telegram.client import close_bot, open_bot, username
from bot.telegram.inbound import ASKED_FOR
from bot.telegram_webhook import PATH
from bot.texts import texts_in
from cli.office import Office, run
from cli.printing import as_json_option, facts, show
from core.errors import Misconfigured
from core.settings import PREFIX, Settings

#: The menu in each language of a phone; None is for every other one.
_LANGUAGES: Final = ((None, "vi"), ("vi", "vi"), ("en", "en"))
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@click.group()
def telegram() -> None:
    """The Telegram bot."""


@telegram.command("set-webhook")
@as_json_option
def set_webhook(*, as_json: bool) -> None:
    """Tell Telegram where our webhook is, and what the bot's menu says in Vietnamese and English.

    To be done once, and again when BASE_URL, the token or the secret changes. What waits is kept.

    Example: chotdon telegram set-webhook
    """

    async def work(office: Office) -> dict[str, object]:
        return await _registered(office.settings)

    document = run(work)
    show(document, lambda: facts(_for_people(document)), as_json=as_json)


def webhook_url(settings: Settings) -> str:
    """Return where Telegram is to post. Raises Misconfigured for an address that it would not take."""
    base = urlsplit(settings.base_url)
    api = urlsplit(settings.telegram_api_url)
    if base.scheme != "https" and api.hostname not in _LOOPBACK:
        raise Misconfigured(f"{PREFIX}BASE_URL must be https: Telegram posts to nothing else")
    return settings.base_url + PATH


async def _registered(settings: Settings) -> dict[str, object]:
    bot = open_bot(settings)
    url, secret = webhook_url(settings), settings.require("telegram_secret")
    try:
        name = await username(bot)
        await bot.set_webhook(url, secret_token=secret, allowed_updates=ASKED_FOR)
        await _set_menus(bot)
    except TelegramError as error:
        raise _fault(error) from None
    finally:
        await close_bot(bot)
    return {"url": url, "bot": name, "commands": [f"/{command.name}" for command in COMMANDS]}


async def _set_menus(bot: Bot) -> None:
    """docs/facts.md#telegram-commands: one menu for each language, and one for all others."""
    for language, locale in _LANGUAGES:
        texts = texts_in(locale)
        menu = [BotCommand(command.name, texts.t(command.description)) for command in COMMANDS]
        await bot.set_my_commands(menu, language_code=language)


def _fault(error: TelegramError) -> click.ClickException:
    """Say what went wrong; the token stands in none of it."""
    if isinstance(error, InvalidToken):
        return click.ClickException(f"Telegram does not know this token: look at {PREFIX}TELEGRAM_TOKEN.")
    return click.ClickException(f"Telegram did not take it: {error.message or type(error).__name__}.")


def _for_people(document: dict[str, object]) -> dict[str, object]:
    commands = document["commands"]
    words = " ".join(commands) if isinstance(commands, list) else ""
    return {"bot": f"@{document['bot']}", "webhook": document["url"], "commands": words}
