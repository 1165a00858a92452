"""The ways by which somebody links a chat: a code for each that is on, and the address that carries it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from bot.keys import DATABASE, SETTINGS, TELEGRAM_LINKS
from bot.web.channels import channels_on
from core.channels import ChannelName
from core.database import Connection
from core.partners import linking

_CHATS = (ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS)


@dataclass(frozen=True, slots=True)
class LinkWay:
    """What is to be sent on one channel, and what opens it there with one tap, where something does."""

    channel: str
    text: str
    url: str | None = None
    number: str | None = None


async def draw(
    request: web.Request,
    staff_id: UUID,
    *,
    invite_id: UUID | None = None,
    also: Callable[[Connection], Awaitable[None]] | None = None,
) -> list[LinkWay]:
    """Draw fresh codes for every chat that is on; a code of an invitation ends it when it is used.

    `also` is done in the same transaction.
    """
    settings, database = request.config_dict[SETTINGS], request.config_dict[DATABASE]
    key, now, on = (
        linking.code_key(settings.require("secret_key")),
        database.clock.now(),
        channels_on(settings),
    )
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        codes = {
            chat: await linking.issue_code(
                connection, [staff_id], chat, key=key, now=now, invite_id=invite_id
            )
            for chat in _CHATS
            if chat in on
        }
        if also:
            await also(connection)
    return [await _way(request, chat, code.code) for chat, code in codes.items()]


async def _way(request: web.Request, chat: ChannelName, code: str) -> LinkWay:
    settings, text = request.config_dict[SETTINGS], f"LK {code}"
    if chat is ChannelName.TELEGRAM:
        links = request.config_dict.get(TELEGRAM_LINKS)
        return LinkWay(chat.value, text, await links.to(code) if links else None)
    if chat is ChannelName.ZALO:
        # docs/facts.md#zalo-account-link: opens the conversation; it carries no text.
        return LinkWay(chat.value, text, f"https://zalo.me/{settings.zalo_oa_id}")
    if settings.sms_reply_prefix:
        text = f"{settings.sms_reply_prefix} {text}"
    number = settings.sms_reply_number
    # docs/facts.md#sms-link
    url = f"sms:{quote(number)}?body={quote(text)}" if number else None
    return LinkWay(chat.value, text, url, number)
