"""The Bot API's updates, turned into what somebody said, pressed or did. Pure.

Whoever pressed or wrote is `from`: the id of a person's private chat with the bot is that person's. Bodies
are known to be Telegram's before they come here; what is in them is checked all the same.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatType

from bot.commands import words_for
from core.channels import (
    Address,
    AddressKind,
    Body,
    ChannelName,
    Followed,
    Inbound,
    Left,
    Moved,
    Pressed,
    Said,
    SharedPhone,
    Unreadable,
)
from core.errors import Malformed, RuleError
from core.partners.phones import e164

# docs/facts.md#telegram-updates: what we ask for.
ASKED_FOR: Final = ("message", "callback_query", "my_chat_member")
# docs/facts.md#telegram-text: nothing that a person writes is longer.
_MOST_TEXT: Final = 4096
_MOST_NAME: Final = 100
_GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
_GONE: Final = frozenset({ChatMember.LEFT, ChatMember.BANNED})
# docs/facts.md#telegram-deep-link
_START: Final = re.compile(r"/start(?:@([A-Za-z0-9_]{1,64}))?(?:\s+([A-Za-z0-9_-]{1,64}))?\s*", re.ASCII)
_MENTION: Final = re.compile(r"/[A-Za-z0-9_]{1,64}@([A-Za-z0-9_]{1,64})\b", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{6,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine update that asks nothing of us; `why` is one of few words, for counting."""

    why: str


