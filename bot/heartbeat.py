"""`/heartbeat`: for monitors that poll. 200 while the worker's sweeps come, 503 when they do not."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.watch import SILENT_AFTER
from core.clock import real_now
from core.database import AWAY, Database

_WITHIN: Final = 1.0
_SWEEP: Final = "sweep"


def add_routes(app: web.Application) -> None:
    """Add the route; the application needs DATABASE and SETTINGS."""
    app.router.add_get("/heartbeat", heartbeat)


async def heartbeat(request: web.Request) -> web.Response:
    """Answer how long ago each keeper was heard of, in real seconds; 503 without a fresh sweep."""
    patience = request.app[SETTINGS].sweep_every + SILENT_AFTER
    try:
        ages = await asyncio.wait_for(_ages(request.app[DATABASE], real_now()), _WITHIN)
    except AWAY:
        return web.json_response({"status": "away", "ages": {}}, status=503)
    is_fresh = _SWEEP in ages and ages[_SWEEP] <= patience
    seconds = {name: round(age.total_seconds(), 1) for name, age in ages.items()}
    body = {"status": "beating" if is_fresh else "silent", "ages": seconds}
    return web.json_response(body, status=200 if is_fresh else 503)


async def _ages(database: Database, now: datetime) -> dict[str, timedelta]:
    rows = await database.pool.fetch("SELECT name, at FROM heartbeats ORDER BY name")
    return {row["name"]: now - row["at"] for row in rows}
