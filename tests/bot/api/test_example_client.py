"""The client of `examples/` against the API: what it shows is what works."""

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler, Middleware

from bot.api.routes import add_routes
from bot.keys import DATABASE, LEDGER, SETTINGS
from core.database import Database
from core.ledger import Ledger
from core.orders.models import OrderRow
from core.platforms import platforms
from core.platforms.platforms import PlatformKeys
from core.settings import Settings

_CLIENT: Final = Path(__file__).parents[3] / "examples" / "client_stdlib.py"


class Integrator:
    """Somebody who runs the example."""

    def __init__(self, base: str, keys: PlatformKeys, at: Path) -> None:
        self._base = base
        self._keys = keys
        self.at = at

    async def runs(self, *words: str, exit_code: int = 0) -> tuple[list[str], str]:
        """Run the example; return the lines it prints, and what it complains of."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_CLIENT), "--base", self._base, *words),
            cwd=self.at,
            env={"CHOTDON_KEY": self._keys.api_key, "PYTHONUTF8": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complaints = await process.communicate()
        assert process.returncode == exit_code, complaints.decode()
        return said.decode().splitlines(), complaints.decode()

    def writes(self, orders: list[Mapping[str, Any]]) -> str:
        """Write orders into a file, and return its name."""
        (self.at / "orders.json").write_text(json.dumps(orders), "utf-8")
        return "orders.json"


def _hiccups() -> Middleware:
    """Return a net that carries all requests out and says so to every third: others hear 503, or nothing."""
    count = itertools.count(1)

    @web.middleware
    async def hiccup(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        number = next(count) % 3
        if number == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        if number == 2 and request.transport:
            request.transport.abort()
        return answer

    return hiccup


@pytest.fixture
async def integrator(
    database: Database, ledger: Ledger, settings: Settings, tmp_path: Path
) -> AsyncIterator[Integrator]:
    """Yield an integrator whose network has hiccups."""
    app = web.Application(middlewares=[_hiccups()])
    app[DATABASE], app[LEDGER], app[SETTINGS] = database, ledger, settings
    add_routes(app)
    keys = await platforms.add("Cơm Ngon", now=database.clock.now())
    async with TestServer(app) as server:
        yield Integrator(str(server.make_url("")).rstrip("/"), keys, tmp_path)


async def test_it_places_each_order_once(integrator: Integrator, order: dict[str, Any]) -> None:
    """However often it has to ask; what is refused is told with its problem, and the exit code is 1."""
    orders = [{**order, "external_id": f"PX-{number}"} for number in range(3)]

    said, complaints = await integrator.runs(
        "place", integrator.writes([*orders, {**order, "external_id": "PX-bad", "total": 1}]), exit_code=1
    )

    assert [line.split()[0] for line in said] == ["PX-0", "PX-1", "PX-2"]
    assert complaints.startswith('PX-bad {"type": ')
    assert await OrderRow.all().count() == 3


async def test_it_changes_what_it_has_seen_and_catches_up(
    integrator: Integrator, order: dict[str, Any]
) -> None:
    """A note is added to the note that is there; each event is told once, from where it stopped."""
    (placed,), _ = await integrator.runs("place", integrator.writes([order]))
    order_id = placed.split()[1]

    noted, _ = await integrator.runs("note", order_id, "Gọi trước 10 phút")
    first, _ = await integrator.runs("catch-up", "--after", "place.txt")
    again, _ = await integrator.runs("catch-up", "--after", "place.txt")
    await integrator.runs("note", order_id, "Cổng B")
    later, _ = await integrator.runs("catch-up", "--after", "place.txt")

    assert noted == ["Giao cổng sau", "Gọi trước 10 phút"]
    assert first == [f"order.placed {order_id}", f"order.changed {order_id}"]
    assert (again, later) == ([], [f"order.changed {order_id}"])
