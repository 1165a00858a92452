"""Traces: one for each order, from the request that placed it to the call that told its platform."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import REGISTRY

from bot.otlp import Otlp
from tests.stories.world import open_world

DEEDS: Final = {
    "POST /api/v1/orders",
    "POST /webhooks/zalo",
    "commit",
    "deliver",
    "gateway",
    "platform webhook",
}


@dataclass(slots=True)
class Collector:
    """A collector of traces: every span that it was handed, and how it answers."""

    url: str = ""
    status: int = 200
    spans: list[Any] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take spans in."""
        told = ExportTraceServiceRequest.FromString(await request.read())
        self.spans += [
            span for resource in told.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        return web.Response(status=self.status)

    def of(self, trace_id: bytes) -> set[str]:
        """Return the names of a trace's spans."""
        return {span.name for span in self.spans if span.trace_id == trace_id}


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """Run a collector on this machine."""
    collecting = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collecting.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    collecting.url = f"http://{host}:{port}/v1/traces"
    try:
        yield collecting
    finally:
        await runner.cleanup()


async def test_an_order_is_one_trace(database_url: str, redis_url: str) -> None:
    """Request, commit, delivery, gateway and platform stand in it; of people nothing does."""
    async with collector() as collecting:
        async with open_world(database_url, redis_url, otel_url=collecting.url) as world:
            await world.platform()
            lan = await world.kitchen()
            order = await world.order()
            await lan.phone.taps("Xác nhận đơn hàng")
            other = await world.order()
            world.everybody_catches_up()
        told = collecting.of(order.order_id.bytes)
        assert told >= DEEDS
        assert "POST /webhooks/zalo" not in collecting.of(other.order_id.bytes)
        assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in collecting.spans)
        words = str([(span.name, span.attributes) for span in collecting.spans])
        assert not any(secret in words for secret in ("Lan", "ABC", "0909", "@", "Lê Lợi", order.code))


async def test_what_is_done_about_no_order_is_no_trace(database_url: str, redis_url: str) -> None:
    """A look at the health of the service, a word of help."""
    async with collector() as collecting:
        async with open_world(database_url, redis_url, otel_url=collecting.url) as world:
            lan = await world.kitchen()
            await lan.phone.says("TG")
            world.everybody_catches_up()
        assert collecting.spans == []


@pytest.mark.parametrize("status", [400, 0], ids=["refused", "gone"])
async def test_a_collector_in_trouble_is_only_counted(status: int) -> None:
    """Nothing waits for it, nothing fails because of it."""
    before = REGISTRY.get_sample_value("chotdon_failed_traces_total") or 0.0
    async with collector() as collecting:
        collecting.status = status or 200
        url = collecting.url if status else "http://127.0.0.1:1/v1/traces"
        tracer = Otlp(url, process="test")
        tracer.record("commit", uuid4(), 1, {"batch": 1})
        await asyncio.to_thread(tracer.close)
    assert (REGISTRY.get_sample_value("chotdon_failed_traces_total") or 0.0) > before


def test_who_wants_no_traces_does_not_pay_for_them() -> None:
    """Neither process imports anything of OpenTelemetry."""
    code = (
        "import sys, bot.app, jobs.worker; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )
    heard = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heard.stdout.strip() == "[]"
