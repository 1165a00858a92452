"""Zalo's events, turned into what somebody said, pressed or received.

See docs/facts.md#zalo-events. Bodies are verified (`signature.verify`) before they come here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

import msgspec
import phonenumbers

from core.channels import (
    Address,
    AddressKind,
    Body,
    ChannelName,
    Followed,
    Inbound,
    Left,
    Pressed,
    Receipt,
    ReceiptKind,
    Replied,
    Said,
    SharedPhone,
    Unreadable,
)
from core.errors import Malformed
from zalo_oa.render import PAYLOAD_MARK, key_of

# A text of a person has at most 2000 characters; whatever is longer did not come from one.
_MAX_TEXT: Final = 4000
# docs/facts.md#zbs-quick-replies: a label has at most 30.
_MAX_LABEL: Final = 100
# Some receipts name no person.
_NOBODY: Final = Address(AddressKind.PHONE, "")
_ID: Final = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?", re.ASCII)

_Id: TypeAlias = str | int
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine event that asks nothing of us; `why` is one of few words, for counting."""

    why: str


def is_probe(raw: bytes) -> bool:
    """Return whether this is the unsigned, empty object, or nothing, that the console posts to a new URL."""
    return re.fullmatch(rb"\s{0,8}(\{\s{0,8}\}\s{0,8})?", raw) is not None


def parse(raw: bytes, *, app_id: str, oa_id: str) -> Inbound | Ignored:
    """Return what a verified body tells us.

    Raises Malformed for a body that Zalo's documents do not allow.
    """
    head = _decoded(raw, _head)
    if head.app_id is not None and str(head.app_id) != app_id:
        return Ignored("foreign app")
    read = _READERS.get(head.event_name)
    if read is None:
        return Ignored(_IGNORED.get(head.event_name, "unknown event"))
    return read(_decoded(raw, _event), oa_id)


class _Head(msgspec.Struct):
    event_name: str
    app_id: _Id | None = None


class _Party(msgspec.Struct):
    id: _Id | None = None


class _Message(msgspec.Struct):
    msg_id: _Id | None = None
    msg_ids: list[_Id] | None = None
    text: str | None = None
    tracking_id: _Id | None = None
    delivery_time: _Id | None = None
    submit_time: _Id | None = None
    data: str | None = None


class _Info(msgspec.Struct):
    phone: _Id | None = None
    name: str | None = None


class _Event(msgspec.Struct):
    event_name: str
    timestamp: _Id | None = None
    sender: _Party = msgspec.field(default_factory=_Party)
    recipient: _Party = msgspec.field(default_factory=_Party)
    follower: _Party | None = None
    user_id: _Id | None = None
    oa_id: _Id | None = None
    msg_id: _Id | None = None
    message: _Message | None = None
    info: _Info = msgspec.field(default_factory=_Info)


_head: Final = msgspec.json.Decoder(_Head)
_event: Final = msgspec.json.Decoder(_Event)


def _decoded(raw: bytes, decoder: msgspec.json.Decoder[_Shape]) -> _Shape:
    try:
        return decoder.decode(raw)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        raise Malformed("shape") from None


# --- One reader for each sort of event ----------------------------------------------------------


def _said(event: _Event, oa_id: str) -> Inbound | Ignored:
    return _from_user(event, oa_id, _words(_message(event).text or ""))


def _attached(event: _Event, oa_id: str) -> Inbound | Ignored:
    """Read a picture, a place and so on; a text beside it is what counts."""
    text = _message(event).text or ""
    what = event.event_name.removeprefix("user_send_")
    return _from_user(event, oa_id, _words(text) if text.strip() else Unreadable(what))


def _followed(event: _Event, oa_id: str) -> Inbound | Ignored:
    return _managed(event, oa_id, Followed())


def _left(event: _Event, oa_id: str) -> Inbound | Ignored:
    return _managed(event, oa_id, Left())


def _shared(event: _Event, oa_id: str) -> Inbound | Ignored:
    if _id(event.recipient.id) != oa_id:
        return Ignored("foreign account")
    phone = _phone(str(event.info.phone or ""))
    if phone is None:
        return Ignored("no phone")
    sender = _required(event.sender.id)
    name = _clean(event.info.name or "")[:100]
    return _inbound(_happening(event, sender), _user(sender), SharedPhone(phone, name))


def _received(event: _Event, oa_id: str) -> Inbound | Ignored:
    message = _message(event)
    if message.tracking_id is None and message.delivery_time is None:
        return _reported(event, oa_id, ReceiptKind.DELIVERED)
    return _received_by_phone(event, oa_id)


def _received_by_phone(event: _Event, oa_id: str) -> Inbound | Ignored:
    """Read a receipt of ZBS: its recipient is a phone (or the hash of one)."""
    if _id(event.sender.id) != oa_id:
        return Ignored("foreign account")
    to = _required(event.recipient.id)
    sender = Address(AddressKind.PHONE, _phone(to) or to)
    return _receipt(event, sender, ReceiptKind.DELIVERED)


def _seen(event: _Event, oa_id: str) -> Inbound | Ignored:
    return _reported(event, oa_id, ReceiptKind.SEEN)


