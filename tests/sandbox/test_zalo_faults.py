"""The troubles a test can script happen as written, and end."""

import asyncio
import time

import aiohttp
import pytest

from sandbox.zalo import FakeZalo, Person
from tests.sandbox.conftest import Caller

SEND = {"recipient": {"user_id": "111"}, "message": {"text": "Đơn mới"}}
PATH = "/v3.0/oa/message/cs"


@pytest.fixture
def lan(zalo: FakeZalo) -> Person:
    """Return Lan, who may be written to."""
    person = zalo.person("111", "Lan")
    person.last_interaction = zalo.clock()
    return person


async def test_codes_come_in_order_and_end(zalo: FakeZalo, product: Caller, lan: Person) -> None:
    """Each planned code meets as many sends as planned; other calls meet none."""
    zalo.fail_next(-32, times=2)
    zalo.fail_next(-216)
    codes = [(await product.post(PATH, SEND))["error"] for _ in range(4)]
    assert codes == [-32, -32, -216, 0]
    zalo.fail_next(-200)
    assert (await product.get("/v2.0/oa/getoa"))["error"] == 0


async def test_a_server_error(zalo: FakeZalo, product: Caller, lan: Person) -> None:
    """A planned status is bare, and nothing reaches the phone."""
    zalo.status_next(503)
    async with product.session.post(product.url + PATH, json=SEND) as answer:
        assert answer.status == 503
    assert lan.received == []


async def test_hanging_before_and_after(zalo: FakeZalo, product: Caller, lan: Person) -> None:
    """A hanging gateway did nothing; one that hangs after accepting has delivered."""
    zalo.hang(30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(product.post(PATH, SEND), 0.2)
    assert lan.received == []
    zalo.accept_then_hang(30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(product.post(PATH, SEND), 0.2)
    assert [bubble.text for bubble in lan.received] == ["Đơn mới"]


async def test_refusing_and_coming_back(zalo: FakeZalo, product: Caller, lan: Person) -> None:
    """Refused connections, open ones too; afterwards the same address answers again."""
    address = zalo.url
    assert (await product.post(PATH, SEND))["error"] == 0
    await zalo.refuse()
    with pytest.raises(aiohttp.ClientConnectionError):
        await product.post(PATH, SEND)
    await zalo.recover()
    assert zalo.url == address
    assert (await product.post(PATH, SEND))["error"] == 0


async def test_leaving_while_a_call_hangs(zalo: FakeZalo, product: Caller, lan: Person) -> None:
    """A fake that is closed in the middle of a call is closed within a second."""
    zalo.hang(60)
    call = asyncio.ensure_future(product.post(PATH, SEND))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await zalo.refuse()
    with pytest.raises(aiohttp.ClientConnectionError):
        await call
    assert time.monotonic() - began < 1
