"""SpeedSMS as a customer of theirs meets it: Basic auth, JSON, sixty calls a minute, one unsigned webhook."""

import hmac
import itertools
import json
import math
import time
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import aiohttp
from aiohttp import web

from sandbox import faults
from sandbox.sms import numbers, segments
from sandbox.sms.gateway import Accepted, Refused, SmsFake, Step
from sandbox.sms.phone import SmsPhone
from sandbox.sms.webhooks import Call, Delivery

_API: Final = "/index.php"
# docs/facts.md#speedsms-rate (API page: 60 requests in 60 s).
PER_MINUTE: Final = 60
_MINUTE: Final = 60.0
# docs/facts.md#speedsms-send (API page: at most 100 numbers a call).
_MOST_NUMBERS: Final = 100
_PASSWORD: Final = "x"  # noqa: S105 - everybody's: docs/facts.md#speedsms-send
_TYPES: Final = frozenset({2, 3, 4, 5, 6, 7, 8})
_WITH_SENDER: Final = frozenset({3, 5, 6, 7, 8})

# docs/facts.md#speedsms-errors (API page).
MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "007": "IP locked",
        "008": "Account blocked",
        "009": "Account not allow to call the API",
        "101": "Invalid or missing parameters",
        "105": "Phone number invalid",
        "110": "Not support sms content encoding",
        "113": "Sms content too long",
        "300": "Your account balance not enough to send sms",
        "500": "Internal error, please try again",
    }
)

# docs/facts.md#speedsms-reports (0 delivered, below 64 not yet, from 64 on never).
_STATUS: Final = MappingProxyType({Step.QUEUED: 1, Step.SENT: 1, Step.DELIVERED: 0, Step.FAILED: 64})


