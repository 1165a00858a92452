"""Whether this process traces what it does, and the span of each request that had to do with an order."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from core.settings import Settings
from core.tracing import TOUCHED, Tracer


@asynccontextmanager
async def open_tracer(settings: Settings, process: str) -> AsyncIterator[Tracer | None]:
    """Yield what takes spans to the collector, None without one; `process` is told beside each span."""
    if not settings.otel_url:
        yield None
        return
    from bot.otlp import Otlp  # noqa: PLC0415  (many modules, that only who wants traces shall pay for)

    tracer = Otlp(settings.otel_url, process=process)
    try:
        yield tracer
    finally:
        await asyncio.to_thread(tracer.close)


def traced_requests(tracer: Tracer) -> Middleware:
    """Return a middleware that records each request in the traces of the orders it had to do with."""

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, touched = time.time_ns(), TOUCHED.set([])
        status = 500
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        else:
            status = response.status
            return response
        finally:
            orders = dict.fromkeys(TOUCHED.get() or ())
            TOUCHED.reset(touched)
            for order_id in orders:
                tracer.record(_name(request), order_id, began, {"status": status})

    return record


def _name(request: web.Request) -> str:
    """Return the method and the route's pattern: a path itself may hold a token."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else '-'}"
