"""What each SMS vendor does its own way: request shapes, codes, signatures, limits."""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from sandbox.sms import REVERSED, FakeEsms, FakeSpeedSms, FakeTwilio, Step
from sandbox.sms.esms import signature as esms_signature
from sandbox.sms.numbers import network
from sandbox.sms.twilio import signature as twilio_signature
from tests.sandbox.conftest import HandClock
from tests.sandbox.sms_calls import Ear, Sender, accepted, basic

BINH = "+84912000111"


@pytest.fixture
async def product() -> AsyncIterator[Ear]:
    """Yield a listening product."""
    async with Ear() as listening:
        yield listening


@pytest.fixture
async def esms(clock: HandClock, product: Ear) -> AsyncIterator[FakeEsms]:
    """Yield eSMS."""
    async with FakeEsms(clock=clock) as fake:
        fake.webhook_base = product.url
        yield fake


@pytest.fixture
async def speedsms(clock: HandClock, product: Ear) -> AsyncIterator[FakeSpeedSms]:
    """Yield SpeedSMS."""
    async with FakeSpeedSms(clock=clock) as fake:
        fake.webhook_base = product.url
        yield fake


@pytest.fixture
async def twilio(clock: HandClock, product: Ear) -> AsyncIterator[FakeTwilio]:
    """Yield Twilio."""
    async with FakeTwilio(clock=clock) as fake:
        fake.webhook_base = product.url
        yield fake


# --- eSMS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ApiKey": "wrong"}, "101"),
        ({"SecretKey": None}, "101"),
        ({"SmsType": None}, "300"),
        ({"SmsType": "77"}, "118"),
        ({"Brandname": "KHAC"}, "104"),
        ({"Brandname": None}, "104"),
        ({"Phone": "0123"}, "108"),
        ({"Phone": "+84909123456"}, "108"),
        ({"Content": ""}, "146"),
    ],
    ids=["key", "no-secret", "no-type", "type", "brand", "no-brand", "short", "plus", "empty"],
)
async def test_esms_refuses(
    esms: FakeEsms, session: aiohttp.ClientSession, product: Ear, fields: dict[str, Any], code: str
) -> None:
    """Each fault has the code of the vendor's table, under HTTP 200."""
    said = await Sender(session, esms, product.url).send(**fields)
    assert (said.status, said.body["CodeResult"]) == (200, code)
    assert said.body["ErrorMessage"]
    assert esms.phones == {}


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"ApiKey": 7}'], ids=["broken", "list", "number"])
async def test_esms_wants_strings(esms: FakeEsms, session: aiohttp.ClientSession, raw: bytes) -> None:
    """A body of another shape is a bad request."""
    path = f"{esms.url}{esms.sends}_V4_post_json/"
    async with session.post(path, data=raw) as answer:
        assert answer.status == 400


