"""Sealed values: one process at a time changes one, and nobody reads it from the table."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from core.database import Database, connect
from core.secrets import Secrets

KEY = "a secret key of this service"


@pytest.fixture
async def elsewhere(database_url: str, database: Database) -> AsyncIterator[Secrets]:
    """Yield another process's view."""
    async with connect(database_url) as other:
        yield Secrets(other, KEY)


@pytest.fixture
def secrets(database: Database) -> Secrets:
    """Return this process's view."""
    return Secrets(database, KEY)


async def test_a_value_is_kept(secrets: Secrets, elsewhere: Secrets) -> None:
    """What one process writes another one reads."""
    assert await secrets.read("zalo") is None
    async with secrets.locked("zalo") as row:
        assert await row.read() is None
        await row.write("refresh-1")
        assert await row.read() == "refresh-1"
    assert await elsewhere.read("zalo") == "refresh-1"
    assert await elsewhere.read("telegram") is None


async def test_two_holders_take_turns(secrets: Secrets, elsewhere: Secrets) -> None:
    """Twenty rotations in two processes: none is lost, each sees the one before."""

    async def rotate(which: Secrets) -> str:
        async with which.locked("zalo") as row:
            present = int(await row.read() or "0")
            await asyncio.sleep(0.005)
            await row.write(str(present + 1))
            return str(present + 1)

    rotated = await asyncio.gather(*(rotate(which) for _ in range(10) for which in (secrets, elsewhere)))
    assert sorted(map(int, rotated)) == list(range(1, 21))
    assert await secrets.read("zalo") == "20"


async def test_other_values_are_not_held_up(secrets: Secrets, elsewhere: Secrets) -> None:
    """The lock is one name's."""
    async with secrets.locked("zalo"), asyncio.timeout(1), elsewhere.locked("telegram") as row:
        await row.write("other")
    assert await secrets.read("telegram") == "other"


async def test_reading_does_not_wait(secrets: Secrets, elsewhere: Secrets) -> None:
    """Who only needs the present value gets it while somebody renews it."""
    async with secrets.locked("zalo") as row:
        await row.write("refresh-1")
    async with secrets.locked("zalo") as row, asyncio.timeout(1):
        await row.write("refresh-2")
        assert await elsewhere.read("zalo") == "refresh-1"


async def test_who_waits_too_long_is_told(secrets: Secrets, elsewhere: Secrets) -> None:
    """Not for ever."""
    async with secrets.locked("zalo"):
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with elsewhere.locked("zalo", wait=0.2):
                pytest.fail("two holders at once")


async def test_a_failed_renewal_leaves_the_old_value(secrets: Secrets) -> None:
    """Whatever was written before the failure is gone."""
    async with secrets.locked("zalo") as row:
        await row.write("refresh-1")

    async def renew() -> None:
        async with secrets.locked("zalo") as row:
            await row.write("half a token")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await renew()
    assert await secrets.read("zalo") == "refresh-1"


async def test_the_table_does_not_tell(database: Database, secrets: Secrets) -> None:
    """Neither the value nor a part of it; and under another key it cannot be opened."""
    async with secrets.locked("zalo") as row:
        await row.write("refresh-1")
    sealed = await database.pool.fetchval("SELECT sealed FROM secrets")
    assert b"refresh" not in sealed
    assert await Secrets(database, "another key").read("zalo") is None
