"""Reads and writes are bounded, and only a server that is away counts as away."""

import asyncio

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from core import ids
from core.database import AWAY, Database
from core.orders.models import OrderRow


async def test_a_read_does_not_wait_for_ever(database: Database, database_url: str) -> None:
    """Somebody changes a table by hand: whoever reads it hears in a second that it cannot be had."""
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(10):
            with pytest.raises(AWAY):
                await OrderRow.get_or_none(id=ids.new())
    await other.close()


async def test_a_fault_of_ours_is_not_an_outage(database: Database) -> None:
    """What no second try can mend is no 503: a text that PostgreSQL refuses, a table that is missing."""
    with pytest.raises(OperationalError) as refused:
        await OrderRow.filter(external_id="nul: \x00").count()
    assert not isinstance(refused.value, AWAY)
    await database.pool.execute("ALTER TABLE orders RENAME TO orders_elsewhere")
    with pytest.raises(OperationalError) as missing:
        await OrderRow.get_or_none(id=ids.new())
    assert not isinstance(missing.value, AWAY)
