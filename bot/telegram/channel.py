"""The channel `telegram`: sends cards, and changes those that were sent."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.telegram import render
from bot.telegram.client import GATEWAY, close_bot, open_bot
from bot.telegram.errors import is_same, is_unchangeable, outcome_of
from bot.telegram.pace import GroupPace
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    NoSuchRecipient,
    Outcome,
    Rate,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.settings import Settings

# docs/facts.md#telegram-rates: messages of one bot, to whomever.
RATE: Final = Rate(30, timedelta(seconds=1))
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_GROUP_IS_FULL: Final = "the group has had its messages of this minute"


class TelegramChannel:
    """Reaches people by the chat that they have with the bot, and kitchens by their group."""

    name: Final = ChannelName.TELEGRAM
    gateway: Final = GATEWAY
    rate: Final = RATE

    def __init__(self, bot: Bot, pace: GroupPace | None = None) -> None:
        self._bot = bot
        self._pace = pace or GroupPace()

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whether the address is a chat of Telegram's."""
        return address.kind is AddressKind.TELEGRAM_CHAT

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one card to Telegram; it has no way to recognise a repeated `key`."""
        if (chat := _chat(address.value)) is None:
            return NoSuchRecipient("no chat id")
        if wait := self._pace.wait(address.value):
            return TryLater(_GROUP_IS_FULL, wait, Scope.RECIPIENT)
        try:
            shown = render.message(card, in_group=address.is_group)
        except ValueError as error:
            return Refused(str(error))
        return await self._sent(chat, shown)

    async def edit(
        self, address: Address, gateway_id: str, card: Card, *, key: str, or_send: bool
    ) -> Outcome:
        """Let an earlier message show this card; one that cannot be changed is followed by a short one."""
        place = _place(gateway_id)
        if place is None or str(place[0]) != address.value:  # a group that moved left its messages behind
            return await self._instead(address, card, key, or_send=or_send)
        if wait := self._pace.wait(address.value):
            return TryLater(_GROUP_IS_FULL, wait, Scope.RECIPIENT)
        try:
            await self._changed(*place, render.edited(card))
        except ValueError as error:
            return Refused(str(error))
        except TelegramError as error:
            if is_unchangeable(error):
                return await self._instead(address, card, key, or_send=or_send)
            if is_same(error):
                return Sent(gateway_id)
            return outcome_of(error, in_group=address.is_group, is_edit=True)
        return Sent(gateway_id)

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Telegram tells a bot nothing of what was read."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        await close_bot(self._bot)

    async def _sent(self, chat: int, shown: render.Message) -> Outcome:
        try:
            sent = await self._bot.send_message(
                chat,
                shown.text,
                parse_mode=ParseMode.HTML,
                reply_markup=shown.markup,
                link_preview_options=_NO_PREVIEW,
            )
            number = sent.message_id
        except TelegramError as error:
            return outcome_of(error, in_group=chat < 0)
        except _UNREADABLE:
            return Unclear("an answer without a message")
        return Sent(f"{chat}:{number}")

    async def _changed(self, chat: int, message: int, shown: render.Message) -> None:
        with suppress(*_UNREADABLE):  # it said yes, in a shape that the library does not know
            await self._bot.edit_message_text(
                shown.text,
                chat,
                message,
                parse_mode=ParseMode.HTML,
                reply_markup=shown.markup if isinstance(shown.markup, InlineKeyboardMarkup) else None,
                link_preview_options=_NO_PREVIEW,
            )

    async def _instead(self, address: Address, card: Card, key: str, *, or_send: bool) -> Outcome:
        """Send the card anew, in short, where it is the newest of its order there."""
        if not or_send:
            return Refused("the message cannot be changed any more")
        return await self.send(address, render.brief(card), key=key)


#: What comes of an answer of another shape than the Bot API's: the library checks none.
_UNREADABLE: Final = (KeyError, TypeError, AttributeError, ValueError)


def _chat(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?[0-9]{1,20}", value, re.ASCII) else None


def _place(gateway_id: str) -> tuple[int, int] | None:
    """Return the chat and the message that an id of ours names."""
    found = re.fullmatch(r"(-?[0-9]{1,20}):([0-9]{1,20})", gateway_id, re.ASCII)
    return (int(found[1]), int(found[2])) if found else None


def open_channel(settings: Settings) -> TelegramChannel:
    """Return the channel that the settings describe; nothing is called yet."""
    return TelegramChannel(open_bot(settings))