def _reported(event: _Event, oa_id: str, kind: ReceiptKind) -> Inbound | Ignored:
    """Read a receipt of the OA host; which side is named the sender is not certain."""
    parties = [_id(party.id) for party in (event.sender, event.recipient)]
    if oa_id not in parties:
        return Ignored("foreign account")
    user = next((party for party in parties if party and party != oa_id), None)
    return _receipt(event, _user(_required(user)), kind)


def _responded(event: _Event, oa_id: str) -> Inbound | Ignored:
    """Read a quick reply of ZBS. It names no person, only our message."""
    if _id(event.oa_id) != oa_id:
        return Ignored("foreign account")
    label = _clean(_message(event).data or "").strip()[:_MAX_LABEL]
    seen = _receipt(event, _NOBODY, ReceiptKind.SEEN)
    if not (label and isinstance(seen.body, Receipt)):
        return seen
    return replace(seen, body=Replied(label, seen.body.keys, seen.body.ids))


_Reader: TypeAlias = Callable[[_Event, str], Inbound | Ignored]

_ATTACHED: Final = (
    "image",
    "gif",
    "link",
    "audio",
    "video",
    "sticker",
    "location",
    "business_card",
    "file",
)

_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "user_send_text": _said,
        **{f"user_send_{what}": _attached for what in _ATTACHED},
        "follow": _followed,
        "user_click_chatnow": _followed,
        "unfollow": _left,
        "user_submit_info": _shared,
        "user_received_message": _received,
        "user_seen_message": _seen,
        "user_click_response_button": _responded,
    }
)

_ECHOES: Final = ("text", "image", "gif", "list", "file", "sticker", "template")
_ANONYMOUS: Final = ("text", "image", "file", "sticker")

_IGNORED: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{f"oa_send_{what}": "echo" for what in _ECHOES},
        **{f"anonymous_send_{what}": "anonymous" for what in _ANONYMOUS},
        **{f"oa_send_anonymous_{what}": "echo" for what in _ANONYMOUS},
        "user_reacted_message": "reaction",
        "oa_reacted_message": "reaction",
        "user_feedback": "rating",
        "change_template_status": "template",
        "change_template_quality": "template",
        "change_template_quota": "template",
        "change_oa_template_tags": "template",
        "change_oa_daily_quota": "quota",
    }
)


# --- What they share ----------------------------------------------------------------------------


def _from_user(event: _Event, oa_id: str, body: Body) -> Inbound | Ignored:
    if _id(event.recipient.id) != oa_id:
        return Ignored("foreign account")
    sender = _required(event.sender.id)
    return _inbound(_required(_message(event).msg_id), _user(sender), body)


def _managed(event: _Event, oa_id: str, body: Body) -> Inbound | Ignored:
    if _id(event.oa_id) != oa_id:
        return Ignored("foreign account")
    subject = _required(event.follower.id if event.follower else event.user_id)
    return _inbound(_happening(event, subject), _user(subject), body)


def _receipt(event: _Event, sender: Address, kind: ReceiptKind) -> Inbound:
    message = _message(event)
    only = message.msg_id or event.msg_id
    ids = tuple(_required(one) for one in message.msg_ids or ([only] if only else []))
    keys = (key_of(_required(message.tracking_id)),) if message.tracking_id else ()
    if not ids and not keys:
        raise Malformed("id")
    stamp = message.submit_time or event.timestamp
    label = [sha256(message.data.encode()).hexdigest()[:16]] if message.data else []
    subject = ":".join([*ids[:1], *keys, *label])
    return _inbound(f"{event.event_name}:{_required(stamp)}:{subject}", sender, Receipt(kind, ids, keys))


def _happening(event: _Event, subject: str) -> str:
    return f"{event.event_name}:{_required(event.timestamp)}:{subject}"


def _inbound(key: str, sender: Address, body: Body) -> Inbound:
    return Inbound(ChannelName.ZALO, f"{ChannelName.ZALO}:{key}", sender, body)


def _words(text: str) -> Said | Pressed:
    """Tell a tap from typing: nothing but our own mark in the text does."""
    text = _clean(text).strip()
    if text.startswith(PAYLOAD_MARK):
        return Pressed(text.removeprefix(PAYLOAD_MARK))
    return Said(text[:_MAX_TEXT])


def _message(event: _Event) -> _Message:
    if event.message is None:
        raise Malformed("shape")
    return event.message


def _user(user_id: str) -> Address:
    return Address(AddressKind.ZALO_USER, user_id)


def _id(value: _Id | None) -> str | None:
    """Return an id as text; Zalo's are opaque, and numbers beyond 2^53."""
    return None if value is None else str(value)


def _required(value: _Id | None) -> str:
    text = _id(value)
    if text is None or not _ID.fullmatch(text):
        raise Malformed("id")
    return text


def _clean(text: str) -> str:
    """Drop what PostgreSQL cannot store."""
    return text.replace("\x00", "")


def _phone(digits: str) -> str | None:
    """Return "849…" or "09…" as E.164, or None if it is no phone number."""
    try:
        number = phonenumbers.parse(f"+{digits}" if digits.startswith("84") else digits, "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