def read(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body. Raises Malformed."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        raise Malformed("shape") from None


def tap_of(update: dict[str, Any]) -> str | None:
    """Return the id of a pressed button, which is to be answered whatever else the update holds."""
    query = update.get("callback_query")
    tap = query.get("id") if isinstance(query, dict) else None
    return tap if isinstance(tap, str) and 0 < len(tap) <= _MOST_NAME else None


def names_a_bot(update: dict[str, Any]) -> bool:
    """Whether it is a command for a bot that it names ("/donhang@ChotDonBot")."""
    message = update.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    return isinstance(text, str) and _MENTION.match(text) is not None


def parse(update: dict[str, Any], *, bot_name: str) -> Inbound | Ignored:
    """Return what an update tells us; `bot_name` is ours, empty while nobody knows it.

    Raises Malformed for what the Bot API's documents do not allow.
    """
    key = f"{ChannelName.TELEGRAM}:{_whole(update.get('update_id'))}"
    if not any(name in update for name in ASKED_FOR):
        return Ignored("not asked for")
    wanted: dict[str, Any] = {name: update[name] for name in ("update_id", *ASKED_FOR) if name in update}
    try:
        told = Update.de_json(wanted, None)
        return _told(told, key, bot_name)
    except Malformed:
        raise
    except Exception:  # noqa: BLE001  (the library checks no shapes: there is no end to what can go wrong)
        raise Malformed("shape") from None


def _told(update: Update, key: str, bot_name: str) -> Inbound | Ignored:
    if update.callback_query:
        return _pressed(update.callback_query, key)
    if update.my_chat_member:
        return _joined_or_left(update.my_chat_member, key)
    if update.message:
        return _wrote(update.message, key, bot_name)
    raise Malformed("shape")


# --- buttons ----------------------------------------------------------------------------------


def _pressed(query: CallbackQuery, key: str) -> Inbound | Ignored:
    if query.data is None:
        return Ignored("no payload")
    message = query.message
    chat = message.chat if message else None
    place = f"{_whole_id(chat.id)}:{_whole(message.message_id)}" if message and chat else None
    return Inbound(
        ChannelName.TELEGRAM,
        key,
        _person(query.from_user),
        Pressed(_text(query.data)),
        group=_group(chat),
        pressed_on=place,
    )


# --- coming and going -------------------------------------------------------------------------


def _joined_or_left(change: ChatMemberUpdated, key: str) -> Inbound | Ignored:
    if change.chat.type == ChatType.CHANNEL:
        return Ignored("channel")
    was, now = (member.status in _GONE for member in (change.old_chat_member, change.new_chat_member))
    if was == now:
        return Ignored("still there")
    body: Body = Left() if now else Followed()
    group = _group(change.chat)
    return Inbound(ChannelName.TELEGRAM, key, _person(change.from_user), body, group=group)


# --- words ------------------------------------------------------------------------------------


def _wrote(message: Message, key: str, bot_name: str) -> Inbound | Ignored:
    group = _group(message.chat)
    if message.migrate_to_chat_id is not None and group:
        moved = Moved(str(_whole_id(message.migrate_to_chat_id)))
        return Inbound(ChannelName.TELEGRAM, key, group, moved, group=group)
    if why := _whose_word_does_not_count(message):
        return Ignored(why)
    body = _body(message, bot_name, in_group=group is not None)
    if isinstance(body, Ignored):
        return body
    return Inbound(ChannelName.TELEGRAM, key, _person(message.from_user), body, group=group)


def _whose_word_does_not_count(message: Message) -> str | None:
    """Say why nobody answers for a message: an anonymous admin is nobody."""
    if message.chat.type == ChatType.CHANNEL or message.from_user is None:
        return "no person"
    if message.sender_chat is not None:
        return "anonymous"
    if message.from_user.is_bot or message.via_bot is not None:
        return "bot"
    return None


def _body(message: Message, bot_name: str, *, in_group: bool) -> Body | Ignored:
    if message.text is not None:
        return _said(_text(message.text), bot_name)
    if message.contact and not in_group:
        return _shared(message)
    if in_group:  # people of a group talk to each other
        return Ignored("group talk")
    if message.caption:
        return Said(_text(message.caption))
    what = next((name for name in _UNREADABLE if getattr(message, name, None)), None)
    return Unreadable(what) if what else Ignored("service message")


def _said(text: str, bot_name: str) -> Body | Ignored:
    mentioned = _MENTION.match(text)
    bot_name = bot_name or (mentioned[1] if mentioned else "")
    if start := _START.fullmatch(text):
        if start[1] and start[1].casefold() != bot_name.casefold():
            return Ignored("another bot's")
        return Said(f"LK {start[2]}") if start[2] else Followed()
    words = words_for(text, bot_name)
    return Ignored("another bot's") if words is None else Said(words)


def _shared(message: Message) -> Body | Ignored:
    """Read a contact; docs/facts.md#telegram-contact: whose account it is, Telegram says by `user_id`.

    A contact that was forwarded is not believed.
    """
    contact, sender = message.contact, message.from_user
    if contact is None or sender is None:
        return Ignored("no phone")
    phone = _phone(_text(contact.phone_number))
    if phone is None:
        return Ignored("no phone")
    name = _text(f"{contact.first_name} {contact.last_name or ''}")[:_MOST_NAME].strip()
    is_own = contact.user_id is not None and _whole(contact.user_id) == sender.id
    return SharedPhone(phone, name, is_own=is_own and message.forward_origin is None)


#: Names of what a message may hold that we do not read.
_UNREADABLE: Final = (
    "photo",
    "voice",
    "audio",
    "video",
    "video_note",
    "animation",
    "sticker",
    "document",
    "location",
    "venue",
    "contact",
    "poll",
    "dice",
    "story",
)


# --- what they share --------------------------------------------------------------------------


def _person(user: User | None) -> Address:
    if user is None:
        raise Malformed("from")
    return Address(AddressKind.TELEGRAM_CHAT, str(_whole(user.id)))


def _group(chat: Chat | None) -> Address | None:
    if chat is None or chat.type not in _GROUPS:
        return None
    number = _whole_id(chat.id)
    if number >= 0:
        raise Malformed("chat")
    return Address(AddressKind.TELEGRAM_CHAT, str(number))


def _whole_id(value: object) -> int:
    """Return an id of Telegram's; docs/facts.md#telegram-updates: at most 52 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**52:
        raise Malformed("id")
    return value


def _whole(value: object) -> int:
    number = _whole_id(value)
    if number < 0:
        raise Malformed("id")
    return number


def _text(value: object) -> str:
    """Return a text as PostgreSQL can store it."""
    if not isinstance(value, str):
        raise Malformed("text")
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()[:_MOST_TEXT]


def _phone(given: str) -> str | None:
    """Return a contact's phone as E.164: Telegram writes it with or without the plus."""
    digits = given.strip()
    international = _DIGITS.fullmatch(digits) and not digits.startswith("0")
    try:
        return e164(f"+{digits}" if international else digits)
    except RuleError:
        return None
