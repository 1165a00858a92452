"""SpeedSMS.vn: two-way fixed numbers. It cannot tell a repeat: a call that timed out is never made again.

Written after speedsms.vn/sms-api and public clients as of 2026-11; docs/facts.md says what is not confirmed.
"""

from collections.abc import Mapping
from datetime import timedelta
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

NAME: Final = "speedsms"

# docs/facts.md#speedsms-rate: 429 and `X-Rate-Limit-Reset` when over.
RATE: Final = Rate(60, timedelta(seconds=60))

# docs/facts.md#speedsms-send
_SEND: Final = "/index.php/sms/send"
# docs/facts.md#speedsms-status
_ASK: Final = "/index.php/sms/status"
_PASSWORD: Final = "x"  # noqa: S105  (SpeedSMS wants this letter; the token is the user's name)

_NO_PHONE: Final = NoSuchRecipient("105 bad phone")

# docs/facts.md#speedsms-errors: what each code means for the message.
ERRORS: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "007": Refused("007 IP", Scope.EVERYBODY, alarm="SpeedSMS khoá IP của máy chủ này (007)"),
        "008": Refused("008 account", Scope.EVERYBODY, alarm="SpeedSMS khoá tài khoản (008)"),
        "009": Refused("009 API", Scope.EVERYBODY, alarm="SpeedSMS chưa cho phép dùng API (009)"),
        "101": Refused("101 parameters", alarm="SpeedSMS không nhận tham số: kiểm tra SPEEDSMS_SENDER (101)"),
        "105": _NO_PHONE,
        "110": Refused("110 encoding"),
        "113": Refused("113 too long"),
        "300": Refused("300 balance", Scope.EVERYBODY, alarm="SpeedSMS: tài khoản hết tiền (300)"),
        "500": TryLater("500 internal"),
    }
)

#: No SMS costs that much: such a price is a mistake.
_TOO_DEAR: Final = 1_000_000

# docs/facts.md#speedsms-reports: 0 has arrived, up to 63 may still, from 64 on will not.
_DELIVERED: Final = 0
_FAILED: Final = 64


def progress(status: int) -> ReceiptKind | None:
    """Return how far a message came; None while it is under way."""
    if status == _DELIVERED:
        return ReceiptKind.DELIVERED
    return ReceiptKind.FAILED if status >= _FAILED else None


class SpeedSms:
    """Sends by SpeedSMS."""

    name: Final = NAME
    rate: Final = RATE

    def __init__(
        self, session: aiohttp.ClientSession, *, url: str, token: str, sms_type: int, sender: str | None
    ) -> None:
        self._session = session
        self._url = url
        self._authorization = aiohttp.encode_basic_auth(token, _PASSWORD)
        self._type = sms_type
        self._sender = sender

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Hand one text over; there is nothing to give a `key` to."""
        to = phone.removeprefix("+")
        body = {"to": [to], "content": text, "sms_type": self._type, "sender": self._sender or ""}
        request = Request("POST", self._url + _SEND, json=body, authorization=self._authorization)
        charge = Charge(NAME, parts(text))
        reply = await call(self._session, request, charge)
        return reply if isinstance(reply, TryLater | Unclear) else _judged(reply, charge)

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """Ask for a message's state; the answer's shape is not confirmed, so both that are told are read."""
        url = f"{self._url}{_ASK}/{quote(gateway_id, safe='')}"
        reply = await call(self._session, Request("GET", url, authorization=self._authorization))
        if isinstance(reply, TryLater | Unclear):
            return None
        told = parsed(reply, _States) or parsed(reply, _State)
        if isinstance(told, _States):
            return progress(told.data[0].status) if told.data else None
        return progress(told.data.status) if told else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._session.close()


def open_speedsms(settings: Settings) -> SpeedSms:
    """Return the gateway that the settings describe; needs a running event loop."""
    return SpeedSms(
        open_session(),
        url=settings.speedsms_url,
        token=settings.require("speedsms_token"),
        sms_type=settings.speedsms_type,
        sender=settings.speedsms_sender,
    )


class _Answer(msgspec.Struct):
    status: str = ""
    code: str | int = ""


class _Taken(msgspec.Struct, rename="camel"):
    tran_id: str | int | None = None
    total_price: int | float | None = None
    invalid_phone: tuple[str | int, ...] = ()


class _Success(msgspec.Struct):
    data: _Taken


class _Progress(msgspec.Struct):
    status: int


class _State(msgspec.Struct):
    data: _Progress


class _States(msgspec.Struct):
    data: list[_Progress]


def _judged(reply: Reply, charge: Charge) -> Outcome:
    answer = parsed(reply, _Answer)
    if answer is None or answer.status not in {"success", "error"} or reply.status == 429:
        return unreadable(reply, "SpeedSMS", charge)
    if answer.status == "success":
        return _taken(parsed(reply, _Success), charge)
    code = str(answer.code)
    return ERRORS.get(code.zfill(3), Refused(f"{code[:20]} unknown to us"))


def _taken(success: _Success | None, charge: Charge) -> Outcome:
    if success is None:
        return Unclear("taken without a number", charge)
    taken = success.data
    if taken.invalid_phone:  # ours is the only one there was
        return _NO_PHONE
    name = str(taken.tran_id) if taken.tran_id else None
    return Sent(name, charge=Charge(NAME, charge.parts, _dong(taken.total_price)))


def _dong(price: float | None) -> int | None:
    return round(price) if price is not None and 0 <= price < _TOO_DEAR else None
