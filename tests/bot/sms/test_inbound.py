"""What gateways post to us, as their documents write it, and as nobody should."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.sms.inbound import (
    Ignored,
    esms_said,
    esms_told,
    speedsms_told,
    twilio_form,
    twilio_said,
    twilio_told,
)
from core.channels import (
    Address,
    AddressKind,
    ChannelName,
    Inbound,
    Receipt,
    ReceiptKind,
    Said,
    Unreadable,
)
from core.errors import Malformed, Untrusted
from sandbox.sms.esms import signature

BINH: Final = Address(AddressKind.PHONE, "+84909123456")
KEY: Final = "PRIVKEY"
MESSAGE: Final = "0199a000-0000-7000-8000-0000000000a1"
#: Half way through one of the two-minute spans.
NOON: Final = datetime(2026, 11, 23, 5, 1, 0, tzinfo=UTC)
TOKEN: Final = "a token for tests"
URL: Final = "https://chotdon.vn/webhooks/sms/twilio/inbound"


def said_of(inbound: Inbound | Ignored) -> str:
    """Return what was written."""
    assert isinstance(inbound, Inbound)
    assert isinstance(inbound.body, Said)
    return inbound.body.text


# --- eSMS -----------------------------------------------------------------------------------------


def to_short_code(**changes: str) -> tuple[tuple[str, str], ...]:
    """Return the query of an SMS to the short code, signed as it says."""
    told = {
        "sender": "84909123456",
        "content": "CD XN 48273",
        "serviceNumber": "8041",
        "keyword": "CD",
        "cpid": "CP01",
        "smsid": "sms-1",
        "receiverTime": "20261123120000",
        **changes,
    }
    moment = told.get("receiverTime") or told.get("receiveTime", "")
    told.setdefault("sign", signature(told["cpid"], told["smsid"], told["content"], moment, KEY))
    return tuple((name, value) for name, value in told.items() if value)


def test_an_sms_to_the_short_code_is_known_by_its_smsid_and_answered_at_once() -> None:
    """The prefix is left for the conversation to strip."""
    inbound = esms_said(to_short_code(), private_key=KEY)

    assert inbound == Inbound(
        ChannelName.SMS,
        "sms:esms:sms-1",
        BINH,
        Said("CD XN 48273"),
        answer_within=timedelta(seconds=3),
    )


def test_the_other_spelling_of_the_time_is_taken_too() -> None:
    """Their documents have both."""
    fields = to_short_code(receiverTime="", receiveTime="20261123120000")

    assert said_of(esms_said(fields, private_key=KEY)) == "CD XN 48273"


@pytest.mark.parametrize(
    "fields",
    [
        to_short_code(sign="K5P+ttoIoxaqSnJXXDi7IQ=="),
        (),
        tuple(field for field in to_short_code() if field[0] != "sign"),
        (*to_short_code(), ("content", "HUY 48273 1")),
        (("content", "HUY 48273 1"), *to_short_code()),
        (*to_short_code(), ("sign", "x")),
        (*to_short_code(), *[(f"x{number}", "") for number in range(3000)], ("smsid", "sms-2")),
    ],
    ids=["sign", "nothing", "unsigned", "two texts", "another text before", "two signs", "many"],
)
def test_what_esms_did_not_sign_is_not_trusted(fields: tuple[tuple[str, str], ...]) -> None:
    """Nothing of it is read."""
    with pytest.raises(Untrusted):
        esms_said(fields, private_key=KEY)


@pytest.mark.parametrize(
    "smsid", ["", "a b", "\x00", "x" * 129, "đ"], ids=["none", "space", "nul", "long", "d"]
)
def test_an_sms_without_a_name_cannot_be_taken_once(smsid: str) -> None:
    """So it is not taken at all."""
    with pytest.raises(Malformed):
        esms_said(to_short_code(smsid=smsid), private_key=KEY)


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        ("84909123456", BINH.value),
        ("0909123456", BINH.value),
        ("+84909123456", BINH.value),
        (" 84909123456 ", BINH.value),
        ("841629876543", "+84329876543"),
    ],
    ids=["84", "0", "plus", "spaces", "of before 2018"],
)
def test_a_sender_is_one_address_however_it_is_written(sender: str, number: str) -> None:
    """E.164, as it stands in the book of addresses."""
    inbound = esms_said(to_short_code(sender=sender), private_key=KEY)

    assert isinstance(inbound, Inbound)
    assert inbound.sender == Address(AddressKind.PHONE, number)


@pytest.mark.parametrize("sender", ["8041", "VIETTEL", "x" * 5000, "", "84", "🍗"], ids=str)
def test_a_sender_that_is_no_person_is_passed_over(sender: str) -> None:
    """A network's own short code must not be answered."""
    assert esms_said(to_short_code(sender=sender), private_key=KEY) == Ignored("no person")


