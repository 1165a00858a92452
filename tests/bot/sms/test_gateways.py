"""What the gateways answer, and what it means for a message. The fakes answer as the documents say."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sms import esms, speedsms, twilio
from bot.sms.calling import wait_told
from bot.sms.gateway import SmsGateway
from bot.sms.gateways import GATEWAYS
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
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio, SmsFake, Step

KEY: Final = "0199a000-0000-7000-8000-0000000000a1"
BINH: Final = "+84909123456"
TEXT: Final = "Don 48273 moi. Soan XN 48273 gui 8041"
BASE: Final = "https://chotdon.vn"


@pytest.fixture(params=[FakeEsms, FakeSpeedSms, FakeTwilio], ids=["esms", "speedsms", "twilio"])
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[SmsFake]:
    """Yield each vendor."""
    async with request.param() as fake:
        yield fake


def settings_of(fake: SmsFake, **changed: Any) -> Settings:
    """Return the settings that lead to a fake."""
    return Settings(_env_file=None, **{**fake.settings, "base_url": BASE, **changed})


@asynccontextmanager
async def opened(fake: SmsFake, **changed: Any) -> AsyncIterator[SmsGateway]:
    """Yield our side of a fake, as the table opens it."""
    gateway = GATEWAYS[fake.name](settings_of(fake, **changed))
    try:
        yield gateway
    finally:
        await gateway.close()


# --- All of them ----------------------------------------------------------------------------------


async def test_a_text_arrives_and_is_charged_by_its_parts(fake: SmsFake) -> None:
    """One part for one SMS, two for one of 161 letters."""
    async with opened(fake) as gateway:
        short = await gateway.send(BINH, TEXT, key=KEY)
        long = await gateway.send(BINH, "a" * 161, key=KEY.replace("a1", "a2"))

    assert isinstance(short, Sent)
    assert isinstance(long, Sent)
    assert [sms.text for sms in fake.phone(BINH).received] == [TEXT, "a" * 161]
    assert [sms.gateway_id for sms in fake.phone(BINH).received] == [short.id, long.id]
    assert [charge and (charge.what, charge.parts) for charge in (short.charge, long.charge)] == [
        (fake.name, 1),
        (fake.name, 2),
    ]


async def test_what_was_taken_without_an_answer_is_unclear_and_charged(fake: SmsFake) -> None:
    """It stands on the phone: calling again at once could make two of it."""
    fake.accept_then_hang(30)
    async with opened(fake) as gateway:
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert isinstance(outcome, Unclear)
    assert outcome.charge == Charge(fake.name, 1)
    assert len(fake.phone(BINH).received) == 1


async def test_too_many_calls_are_for_as_late_as_the_gateway_says(fake: SmsFake) -> None:
    """Whatever header it says it with."""
    fake.too_many(17)
    async with opened(fake) as gateway:
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert isinstance(outcome, TryLater)
    assert outcome.after == timedelta(seconds=17)


async def test_an_answer_that_is_nobodys_is_unclear(fake: SmsFake) -> None:
    """HTTP 200 with something else under it: it may have been taken."""
    fake.status_next(200)
    async with opened(fake) as gateway:
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert isinstance(outcome, Unclear)
    assert outcome.charge == Charge(fake.name, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_in_trouble_is_for_later(fake: SmsFake, status: int) -> None:
    """It says that it did nothing."""
    fake.status_next(status)
    async with opened(fake) as gateway:
        assert isinstance(await gateway.send(BINH, TEXT, key=KEY), TryLater)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 405])
async def test_an_address_that_answers_otherwise_is_everybodys_trouble(fake: SmsFake, status: int) -> None:
    """A wrong URL, or keys that are not let in: the operators hear of it, no phone is marked."""
    fake.status_next(status)
    async with opened(fake) as gateway:
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.EVERYBODY
    assert outcome.alarm
    assert f"HTTP {status}" in outcome.alarm


async def test_how_far_it_came_can_be_asked(fake: SmsFake) -> None:
    """Delivered once the gateway says so, failed, or not known yet; never an error."""
    fake.phone(BINH).off = True
    async with opened(fake) as gateway:
        sent = await gateway.send(BINH, TEXT, key=KEY)
        assert isinstance(sent, Sent)
        assert sent.id

        assert await gateway.ask(sent.id) is None
        fake.accepted[sent.id].step = Step.DELIVERED
        assert await gateway.ask(sent.id) is ReceiptKind.DELIVERED
        fake.accepted[sent.id].step = Step.FAILED
        assert await gateway.ask(sent.id) is ReceiptKind.FAILED

        assert await gateway.ask("nobody/knows?it#at all") is None
        await fake.refuse()
        assert await gateway.ask(sent.id) is None


async def test_no_key_and_no_phone_is_logged(fake: SmsFake, caplog: pytest.LogCaptureFixture) -> None:
    """Keys of eSMS travel in a query when it is asked."""
    caplog.set_level(logging.DEBUG)
    told = settings_of(fake)
    secrets = [told.esms_secret_key, told.speedsms_token, told.twilio_auth_token]
    async with opened(fake) as gateway:
        await gateway.send(BINH, TEXT, key=KEY)
        await gateway.ask("1")
        fake.status_next(403)
        await gateway.send(BINH, TEXT, key=KEY.replace("a1", "a2"))
        await fake.refuse()
        await gateway.ask("1")

    for secret in (*(one.get_secret_value() for one in secrets if one), "909123456"):
        assert secret not in caplog.text


# --- Error tables ---------------------------------------------------------------------------------


def each(errors: Mapping[Any, Outcome]) -> list[Any]:
    """Return every code of a table, as parameters."""
    return [pytest.param(code, outcome, id=str(code)) for code, outcome in errors.items()]


@pytest.mark.parametrize(("code", "meaning"), each(esms.ERRORS))
async def test_each_code_of_esms_means_what_the_table_says(code: str, meaning: Outcome) -> None:
    """Nothing was sent."""
    assert await answered(FakeEsms, code) == (meaning, [])


@pytest.mark.parametrize(("code", "meaning"), each(speedsms.ERRORS))
async def test_each_code_of_speedsms_means_what_the_table_says(code: str, meaning: Outcome) -> None:
    """Nothing was sent."""
    assert await answered(FakeSpeedSms, code) == (meaning, [])


@pytest.mark.parametrize(("code", "meaning"), each(twilio.ERRORS))
async def test_each_code_of_twilio_means_what_the_table_says(code: int, meaning: Outcome) -> None:
    """Nothing was sent. Too many calls come with a status of their own, which counts."""
    outcome, received = await answered(FakeTwilio, code)

    assert type(outcome) is type(meaning)
    assert received == []
    assert isinstance(meaning, TryLater) or outcome == meaning


@pytest.mark.parametrize(
    ("vendor", "code"), [(FakeEsms, "4711"), (FakeSpeedSms, "4711"), (FakeTwilio, 29999)], ids=["e", "s", "t"]
)
async def test_an_unknown_code_is_this_messages_trouble(vendor: type[SmsFake], code: int | str) -> None:
    """The next channel takes over; nobody is alarmed and no phone is marked."""
    outcome, received = await answered(vendor, code)

    assert outcome == Refused(f"{code} unknown to us")
    assert received == []


async def answered(vendor: type[SmsFake], code: int | str) -> tuple[Outcome, list[str]]:
    """Send to a vendor that answers this code; return the outcome, and what arrived."""
    async with vendor() as fake, opened(fake) as gateway:
        fake.fail_next(code)
        outcome = await gateway.send(BINH, TEXT, key=KEY)
        return outcome, [sms.text for sms in fake.phone(BINH).received]


@pytest.mark.parametrize(
    "outcome",
    [*esms.ERRORS.values(), *speedsms.ERRORS.values(), *twilio.ERRORS.values()],
    ids=[
        f"{name}-{code}"
        for name, errors in (("esms", esms.ERRORS), ("speedsms", speedsms.ERRORS), ("twilio", twilio.ERRORS))
        for code in errors
    ],
)
def test_everybodys_trouble_is_told_to_the_operators(outcome: Outcome) -> None:
    """In words that say whose it is; a phone is marked by its own codes only."""
    if isinstance(outcome, Refused) and outcome.scope is Scope.EVERYBODY:
        assert outcome.alarm
    if isinstance(outcome, Refused) and outcome.alarm:
        assert outcome.alarm.startswith(("eSMS", "SpeedSMS", "Twilio"))
        assert outcome.why.split()[0] in outcome.alarm


# --- eSMS -----------------------------------------------------------------------------------------


async def test_esms_takes_a_request_id_once() -> None:
    """A second try after silence is answered 124, which is a success, and costs nothing more."""
    async with FakeEsms() as fake, opened(fake) as gateway:
        fake.accept_then_hang(30)
        assert isinstance(await gateway.send(BINH, TEXT, key=KEY), Unclear)

        assert await gateway.send(BINH, TEXT, key=KEY) == Sent(None)
        assert len(fake.phone(BINH).received) == 1


async def test_esms_under_way_is_unclear() -> None:
    """199: the try before is still being worked on."""
    outcome, _ = await answered(FakeEsms, "199")

    assert outcome == Unclear("199 already processing", Charge("esms", 1))


async def test_esms_is_told_where_reports_go() -> None:
    """With the path's secret, escaped: reports are not signed. Without a secret none are asked for."""
    async with FakeEsms() as fake:
        async with opened(fake, webhook_path_secret="a/b c") as gateway:
            await gateway.send(BINH, TEXT, key=KEY)
        async with opened(fake, webhook_path_secret=None) as gateway:
            await gateway.send(BINH, TEXT, key=KEY.replace("a1", "a2"))

        told = [(accepted.callback_url, accepted.request_id) for accepted in fake.accepted.values()]
    assert told[0] == (f"{BASE}/webhooks/sms/esms/status/a%2Fb%20c", KEY.replace("-", ""))
    assert told[1][0] == ""
    assert esms.key_of(told[0][1]) == KEY


