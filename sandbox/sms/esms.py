"""eSMS as a customer of theirs meets it: JSON in, JSON out, everything else by GET."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from aiohttp import web

from sandbox import faults
from sandbox.sms import numbers, segments
from sandbox.sms.gateway import Accepted, Refused, SmsFake, Step
from sandbox.sms.phone import SmsPhone
from sandbox.sms.webhooks import Call, Delivery

_API: Final = "/MainService.svc/json"
# docs/facts.md#esms-inbound (short-code page: yyyyMMddhhmmss; Vietnam's time is our reading).
_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")

# docs/facts.md#esms-errors (table of error codes).
MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "99": "Phone number is blocked",
        "100": "Success",
        "101": "Authorize Failed",
        "103": "Your balance is not enough to send message",
        "104": "Brandname is not exist or canceled",
        "105": "SMSID is not exist",
        "108": "Phone number is invalid",
        "118": "Type of message is not supported",
        "124": "RequestId is exist",
        "140": "IP is not in the allow list",
        "146": "Content does not match any registered template",
        "177": "The network is not registered for this brandname",
        "300": "SmsType is missing",
    }
)
_CARE: Final = "2"
_FIXED: Final = "8"

# docs/facts.md#esms-statuses (callback page: 1 pending, 2 waiting, 4 rejected, 5 done, 7 at the operator).
_STATUS: Final = MappingProxyType({Step.QUEUED: "1", Step.SENT: "7", Step.DELIVERED: "5", Step.FAILED: "5"})


def signature(cpid: str, smsid: str, content: str, receiver_time: str, private_key: str) -> str:
    """Return `sign` of an SMS to a short code: docs/facts.md#esms-signature (short-code page)."""
    signed = f"{cpid}{smsid}{content}{receiver_time}{private_key}".encode()
    return b64encode(hashlib.md5(signed, usedforsecurity=False).digest()).decode()


