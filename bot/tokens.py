"""What a button or a link carries: which order, as it was when, for whom, to do what; and that we said so.

A token never expires by itself: whether it may still act is looked up when it is used.
"""

import base64
import hmac
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from itsdangerous import BadSignature
from itsdangerous import Signer as LinkSigner

from core.actors import Via
from core.errors import Malformed, Untrusted
from core.orders.order import OrderId

# docs/facts.md#telegram-callback-data: a button's payload has at most 64 bytes.
MAX_PAYLOAD: Final = 64

_BUTTON: Final = struct.Struct(">16sIB16s")
_LINK: Final = struct.Struct(">16sIB16s")
_MAC_BYTES: Final = 8
_REVIEW_MAC_BYTES: Final = 11  # a link in an SMS: short, and nobody can try this many
_ID_BYTES: Final = 16
_NOBODY: Final = UUID(int=0)


class Purpose(IntEnum):
    """What a button asks for. The numbers are in chats everywhere: never change one."""

    CONFIRM = 1
    CANCEL = 2  # asks for the reason
    COMPLETE = 3
    DETAILS = 4
    CANCEL_1 = 11
    CANCEL_2 = 12
    CANCEL_3 = 13
    CANCEL_4 = 14
    CANCEL_5 = 15
    CANCEL_6 = 16
    CANCEL_OTHER = 20  # asks for the reasons that the first question had no room for
    HELP = 30
    TODAY = 31
    TOMORROW = 32
    MONEY = 33  # `revision` is a month, 202611; 0 is this one
    REVIEWS = 34
    WEB = 35
    MORE = 36  # the rest of the menu
    BY_STATUS = 37  # asks which orders
    LANGUAGE = 38
    LIST = 40  # `revision` is a filter's number; `order_id` the last order shown before, if any
    ENGLISH = 41
    VIETNAMESE = 42
    PAUSE = 50  # asks how long
    PAUSE_UNTIL = 51  # `revision` is the last day, as date.toordinal() counts
    RESUME = 52
    THANK = 60  # answers a review; `revision` is its mark

    @property
    def reason(self) -> int | None:
        """The number of the reason that the press gives, if it gives one."""
        is_reason = Purpose.CANCEL_1 <= self <= Purpose.CANCEL_6
        return self - Purpose.CANCEL_1 + 1 if is_reason else None


def cancel_for(reason: int) -> Purpose:
    """Return the purpose of the button that cancels for this reason (1 to 6)."""
    return Purpose(Purpose.CANCEL_1 + reason - 1)


@dataclass(frozen=True, slots=True)
class ButtonToken:
    """What a pressed button says. `staff_id` is whom it was sent to: nobody else may act by it."""

    order_id: OrderId
    revision: int
    purpose: Purpose
    staff_id: UUID


class Bearer(IntEnum):
    """For whom a link was made and where it was put. The numbers are in mails everywhere."""

    STAFF_MAIL = 1
    STAFF_CHAT = 2
    CUSTOMER = 3
    OPERATOR = 4


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What a link to an order's page says. `staff_id` is None for customers and operators."""

    order_id: OrderId
    revision: int
    bearer: Bearer
    staff_id: UUID | None = None

    @property
    def via(self) -> Via:
        """The way by which somebody who acts on this page came."""
        return Via.EMAIL if self.bearer is Bearer.STAFF_MAIL else Via.WEB


