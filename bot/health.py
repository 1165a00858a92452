"""`/healthz`, `/readyz`, `/metrics`: is it alive, can it work, what has it done."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from bot.gauges import Gauges
from bot.keys import DATABASE
from core.database import AWAY, Database

_WITHIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """How to ask whether Redis answers."""

    ask: Callable[[], Awaitable[bool]]


QUEUES: Final = web.AppKey("queues", Probe)
GAUGES: Final = web.AppKey("gauges", Gauges)


def add_routes(app: web.Application) -> None:
    """Add the four; the application needs DATABASE, QUEUES and SETTINGS."""
    app[GAUGES] = Gauges()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)


async def healthz(_: web.Request) -> web.Response:
    """Answer that the process is alive."""
    return web.json_response({"status": "alive"})


async def readyz(request: web.Request) -> web.Response:
    """Answer whether database and Redis can be reached; 503 when one cannot."""
    database, redis = await asyncio.gather(
        _database_is_up(request.app[DATABASE]), _up(request.app[QUEUES].ask())
    )
    parts = {"database": database, "redis": redis}
    words = {name: "up" if up else "away" for name, up in parts.items()}
    return web.json_response(words, status=200 if all(parts.values()) else 503)


async def _database_is_up(database: Database) -> bool:
    return await _up(_select(database))


async def _select(database: Database) -> bool:
    return bool(await database.pool.fetchval("SELECT 1"))


async def _up(question: Awaitable[bool]) -> bool:
    try:
        return await asyncio.wait_for(question, _WITHIN)
    except AWAY:
        return False


async def show_metrics(request: web.Request) -> web.Response:
    """Answer for the whole service: counters of all processes, gauges from the database."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped
    text = generate_latest(registry if "PROMETHEUS_MULTIPROC_DIR" in os.environ else REGISTRY)
    gauges = CollectorRegistry()
    gauges.register(_Shown(await request.app[GAUGES].show(request.app[DATABASE])))
    return web.Response(body=text + generate_latest(gauges), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Shown:
    def __init__(self, families: Sequence[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Sequence[GaugeMetricFamily]:
        """Return the gauges that the database tells."""
        return self._families