async def test_esms_is_asked_for_customer_care_without_accents() -> None:
    """Every field a string, the phone as Vietnam writes it."""
    async with (
        Notebook({"CodeResult": "100", "SMSID": "x"}) as notebook,
        opened_at(notebook, "esms") as gateway,
    ):
        await gateway.send("+84909123456", TEXT, key=KEY)
        await gateway.send("+12025550147", TEXT, key=KEY)

    body = json.loads(notebook.bodies[0])
    assert body == {
        "ApiKey": "an api key",
        "SecretKey": "a secret key",
        "Brandname": "CHOTDON",
        "Phone": "0909123456",
        "Content": TEXT,
        "SmsType": "2",
        "IsUnicode": "0",
        "RequestId": KEY.replace("-", ""),
        "CallbackUrl": f"{BASE}/webhooks/sms/esms/status/secret",
    }
    assert json.loads(notebook.bodies[1])["Phone"] == "12025550147"
    assert notebook.paths[0] == "/MainService.svc/json/SendMultipleMessage_V4_post_json/"


# --- SpeedSMS -------------------------------------------------------------------------------------


async def test_speedsms_tells_what_it_took() -> None:
    """The price of all parts, in đồng."""
    async with FakeSpeedSms(price=350) as fake, opened(fake) as gateway:
        outcome = await gateway.send(BINH, "a" * 161, key=KEY)

    assert isinstance(outcome, Sent)
    assert outcome.charge == Charge("speedsms", 2, dong=700)


