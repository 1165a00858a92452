"""Webhooks as Zalo posts them: one JSON body, signed, answered within two seconds."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.feed import Feed, Level
from sandbox.moments import Clock, milliseconds

# docs/facts.md#zalo-webhook-deadline (OA webhook page: answer 200 within 2 s).
DEADLINE = 2.0

OA_SERVER = "OA OpenAPI"
ZBS_SERVER = "ZNS"


def signature(app_id: str, raw: bytes, timestamp: str, oa_secret: str) -> str:
    """Return the value of `X-ZEvent-Signature` for the body `raw`.

    A plain SHA-256, not an HMAC: docs/facts.md#zalo-signature (official Java SDK, `MacUtils.buildMac`).
    """
    signed = app_id.encode() + raw + timestamp.encode() + oa_secret.encode()
    return "mac=" + hashlib.sha256(signed).hexdigest()


def new_message_id() -> str:
    """Return an id shaped as the vendor's: 20 hexadecimal digits."""
    return secrets.token_hex(10)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that was posted, and what came back; `status` is None when nothing came in time."""

    raw: bytes
    headers: Mapping[str, str]
    status: int | None
    body: str
    seconds: float
    retries: int = 0

    @property
    def event(self) -> dict[str, Any]:
        """The body as it was posted."""
        return dict(json.loads(self.raw))

    @property
    def accepted(self) -> bool:
        """True when Zalo would not try again."""
        return self.status == 200


class Postman:
    """Signs events and posts them to the one webhook URL of the app."""

    def __init__(self, *, app_id: str, oa_secret: str, clock: Clock, feed: Feed) -> None:
        self.app_id = app_id
        self.oa_secret = oa_secret
        self.webhook_url = ""
        self.last: Delivery | None = None
        self._clock = clock
        self._feed = feed
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to post."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=DEADLINE)
        )

    async def close(self) -> None:
        """Drop every connection."""
        if self._session is not None:
            await self._session.close()

    async def post(self, event: Mapping[str, object], *, server: str = OA_SERVER) -> Delivery:
        """Add the app's id and the timestamp where they are missing, sign, and post."""
        body = {"app_id": self.app_id, **event}
        body.setdefault("timestamp", milliseconds(self._clock()))
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self.post_raw(raw, self._headers(raw, str(body["timestamp"]), server))

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Post the same body again, as Zalo does when it was not answered in time."""
        retries = delivery.retries + 1
        headers = {**delivery.headers, "num_retry": str(retries)}
        return await self.post_raw(delivery.raw, headers, retries=retries)

    async def post_raw(self, raw: bytes, headers: Mapping[str, str], *, retries: int = 0) -> Delivery:
        """Post exactly these bytes under exactly these headers: for a wrong signature or a broken body."""
        began = time.monotonic()
        status, body = await self._call(raw, headers)
        delivery = Delivery(raw, headers, status, body, time.monotonic() - began, retries)
        self.last = delivery
        self._tell(delivery)
        return delivery

    def _headers(self, raw: bytes, timestamp: str, server: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "ZaloWebhook",
            "X-ZEvent-Signature": signature(self.app_id, raw, timestamp, self.oa_secret),
            "X-ZEvent-Server": server,
        }

    async def _call(self, raw: bytes, headers: Mapping[str, str]) -> tuple[int | None, str]:
        if self._session is None or not self.webhook_url:
            raise RuntimeError("the fake Zalo is not running, or its webhook_url is not set")
        try:
            async with self._session.post(self.webhook_url, data=raw, headers=dict(headers)) as answer:
                return answer.status, await answer.text()
        except (TimeoutError, aiohttp.ClientError) as fault:
            return None, str(fault)

    def _tell(self, delivery: Delivery) -> None:
        again = f", lần gửi lại {delivery.retries}" if delivery.retries else ""
        if delivery.accepted:
            text = f"Chốt Đơn nhận webhook Zalo{again} sau {delivery.seconds * 1000:.0f} ms"
            self._feed.report("zalo.in", text)
            return
        trouble = f"Chốt Đơn trả {delivery.status}" if delivery.status else "không có trả lời"
        self._feed.report("zalo.in", f"Webhook Zalo{again} không tới được: {trouble}", level=Level.ERROR)
