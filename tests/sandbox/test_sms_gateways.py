"""What every fake SMS gateway does, whichever vendor it plays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from sandbox.sms import (
    BEFORE_ANSWER,
    DELIVERED,
    DUPLICATE,
    FAILED,
    REVERSED,
    FakeEsms,
    FakeSpeedSms,
    FakeTwilio,
    Receipts,
    SmsFake,
    Step,
)
from tests.sandbox.conftest import HandClock
from tests.sandbox.sms_calls import Ear, Heard, Sender, accepted

BINH: Final = "+84912000111"
GATEWAYS: Final = (FakeEsms, FakeSpeedSms, FakeTwilio)
#: A code that each vendor refuses somebody by.
CODES: Final[dict[str, int | str]] = {"esms": "99", "speedsms": "105", "twilio": 21610}


@pytest.fixture
async def product() -> AsyncIterator[Ear]:
    """Yield a listening product."""
    async with Ear() as listening:
        yield listening


@pytest.fixture(params=GATEWAYS, ids=[gateway.name for gateway in GATEWAYS])
async def fake(request: pytest.FixtureRequest, clock: HandClock, product: Ear) -> AsyncIterator[SmsFake]:
    """Yield each of the gateways, which knows where the product listens."""
    async with request.param(clock=clock) as running:
        running.webhook_base = product.url
        yield running


@pytest.fixture
def sender(fake: SmsFake, session: aiohttp.ClientSession, product: Ear) -> Sender:
    """Return somebody who sends by this gateway."""
    return Sender(session, fake, product.url)


def steps(heard: list[Heard]) -> list[str]:
    """Return how far each report says that its text came, in one form for all vendors."""
    return [_step(one) for one in heard]


def _step(heard: Heard) -> str:
    if heard.method == "GET":
        told = heard.query
        done = "delivered" if told["SendSuccess"] == "1" else "failed"
        return done if told["SendStatus"] == "5" else "sent"
    if heard.headers["Content-Type"] == "application/json":
        status = int(heard.json["status"])
        return "delivered" if status == 0 else "failed" if status >= 64 else "sent"
    return heard.form["MessageStatus"].replace("undelivered", "failed")


async def test_a_text_arrives(fake: SmsFake, sender: Sender) -> None:
    """It stands on the phone with its sender, its time, its length and its price."""
    binh = fake.phone(BINH, "Bình")
    said = await sender.send(BINH, "Don 48273, 20 suat")
    assert accepted(said)
    sms = await binh.sees("48273")
    assert (sms.at, sms.parts, sms.dong) == (fake.clock(), 1, fake.price)
    assert sms.other in fake.settings.values()
    assert binh.unread == []


async def test_a_number_nobody_claimed_is_a_phone_too(fake: SmsFake, sender: Sender) -> None:
    """Gateways take every good number; its owner shows up by the name that is known, or by the number."""
    fake.names = {BINH: "Công ty Sao Mai"}
    assert accepted(await sender.send("+84987654321"))
    assert accepted(await sender.send(BINH))
    assert [phone.name for phone in fake.phones.values()] == ["+84987654321", "Công ty Sao Mai"]


@pytest.mark.parametrize("number", ["+8490912345", "+84 909 123 456", "8041", ""])
async def test_a_bad_number_is_refused(fake: SmsFake, sender: Sender, number: str) -> None:
    """Nothing is sent to what is no number."""
    assert not accepted(await sender.send(number))
    assert fake.phones == {}


async def test_a_phone_that_is_refused(fake: SmsFake, sender: Sender) -> None:
    """Sends to it get the scripted code, sends to others do not."""
    fake.phone(BINH, "Bình").refusal = CODES[fake.name]
    assert not accepted(await sender.send(BINH))
    assert fake.phones[BINH].received == []
    assert accepted(await sender.send())


async def test_codes_come_in_order_and_end(fake: SmsFake, sender: Sender) -> None:
    """Each planned trouble meets as many sends as planned, and nothing was done of them."""
    fake.fail_next(CODES[fake.name], times=2)
    fake.status_next(503)
    took = [accepted(await sender.send()) for _ in range(4)]
    assert took == [False, False, False, True]
    assert len(fake.phones["+84909123456"].received) == 1


async def test_too_many(fake: SmsFake, sender: Sender) -> None:
    """429 says in the vendor's own header how long to wait."""
    fake.too_many(7)
    said = await sender.send()
    assert said.status == 429
    assert "7" in (said.headers.get("Retry-After"), said.headers.get("X-Rate-Limit-Reset"))
    assert fake.phones == {}


async def test_hanging_before_and_after(fake: SmsFake, sender: Sender) -> None:
    """A hanging gateway did nothing; one that hangs after accepting has delivered."""
    fake.hang(30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.send(BINH), 0.2)
    assert fake.phones == {}
    fake.accept_then_hang(30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.send(BINH), 0.2)
    assert [sms.text for sms in fake.phones[BINH].received] == ["Don 48273"]


