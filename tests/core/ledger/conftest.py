"""A kitchen, and ledgers as two processes would run them."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database, connect
from core.ledger import Ledger
from tests.core.kitchens import Kitchen, ledger_of, open_kitchen


@pytest.fixture
async def kitchen(database: Database) -> Kitchen:
    """Return Cơm nhà Lan."""
    return await open_kitchen(database)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with ledger_of(database) as ledger:
        yield ledger


@pytest.fixture
async def elsewhere(database_url: str, database: Database) -> AsyncIterator[Ledger]:
    """Yield another process's ledger on the same database, on connections of its own."""
    async with connect(database_url) as other, ledger_of(other) as ledger:
        yield ledger
