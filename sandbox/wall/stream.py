"""Server-sent events: every hop as it happens, and the product's clock every few seconds."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiohttp import web

from sandbox.feed import Feed, Hop

CLOCK_EVERY: Final = 5.0


async def stream(request: web.Request, feed: Feed, now: Callable[[], datetime]) -> web.StreamResponse:
    """Send hops until the reader or the feed goes; a reader who comes back gets what was missed."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with feed.subscribed() as hops:
        for missed in feed.since(_last_seen(request, feed)):
            await response.write(_hop(missed))
        while True:
            await response.write(_clock(now()))
            if not await _forward(response, hops):
                return response


async def _forward(response: web.StreamResponse, hops: asyncio.Queue[Hop | None]) -> bool:
    """Send hops for one turn of the clock; False when the feed has closed."""
    try:
        async with asyncio.timeout(CLOCK_EVERY):
            while (hop := await hops.get()) is not None:
                await response.write(_hop(hop))
    except TimeoutError:
        return True
    return False


def _last_seen(request: web.Request, feed: Feed) -> int:
    seen = request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isdecimal() else max((hop.number for hop in feed.hops), default=0)


def _hop(hop: Hop) -> bytes:
    told = {"kind": hop.kind, "text": hop.text_vi, "level": hop.level, "ref": hop.ref}
    return f"id: {hop.number}\nevent: hop\ndata: {json.dumps(told)}\n\n".encode()


def _clock(now: datetime) -> bytes:
    return f"event: clock\ndata: {round(now.timestamp() * 1000)}\n\n".encode()
