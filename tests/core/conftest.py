"""A database of this test's own, opened as the product opens it."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database, connect


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield open connections to this test's database."""
    async with connect(database_url) as database:
        yield database