async def test_speedsms_takes_sixty_a_minute() -> None:
    """The channel says so beforehand, and SpeedSMS itself afterwards."""
    async with FakeSpeedSms() as fake, opened(fake) as gateway:
        outcomes = [await gateway.send(BINH, TEXT, key=KEY) for _ in range(61)]

        assert gateway.rate == Rate(60, timedelta(seconds=60))
    assert all(isinstance(outcome, Sent) for outcome in outcomes[:60])
    last = outcomes[60]
    assert isinstance(last, TryLater)
    assert last.after
    assert timedelta() < last.after <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (
            {
                "status": "success",
                "code": "00",
                "data": {"tranId": 7, "totalPrice": 0, "invalidPhone": ["84"]},
            },
            NoSuchRecipient("105 bad phone"),
        ),
        (
            {"status": "success", "code": "00", "data": {"tranId": 7, "totalSMS": 1}},
            Sent("7", charge=Charge("speedsms", 1)),
        ),
        (
            {"status": "success", "code": "00", "data": {"tranId": 7, "totalPrice": -5}},
            Sent("7", charge=Charge("speedsms", 1)),
        ),
        ({"status": "success"}, Unclear("taken without a number", Charge("speedsms", 1))),
        ({"status": "success", "data": []}, Unclear("taken without a number", Charge("speedsms", 1))),
        ({"status": "error", "code": 105, "data": []}, NoSuchRecipient("105 bad phone")),
        ({"status": "error", "code": 7}, speedsms.ERRORS["007"]),
    ],
    ids=["bad phone", "no price", "odd price", "nothing", "list", "number", "short code"],
)
async def test_speedsms_answers_are_read_in_every_shape(answer: object, outcome: Outcome) -> None:
    """Its one page says little, public clients the rest."""
    async with Notebook(answer) as notebook, opened_at(notebook, "speedsms") as gateway:
        assert await gateway.send(BINH, TEXT, key=KEY) == outcome


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "success", "data": {"status": 0}}, ReceiptKind.DELIVERED),
        ({"status": "success", "data": [{"status": 64}]}, ReceiptKind.FAILED),
        ({"status": "success", "data": []}, None),
        ({"status": 1}, None),
        ("0", None),
    ],
    ids=["one", "list", "empty", "bare", "text"],
)
async def test_speedsms_states_are_read_in_every_shape(answer: object, kind: ReceiptKind | None) -> None:
    """Which one it is nobody has confirmed."""
    async with Notebook(answer) as notebook, opened_at(notebook, "speedsms") as gateway:
        assert await gateway.ask("7") is kind


