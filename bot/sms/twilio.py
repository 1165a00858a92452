"""Twilio, for numbers outside Vietnam. It cannot tell a repeat: a call that timed out is never made again.

Written after twilio.com/docs as of 2026-11; see docs/facts.md for what is not confirmed.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec

from bot.sms.calling import Reply, Request, call, open_session, parsed, unreadable
from bot.sms.text import parts
from core.channels import (
    Charge,
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

NAME: Final = "twilio"
STATUS_PATH: Final = "/webhooks/sms/twilio/status"

# docs/facts.md#twilio-send: a form, answered with 201; no key to tell a repeat by.
_ACCOUNTS: Final = "/2010-04-01/Accounts"
_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
_CURRENCY: Final = "VND"
#: No SMS costs that much: such a price is a mistake.
_TOO_DEAR: Final = 1_000_000

# docs/facts.md#twilio-errors: what each code means for the message.
ERRORS: Final[Mapping[int, Outcome]] = MappingProxyType(
    {
        20003: Refused("20003 sign in", Scope.EVERYBODY, alarm="Twilio không nhận khoá (20003)"),
        20005: Refused("20005 account", Scope.EVERYBODY, alarm="Twilio: tài khoản không hoạt động (20005)"),
        20404: Refused("20404 account", Scope.EVERYBODY, alarm="Twilio không biết tài khoản này (20404)"),
        20429: TryLater("20429 too many calls"),
        21211: NoSuchRecipient("21211 bad phone"),
        21212: Refused("21212 sender", Scope.EVERYBODY, alarm="Twilio không nhận số gửi (21212)"),
        21214: NoSuchRecipient("21214 cannot be reached"),
        21408: Refused("21408 region", alarm="Twilio chưa mở gửi tới quốc gia này (21408)"),
        21602: Refused("21602 no text"),
        21603: Refused("21603 no sender", Scope.EVERYBODY, alarm="Twilio thiếu số gửi (21603)"),
        21604: NoSuchRecipient("21604 no phone"),
        21606: Refused("21606 sender", Scope.EVERYBODY, alarm="Twilio: số gửi không phải của mình (21606)"),
        21608: Refused("21608 trial", Scope.EVERYBODY, alarm="Twilio: tài khoản dùng thử (21608)"),
        21609: Refused("21609 callback", Scope.EVERYBODY, alarm="Twilio không nhận BASE_URL (21609)"),
        21610: NoSuchRecipient("21610 unsubscribed"),
        21611: TryLater("21611 queue full"),
        21612: NoSuchRecipient("21612 not from this sender"),
        21614: NoSuchRecipient("21614 not a mobile phone"),
        21617: Refused("21617 too long"),
        21635: NoSuchRecipient("21635 a landline"),
        21659: Refused("21659 sender", Scope.EVERYBODY, alarm="Twilio: số gửi không phải của mình (21659)"),
        21703: Refused("21703 service", Scope.EVERYBODY, alarm="Twilio: dịch vụ nhắn tin chưa có số (21703)"),
        30002: Refused("30002 account", Scope.EVERYBODY, alarm="Twilio: tài khoản bị khoá (30002)"),
    }
)

# docs/facts.md#twilio-statuses: the others are steps on the way.
_PROGRESS: Final[Mapping[str, ReceiptKind]] = MappingProxyType(
    {
        "delivered": ReceiptKind.DELIVERED,
        "read": ReceiptKind.SEEN,
        "undelivered": ReceiptKind.FAILED,
        "failed": ReceiptKind.FAILED,
        "canceled": ReceiptKind.FAILED,
    }
)


def progress(status: str) -> ReceiptKind | None:
    """Return how far a message came; None while it is under way."""
    return _PROGRESS.get(status)


class Twilio:
    """Sends by Twilio."""

    name: Final = NAME
    rate: Final[Rate | None] = None

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        account_sid: str,
        auth_token: str,
        sender: str,
        callback_url: str,
    ) -> None:
        self._session = session
        self._messages = f"{url}{_ACCOUNTS}/{quote(account_sid, safe='')}/Messages"
        self._authorization = aiohttp.encode_basic_auth(account_sid, auth_token)
        self._sender = {("MessagingServiceSid" if _SERVICE.fullmatch(sender) else "From"): sender}
        self._callback_url = callback_url

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Hand one text over; there is nothing to give a `key` to."""
        form = {**self._sender, "To": phone, "Body": text, "StatusCallback": self._callback_url}
        request = Request("POST", f"{self._messages}.json", form=form, authorization=self._authorization)
        charge = Charge(NAME, parts(text))
        reply = await call(self._session, request, charge)
        return reply if isinstance(reply, TryLater | Unclear) else _judged(reply, charge)

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """Ask for a message's state."""
        url = f"{self._messages}/{quote(gateway_id, safe='')}.json"
        reply = await call(self._session, Request("GET", url, authorization=self._authorization))
        if isinstance(reply, TryLater | Unclear):
            return None
        message = parsed(reply, _Message)
        return progress(message.status) if message else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._session.close()


def open_twilio(settings: Settings) -> Twilio:
    """Return the gateway that the settings describe; needs a running event loop."""
    return Twilio(
        open_session(),
        url=settings.twilio_url,
        account_sid=settings.require("twilio_account_sid"),
        auth_token=settings.require("twilio_auth_token"),
        sender=settings.require("twilio_from"),
        callback_url=settings.base_url + STATUS_PATH,
    )


class _Message(msgspec.Struct):
    sid: str = ""
    status: str = ""
    price: float | str | None = None
    price_unit: str | None = None


class _Fault(msgspec.Struct):
    code: int = 0


def _judged(reply: Reply, charge: Charge) -> Outcome:
    if reply.status in {200, 201}:
        message = parsed(reply, _Message)
        return _taken(message, charge) if message and message.sid else unreadable(reply, "Twilio", charge)
    fault = parsed(reply, _Fault)
    if fault is None or not fault.code or reply.status == 429 or reply.status >= 500:
        return unreadable(reply, "Twilio", charge)
    return ERRORS.get(fault.code, Refused(f"{fault.code} unknown to us"))


def _taken(message: _Message, charge: Charge) -> Sent:
    return Sent(message.sid, charge=Charge(NAME, charge.parts, _dong(message)))


def _dong(message: _Message) -> int | None:
    """Return the price where it is told in đồng; what is paid stands there as a negative number."""
    if message.price_unit != _CURRENCY or message.price is None:
        return None
    try:
        price = abs(float(message.price))
    except ValueError:
        return None
    return round(price) if price < _TOO_DEAR else None
