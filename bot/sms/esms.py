"""eSMS.vn: customer care messages under a brand name, delivery reports, answers to short codes.

Written after developers.esms.vn as of 2026-11; see docs/facts.md for what is not confirmed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote
from uuid import UUID

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

NAME: Final = "esms"
#: An answer that goes back in the HTTP reply to a short code's message: another price than a message's.
REPLY: Final = "esms_reply"
STATUS_PATH: Final = "/webhooks/sms/esms/status"

# docs/facts.md#esms-send: V4, JSON in and out.
_SEND: Final = "/MainService.svc/json/SendMultipleMessage_V4_post_json/"
# docs/facts.md#esms-status: of the last seven days. Its keys travel in the query.
_ASK: Final = "/MainService.svc/json/GetSendStatus"
_CUSTOMER_CARE: Final = "2"
_VIETNAM: Final = "+84"

_TAKEN: Final = "100"
_TAKEN_BEFORE: Final = "124"
_UNDER_WAY: Final = "199"

# docs/facts.md#esms-errors: what each code means for the message.
ERRORS: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "99": NoSuchRecipient("99 number blocked"),
        "101": Refused("101 key", Scope.EVERYBODY, alarm="eSMS không nhận khoá API (101)"),
        "102": Refused(
            "102 no price list", Scope.EVERYBODY, alarm="eSMS chưa có bảng giá cho tài khoản (102)"
        ),
        "103": Refused("103 balance", Scope.EVERYBODY, alarm="eSMS: tài khoản hết tiền (103)"),
        "104": Refused("104 brandname", Scope.EVERYBODY, alarm="eSMS không có brandname này (104)"),
        "105": Refused("105 SMSID unknown"),
        "107": Refused("107 an advertisement", Scope.EVERYBODY, alarm="eSMS xem tin là quảng cáo (107)"),
        "108": NoSuchRecipient("108 bad phone"),
        "118": Refused("118 type", Scope.EVERYBODY, alarm="eSMS không có loại tin này (118)"),
        "120": Refused("120 too many numbers"),
        "140": Refused("140 IP", Scope.EVERYBODY, alarm="eSMS chưa cho phép IP của máy chủ này (140)"),
        "146": Refused("146 template", alarm="eSMS: nội dung không khớp mẫu đã đăng ký (146)"),
        "177": Refused("177 network", alarm="eSMS: nhà mạng chưa đăng ký brandname này (177)"),
        "300": Refused("300 type missing", Scope.EVERYBODY, alarm="eSMS không có loại tin này (300)"),
    }
)

# docs/facts.md#esms-statuses
_REJECTED: Final = 4
_DONE: Final = 5


def progress(status: int, succeeded: int, failed: int) -> ReceiptKind | None:
    """Return how far a message came; 5 says only that eSMS is done with it, well or not."""
    if status == _DONE and succeeded > 0:
        return ReceiptKind.DELIVERED
    if status == _REJECTED or (status == _DONE and failed > 0):
        return ReceiptKind.FAILED
    return None


class Esms:
    """Sends by eSMS. A RequestId is taken once, so that a second try of a message is safe."""

    name: Final = NAME
    rate: Final[Rate | None] = None

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        api_key: str,
        secret_key: str,
        brandname: str,
        callback_url: str | None,
    ) -> None:
        self._session = session
        self._url = url
        self._keys = {"ApiKey": api_key, "SecretKey": secret_key}
        self._brandname = brandname
        self._callback = {"CallbackUrl": callback_url} if callback_url else {}

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Hand one text over; `key` becomes the RequestId, which comes back in reports."""
        body = {
            **self._keys,
            **self._callback,
            "Phone": _national(phone),
            "Content": text,
            "Brandname": self._brandname,
            "SmsType": _CUSTOMER_CARE,
            "IsUnicode": "0",
            "RequestId": request_id(key),
        }
        charge = Charge(NAME, parts(text))
        reply = await call(self._session, Request("POST", self._url + _SEND, json=body), charge)
        return reply if isinstance(reply, TryLater | Unclear) else _judged(reply, charge)

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """Ask for a message's state of the last seven days."""
        params = {"RefId": gateway_id, **self._keys}
        reply = await call(self._session, Request("GET", self._url + _ASK, params=params))
        if isinstance(reply, TryLater | Unclear):
            return None
        state = parsed(reply, _State)
        return progress(state.SendStatus, state.SendSuccess, state.SendFailed) if state else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._session.close()


def open_esms(settings: Settings) -> Esms:
    """Return the gateway that the settings describe; needs a running event loop."""
    return Esms(
        open_session(),
        url=settings.esms_url,
        api_key=settings.require("esms_api_key"),
        secret_key=settings.require("esms_secret_key"),
        brandname=settings.require("esms_brandname"),
        callback_url=_callback_url(settings),
    )


def _callback_url(settings: Settings) -> str | None:
    """Return where reports are to go. They are not signed: the path's secret is their proof."""
    if settings.webhook_path_secret is None:
        return None
    secret = quote(settings.webhook_path_secret.get_secret_value(), safe="")
    return f"{settings.base_url}{STATUS_PATH}/{secret}"


def reply_charge(text: str) -> Charge:
    """Return what it costs to answer with this text in the HTTP reply."""
    return Charge(REPLY, parts(text))


def request_id(key: str) -> str:
    """Return our key as eSMS takes it."""
    return key.replace("-", "")


def key_of(request: str) -> str | None:
    """Return the key that a RequestId was made of, None if it is none of ours."""
    try:
        return str(UUID(request))
    except ValueError:
        return None


class _Answer(msgspec.Struct):
    CodeResult: str | int = ""
    SMSID: str | int | None = None


class _State(msgspec.Struct):
    SendStatus: int = 0
    SendSuccess: int = 0
    SendFailed: int = 0


def _judged(reply: Reply, charge: Charge) -> Outcome:
    answer = parsed(reply, _Answer)
    if answer is None or not answer.CodeResult:
        return unreadable(reply, "eSMS", charge)
    code, name = str(answer.CodeResult), str(answer.SMSID) if answer.SMSID else None
    if code == _TAKEN:
        return Sent(name, charge=charge)
    if code == _TAKEN_BEFORE:  # by the try before, whose charge is on record
        return Sent(name)
    if code == _UNDER_WAY:
        return Unclear("199 already processing", charge)
    return ERRORS.get(code, Refused(f"{code[:20]} unknown to us"))


def _national(phone: str) -> str:
    """Return a phone as eSMS' samples write it: 0 and nine digits in Vietnam."""
    return f"0{phone.removeprefix(_VIETNAM)}" if phone.startswith(_VIETNAM) else phone.removeprefix("+")