class Signer:
    """Makes tokens and reads them back. Safe to share."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the secret keys, newest first: the first signs, all of them are recognised."""
        if not keys or not all(keys):
            raise ValueError("a signer needs keys")
        self._keys = [hmac.digest(key.encode(), b"chotdon button", sha256) for key in keys]
        self._reviews = [hmac.digest(key.encode(), b"chotdon review link", sha256) for key in keys]
        self._links = _link_signer(keys, b"chotdon link")
        self._one_time = _link_signer(keys, b"chotdon one-time link")

    def button(self, token: ButtonToken) -> str:
        """Return a button's payload: 60 characters of A-Z a-z 0-9 _ -."""
        packed = _BUTTON.pack(token.order_id.bytes, token.revision, token.purpose, token.staff_id.bytes)
        return _encoded(packed + _mac(self._keys[0], packed))

    def read_button(self, payload: str) -> ButtonToken:
        """Return what a payload says. Raises Malformed, or Untrusted where it is not ours."""
        raw = _decoded(payload, _BUTTON.size + _MAC_BYTES)
        packed, mac = raw[: _BUTTON.size], raw[_BUTTON.size :]
        if not any(hmac.compare_digest(_mac(key, packed), mac) for key in self._keys):
            raise Untrusted("button")
        order, revision, purpose, staff = _BUTTON.unpack(packed)
        return ButtonToken(OrderId(UUID(bytes=order)), revision, _purpose(purpose), UUID(bytes=staff))

    def link(self, token: LinkToken) -> str:
        """Return the last part of the address of an order's page: 94 characters, safe in a URL."""
        person = token.staff_id or _NOBODY
        packed = _LINK.pack(token.order_id.bytes, token.revision, token.bearer, person.bytes)
        return self._links.sign(_encoded(packed)).decode()

    def read_link(self, text: str) -> LinkToken:
        """Return what a link says. Raises Malformed, or Untrusted where it is not ours."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", text):
            raise Malformed("link")
        try:
            packed = _decoded(self._links.unsign(text).decode(), _LINK.size)
        except BadSignature:
            raise Untrusted("link") from None
        order, revision, bearer, person = _LINK.unpack(packed)
        staff_id = UUID(bytes=person)
        return LinkToken(
            OrderId(UUID(bytes=order)), revision, _bearer(bearer), None if staff_id == _NOBODY else staff_id
        )

    def review(self, order_id: OrderId) -> str:
        """Return the last part of the address of an order's review page: 36 characters, safe in a URL."""
        return _encoded(order_id.bytes + _mac(self._reviews[0], order_id.bytes, _REVIEW_MAC_BYTES))

    def read_review(self, text: str) -> OrderId:
        """Return the order of a review link. Raises Malformed, or Untrusted where it is not ours."""
        raw = _decoded(text, _ID_BYTES + _REVIEW_MAC_BYTES)
        order, mac = raw[:_ID_BYTES], raw[_ID_BYTES:]
        if not any(hmac.compare_digest(_mac(key, order, _REVIEW_MAC_BYTES), mac) for key in self._reviews):
            raise Untrusted("review")
        return OrderId(UUID(bytes=order))

    def one_time(self, link_id: UUID) -> str:
        """Return the last part of the address of a one-time link: 66 characters, safe in a URL."""
        return self._one_time.sign(_encoded(link_id.bytes)).decode()

    def read_one_time(self, text: str) -> UUID:
        """Return the id of a one-time link. Raises Malformed, or Untrusted where it is not ours."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", text):
            raise Malformed("one_time")
        try:
            return UUID(bytes=_decoded(self._one_time.unsign(text).decode(), _ID_BYTES))
        except BadSignature:
            raise Untrusted("one_time") from None


def is_button(text: str) -> bool:
    """Return whether a text has the shape of a payload of ours; chats may send one back as plain words."""
    return re.fullmatch(r"[A-Za-z0-9_-]{60}", text) is not None


def _link_signer(keys: Sequence[str], salt: bytes) -> LinkSigner:
    return LinkSigner(
        [key.encode() for key in reversed(keys)],
        salt=salt,
        key_derivation="hmac",
        digest_method=sha256,  # itsdangerous' own default is SHA-1
    )


def _mac(key: bytes, packed: bytes, size: int = _MAC_BYTES) -> bytes:
    return hmac.digest(key, packed, sha256)[:size]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str, size: int) -> bytes:
    """Return the bytes behind base64url without padding; Malformed unless they are exactly `size`."""
    if len(text) != -(-size * 4 // 3) or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise Malformed("token")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _purpose(number: int) -> Purpose:
    try:
        return Purpose(number)
    except ValueError:
        raise Malformed("purpose") from None


def _bearer(number: int) -> Bearer:
    try:
        return Bearer(number)
    except ValueError:
        raise Malformed("bearer") from None
