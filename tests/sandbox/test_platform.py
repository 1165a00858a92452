"""The platform believes only signed webhooks, counts each once, and speaks the API as an integrator would."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from sandbox.listener import Listener
from sandbox.platform import FakePlatform
from tests.sandbox.conftest import HandClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ORDER = {"id": "o-1", "code": "48273", "external_id": "CN-1", "status": "confirmed", "version": 2}


@dataclass(slots=True)
class Api:
    """Stands where the product's API is."""

    seen: list[tuple[str, str, Any, str, str]] = field(default_factory=list)
    status: int = 201

    async def answer(self, request: web.Request) -> web.Response:
        """Keep the call and answer with an order."""
        body = await request.json() if request.can_read_body else None
        headers = request.headers
        self.seen.append(
            (
                request.method,
                request.path,
                body,
                headers["Authorization"],
                headers.get("Idempotency-Key", ""),
            )
        )
        return web.json_response(ORDER, status=self.status)


@pytest.fixture
def api() -> Api:
    """Return the API's stand-in."""
    return Api()


@pytest.fixture
async def platform(clock: HandClock, api: Api) -> AsyncIterator[FakePlatform]:
    """Yield a connected platform."""
    app = web.Application()
    app.router.add_route("*", "/api/v1/{tail:.*}", api.answer)
    listener = Listener(app)
    await listener.start()
    async with FakePlatform(clock=clock) as fake:
        fake.connect(api_url=listener.url, api_key="k1", webhook_secret=SECRET)
        yield fake
    await listener.stop()


async def tell(
    session: aiohttp.ClientSession,
    platform: FakePlatform,
    event: str = "order.confirmed",
    *,
    key: str = "m1",
    secret: str = SECRET,
) -> int:
    """Post a signed webhook and return the status it was answered with."""
    now = datetime.now(UTC)
    body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": ORDER})
    headers = {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(key, now, body),
    }
    async with session.post(platform.webhook_url, data=body, headers=headers) as answer:
        return answer.status


async def test_a_webhook_is_heard_once(session: aiohttp.ClientSession, platform: FakePlatform) -> None:
    """A repeat of the same id is answered and counted, but heard once."""
    assert [await tell(session, platform) for _ in range(2)] == [200, 200]
    await tell(session, platform, "order.completed", key="m2")
    assert [heard.type for heard in platform.heard()] == ["order.confirmed", "order.completed"]
    assert len(platform.heard("order.confirmed", "48273")) == 1
    assert platform.heard("order.confirmed", "11114") == []
    assert platform.attempts_at("m1") == 2
    assert (await platform.hears("order.completed")).order_id == "o-1"


async def test_a_signature_by_somebody_else(session: aiohttp.ClientSession, platform: FakePlatform) -> None:
    """It is answered 401 and not heard."""
    assert await tell(session, platform, secret="whsec_" + "A" * 32) == 401
    assert platform.heard() == []
    assert not platform.log()[0].newest.signature_ok


@pytest.mark.parametrize("signature", ["", "v1", "v1,***", "v1,AAAA v1", "\udc80"])
async def test_a_malformed_signature(
    session: aiohttp.ClientSession, platform: FakePlatform, signature: str
) -> None:
    """Whatever stands in the header, the answer is 401."""
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
        "webhook-signature": signature.encode("utf-8", "replace").decode(),
    }
    async with session.post(platform.webhook_url, data=b"\xff{", headers=headers) as answer:
        assert answer.status == 401


async def test_a_platform_that_is_down(session: aiohttp.ClientSession, platform: FakePlatform) -> None:
    """A failed attempt is in the log, but heard only when it comes again."""
    platform.status_next(503)
    assert await tell(session, platform) == 503
    assert platform.heard() == []
    assert not platform.log()[0].received
    await tell(session, platform)
    assert [(line.attempts, line.received) for line in platform.log()] == [(2, True)]
    await platform.refuse()
    with pytest.raises(aiohttp.ClientConnectionError):
        await tell(session, platform)
    await platform.recover()
    assert await tell(session, platform) == 200


async def test_a_platform_that_accepts_and_hangs(
    session: aiohttp.ClientSession, platform: FakePlatform
) -> None:
    """It has the event although the caller never learnt so."""
    platform.accept_then_hang(30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tell(session, platform), 0.3)
    assert platform.orders["o-1"]["status"] == "confirmed"
    await tell(session, platform)
    assert platform.attempts_at("m1") == 2


async def test_it_speaks_the_api(platform: FakePlatform, api: Api) -> None:
    """Each call goes where interface.md says, with the bearer key."""
    placed = await platform.place({"partner": "com-nha-lan"}, idempotency_key="i1")
    await platform.change("o-1", note="Cổng sau")
    await platform.cancel("o-1", "Khách huỷ")
    await platform.review("o-1", 5, "Ngon", "An")
    await platform.show("o-1")
    assert placed.ok
    assert platform.orders["o-1"]["code"] == "48273"
    assert api.seen == [
        ("POST", "/api/v1/orders", {"partner": "com-nha-lan"}, "Bearer k1", "i1"),
        ("PATCH", "/api/v1/orders/o-1", {"note": "Cổng sau"}, "Bearer k1", ""),
        ("POST", "/api/v1/orders/o-1/cancel", {"reason": "Khách huỷ"}, "Bearer k1", ""),
        (
            "POST",
            "/api/v1/orders/o-1/review",
            {"rating": 5, "comment": "Ngon", "author": "An"},
            "Bearer k1",
            "",
        ),
        ("GET", "/api/v1/orders/o-1", None, "Bearer k1", ""),
    ]


async def test_what_it_never_hears(platform: FakePlatform) -> None:
    """Waiting in vain is an error that says what was heard instead."""
    with pytest.raises(AssertionError, match=r"order\.cancelled"):
        await platform.hears("order.cancelled", within=0.05)
