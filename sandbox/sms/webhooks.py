"""Webhooks as SMS gateways make them: a GET with a query, JSON or a form, each of which can be repeated."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from sandbox.feed import Feed, Level

# docs/facts.md#twilio-webhook-deadline (Twilio, connection overrides: 15 s in all); the others say nothing.
DEADLINE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook to make: `query` is written behind the address, `body` beneath it."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that was made, and what came back; `status` is None when nothing came in time."""

    call: Call
    status: int | None
    body: str
    seconds: float

    @property
    def accepted(self) -> bool:
        """True when the gateway would not try again."""
        return self.status is not None and 200 <= self.status < 300


class Postman:
    """Makes the webhooks of one gateway, and tells of each."""

    def __init__(self, gateway: str, feed: Feed) -> None:
        self.last: Delivery | None = None
        self._gateway = gateway
        self._feed = feed
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to call."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=DEADLINE)
        )

    async def close(self) -> None:
        """Drop every connection."""
        if self._session is not None:
            await self._session.close()

    async def make(self, call: Call) -> Delivery:
        """Make exactly this call: also one with a wrong signature, and one that was made before."""
        began = time.monotonic()
        status, body = await self._call(call)
        delivery = Delivery(call, status, body, time.monotonic() - began)
        self.last = delivery
        self._tell(delivery)
        return delivery

    async def _call(self, call: Call) -> tuple[int | None, str]:
        if self._session is None:
            raise RuntimeError(f"the fake {self._gateway} is not running")
        try:
            async with self._session.request(
                call.method, call.url, params=call.query, data=call.body or None, headers=call.headers
            ) as answer:
                return answer.status, await answer.text()
        except (TimeoutError, aiohttp.ClientError) as fault:
            return None, str(fault)

    def _tell(self, delivery: Delivery) -> None:
        if delivery.accepted:
            text = f"Chốt Đơn nhận webhook {self._gateway} sau {delivery.seconds * 1000:.0f} ms"
            self._feed.report("sms.in", text)
            return
        trouble = f"Chốt Đơn trả {delivery.status}" if delivery.status else "không có trả lời"
        text = f"Webhook {self._gateway} không tới được: {trouble}"
        self._feed.report("sms.in", text, level=Level.ERROR)
