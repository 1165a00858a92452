"""Twilio as an account of theirs meets it: forms in, JSON out, every webhook signed."""

import hashlib
import hmac
import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urldefrag, urlencode
from uuid import uuid4
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web

from sandbox import faults
from sandbox.sms import numbers, segments
from sandbox.sms.gateway import Accepted, Refused, SmsFake, Step
from sandbox.sms.phone import SmsPhone
from sandbox.sms.webhooks import Call, Delivery

_VERSION: Final = "2010-04-01"
# docs/facts.md#twilio-send (Messages resource: 1600 characters).
_LONGEST_BODY: Final = 1600

# docs/facts.md#twilio-errors (error dictionary): code to HTTP status and message.
ERRORS: Final[Mapping[int, tuple[int, str]]] = MappingProxyType(
    {
        20003: (401, "Authenticate"),
        20404: (404, "The requested resource was not found"),
        20429: (429, "Too Many Requests"),
        21211: (400, "Invalid 'To' Phone Number"),
        21602: (400, "Message body is required."),
        21603: (400, "A 'From' phone number is required."),
        21604: (400, "A 'To' phone number is required."),
        21606: (400, "The 'From' phone number is not a valid, SMS-capable number of this account"),
        21610: (400, "Attempt to send to unsubscribed recipient"),
        21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    }
)
_WORDS: Final = MappingProxyType(
    {Step.QUEUED: "queued", Step.SENT: "sent", Step.DELIVERED: "delivered", Step.FAILED: "undelivered"}
)
# docs/facts.md#twilio-errors: unreachable handset, the usual cause of `undelivered`.
_UNREACHABLE: Final = "30003"