async def test_speedsms_is_signed_in_to_by_the_token() -> None:
    """With the password that everybody has."""
    async with (
        Notebook({"status": "success", "data": {"tranId": 7}}) as notebook,
        opened_at(notebook, "speedsms") as gateway,
    ):
        await gateway.send(BINH, TEXT, key=KEY)

    assert notebook.headers[0]["Authorization"] == f"Basic {base64.b64encode(b'a token:x').decode()}"
    assert json.loads(notebook.bodies[0]) == {
        "to": ["84909123456"],
        "content": TEXT,
        "sms_type": 8,
        "sender": "0281000111",
    }


# --- Twilio ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "field"),
    [("+12025550147", "From"), ("CHOTDON", "From"), (f"MG{'0a' * 16}", "MessagingServiceSid")],
    ids=["number", "name", "service"],
)
async def test_twilio_is_given_a_sender_or_a_service(sender: str, field: str) -> None:
    """And where its status callbacks go."""
    async with (
        Notebook({"sid": "SM1", "status": "queued", "price": None}, status=201) as notebook,
        opened_at(notebook, "twilio", twilio_from=sender) as gateway,
    ):
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert outcome == Sent("SM1", charge=Charge("twilio", 1))
    assert dict(parse_qsl(notebook.bodies[0].decode())) == {
        field: sender,
        "To": BINH,
        "Body": TEXT,
        "StatusCallback": f"{BASE}/webhooks/sms/twilio/status",
    }
    assert notebook.paths[0] == "/2010-04-01/Accounts/AC1/Messages.json"


@pytest.mark.parametrize(
    ("price", "unit", "dong"),
    [
        ("-1850.0", "VND", 1850),
        (1850, "VND", 1850),
        ("-0.05", "USD", None),
        (None, "VND", None),
        ("x", "VND", None),
        ("inf", "VND", None),
        ("nan", "VND", None),
        (1e300, "VND", None),
    ],
    ids=["text", "number", "dollars", "none", "nonsense", "endless", "no number", "too dear"],
)
async def test_twilio_prices_count_in_dong_only(price: object, unit: str, dong: int | None) -> None:
    """Nobody changes money here."""
    answer = {"sid": "SM1", "price": price, "price_unit": unit}
    async with Notebook(answer, status=201) as notebook, opened_at(notebook, "twilio") as gateway:
        assert await gateway.send(BINH, TEXT, key=KEY) == Sent("SM1", charge=Charge("twilio", 1, dong=dong))


