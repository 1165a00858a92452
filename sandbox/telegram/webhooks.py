"""Updates as Telegram posts them: a JSON body with a rising number and the secret, until it is taken."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import aiohttp

from sandbox.feed import Feed, Level

# docs/facts.md#telegram-secret-header (Bot API, setWebhook).
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_DEADLINE: Final = 30.0
#: What a bot that asked for nothing in particular is sent.
_USUAL: Final = ("message", "callback_query", "my_chat_member")

Reply = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One update that was posted, and what came back; `status` is None when nothing came in time.

    `held`: it was not posted yet.
    """

    update: Mapping[str, Any]
    status: int | None = None
    body: str = ""
    seconds: float = 0.0
    retries: int = 0
    held: bool = False

    @property
    def accepted(self) -> bool:
        """True when Telegram would not try again."""
        return self.status is not None and 200 <= self.status < 300


class Postman:
    """Numbers updates and posts them; what is not answered 2xx comes again after `again_after` (real time).

    `reply` is given what the webhook answers: a method to call, where it does. None as `again_after`: nothing
    comes again by itself.
    """

    def __init__(self, *, secret: str, feed: Feed, again_after: timedelta | None) -> None:
        self.webhook_url = ""
        self.secret = secret
        self.allowed: tuple[str, ...] = ()
        self.again_after = again_after
        self.deliveries: list[Delivery] = []
        self.last_error = ""
        self.reply: Reply = _no_reply
        self._feed = feed
        self._number = secrets.randbelow(1_000_000) + 100_000_000
        self._held: list[Delivery] = []
        self._holding = False
        self._repeats: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to post."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=_DEADLINE)
        )

    async def close(self) -> None:
        """Drop every connection, and whatever would have come again."""
        for repeat in list(self._repeats):
            repeat.cancel()
        await asyncio.gather(*self._repeats, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def pending(self) -> int:
        """How many updates wait to be taken."""
        return len(self._held) + len(self._repeats)

    async def post(self, kind: str, content: Mapping[str, object]) -> Delivery:
        """Post one update of this kind, unless the bot did not ask for it or updates are held back."""
        self._number += 1
        delivery = Delivery({"update_id": self._number, kind: content})
        if kind not in (self.allowed or _USUAL):
            return replace(delivery, status=200)
        if self._holding or not self.webhook_url:
            self._held.append(replace(delivery, held=True))
            return self._held[-1]
        return await self._post(delivery)

    def hold(self) -> None:
        """Keep updates back until `release`."""
        self._holding = True

    async def release(self, *, backwards: bool = False) -> Sequence[Delivery]:
        """Post what was held back, late, in order or the last first."""
        self._holding = False
        held, self._held = self._held, []
        return [await self._post(replace(one, held=False)) for one in (held[::-1] if backwards else held)]

    def forget(self) -> None:
        """Drop what waits."""
        self._held.clear()

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Post the same update again, as Telegram does when it was not answered in time."""
        return await self._post(replace(delivery, retries=delivery.retries + 1))

    async def post_raw(self, raw: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post exactly these bytes under exactly these headers, once: a wrong secret, a broken body."""
        status, body, seconds = await self._call(raw, headers)
        return Delivery({}, status, body, seconds)

    async def _post(self, delivery: Delivery) -> Delivery:
        raw = json.dumps(delivery.update, ensure_ascii=False, separators=(",", ":")).encode()
        status, body, seconds = await self._call(raw, self._headers())
        posted = replace(delivery, status=status, body=body, seconds=seconds)
        self.deliveries.append(posted)
        self._tell(posted)
        if posted.accepted:
            await self._obey(body)
        elif self.again_after is not None:
            self._plan(posted, self.again_after)
        return posted

    def _headers(self) -> dict[str, str]:
        secret = {SECRET_HEADER: self.secret} if self.secret else {}
        return {"Content-Type": "application/json", **secret}

    async def _call(self, raw: bytes, headers: Mapping[str, str]) -> tuple[int | None, str, float]:
        if self._session is None or not self.webhook_url:
            raise RuntimeError("the fake Telegram is not running, or its webhook_url is not set")
        began = time.monotonic()
        try:
            async with self._session.post(self.webhook_url, data=raw, headers=dict(headers)) as answer:
                return answer.status, await answer.text(), time.monotonic() - began
        except (TimeoutError, aiohttp.ClientError) as fault:
            return None, str(fault), time.monotonic() - began

    async def _obey(self, body: str) -> None:
        """A webhook may answer with one method to call (Bot API, "Making requests when getting updates")."""
        if '"method"' in body:
            await self.reply(json.loads(body))

    def _plan(self, delivery: Delivery, after: timedelta) -> None:
        repeat = asyncio.create_task(self._repeat(delivery, after))
        self._repeats.add(repeat)
        repeat.add_done_callback(self._repeats.discard)

    async def _repeat(self, delivery: Delivery, after: timedelta) -> None:
        await asyncio.sleep(after.total_seconds())
        await self.redeliver(delivery)

    def _tell(self, delivery: Delivery) -> None:
        again = f", lần gửi lại {delivery.retries}" if delivery.retries else ""
        if delivery.accepted:
            text = f"Chốt Đơn nhận webhook Telegram{again} sau {delivery.seconds * 1000:.0f} ms"
            self._feed.report("telegram.in", text)
            return
        trouble = f"Chốt Đơn trả {delivery.status}" if delivery.status else "không có trả lời"
        self.last_error = f"Wrong response from the webhook: {delivery.status or delivery.body}"
        text = f"Webhook Telegram{again} không tới được: {trouble}"
        self._feed.report("telegram.in", text, level=Level.ERROR)


async def _no_reply(method: Mapping[str, Any]) -> None:
    """Do nothing: nobody listens for methods in answers."""