def signature(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """Return `X-Twilio-Signature` of a form: docs/facts.md#twilio-signature (`request_validator.py`)."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


class FakeTwilio(SmsFake):
    """Twilio, with one number of ours."""

    name = "twilio"
    title = "Twilio"
    sends = "/Messages.json"

    def __init__(
        self,
        *,
        account_sid: str = "ACsandbox000000000000000000000000",
        auth_token: str = "sandbox-twilio-token",
        sender: str = "+12025550147",
        price: int = 2000,
        **rest: Any,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.sender = sender
        self.status = "active"
        super().__init__(price=price, **rest)

    @property
    def settings(self) -> Mapping[str, str]:
        """The product's settings that lead here."""
        return {
            "sms_gateway": self.name,
            "sms_reply_number": self.sender,
            "webhook_path_secret": self.path_secret,
            "twilio_url": self.url,
            "twilio_account_sid": self.account_sid,
            "twilio_auth_token": self.auth_token,
            "twilio_from": self.sender,
        }

    @property
    def reply_number(self) -> str:
        """The account's number."""
        return self.sender

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints."""
        messages = f"/{_VERSION}/Accounts/{{account}}/Messages"
        return [
            web.post(f"{messages}.json", self._send),
            web.get(f"{messages}/{{sid}}.json", self._show),
            web.get(f"/{_VERSION}/Accounts/{{account}}.json", self._account),
        ]

    def wire(self) -> faults.Wire:
        """Answer codes with the HTTP status that goes with them."""
        return faults.Wire(code=_code, too_many=_too_many)

    def new_id(self) -> str:
        """Return a message SID."""
        return "SM" + secrets.token_hex(16)

    # Sending and asking.

    async def _send(self, request: web.Request) -> web.Response:
        self._authorize(request)
        fields = {name: str(value) for name, value in (await request.post()).items()}
        number = self._checked(fields)
        phone = self.phone(number)
        callback = fields.get("StatusCallback", "")
        accepted = await self.take(phone, fields["Body"], sender=fields["From"], callback_url=callback)
        return web.json_response(self._resource(accepted, Step.QUEUED), status=201)

    def _authorize(self, request: web.Request) -> None:
        expected = aiohttp.encode_basic_auth(self.account_sid, self.auth_token)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise _refused(20003)
        if request.match_info["account"] != self.account_sid:
            raise _refused(20404)

    def _checked(self, fields: Mapping[str, str]) -> str:
        for name, missing in (("To", 21604), ("From", 21603), ("Body", 21602)):
            if not fields.get(name):
                raise _refused(missing)
        number = numbers.worldwide(fields["To"])
        if number is None:
            raise _refused(21211)
        if fields["From"] != self.sender:
            raise _refused(21606)
        if len(fields["Body"]) > _LONGEST_BODY:
            raise _refused(21617)
        return number

    async def _show(self, request: web.Request) -> web.Response:
        self._authorize(request)
        accepted = self.accepted.get(request.match_info["sid"])
        if accepted is None:
            raise _refused(20404)
        return web.json_response(self._resource(accepted, accepted.step))

    async def _account(self, request: web.Request) -> web.Response:
        """Say how the account is: docs/facts.md#twilio-account."""
        self._authorize(request)
        return web.json_response(
            {"sid": self.account_sid, "status": self.status, "type": "Full", "friendly_name": "Chốt Đơn"}
        )

    def _resource(self, accepted: Accepted, step: Step) -> dict[str, object]:
        sms = accepted.sms
        failed = step is Step.FAILED
        path = f"/{_VERSION}/Accounts/{self.account_sid}/Messages/{sms.gateway_id}"
        created = format_datetime(sms.at)
        return {
            "account_sid": self.account_sid,
            "api_version": _VERSION,
            "body": sms.text,
            "date_created": created,
            "date_sent": created if step > Step.QUEUED else None,
            "date_updated": created,
            "direction": "outbound-api",
            "error_code": int(_UNREACHABLE) if failed else None,
            "error_message": None,
            "from": sms.other,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": str(sms.parts),
            "price": None,
            "price_unit": "USD",
            "sid": sms.gateway_id,
            "status": _WORDS[step],
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": accepted.phone.number,
            "uri": f"{path}.json",
        }

    # What it calls by itself.

    def report_call(self, accepted: Accepted, step: Step) -> Call | None:
        """Return the signed form to the send's own StatusCallback."""
        if not accepted.callback_url:
            return None
        fields = {
            "AccountSid": self.account_sid,
            "ApiVersion": _VERSION,
            "From": accepted.sms.other,
            "MessageSid": accepted.sms.gateway_id,
            "MessageStatus": _WORDS[step],
            "SmsSid": accepted.sms.gateway_id,
            "SmsStatus": _WORDS[step],
            "To": accepted.phone.number,
        }
        if step is Step.FAILED:
            fields["ErrorCode"] = _UNREACHABLE
        return self._form(accepted.callback_url, fields)

    def inbound_call(self, phone: SmsPhone, text: str, inbound_id: str) -> Call:
        """Return the signed form that brings an SMS."""
        fields = {
            "AccountSid": self.account_sid,
            "ApiVersion": _VERSION,
            "Body": text,
            "From": phone.number,
            "FromCity": "",
            "FromCountry": "VN",
            "FromState": "",
            "FromZip": "",
            "MessageSid": inbound_id,
            "NumMedia": "0",
            "NumSegments": str(segments.count(text)),
            "SmsMessageSid": inbound_id,
            "SmsSid": inbound_id,
            "SmsStatus": "received",
            "To": self.sender,
        }
        return self._form(f"{self.webhook_base}/webhooks/sms/twilio/inbound", fields)

    def reply_in(self, delivery: Delivery) -> str:
        """Return the text of the TwiML's Message, if there is one."""
        try:
            answered = ET.fromstring(delivery.body)  # noqa: S314 - the product's own answer, on loopback
        except ET.ParseError:
            return ""
        return (answered.findtext("Message") or "").strip() if answered.tag == "Response" else ""

    def _form(self, url: str, fields: Mapping[str, str]) -> Call:
        called = urldefrag(url).url  # docs/facts.md#twilio-webhook-deadline: overrides stand in the fragment
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "X-Twilio-Signature": signature(self.auth_token, called, fields),
        }
        return Call("POST", called, body=urlencode(fields).encode(), headers=headers)


def _refused(code: int) -> Refused:
    return Refused(code, ERRORS[code][1])


def _code(fault: faults.AnswerCode) -> web.Response:
    code = int(fault.code)
    status, message = ERRORS.get(code, (400, fault.message))
    return web.json_response(_problem(code, status, message), status=status)


def _too_many(fault: faults.TooMany) -> web.Response:
    """Return 429 with its code; `Retry-After` is not promised by their page, and sent here."""
    body = json.dumps(_problem(20429, 429, ERRORS[20429][1]))
    headers = {"Retry-After": str(fault.retry_after)}
    return web.Response(status=429, text=body, content_type="application/json", headers=headers)


def _problem(code: int, status: int, message: str) -> dict[str, object]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}
