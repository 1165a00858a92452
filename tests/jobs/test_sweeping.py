"""The sweep goes on, whatever one row or one round does."""

import asyncio
from datetime import timedelta

from core.database import Database, connect
from jobs.keepers import every
from jobs.timers import fire_due
from tests.core.kitchens import (
    HOA_KITCHEN,
    add_partner,
    count,
    ledger_of,
    open_kitchen,
    place,
    soon,
    travel_to,
)


async def _is_expired(database: Database, order_id: object) -> bool:
    return bool(await count(database, "orders", "id = $1 AND status = 'expired'", order_id))


async def test_a_timer_that_fails_harms_only_itself(database_url: str) -> None:
    """An order that nothing can be decided about does not keep the others from expiring, or the worker up."""
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await open_kitchen(database)
        await add_partner(database, HOA_KITCHEN, code="bep-hoa")
        broken = await place(database, ledger, partner_id=HOA_KITCHEN)
        sound = await place(database, ledger)
        await database.pool.execute("UPDATE partners SET timezone = 'Mars/Base' WHERE id = $1", HOA_KITCHEN)
        await travel_to(database, soon(database, timedelta(days=3)))

        assert await fire_due(database, ledger) > 0
        assert await _is_expired(database, sound)
        assert not await _is_expired(database, broken)


async def test_a_keeper_outlives_a_fault_of_ours() -> None:
    """What fails once is tried again a period later."""
    looked = asyncio.Event()
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise KeyError("a row that nobody foresaw")
        looked.set()

    keeping = asyncio.create_task(every(timedelta(milliseconds=1), work, name="test"))
    async with asyncio.timeout(5):
        await looked.wait()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
