"""A migrated database with a platform and kitchens in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from bench.stage import SECRET_KEY
from bench.town import Shop, Town, open_shop, settle
from core.database import Database, connect
from core.keys import code_key
from core.ledger import Ledger
from core.schedule import Policy


@dataclass(frozen=True, slots=True)
class World:
    """What orders are made of, and the way to make more."""

    database: Database
    ledger: Ledger
    shop: Shop
    town: Town

    async def found(self, name: str, *, kitchens: int, mail: bool) -> Town:
        """Add another town."""
        return await settle(self.database, self.ledger, self.shop, name=name, kitchens=kitchens, mail=mail)


async def _wake_nobody(notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
    """Leave what is owed to the sweep."""


@asynccontextmanager
async def open_world(
    database_url: str, webhook_url: str, *, kitchens: int, mail: bool
) -> AsyncIterator[World]:
    """Fill a database, and keep it open until the block ends."""
    async with connect(database_url) as database:
        ledger = Ledger(database, policy=Policy(), code_key=code_key(SECRET_KEY), wake=_wake_nobody)
        async with ledger:
            shop = await open_shop(database, webhook_url)
            town = await settle(database, ledger, shop, name="town", kitchens=kitchens, mail=mail)
            yield World(database, ledger, shop, town)