def test_a_text_is_stored_as_far_as_it_can_be() -> None:
    """No NUL, no half of a letter, not longer than an SMS can be."""
    text = "XN\x00 48273 " + "a" * 5000

    stored = said_of(esms_said(to_short_code(content=text), private_key=KEY))
    assert stored.startswith("XN 48273 a")
    assert len(stored) == 1600


def report(**changes: str) -> tuple[tuple[str, str], ...]:
    """Return the query of a report."""
    told = {
        "SMSID": "abc100",
        "SendFailed": "0",
        "SendStatus": "5",
        "SendSuccess": "1",
        "TotalPrice": "820",
        "RequestId": MESSAGE.replace("-", ""),
        **changes,
    }
    return tuple(told.items())


def test_a_report_names_the_message_by_both_names_and_tells_its_price() -> None:
    """It can be faster than the answer that gives the SMSID."""
    inbound = esms_told(report())

    assert isinstance(inbound, Inbound)
    assert inbound.body == Receipt(ReceiptKind.DELIVERED, ("abc100",), (MESSAGE,), dong=820)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, ReceiptKind.DELIVERED),
        ({"SendSuccess": "0", "SendFailed": "1"}, ReceiptKind.FAILED),
        ({"SendStatus": "4", "SendSuccess": "0"}, ReceiptKind.FAILED),
        ({"SendSuccess": "0"}, None),
        ({"SendStatus": "1"}, None),
        ({"SendStatus": "2"}, None),
        ({"SendStatus": "7"}, None),
        ({"SendStatus": "9" * 5000}, None),
        ({"SendStatus": "five"}, None),
    ],
    ids=[
        "done",
        "done badly",
        "rejected",
        "done with nothing",
        "pending",
        "waiting",
        "telco",
        "huge",
        "word",
    ],
)
def test_done_is_not_delivered(changes: dict[str, str], kind: ReceiptKind | None) -> None:
    """5 says only that eSMS is done with it."""
    inbound = esms_told(report(**changes))

    told = inbound.body.kind if isinstance(inbound, Inbound) and isinstance(inbound.body, Receipt) else None
    assert told == kind


def test_a_report_about_nothing_is_malformed() -> None:
    """Neither an SMSID nor a RequestId of ours."""
    with pytest.raises(Malformed):
        esms_told(report(SMSID="", RequestId="not ours"))


# --- SpeedSMS -------------------------------------------------------------------------------------


def event(**told: Any) -> bytes:
    """Return the body of one webhook."""
    return msgspec.json.encode(told)


@pytest.mark.parametrize("kind", ["sms", "incoming"])
def test_an_sms_to_the_two_way_number_is_read(kind: str) -> None:
    """Both words for it are told of."""
    inbound = speedsms_told(event(type=kind, phone="84909123456", content="xn 48273"), now=NOON)

    assert isinstance(inbound, Inbound)
    assert (inbound.sender, inbound.body, inbound.answer_within) == (BINH, Said("xn 48273"), None)
    assert inbound.key.startswith("sms:speedsms:")


def test_the_same_text_within_two_minutes_is_a_repeat() -> None:
    """Nothing else could tell it from a webhook that is made again."""
    raw = event(type="sms", phone="84909123456", content="XN 48273")
    keys = [
        speedsms_told(body, now=NOON + after)
        for body, after in [
            (raw, timedelta()),
            (raw, timedelta(seconds=50)),
            (raw, timedelta(minutes=2)),
            (event(type="sms", phone="84909123457", content="XN 48273"), timedelta()),
            (event(type="sms", phone="84909123456", content="XN 48274"), timedelta()),
        ]
    ]
    first, again, later, another, other = [one.key for one in keys if isinstance(one, Inbound)]

    assert first == again
    assert len({first, later, another, other}) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, ReceiptKind.DELIVERED),
        (1, None),
        (63, None),
        (64, ReceiptKind.FAILED),
        ("0", ReceiptKind.DELIVERED),
    ],
    ids=["0", "1", "63", "64", "text"],
)
def test_a_report_fails_a_message_only_for_good(status: int | str, kind: ReceiptKind | None) -> None:
    """Below 64 it may still arrive."""
    inbound = speedsms_told(event(type="report", tranId=1234, phone="84909123456", status=status), now=NOON)

    expected = Receipt(kind, ("1234",)) if kind else None
    assert (inbound.body if isinstance(inbound, Inbound) else None) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        event(type=5),
        event(type="sms", phone={"a": 1}, content="x"),
        event(type="sms", phone="84909123456", content=["x"]),
        event(type="report", status=0),
        event(type="report", tranId="", status=0),
        event(type="report", tranId="1\n2", status=0),
        event(type="report", tranId=1),
        event(type="report", tranId=1, status=-1),
        event(type="report", tranId=1, status="9" * 5000),
        b'{"type": "report", "tranId": 1, "status": 1e999}',
        b'{"type": "sms", "phone": "84909123456", "content": "\\ud800"}',
    ],
    ids=[
        "empty",
        "null",
        "list",
        "half",
        "deep",
        "bytes",
        "type",
        "phone",
        "content",
        "no id",
        "empty id",
        "lines",
        "no status",
        "negative",
        "huge",
        "infinite",
        "half a letter",
    ],
)
def test_what_speedsms_would_not_send_is_malformed(raw: bytes) -> None:
    """And nothing else happens."""
    with pytest.raises(Malformed):
        speedsms_told(raw, now=NOON)


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error_of_ours(raw: bytes) -> None:
    """Whatever comes is read, passed over or malformed."""
    try:
        speedsms_told(raw, now=NOON)
    except Malformed:
        return


