"""How many connections this process has open, and how many are in use, told every second."""

import asyncio
from typing import Final

from core import metrics
from core.database import Database

_EVERY: Final = 1.0


async def tell(database: Database) -> None:
    """Tell it until cancelled."""
    while True:
        size, idle = database.pool.get_size(), database.pool.get_idle_size()
        metrics.POOL.labels("open").set(size)
        metrics.POOL.labels("in use").set(size - idle)
        await asyncio.sleep(_EVERY)