async def test_esms_takes_a_request_id_once(
    esms: FakeEsms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """A repeat gets 124 and sends nothing; a refused one has not used its id up."""
    sender = Sender(session, esms, product.url)
    assert (await sender.send(RequestId="r1", Brandname="KHAC")).body["CodeResult"] == "104"
    codes = [(await sender.send(RequestId="r1")).body["CodeResult"] for _ in range(2)]
    assert codes == ["100", "124"]
    assert len(esms.phones["+84909123456"].received) == 1


async def test_esms_loses_accents_without_is_unicode(
    esms: FakeEsms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """What GSM lacks is lost; with IsUnicode it arrives, dearer."""
    sender = Sender(session, esms, product.url)
    await sender.send(BINH, "Đơn 48273 chờ xác nhận")
    await sender.send(BINH, "Đơn 48273 " * 8, IsUnicode="1")
    garbled, whole = esms.phones[BINH].received
    assert garbled.text == "??n 48273 ch? xác nh?n".replace("á", "?")
    assert (garbled.parts, garbled.is_unicode) == (1, False)
    assert (whole.parts, whole.dong, whole.is_unicode) == (2, 2 * 820, True)


async def test_esms_validates_only_in_its_sandbox(
    esms: FakeEsms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """Sandbox 1 is accepted, and nobody gets anything."""
    assert accepted(await Sender(session, esms, product.url).send(Sandbox="1"))
    assert esms.phones == {}


async def test_esms_templates_and_balance(session: aiohttp.ClientSession, product: Ear) -> None:
    """No registered template: 146; an empty purse: 103, which does not use the request's id up."""
    async with FakeEsms(templates=[r"Don \d{5}"], balance=1000) as esms:
        sender = Sender(session, esms, product.url)
        texts = ("Khuyen mai", "Don 48273", "Don 11111", "Don 11111")
        codes = [(await sender.send(text=one, RequestId=one)).body["CodeResult"] for one in texts]
        esms.balance = 820
        codes.append((await sender.send(text="Don 11111", RequestId="Don 11111")).body["CodeResult"])
    assert codes == ["146", "100", "103", "103", "100"]


async def test_esms_reports_by_get(esms: FakeEsms, session: aiohttp.ClientSession, product: Ear) -> None:
    """The documented query, to the send's own address; nothing where no address was given."""
    sender = Sender(session, esms, product.url)
    said = await sender.send(BINH, RequestId="r1")
    await sender.send(BINH, CallbackUrl=None)
    silent = list(esms.accepted)[1]
    with pytest.raises(LookupError):
        await esms.report(silent, Step.DELIVERED)
    await esms.report(said.body["SMSID"], Step.FAILED)
    (heard,) = product.heard
    assert (heard.method, heard.path) == ("GET", "/status")
    assert heard.query == {
        "SMSID": said.body["SMSID"],
        "SendFailed": "1",
        "SendStatus": "5",
        "SendSuccess": "0",
        "TotalPrice": "820",
        "TotalReceiver": "1",
        "TotalSent": "1",
        "RequestId": "r1",
        "TypeId": "2",
        "telcoid": "3",
        "phonenumber": "0912000111",
        "switchsmsid": heard.query["switchsmsid"],
    }


async def test_esms_signs_what_comes_in(esms: FakeEsms, product: Ear) -> None:
    """MD5 over the raw values, in Base64, as an independent computation and a known vector say."""
    await esms.phone(BINH, "Bình").writes("XN 48273 nhé")
    told = product.heard[0].query
    signed = told["cpid"] + told["smsid"] + told["content"] + told["receiverTime"] + esms.private_key
    expected = b64encode(hashlib.md5(signed.encode(), usedforsecurity=False).digest()).decode()
    assert told["sign"] == expected
    assert (told["sender"], told["serviceNumber"], told["keyword"]) == ("84912000111", "8041", "XN")
    assert told["receiverTime"] == "20261124090000"
    vector = esms_signature("CP01", "sms-1", "XN 1234", "20261123070000", "PRIVKEY")
    assert vector == "K5P+ttoIoxaqSnJXXDi7IQ=="


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<ClientResponse><Message>Da xac nhan</Message></ClientResponse>", ["Da xac nhan"]),
        ("<ClientResponse><Message></Message></ClientResponse>", []),
        ("<ClientResponse/>", []),
        ("<Other><Message>x</Message></Other>", []),
        ("ok", []),
        ("", []),
    ],
    ids=["message", "empty", "none", "other", "plain", "nothing"],
)
async def test_esms_sends_what_the_webhook_answers(
    esms: FakeEsms, product: Ear, body: str, texts: list[str]
) -> None:
    """A Message comes back as an SMS from the short code; an empty one does not."""
    product.body = body
    binh = esms.phone(BINH)
    await binh.writes("DS")
    assert [(sms.text, sms.other) for sms in binh.received] == [(text, "8041") for text in texts]


async def test_esms_answers_nothing_to_a_webhook_that_failed(esms: FakeEsms, product: Ear) -> None:
    """An answer under 500 is not passed on."""
    product.body, product.status = "<ClientResponse><Message>x</Message></ClientResponse>", 500
    await esms.phone(BINH).writes("DS")
    assert esms.phone(BINH).received == []


async def test_esms_tells_of_each_receiver(
    esms: FakeEsms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """The page of receivers, and what both pages say to strangers and of unknown ids."""
    sender = Sender(session, esms, product.url)
    said = await sender.send(BINH)
    keys = {"ApiKey": esms.api_key, "SecretKey": esms.secret_key}
    page = "/MainService.svc/json/GetSmsReceiverStatus_get"
    told = (await sender.get(page, params={**keys, "RefId": said.body["SMSID"]})).body
    assert told["ReceiverList"] == [
        {"IsSent": True, "NetworkName": "Vinaphone", "Phone": "0912000111", "Retry": 0, "SentResult": True}
    ]
    assert (await sender.get(page, params={**keys, "RefId": "none"})).body == {"CodeResult": "105"}
    status = "/MainService.svc/json/GetSendStatus"
    assert (await sender.get(status, params={"RefId": "none"})).body == {"CodeResponse": "101"}
    assert (await sender.get(status, params=keys)).body == {"CodeResponse": "105"}


def test_networks_are_known_by_prefix() -> None:
    """A prefix leads to its network's number, an unknown one to none."""
    assert network("+84987654321") == (1, "Viettel")
    assert network("+84551234567") == (7, "Reddi")
    assert network("+84281234567") == (0, "")


# --- SpeedSMS -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": []}, "101"),
        ({"to": "84909123456"}, "101"),
        ({"to": ["84909123456"] * 101}, "101"),
        ({"to": [84909123456]}, "101"),
        ({"content": ""}, "101"),
        ({"content": None}, "101"),
        ({"sms_type": 1}, "101"),
        ({"sms_type": "8"}, "101"),
        ({"sender": "KHAC"}, "101"),
        ({"sender": None}, "101"),
        ({"to": ["0123"]}, "105"),
        ({"content": "Đơn 48273"}, "110"),
    ],
    ids=[
        "nobody",
        "one",
        "too-many",
        "number",
        "empty",
        "no-content",
        "type",
        "type-text",
        "sender",
        "no-sender",
        "phone",
        "accents",
    ],
)
async def test_speedsms_refuses(
    speedsms: FakeSpeedSms, session: aiohttp.ClientSession, product: Ear, fields: dict[str, Any], code: str
) -> None:
    """Each fault has the code of the vendor's page."""
    said = await Sender(session, speedsms, product.url).send(**fields)
    assert (said.status, said.body["status"], said.body["code"]) == (200, "error", code)
    assert speedsms.phones == {}