class FakeSpeedSms(SmsFake):
    """SpeedSMS. The rate limit uses real time; `per_minute=None` lifts it."""

    name = "speedsms"
    title = "SpeedSMS"
    sends = f"{_API}/sms/send"

    def __init__(
        self,
        *,
        token: str = "sandbox-speedsms-token",
        sender: str = "0281000111",
        sms_type: int = 8,
        per_minute: int | None = PER_MINUTE,
        price: int = 350,
        **rest: Any,
    ) -> None:
        self.token = token
        self.sender = sender
        self.sms_type = sms_type
        self.incoming_type = "sms"
        self.balance = 500_000.0
        self._per_minute = per_minute
        self._calls: deque[float] = deque()
        self._ids = itertools.count(1_000_001)
        super().__init__(price=price, **rest)

    @property
    def settings(self) -> Mapping[str, str]:
        """The product's settings that lead here."""
        return {
            "sms_gateway": self.name,
            "sms_reply_number": self.sender,
            "webhook_path_secret": self.path_secret,
            "speedsms_url": self.url,
            "speedsms_token": self.token,
            "speedsms_sender": self.sender,
            "speedsms_type": str(self.sms_type),
        }

    @property
    def reply_number(self) -> str:
        """The two-way number."""
        return self.sender

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints."""
        return [
            web.post(f"{_API}/sms/send", self._counted_send),
            web.get(f"{_API}/sms/status/{{tran_id}}", self._status),
            web.get(f"{_API}/user/info", self._info),
        ]

    def wire(self) -> faults.Wire:
        """Answer codes with HTTP 200, and too many as their framework does."""
        return faults.Wire(code=_code, too_many=_too_many)

    def new_id(self) -> str:
        """Return a tranId."""
        return str(next(self._ids))

    # Sending.

    async def _counted_send(self, request: web.Request) -> web.Response:
        wait = self._count()
        if wait:
            return _too_many(faults.TooMany(wait))
        self._authorize(request)
        return await self._send(await _read(request))

    def _count(self) -> int:
        """Return how many seconds to wait; 0 counts the call."""
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - _MINUTE:
            self._calls.popleft()
        if self._per_minute is not None and len(self._calls) >= self._per_minute:
            return max(1, math.ceil(self._calls[0] + _MINUTE - now))
        self._calls.append(now)
        return 0

    def _authorize(self, request: web.Request) -> None:
        expected = aiohttp.encode_basic_auth(self.token, _PASSWORD)
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            raise _unauthorized()

    async def _send(self, body: Mapping[str, Any]) -> web.Response:
        to, text = self._checked(body)
        good = {one: number for one in to if (number := numbers.domestic(one)) is not None}
        bad = [one for one in to if one not in good]
        if not good:
            return _error("105", invalidPhone=bad)
        if not segments.is_plain(text):
            raise _refused("110")
        tran_id, total = await self._take_all(list(good.values()), text)
        data = {
            "tranId": int(tran_id),
            "totalSMS": total,
            "totalPrice": total * self.price,
            "invalidPhone": bad,
        }
        return web.json_response({"status": "success", "code": "00", "data": data})

    def _checked(self, body: Mapping[str, Any]) -> tuple[list[str], str]:
        to, text = body.get("to"), body.get("content")
        if (
            not isinstance(to, list)
            or not 0 < len(to) <= _MOST_NUMBERS
            or not isinstance(text, str)
            or not text
        ):
            raise _refused("101")
        if body.get("sms_type") not in _TYPES or not all(isinstance(one, str) for one in to):
            raise _refused("101")
        if body["sms_type"] in _WITH_SENDER and body.get("sender") != self.sender:
            raise _refused("101")
        return to, text

    async def _take_all(self, everybody: list[str], text: str) -> tuple[str, int]:
        """Take one text for each; the first one's id stands for all of them."""
        taken = [await self.take(self.phone(number), text, sender=self.sender) for number in everybody]
        return taken[0].sms.gateway_id, sum(one.sms.parts for one in taken)

    # Asking.

    async def _status(self, request: web.Request) -> web.Response:
        self._authorize(request)
        accepted = self.accepted.get(request.match_info["tran_id"])
        if accepted is None:
            raise _refused("101")
        told = {"phone": numbers.with_84(accepted.phone.number), "status": _STATUS[accepted.step]}
        return web.json_response({"status": "success", "code": "00", "data": [told]})

    async def _info(self, request: web.Request) -> web.Response:
        """Say what is in the purse: docs/facts.md#speedsms-account."""
        self._authorize(request)
        return web.json_response(
            {"email": "chotdon@chotdon.example", "balance": self.balance, "currency": "VND"}
        )

    # What it calls by itself.

    def report_call(self, accepted: Accepted, step: Step) -> Call | None:
        """Return the unsigned JSON report; it goes where everything goes, once the address is set."""
        phone = numbers.with_84(accepted.phone.number)
        tran_id = int(accepted.sms.gateway_id)
        return self._webhook({"type": "report", "tranId": tran_id, "phone": phone, "status": _STATUS[step]})

    def inbound_call(self, phone: SmsPhone, text: str, inbound_id: str) -> Call:
        """Return the unsigned JSON that brings an SMS; it carries no id of its own.

        Its type is `sms` in one public client and `incoming` in another: set `incoming_type`.
        """
        sent = {"type": self.incoming_type, "phone": numbers.with_84(phone.number), "content": text}
        return self._webhook(sent)

    def reply_in(self, delivery: Delivery) -> str:
        """Return nothing: what the webhook answers is read by nobody."""
        return ""

    def _webhook(self, body: Mapping[str, object]) -> Call:
        url = f"{self.webhook_base}/webhooks/sms/speedsms/{self.path_secret}"
        raw = json.dumps(body, ensure_ascii=False).encode()
        return Call("POST", url, body=raw, headers={"Content-Type": "application/json"})


def _refused(code: str) -> Refused:
    return Refused(code, MESSAGES.get(code, "Unknown error"))


def _code(fault: faults.AnswerCode) -> web.Response:
    return _error(str(fault.code), fault.message)


def _error(code: str, message: str = "", **more: object) -> web.Response:
    body = {"status": "error", "code": code, "message": message or MESSAGES.get(code, ""), **more}
    return web.json_response(body)


def _too_many(fault: faults.TooMany) -> web.Response:
    """Return 429 as its page shows it: docs/facts.md#speedsms-rate."""
    body = {"name": "Too Many Requests", "message": "Rate limit exceeded.", "code": 0, "status": 429}
    return web.json_response(body, status=429, headers={"X-Rate-Limit-Reset": str(fault.retry_after)})


def _unauthorized() -> web.HTTPUnauthorized:
    body = {"name": "Unauthorized", "message": "You are requesting with an invalid credential.", "code": 0}
    return web.HTTPUnauthorized(text=json.dumps(body | {"status": 401}), content_type="application/json")


async def _read(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise _refused("101") from None
    if not isinstance(body, dict):
        raise _refused("101")
    return body
