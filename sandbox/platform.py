"""A food-ordering platform of our own: places orders by API and hears of every change by webhook."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sandbox import faults
from sandbox.feed import Feed, Level
from sandbox.listener import Listener
from sandbox.moments import Clock, real_time

# What an integrator would allow itself for one call.
_API_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the webhook. `status` is what it answered, None while it hung or was cut off."""

    at: datetime
    webhook_id: str
    type: str
    data: dict[str, Any]
    signature_ok: bool
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None

    @property
    def order_id(self) -> str:
        """The id of the order it is about."""
        return str(self.data.get("id", ""))

    @property
    def code(self) -> str:
        """The code of the order it is about."""
        return str(self.data.get("code", ""))


@dataclass(frozen=True, slots=True)
class LogLine:
    """One webhook with all its attempts, for somebody who looks."""

    newest: Attempt
    attempts: int
    received: bool


class FakePlatform:
    """One platform. `connect` gives it the product's address and its own key and secret."""

    def __init__(
        self,
        name: str = "Cơm Ngon",
        *,
        clock: Clock = real_time,
        feed: Feed | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.name = name
        self.clock = clock
        self.feed = feed or Feed(clock=clock)
        self.attempts: list[Attempt] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.faults = faults.Faults()
        self._api_url = ""
        self._api_key = ""
        self._verifier: Webhook | None = None
        self._received: set[str] = set()
        self._arrived = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        app = web.Application()
        app.router.add_post("/webhooks", self._receive)
        self._listener = Listener(app, host=host, port=port)

    async def __aenter__(self) -> Self:
        await self._listener.start()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_API_TIMEOUT))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()
        if self._session is not None:
            await self._session.close()

    @property
    def webhook_url(self) -> str:
        """Where the platform listens."""
        return f"{self._listener.url}/webhooks"

    def connect(self, *, api_url: str, api_key: str, webhook_secret: str) -> None:
        """Take what `platform add` answered; `api_url` is the product's address, without a path."""
        self._api_url = api_url.rstrip("/")
        self._api_key = api_key
        self._verifier = Webhook(webhook_secret)

    # What it asks of the product.

    async def place(self, order: Mapping[str, Any], *, idempotency_key: str = "") -> Answer:
        """Place an order."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = await self.call("POST", "/orders", dict(order), headers=headers)
        self._tell_answer("đặt đơn", answer)
        return answer

    async def change(self, order_id: str, **changes: Any) -> Answer:
        """Change delivery time, items, address or note of an order."""
        answer = await self.call("PATCH", f"/orders/{order_id}", changes)
        self._tell_answer("đổi đơn", answer)
        return answer

    async def cancel(self, order_id: str, reason: str = "Khách đổi ý") -> Answer:
        """Cancel an order."""
        answer = await self.call("POST", f"/orders/{order_id}/cancel", {"reason": reason})
        self._tell_answer("huỷ đơn", answer)
        return answer

    async def review(self, order_id: str, rating: int, comment: str = "", author: str = "") -> Answer:
        """Pass a customer's review on."""
        body = {"rating": rating, "comment": comment, "author": author}
        answer = await self.call("POST", f"/orders/{order_id}/review", body)
        self._tell_answer("gửi đánh giá cho đơn", answer)
        return answer

    async def show(self, order_id: str) -> Answer:
        """Ask for one order."""
        return await self.call("GET", f"/orders/{order_id}")

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call the product's API v1 with the platform's key; any body, any further headers."""
        if self._session is None or not self._api_url:
            raise RuntimeError("the platform is not running, or connect() was not called")
        url = f"{self._api_url}/api/v1{path}"
        sent = {"Authorization": f"Bearer {self._api_key}", **(headers or {})}
        async with self._session.request(method, url, json=body, headers=sent) as response:
            answer = Answer(response.status, _object(await response.read()), dict(response.headers))
        self._learn(answer.body)
        return answer

    # What it heard.

    def heard(self, event: str = "", order: str = "") -> list[Attempt]:
        """Return what it accepted, each webhook once, the oldest first.

        `order` is an order's id, code or external id.
        """
        kept: dict[str, Attempt] = {}
        for attempt in self.attempts:
            if attempt.status == 200 and attempt.signature_ok and _about(attempt, event, order):
                kept.setdefault(attempt.webhook_id, attempt)
        return list(kept.values())

    async def hears(self, event: str, order: str = "", *, within: float = 5.0, times: int = 1) -> Attempt:
        """Wait up to `within` real seconds until it has heard `event` this many times; return the last.

        Raises AssertionError, with what it heard instead.
        """
        try:
            async with asyncio.timeout(within):
                return await self._hear(event, order, times)
        except TimeoutError:
            there = [attempt.type for attempt in self.heard(order=order)]
            raise AssertionError(f"{self.name} did not hear {event} {times} times; heard {there}") from None

    async def _hear(self, event: str, order: str, times: int) -> Attempt:
        while True:
            heard = self.heard(event, order)
            if len(heard) >= times:
                return heard[times - 1]
            self._arrived.clear()
            await self._arrived.wait()

    def attempts_at(self, webhook_id: str) -> int:
        """Return how often this webhook was tried."""
        return sum(attempt.webhook_id == webhook_id for attempt in self.attempts)

    def log(self) -> list[LogLine]:
        """Return one line a webhook, the newest first."""
        newest = {attempt.webhook_id: attempt for attempt in self.attempts}
        tries = Counter(attempt.webhook_id for attempt in self.attempts)
        lines = [
            LogLine(attempt, tries[key], key in self._received and attempt.signature_ok)
            for key, attempt in newest.items()
        ]
        return sorted(lines, key=lambda line: line.newest.at, reverse=True)

    # Troubles: each one meets the next webhooks, None: all until `recover`.

    def status_next(self, status: int, *, times: int | None = 1) -> None:
        """Answer the next webhooks with this status."""
        self.faults.plan(faults.AnswerStatus(status), times=times, path="/webhooks")

    def hang(self, seconds: float, *, times: int | None = 1) -> None:
        """Keep the next webhooks waiting, and take nothing."""
        self.faults.plan(faults.Hang(seconds), times=times, path="/webhooks")

    def accept_then_hang(self, seconds: float, *, times: int | None = 1) -> None:
        """Take the next webhooks, and keep the answer back."""
        self.faults.plan(faults.AcceptThenHang(seconds), times=times, path="/webhooks")

    async def refuse(self) -> None:
        """Refuse connections until `recover`."""
        await self._listener.refuse()

    async def recover(self) -> None:
        """Answer as usual again, on the same port."""
        self.faults.clear()
        await self._listener.resume()

    # Inside.

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        attempt = self._read(request, await request.read())
        place = len(self.attempts)
        self.attempts.append(attempt)
        response = await faults.meet(self.faults.take(request.path), request, lambda _: self._accept(attempt))
        self.attempts[place] = replace(attempt, status=response.status)
        self._tell(self.attempts[place])
        self._arrived.set()
        return response

    async def _accept(self, attempt: Attempt) -> web.StreamResponse:
        if not attempt.signature_ok:
            return web.Response(status=401)
        self._received.add(attempt.webhook_id)
        self._learn(attempt.data)
        return web.Response(status=200)

    def _read(self, request: web.Request, raw: bytes) -> Attempt:
        body = _object(raw)
        data = body.get("data")
        return Attempt(
            at=self.clock(),
            webhook_id=request.headers.get("webhook-id", ""),
            type=str(body.get("type", "")),
            data=data if isinstance(data, dict) else {},
            signature_ok=self._verified(raw, dict(request.headers)),
            headers=dict(request.headers),
            body=raw,
        )

    def _verified(self, raw: bytes, headers: dict[str, str]) -> bool:
        if self._verifier is None:
            return False
        try:
            self._verifier.verify(raw, headers)
        # Malformed headers raise whatever their parsing raises, not the library's own error.
        except (WebhookVerificationError, ValueError, OverflowError, OSError):
            return False
        return True

    def _learn(self, body: Mapping[str, Any]) -> None:
        """Remember the newest version of an order."""
        order_id = body.get("id")
        if not isinstance(order_id, str) or "status" not in body:
            return
        known = self.orders.get(order_id, {})
        if int(body.get("version", 0)) >= int(known.get("version", 0)):
            self.orders[order_id] = {**known, **body}

    def _tell(self, attempt: Attempt) -> None:
        text = f"{self.name} nghe {attempt.type} · {attempt.code}"
        if not attempt.signature_ok:
            self._report(f"{text}: chữ ký sai", Level.ERROR, attempt.order_id)
        elif attempt.status == 200:
            self._report(f"{text}: chữ ký đúng", Level.GOOD, attempt.order_id)
        else:
            self._report(f"{text}: trả {attempt.status}, sẽ được gửi lại", Level.ERROR, attempt.order_id)

    def _report(self, text: str, level: Level, ref: str) -> None:
        self.feed.report("platform.out", text, level=level, ref=ref)

    def _tell_answer(self, did: str, answer: Answer) -> None:
        order_id = str(answer.body.get("id", ""))
        if answer.ok:
            code = answer.body.get("code", "")
            self.feed.report("platform.in", f"{self.name} {did} {code}", ref=order_id)
            return
        text = f"{self.name} {did}: Chốt Đơn trả {answer.status}"
        self.feed.report("platform.in", text, level=Level.ERROR, ref=order_id)


def _about(attempt: Attempt, event: str, order: str) -> bool:
    names = (attempt.order_id, attempt.code, attempt.data.get("external_id"))
    return (not event or attempt.type == event) and (not order or order in names)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {"items": body}
