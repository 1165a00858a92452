"""The API is held against its own document by somebody who makes up requests, good ones and bad ones."""

import asyncio
import copy
import itertools
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from bot.api import openapi
from bot.api.routes import add_routes
from bot.keys import DATABASE, LEDGER, SETTINGS
from core.database import Database
from core.ledger import Ledger
from core.orders.models import OrderRow
from core.platforms import platforms
from core.settings import Settings
from tests.bot.api.conftest import Kitchen

#: What is not held against the document, each with its reason.
_EXCEPTIONS: Final = """
# A body that fits the document may still be refused by a rule: no such kitchen, a day that is past.
[checks]
positive_data_acceptance.enabled = false

# A bad order in a batch is refused in its own result, beside the good ones.
[[operations]]
include-path = "/orders:batch"
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture
async def server(database: Database, ledger: Ledger, settings: Settings) -> AsyncIterator[BaseTestServer]:
    """Yield the API, with limits that nobody meets."""
    app = web.Application()
    app[DATABASE], app[LEDGER], app[SETTINGS] = database, ledger, settings
    add_routes(app, seconds=itertools.count(step=60).__next__)
    async with TestServer(app) as server:
        yield server


@pytest.mark.timeout(300)  # half a minute by itself
async def test_whatever_is_sent_is_answered_as_documented(
    server: BaseTestServer, database: Database, kitchen: Kitchen, tmp_path: Path
) -> None:
    """No 5xx; statuses, headers, types and shapes as the document says; bad data and bad keys are refused."""
    (tmp_path / "schemathesis.toml").write_text(_EXCEPTIONS, "utf-8")
    document = openapi.document("http://127.0.0.1")

    said = await _tried(server, database, document, at=tmp_path, words=("--max-examples", "10"))

    assert int(re.findall(r"(\d+) generated", said)[-1]) > 500


@pytest.mark.timeout(300)  # half a minute by itself
async def test_orders_go_through_their_lives_as_documented(
    server: BaseTestServer, database: Database, kitchen: Kitchen, tmp_path: Path
) -> None:
    """Orders that can be placed are placed, shown, changed and cancelled in whatever order comes to mind."""
    (tmp_path / "schemathesis.toml").write_text(_EXCEPTIONS, "utf-8")
    document = _narrowed(openapi.document("http://127.0.0.1"), database)

    words = ("--max-examples", "10", "--mode", "positive", "--phases", "fuzzing,stateful")
    await _tried(server, database, document, at=tmp_path, words=words)

    rows = await OrderRow.all()
    assert len(rows) > 3
    assert "cancelled" in {row.status for row in rows}


def _narrowed(document: Mapping[str, Any], database: Database) -> dict[str, Any]:
    """Return the document with such orders only as every rule allows."""
    narrowed = copy.deepcopy(dict(document))
    soon = database.clock.now() + timedelta(days=1)
    parts = narrowed["components"]["schemas"]["OrderIn"]["properties"]
    parts["partner"] = {"const": "com-nha-lan"}
    parts["deliver_at"] = {"const": soon.isoformat()}
    parts["ordered_at"] = {"const": None}
    parts["customer"] = {"const": {"name": "An", "phone": "0909123456"}}
    parts["items"] = {"const": [{"name": "Cơm gà", "quantity": 1, "unit_price": 45_000}]}
    parts["fees"], parts["discount"], parts["total"] = {"const": 0}, {"const": 0}, {"const": 45_000}
    return narrowed


async def _tried(
    server: BaseTestServer,
    database: Database,
    document: Mapping[str, Any],
    *,
    at: Path,
    words: tuple[str, ...],
) -> str:
    """Run schemathesis against the server, which must find nothing; return what it says."""
    keys = await platforms.add("Cơm Ngon", now=database.clock.now())
    (at / "openapi.json").write_text(json.dumps(document), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", "openapi.json",
        "--url", str(server.make_url("/api/v1")),
        "--header", f"Authorization: Bearer {keys.api_key}",
        "--generation-deterministic", "--no-shrink", "--continue-on-failure",
        "--warnings", "off", "--no-color",
        *words,
        cwd=at,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(280):
            raw, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = raw.decode()
    assert process.returncode == 0, said
    return said