def test_an_event_that_nobody_documents_is_passed_over() -> None:
    """A new sort of webhook must not come again and again."""
    assert speedsms_told(event(type="balance", phone=""), now=NOON) == Ignored("unknown event")


# --- Twilio ---------------------------------------------------------------------------------------


def posted(form: Mapping[str, str], *, token: str = TOKEN) -> Mapping[str, str]:
    """Return a form as it is read after Twilio's own code has signed it."""
    sign = RequestValidator(token).compute_signature(URL, dict(form))
    return twilio_form(urlencode(form).encode(), url=URL, signature=sign, token=TOKEN)


def test_an_sms_to_a_twilio_number_is_known_by_its_sid() -> None:
    """Whatever other fields come with it."""
    form = {
        "MessageSid": "SM1",
        "From": "+84909123456",
        "Body": "Xác nhận 48273 👌",
        "NumMedia": "0",
        "New": "?",
    }

    inbound = twilio_said(posted(form))

    assert inbound == Inbound(ChannelName.SMS, "sms:twilio:SM1", BINH, Said("Xác nhận 48273 👌"))


def test_a_picture_without_a_word_is_told_as_such() -> None:
    """Somebody is answered that pictures are not read."""
    form = {"MessageSid": "MM1", "From": "+84909123456", "Body": "", "NumMedia": "1"}

    inbound = twilio_said(posted(form))

    assert isinstance(inbound, Inbound)
    assert inbound.body == Unreadable("image")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("delivered", ReceiptKind.DELIVERED),
        ("read", ReceiptKind.SEEN),
        ("undelivered", ReceiptKind.FAILED),
        ("failed", ReceiptKind.FAILED),
        ("canceled", ReceiptKind.FAILED),
        ("sent", None),
        ("queued", None),
        ("", None),
        ("DROP TABLE", None),
    ],
    ids=str,
)
def test_a_status_callback_tells_of_ends_only(status: str, kind: ReceiptKind | None) -> None:
    """Steps on the way are counted, no more."""
    inbound = twilio_told(posted({"MessageSid": "SM1", "MessageStatus": status}))

    expected = Receipt(kind, ("SM1",)) if kind else None
    assert (inbound.body if isinstance(inbound, Inbound) else None) == expected


@pytest.mark.parametrize(
    "raw",
    [b"", b"MessageSid=SM1", b"\xff=\xfe", b"&" * 1000 + b"a=b", b"a=b&" * 1000, b"%ff=%ed%a0%80"],
    ids=["empty", "unsigned", "bytes", "ampersands", "many", "half letters"],
)
def test_what_twilio_did_not_sign_is_not_trusted(raw: bytes) -> None:
    """Nothing of it is read."""
    with pytest.raises(Untrusted):
        twilio_form(raw, url=URL, signature="GvWf1cFY/Q7PnoempGyD5oXAezc=", token=TOKEN)


def test_a_form_signed_with_another_token_is_not_trusted() -> None:
    """Somebody else's account."""
    with pytest.raises(Untrusted):
        posted({"MessageSid": "SM1"}, token="another")


def test_a_signed_form_without_a_sid_is_malformed() -> None:
    """It could not be taken once."""
    with pytest.raises(Malformed):
        twilio_said(posted({"From": "+84909123456", "Body": "XN 48273"}))
    with pytest.raises(Malformed):
        twilio_told(posted({"MessageStatus": "delivered"}))