# --- Answers that are none ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["esms", "speedsms", "twilio"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 60_000,
        b"{" + b" " * 300_000 + b"}",
        b'{"CodeResult": {"a": 1}, "status": ["success"], "sid": 5}',
        b'{"CodeResult": null, "status": null, "sid": null}',
    ],
    ids=["empty", "null", "list", "bytes", "deep", "endless", "types", "nulls"],
)
async def test_garbage_with_200_is_unclear(name: str, answer: bytes) -> None:
    """Never an error of ours, never taken for a success."""
    async with Notebook(answer) as notebook, opened_at(notebook, name) as gateway:
        outcome = await gateway.send(BINH, TEXT, key=KEY)
        assert await gateway.ask("7") is None

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("name", ["esms", "speedsms", "twilio"])
async def test_a_redirect_is_not_followed(name: str) -> None:
    """It would carry the keys to wherever it points."""
    async with (
        Notebook(b"", status=307, headers={"Location": "/elsewhere"}) as notebook,
        opened_at(notebook, name) as gateway,
    ):
        outcome = await gateway.send(BINH, TEXT, key=KEY)

    assert isinstance(outcome, Refused)
    assert len(notebook.paths) == 1


@pytest.mark.parametrize("name", ["esms", "speedsms", "twilio"])
async def test_a_connection_that_ends_without_an_answer_is_unclear(name: str) -> None:
    """The request had been sent."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = GATEWAYS[name](_settings_at(f"http://127.0.0.1:{port}", name))
    try:
        assert isinstance(await gateway.send(BINH, TEXT, key=KEY), Unclear)
    finally:
        await gateway.close()
        server.close()
        await server.wait_closed()


NOW: Final = datetime(2026, 11, 23, 5, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"X-Rate-Limit-Reset": "2.5"}, 2.5),
        ({"X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 30)}, 30.0),
        ({"Retry-After": "Mon, 23 Nov 2026 05:01:00 GMT"}, 60.0),
        ({"Retry-After": "Mon, 23 Nov 2026 04:00:00 GMT"}, 0.0),
        ({"Retry-After": "999999"}, 3600.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({}, None),
    ],
    ids=["seconds", "reset", "moment", "date", "past", "long", "negative", "word", "arabic", "huge", "none"],
)
def test_how_long_to_wait_is_read_in_every_form(headers: dict[str, str], wait: float | None) -> None:
    """And never believed beyond an hour."""
    told = wait_told(headers, now=NOW)

    assert (told.total_seconds() if told is not None else None) == wait


# --- A server that writes down what it is asked ---------------------------------------------------


class Notebook:
    """Answers everything with the same, and keeps what it was asked."""

    def __init__(self, answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.url = ""
        self._raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self._status = status
        self._answered_with = headers or {}
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def _take(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.bodies.append(await request.read())
        self.headers.append(request.headers)
        return web.Response(status=self._status, body=self._raw, headers=self._answered_with)


def _settings_at(url: str, name: str, **changed: Any) -> Settings:
    known: dict[str, Any] = {
        "base_url": BASE,
        "sms_gateway": name,
        "webhook_path_secret": "secret",
        f"{name}_url": url,
        "esms_api_key": "an api key",
        "esms_secret_key": "a secret key",
        "esms_brandname": "CHOTDON",
        "speedsms_token": "a token",
        "speedsms_sender": "0281000111",
        "twilio_account_sid": "AC1",
        "twilio_auth_token": "a token",
        "twilio_from": "+12025550147",
    }
    return Settings(_env_file=None, **{**known, **changed})


@asynccontextmanager
async def opened_at(notebook: Notebook, name: str, **changed: Any) -> AsyncIterator[SmsGateway]:
    """Yield our side of a gateway whose server is a notebook."""
    gateway = GATEWAYS[name](_settings_at(notebook.url, name, **changed))
    try:
        yield gateway
    finally:
        await gateway.close()