async def test_speedsms_wants_its_token(
    speedsms: FakeSpeedSms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """A wrong token, a wrong password and none at all get 401."""
    sender = Sender(session, speedsms, product.url)
    assert (await sender.send(token="wrong")).status == 401
    assert (await sender.post(speedsms.sends, json={})).status == 401
    auth = basic(speedsms.token, "y")
    assert (await sender.post(speedsms.sends, json={}, headers=auth)).status == 401
    good = basic(speedsms.token, "x")
    assert (await sender.post(speedsms.sends, data=b"{", headers=good)).body["code"] == "101"
    assert (await sender.get("/index.php/user/info", headers=good)).body["currency"] == "VND"
    assert (await sender.get("/index.php/sms/status/1", headers=good)).body["code"] == "101"


async def test_speedsms_tells_bad_numbers_among_good_ones(
    speedsms: FakeSpeedSms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """The good ones are sent to, the bad ones named, the price is of what was sent."""
    fields: dict[str, Any] = {"to": ["84909123456", "0912000111", "0123"]}
    said = await Sender(session, speedsms, product.url).send(text="Don 48273 " * 17, **fields)
    assert said.body["data"] == {
        "tranId": 1_000_001,
        "totalSMS": 4,
        "totalPrice": 4 * 350,
        "invalidPhone": ["0123"],
    }
    assert set(speedsms.phones) == {"+84909123456", BINH}


async def test_speedsms_takes_sixty_a_minute(
    speedsms: FakeSpeedSms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """The next one gets 429 in the form of its page, and how many seconds to wait."""
    sender = Sender(session, speedsms, product.url)
    statuses = [(await sender.send()).status for _ in range(60)]
    assert set(statuses) == {200}
    said = await sender.send()
    assert said.status == 429
    assert said.body == {
        "name": "Too Many Requests",
        "message": "Rate limit exceeded.",
        "code": 0,
        "status": 429,
    }
    assert 0 < int(said.headers["X-Rate-Limit-Reset"]) <= 60


async def test_speedsms_knows_no_repeats(
    speedsms: FakeSpeedSms, session: aiohttp.ClientSession, product: Ear
) -> None:
    """The same send twice is two texts under two ids."""
    sender = Sender(session, speedsms, product.url)
    ids = {(await sender.send(BINH)).body["data"]["tranId"] for _ in range(2)}
    assert len(ids) == len(speedsms.phones[BINH].received) == 2


async def test_speedsms_webhooks_are_bare_json(speedsms: FakeSpeedSms, product: Ear) -> None:
    """No signature and no id: the secret path is all there is; the type goes by two names."""
    binh = speedsms.phone(BINH)
    await binh.writes("XN 48273")
    speedsms.incoming_type = "incoming"
    await binh.writes("XN 48273")
    first, second = product.heard
    assert first.path == f"/webhooks/sms/speedsms/{speedsms.path_secret}"
    assert first.json == {"type": "sms", "phone": "84912000111", "content": "XN 48273"}
    assert second.json["type"] == "incoming"


# --- Twilio -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"token": "wrong"}, 401, 20003),
        ({"To": None}, 400, 21604),
        ({"From": None}, 400, 21603),
        ({"Body": None}, 400, 21602),
        ({"To": "0909123456"}, 400, 21211),
        ({"From": "+12025550199"}, 400, 21606),
        ({"Body": "x" * 1601}, 400, 21617),
    ],
    ids=["token", "no-to", "no-from", "no-body", "to", "from", "long"],
)
async def test_twilio_refuses(
    twilio: FakeTwilio,
    session: aiohttp.ClientSession,
    product: Ear,
    fields: dict[str, Any],
    status: int,
    code: int,
) -> None:
    """Each fault has its code, and the HTTP status that goes with it, in the body too."""
    said = await Sender(session, twilio, product.url).send(**fields)
    assert (said.status, said.body["code"], said.body["status"]) == (status, code, status)
    assert said.body["more_info"].endswith(str(code))
    assert twilio.phones == {}


async def test_twilio_knows_its_own_account_only(
    twilio: FakeTwilio, session: aiohttp.ClientSession, product: Ear
) -> None:
    """Somebody else's account and an unknown message are not found."""
    sender = Sender(session, twilio, product.url)
    auth = basic(twilio.account_sid, twilio.auth_token)
    said = await sender.post("/2010-04-01/Accounts/ACother/Messages.json", data={"To": BINH}, headers=auth)
    assert (said.status, said.body["code"]) == (404, 20404)
    path = f"/2010-04-01/Accounts/{twilio.account_sid}/Messages/SM0.json"
    assert (await sender.get(path, headers=auth)).status == 404


async def test_twilio_answers_with_the_message(
    twilio: FakeTwilio, session: aiohttp.ClientSession, product: Ear
) -> None:
    """201 and the resource; accents are carried, in more segments; a repeat is another message."""
    sender = Sender(session, twilio, product.url)
    said = await sender.send(BINH, "Đơn 48273 " * 8)
    assert said.status == 201
    assert (said.body["status"], said.body["num_segments"], said.body["to"]) == ("queued", "2", BINH)
    assert said.body["sid"].startswith("SM")
    assert len(said.body["sid"]) == 34
    assert (await sender.send(BINH, "Đơn 48273 " * 8)).body["sid"] != said.body["sid"]
    assert twilio.phones[BINH].received[0].text.startswith("Đơn")


async def test_twilio_signs_everything(
    twilio: FakeTwilio, session: aiohttp.ClientSession, product: Ear
) -> None:
    """Reports and what comes in satisfy the validator of Twilio's own package, and nothing else does."""
    twilio.receipts = REVERSED
    callback = f"{product.url}/status?order=1#rc=2&rp=5xx"
    await Sender(session, twilio, product.url).send(BINH, StatusCallback=callback)
    await twilio.phone(BINH).writes("XN 48273 & nhé ạ")
    await product.has_heard(3)
    validator = RequestValidator(twilio.auth_token)
    for heard in product.heard:
        given = heard.headers["X-Twilio-Signature"]
        assert validator.validate(heard.url, heard.form, given)
        assert not validator.validate(heard.url, heard.form | {"Body": "HUY"}, given)
        assert heard.headers["I-Twilio-Idempotency-Token"]


def test_the_signature_has_a_known_value() -> None:
    """The vendor's own example of a signed call."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, fields) == "GvWf1cFY/Q7PnoempGyD5oXAezc="


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?><Response><Message>Chào</Message></Response>', ["Chào"]),
        ("<Response/>", []),
        ("", []),
    ],
    ids=["message", "none", "nothing"],
)
async def test_twilio_sends_what_the_webhook_answers(
    twilio: FakeTwilio, product: Ear, body: str, texts: list[str]
) -> None:
    """A Message in TwiML comes back as an SMS."""
    product.body = body
    await twilio.phone(BINH).writes("DS")
    assert [sms.text for sms in twilio.phone(BINH).received] == texts
