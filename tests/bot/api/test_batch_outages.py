"""A batch while the database does not keep up: told in its results, and nothing is placed twice."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.database import Database
from core.ledger import Ledger
from core.orders.models import OrderRow
from core.schedule import Policy
from tests.bot.api.conftest import CODE_KEY, ORDERS, Caller, Kitchen, SilentWake


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a ledger that gives up after a second."""
    async with Ledger(
        database,
        policy=Policy(),
        code_key=CODE_KEY,
        wake=SilentWake(),
        patience=timedelta(seconds=1),
    ) as ledger:
        yield ledger


async def test_what_cannot_be_placed_now_is_placed_by_a_repeat(
    shop: Caller, database: Database, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Somebody holds the kitchen's row: 503 for each, soon; a repeat places each once."""
    orders = [{**order, "external_id": f"PX-{number}"} for number in range(300)]
    headers = {"Idempotency-Key": "b-1"}
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM partners FOR UPDATE")
        started = time.monotonic()
        stuck = await shop.call("POST", f"{ORDERS}:batch", json={"orders": orders}, headers=headers)
        took = time.monotonic() - started

    placed = await shop.call("POST", f"{ORDERS}:batch", json={"orders": orders}, headers=headers)
    for _ in range(20):
        if all("order" in result for result in placed.body["results"]):
            break
        placed = await shop.call("POST", f"{ORDERS}:batch", json={"orders": orders}, headers=headers)

    assert {result["problem"]["code"] for result in stuck.body["results"]} == {"unavailable"}
    assert took < 4
    assert {result["status"] for result in placed.body["results"]} == {201}
    assert await OrderRow.all().count() == 300