class FakeEsms(SmsFake):
    """eSMS. `templates` are the registered texts as regular expressions; none: any text will do.

    `balance` is in đồng, None for one that never ends.
    """

    name = "esms"
    title = "eSMS"
    sends = f"{_API}/SendMultipleMessage"

    def __init__(
        self,
        *,
        api_key: str = "sandbox-esms-key",
        secret_key: str = "sandbox-esms-secret",
        brandname: str = "CHOTDON",
        private_key: str = "sandbox-esms-private",
        cpid: str = "CP01",
        short_code: str = "8041",
        templates: Sequence[str] = (),
        balance: int | None = None,
        price: int = 820,
        **rest: Any,
    ) -> None:
        self.api_key = api_key
        self.secret_key = secret_key
        self.brandname = brandname
        self.private_key = private_key
        self.cpid = cpid
        self.short_code = short_code
        self.templates = templates
        self.balance = balance
        self._requests: set[str] = set()
        super().__init__(price=price, **rest)

    @property
    def settings(self) -> Mapping[str, str]:
        """The product's settings that lead here."""
        return {
            "sms_gateway": self.name,
            "sms_reply_number": self.short_code,
            "webhook_path_secret": self.path_secret,
            "esms_url": self.url,
            "esms_api_key": self.api_key,
            "esms_secret_key": self.secret_key,
            "esms_brandname": self.brandname,
            "esms_private_key": self.private_key,
        }

    @property
    def reply_number(self) -> str:
        """The rented short code."""
        return self.short_code

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints; the documents write the first one with a slash at its end."""
        send = f"{_API}/SendMultipleMessage_V4_post_json"
        return [
            web.post(send, self._send),
            web.post(f"{send}/", self._send),
            web.get(f"{_API}/GetSendStatus", self._status),
            web.get(f"{_API}/GetSmsReceiverStatus_get", self._receivers),
        ]

    def wire(self) -> faults.Wire:
        """Answer codes with HTTP 200, as WCF services do."""
        return faults.Wire(code=_code)

    def new_id(self) -> str:
        """Return an SMSID."""
        return f"{uuid4()}100"

    # Sending.

    async def _send(self, request: web.Request) -> web.Response:
        body = await _strings(request)
        if not self._knows(body.get("ApiKey"), body.get("SecretKey")):
            raise _refused("101")
        number = self._checked(body)
        text = self._content(body)
        request_id = body.get("RequestId", "")
        if request_id in self._requests:
            raise _refused("124")
        if body.get("Sandbox") == "1":
            return _accepted(self.new_id())
        self._pay(segments.count(text) * self.price)
        self._requests |= {request_id} - {""}
        taken = await self.take(
            self.phone(number),
            text,
            sender=self.brandname,
            request_id=request_id,
            callback_url=body.get("CallbackUrl", ""),
        )
        return _accepted(taken.sms.gateway_id)

    def _knows(self, api_key: str | None, secret_key: str | None) -> bool:
        return (api_key, secret_key) == (self.api_key, self.secret_key)

    def _checked(self, body: Mapping[str, str]) -> str:
        """Return the number, in the order in which the vendor looks at what it was given."""
        if not body.get("SmsType"):
            raise _refused("300")
        if body["SmsType"] not in (_CARE, _FIXED):
            raise _refused("118")
        if body["SmsType"] == _CARE and body.get("Brandname") != self.brandname:
            raise _refused("104")
        number = numbers.domestic(body.get("Phone", ""))
        if number is None:
            raise _refused("108")
        if number in self.phones and (refusal := self.phones[number].refusal) is not None:
            raise _refused(str(refusal))
        return number

    def _content(self, body: Mapping[str, str]) -> str:
        text = body.get("Content", "")
        if not text or (self.templates and not any(re.fullmatch(one, text) for one in self.templates)):
            raise _refused("146")
        # docs/facts.md#esms-send: IsUnicode 0 sends GSM; what becomes of other characters is not told.
        return text if body.get("IsUnicode") == "1" else segments.garbled(text)

    def _pay(self, dong: int) -> None:
        if self.balance is None:
            return
        if self.balance < dong:
            raise _refused("103")
        self.balance -= dong

    # Asking.

    async def _status(self, request: web.Request) -> web.Response:
        accepted = self._asked(request)
        if isinstance(accepted, str):
            return web.json_response({"CodeResponse": accepted})
        told = _told(accepted, accepted.step)
        counts = {name: int(told[name]) for name in told if name not in ("SMSID", "TotalPrice")}
        price = {"TotalPrice": float(told["TotalPrice"])}
        return web.json_response({"CodeResponse": "100", "SMSID": told["SMSID"], **counts, **price})

    async def _receivers(self, request: web.Request) -> web.Response:
        accepted = self._asked(request)
        if isinstance(accepted, str):
            return web.json_response({"CodeResult": accepted})
        receiver = {
            "IsSent": accepted.step >= Step.SENT,
            "NetworkName": numbers.network(accepted.phone.number)[1],
            "Phone": numbers.with_zero(accepted.phone.number),
            "Retry": 0,
            "SentResult": accepted.step is Step.DELIVERED,
        }
        return web.json_response({"CodeResult": "100", "ReceiverList": [receiver]})

    def _asked(self, request: web.Request) -> Accepted | str:
        """Return what was asked for, or the code that says why not."""
        if not self._knows(request.query.get("ApiKey"), request.query.get("SecretKey")):
            return "101"
        return self.accepted.get(request.query.get("RefId", ""), "105")

    # What it calls by itself.

    def report_call(self, accepted: Accepted, step: Step) -> Call | None:
        """Return the unsigned GET to the send's own CallbackUrl."""
        if not accepted.callback_url:
            return None
        telco, _ = numbers.network(accepted.phone.number)
        query = {
            **_told(accepted, step),
            "RequestId": accepted.request_id,
            "TypeId": _CARE,
            "telcoid": str(telco),
            "phonenumber": numbers.with_zero(accepted.phone.number),
            "switchsmsid": accepted.sms.gateway_id[:8],
        }
        return Call("GET", accepted.callback_url, query)

    def inbound_call(self, phone: SmsPhone, text: str, inbound_id: str) -> Call:
        """Return the signed GET that brings an SMS to the short code."""
        moment = f"{self.clock().astimezone(_ZONE):%Y%m%d%H%M%S}"
        query = {
            "sender": numbers.with_84(phone.number),
            "content": text,
            "serviceNumber": self.short_code,
            "keyword": (text.split() or [""])[0],
            "sign": signature(self.cpid, inbound_id, text, moment, self.private_key),
            "cpid": self.cpid,
            "smsid": inbound_id,
            "receiverTime": moment,
        }
        return Call("GET", f"{self.webhook_base}/webhooks/sms/esms/inbound/{self.path_secret}", query)

    def reply_in(self, delivery: Delivery) -> str:
        """Return the Message of the ClientResponse; an empty one sends nothing."""
        try:
            answered = ET.fromstring(delivery.body)  # noqa: S314 - the product's own answer, on loopback
        except ET.ParseError:
            return ""
        return (answered.findtext("Message") or "").strip() if answered.tag == "ClientResponse" else ""


def _told(accepted: Accepted, step: Step) -> dict[str, str]:
    """Return what both the report and the status page say; done is 5 also for what failed."""
    return {
        "SMSID": accepted.sms.gateway_id,
        "SendFailed": str(int(step is Step.FAILED)),
        "SendStatus": _STATUS[step],
        "SendSuccess": str(int(step is Step.DELIVERED)),
        "TotalPrice": str(accepted.sms.dong),
        "TotalReceiver": "1",
        "TotalSent": str(int(step >= Step.SENT)),
    }


def _accepted(sms_id: str) -> web.Response:
    return web.json_response({"CodeResult": "100", "CountRegenerate": 0, "SMSID": sms_id})


def _refused(code: str) -> Refused:
    return Refused(code, MESSAGES.get(code, "Unknown error"))


def _code(fault: faults.AnswerCode) -> web.Response:
    body = {"CodeResult": str(fault.code), "CountRegenerate": 0, "ErrorMessage": fault.message}
    return web.json_response(body)


async def _strings(request: web.Request) -> dict[str, str]:
    """Return the body; the documents name every field a string."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise web.HTTPBadRequest(text="Request Error") from None
    if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
        raise web.HTTPBadRequest(text="Request Error")
    return body
