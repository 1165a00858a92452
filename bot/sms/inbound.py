"""What SMS gateways post to us, turned into what somebody wrote or how far a message came. Pure.

What is signed is verified first: Untrusted for a bad signature, Malformed for what no gateway sends.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from bot.sms import esms, speedsms, twilio
from bot.sms.signatures import is_esms, is_twilios
from core.channels import (
    Address,
    AddressKind,
    Body,
    ChannelName,
    Inbound,
    Receipt,
    ReceiptKind,
    Said,
    Unreadable,
)
from core.errors import Malformed, RuleError, Untrusted
from core.partners.phones import e164

#: docs/facts.md#twilio-inbound: 1600 characters are the most that comes; whatever is longer is no SMS.
_MOST_TEXT: Final = 1600
_MOST_FIELDS: Final = 200
_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?", re.ASCII)
# docs/facts.md#speedsms-reports: nothing names a message that came in; the same text within this is a repeat.
_BUCKET: Final = timedelta(minutes=2)
# docs/facts.md#esms-inbound: the answer is taken along in the HTTP reply.
ANSWER_WITHIN: Final = timedelta(seconds=3)
_NOBODY: Final = Address(AddressKind.PHONE, "")

Fields: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something genuine that asks nothing of us; `why` is one of few words, for counting."""

    why: str


# --- eSMS -----------------------------------------------------------------------------------------


def esms_said(fields: Fields, *, private_key: str) -> Inbound | Ignored:
    """Return what somebody wrote to the short code. Raises Untrusted, Malformed."""
    told = _once_each(fields)
    # docs/facts.md#esms-signature: the documents spell it in both ways.
    moment = told.get("receiverTime", told.get("receiveTime", ""))
    signed = (told.get("cpid", ""), told.get("smsid", ""), told.get("content", ""), moment)
    if not is_esms(signed, told.get("sign"), private_key=private_key):
        raise Untrusted("signature")
    name = _id(told.get("smsid"))
    said = _from(told.get("sender", ""), f"{esms.NAME}:{name}", Said(_words(told.get("content", ""))))
    return said if isinstance(said, Ignored) else _answered_at_once(said)


def esms_told(fields: Fields) -> Inbound | Ignored:
    """Return what a report tells. It is not signed: the path's secret is its proof."""
    told = _once_each(fields)
    kind = esms.progress(*(_count(told.get(name)) for name in ("SendStatus", "SendSuccess", "SendFailed")))
    key = esms.key_of(told.get("RequestId", ""))
    ids = (told["SMSID"],) if _ID.fullmatch(told.get("SMSID", "")) else ()
    keys = (key,) if key else ()
    return _receipt(esms.NAME, kind, ids=ids, keys=keys, dong=_dong(told.get("TotalPrice")))


def _answered_at_once(said: Inbound) -> Inbound:
    return Inbound(said.channel, said.key, said.sender, said.body, answer_within=ANSWER_WITHIN)


# --- SpeedSMS -------------------------------------------------------------------------------------


class _Event(msgspec.Struct, rename="camel"):
    type: str
    phone: str | int = ""
    content: str | None = None
    tran_id: str | int | None = None
    status: int | str | None = None


_event: Final = msgspec.json.Decoder(_Event)


def speedsms_told(raw: bytes, *, now: datetime) -> Inbound | Ignored:
    """Return what somebody wrote, or what a report tells. Not signed: the path's secret is its proof.

    `now` is when it arrived, in real time. Raises Malformed.
    """
    try:
        event = _event.decode(raw)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        raise Malformed("shape") from None
    if event.type == "report":
        return _reported(event)
    if event.type not in {"sms", "incoming"}:
        return Ignored("unknown event")
    phone, text = str(event.phone), event.content or ""
    bucket = int(now.timestamp() // _BUCKET.total_seconds())
    digest = hashlib.sha256(f"{phone}\x00{text}\x00{bucket}".encode()).hexdigest()[:32]
    return _from(phone, f"{speedsms.NAME}:{digest}", Said(_words(text)))


def _reported(event: _Event) -> Inbound | Ignored:
    status = str(event.status if event.status is not None else "")
    if not re.fullmatch(r"[0-9]{1,5}", status, re.ASCII):
        raise Malformed("status")
    return _receipt(speedsms.NAME, speedsms.progress(int(status)), ids=(_id(str(event.tran_id or "")),))


# --- Twilio ---------------------------------------------------------------------------------------


def twilio_form(raw: bytes, *, url: str, signature: str | None, token: str) -> Mapping[str, str]:
    """Return the fields of a form that Twilio signed for this URL. Raises Untrusted."""
    try:
        text = raw.decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Untrusted("signature") from None
    if not is_twilios(url, fields, signature, token=token):
        raise Untrusted("signature")
    return _once_each(fields)


def twilio_said(form: Mapping[str, str]) -> Inbound | Ignored:
    """Return what somebody wrote. Raises Malformed."""
    text = _words(form.get("Body", ""))
    body = Said(text) if text or form.get("NumMedia", "0") == "0" else Unreadable("image")
    return _from(form.get("From", ""), f"{twilio.NAME}:{_id(form.get('MessageSid'))}", body)


def twilio_told(form: Mapping[str, str]) -> Inbound | Ignored:
    """Return what a status callback tells. Raises Malformed."""
    kind = twilio.progress(form.get("MessageStatus", ""))
    return _receipt(twilio.NAME, kind, ids=(_id(form.get("MessageSid")),))


# --- What they share ------------------------------------------------------------------------------


def _from(phone: str, name: str, body: Body) -> Inbound | Ignored:
    """Return what a person wrote; a short code or a name is no person."""
    try:
        sender = Address(AddressKind.PHONE, e164(phone))
    except RuleError:
        return Ignored("no person")
    return Inbound(ChannelName.SMS, f"{ChannelName.SMS}:{name}", sender, body)


def _receipt(
    gateway: str,
    kind: ReceiptKind | None,
    *,
    ids: tuple[str, ...],
    keys: tuple[str, ...] = (),
    dong: int | None = None,
) -> Inbound | Ignored:
    if not ids and not keys:
        raise Malformed("id")
    if kind is None:
        return Ignored("under way")
    name = f"{ChannelName.SMS}:{gateway}:receipt:{kind}:{(*ids, *keys)[0]}"
    return Inbound(ChannelName.SMS, name, _NOBODY, Receipt(kind, ids, keys, dong))


def _once_each(fields: Fields) -> Mapping[str, str]:
    """Return the fields by name; one that is given twice is as good as none."""
    times = Counter(name for name, _ in fields)
    return {name: value for name, value in fields if times[name] == 1}


def _id(text: str | None) -> str:
    if text is None or not _ID.fullmatch(text):
        raise Malformed("id")
    return text


def _words(text: str) -> str:
    """Return a text as PostgreSQL can store it, and no longer than an SMS can be."""
    storable = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    return storable[:_MOST_TEXT].strip()


def _count(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) else 0


def _dong(text: str | None) -> int | None:
    return round(float(text)) if text and _NUMBER.fullmatch(text) else None