async def test_refusing_and_coming_back(fake: SmsFake, sender: Sender) -> None:
    """Connections are refused; afterwards the same address answers again."""
    address = fake.url
    await fake.refuse()
    with pytest.raises(aiohttp.ClientConnectionError):
        await sender.send()
    await fake.recover()
    assert fake.url == address
    assert accepted(await sender.send())


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (DELIVERED, ["sent", "delivered"]),
        (DUPLICATE, ["delivered", "delivered"]),
        (REVERSED, ["delivered", "sent"]),
        (FAILED, ["sent", "failed"]),
    ],
    ids=["delivered", "duplicate", "reversed", "failed"],
)
async def test_receipts_come_as_planned(
    fake: SmsFake, sender: Sender, product: Ear, plan: Receipts, expected: list[str]
) -> None:
    """Each plan is reported in its own order, duplicates and all."""
    fake.receipts = plan
    await sender.send()
    await product.has_heard(len(expected))
    assert steps(product.heard) == expected


async def test_a_receipt_before_the_answer(fake: SmsFake, sender: Sender, product: Ear) -> None:
    """The report has arrived when the send is answered; its id is that of the answer."""
    fake.receipts = BEFORE_ANSWER
    said = await sender.send()
    assert steps(product.heard) == ["delivered"]
    gateway_id = next(iter(fake.accepted))
    assert gateway_id in str(said.body)
    assert gateway_id in product.heard[0].url + product.heard[0].raw.decode()


async def test_a_phone_that_is_off_reports_nothing(fake: SmsFake, sender: Sender, product: Ear) -> None:
    """No report comes, and whoever asks hears that it is on its way."""
    fake.receipts = BEFORE_ANSWER
    fake.phone(BINH).off = True
    said = await sender.send(BINH)
    assert product.heard == []
    told = await sender.ask(said)
    assert told.get("SendStatus") == 7 or told.get("status") == "sent" or told["data"][0]["status"] == 1


async def test_asking_how_far_it_came(fake: SmsFake, sender: Sender) -> None:
    """The gateway knows without having reported it."""
    told = await sender.ask(await sender.send())
    delivered = told.get("SendStatus") == 5 and told.get("SendSuccess") == 1
    assert delivered or told.get("status") == "delivered" or told["data"][0]["status"] == 0


async def test_a_report_by_hand_and_again(fake: SmsFake, sender: Sender, product: Ear) -> None:
    """A test may report when it likes, and make the same call once more, byte for byte."""
    await sender.send()
    delivery = await fake.report(next(iter(fake.accepted)), Step.FAILED)
    assert delivery.accepted
    await fake.redeliver()
    first, second = product.heard
    assert steps(product.heard) == ["failed", "failed"]
    assert (first.url, first.raw) == (second.url, second.raw)


async def test_somebody_writes(fake: SmsFake, product: Ear) -> None:
    """What is written stands on the phone and travels to the product in the vendor's form."""
    binh = fake.phone(BINH, "Bình")
    delivery = await binh.writes("XN 48273")
    assert delivery.accepted
    assert [(sms.text, sms.incoming) for sms in binh.texts] == [("XN 48273", False)]
    heard = product.heard[0]
    fields = heard.query or (heard.json if heard.raw.startswith(b"{") else heard.form)
    assert "XN 48273" in fields.values()
    assert "84912000111" in {str(value).removeprefix("+") for value in fields.values()}
    assert heard.path.startswith(f"/webhooks/sms/{fake.name}/")


async def test_a_product_that_is_away(fake: SmsFake, product: Ear) -> None:
    """The delivery says what came back, and the feed is red."""
    product.status = 503
    assert not (await fake.phone(BINH).writes("DS")).accepted
    await product.listener.refuse()
    assert (await fake.phone(BINH).writes("DS")).status is None
    assert [hop.level for hop in fake.feed.hops if hop.kind == "sms.in"] == ["error", "error"]


async def test_what_is_not_seen_is_told(fake: SmsFake, sender: Sender) -> None:
    """An expectation that fails names what was there instead."""
    await sender.send(BINH, "Don 48273")
    with pytest.raises(AssertionError, match="Don 48273"):
        await fake.phone(BINH).sees("Don 11111", within=0.05)


@pytest.mark.parametrize("gateway", GATEWAYS, ids=[gateway.name for gateway in GATEWAYS])
async def test_phones_survive_the_process(
    gateway: type[SmsFake], session: aiohttp.ClientSession, product: Ear, tmp_path: Path
) -> None:
    """Names and texts are there again at the next start."""
    file = tmp_path / "sms.json"
    async with gateway(memory=file) as fake:
        fake.phone(BINH, "Bình")
        await Sender(session, fake, product.url).send(BINH, "Don 48273")
        fake.phones[BINH].reads_all()
    again = gateway(memory=file)
    assert [(sms.text, sms.read) for sms in again.phone(BINH).texts] == [("Don 48273", True)]
    assert again.phone(BINH).name == "Bình"
    assert file.stat().st_mode & 0o077 == 0
