"""The worker keeps house: by the settings, and telling how many, never whose."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from asyncpg import UndefinedTableError

from core import product_clock
from core.clock import real_now
from core.database import Database, connect
from core.orders.commands import CancelOrder
from core.orders.order import Reason
from core.settings import Settings
from jobs.keeping import Housekeeper, keep_house
from tests.core.kitchens import add_partner, add_platform, ledger_of, placing


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield open connections to this test's database."""
    async with connect(database_url) as database:
        yield database


async def test_customers_are_forgotten_when_the_settings_say(database: Database, tmp_path: Path) -> None:
    """After the days of MASK_CUSTOMERS_AFTER; the log line has a number."""
    settings = Settings.load(var=tmp_path, env_file=None, mask_customers_after=timedelta(days=3))
    await add_partner(database)
    shop = await add_platform(database)
    async with ledger_of(database) as ledger:
        placed = placing(deliver_at=real_now() + timedelta(days=1))
        await ledger.submit(placed, actor=shop)
        await ledger.submit(CancelOrder(placed.order_id, Reason(None, "Khách đổi ý")), actor=shop)
    await product_clock.advance(database, timedelta(days=2))
    await keep_house(database, settings)
    assert await database.pool.fetchval("SELECT customer ->> 'name' FROM orders") == "Công ty ABC"
    await product_clock.advance(database, timedelta(days=2))
    with structlog.testing.capture_logs() as lines:
        await keep_house(database, settings)
        await keep_house(database, settings)
    assert await database.pool.fetchval("SELECT customer ->> 'name' FROM orders") == "•••"
    assert [(line["event"], line["customers"]) for line in lines] == [("kept house", 1)]
    assert "ABC" not in str(lines)


async def test_the_house_is_kept_when_product_time_moves_on(database: Database, tmp_path: Path) -> None:
    """Every ten minutes of product time: `clock advance P31D` shows at once what is forgotten by then."""
    settings = Settings.load(var=tmp_path, env_file=None)
    keeper = Housekeeper(database, settings)
    await add_partner(database)
    shop = await add_platform(database)
    async with ledger_of(database) as ledger:
        placed = placing(deliver_at=real_now() + timedelta(days=1))
        await ledger.submit(placed, actor=shop)
        await ledger.submit(CancelOrder(placed.order_id, Reason(None, "Khách đổi ý")), actor=shop)
    await keeper.look()
    names = []
    for days in (29, 2):
        await product_clock.advance(database, timedelta(days=days))
        await keeper.look()
        names.append(await database.pool.fetchval("SELECT customer ->> 'name' FROM orders"))
    assert names == ["Công ty ABC", "•••"]


async def test_the_house_is_not_kept_at_every_look(database: Database, tmp_path: Path) -> None:
    """Who looks again within ten minutes does nothing: it would miss a table that is gone."""
    keeper = Housekeeper(database, Settings.load(var=tmp_path, env_file=None))
    await keeper.look()
    await database.pool.execute("DROP TABLE webhook_attempts CASCADE")
    await keeper.look()
    await product_clock.advance(database, timedelta(minutes=10))
    with pytest.raises(UndefinedTableError):
        await keeper.look()
