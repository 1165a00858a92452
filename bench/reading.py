"""What reading costs a busy kitchen with few and with many orders in the database.

Two databases on one server, read in turns, so that what else the machine does meets both alike. The busy
kitchen has half of all orders: what differs is how many there are, not what is shown of them.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.archive import fill, must_fit
from bench.figures import Aim, Figure, of_runs, percentile
from bench.sizes import Size
from bench.stage import Child, Stage, helper
from bench.town import at_leisure
from bench.world import open_world

_AIM: Final = (Aim.AT_MOST, 1.5)
_KITCHENS: Final = 101
_WARM: Final = 10
#: Of the busy kitchen's orders the one in the middle: not what was read last.
_A_CODE: Final = """
SELECT code FROM orders WHERE partner_id = $1 AND deliver_at < now() - interval '500 days'
ORDER BY deliver_at DESC LIMIT 1
"""
_WHAT: Final = {
    "ds": "DS, as the conversation reads it",
    "ds_waiting": "DS CHO",
    "search_dish": "a search for a dish of every fourth order",
    "search_customer": "a search for a customer of hardly any order",
    "search_code": "a search for a code",
    "page_to_do": "page /orders",
    "page_all": "page /orders, all",
    "page_search": "page /orders, a search for a dish",
}


@dataclass(slots=True)
class Archive:
    """A database with so many orders, and who reads it."""

    orders: int
    reader: Child
    p50: dict[str, list[float]] = field(default_factory=dict)

    async def read(self, question: str, times: int) -> None:
        """Ask so many times; keep the median."""
        self.p50.setdefault(question, []).append(percentile(await self.reader.ask(question, times), 0.5))


async def measure(stage: Stage, size: Size) -> list[Figure]:
    """Fill both databases and read them in turns. Raises Failed where the disk has too little room."""
    must_fit(stage.folder, size.few_orders + size.many_orders)
    async with AsyncExitStack() as stack:
        few, many = [
            await stack.enter_async_context(_archive(stage, name, orders))
            for name, orders in (("few orders", size.few_orders), ("many orders", size.many_orders))
        ]
        return await compare(few, many, size)


async def compare(few: Archive, many: Archive, size: Size) -> list[Figure]:
    """Read both in turns, after a while of reading that is not counted."""
    for each in (few, many):
        for question in _WHAT:
            await each.reader.ask(question, _WARM)
    for _ in range(size.reading_rounds):
        for question in _WHAT:
            for each in (few, many):
                await each.read(question, size.readings)
    return [figure for question, what in _WHAT.items() for figure in _figures(question, what, few, many)]


@asynccontextmanager
async def _archive(stage: Stage, name: str, orders: int) -> AsyncIterator[Archive]:
    started = time.monotonic()
    url = await stage.new_database(name)
    async with open_world(url, "http://127.0.0.1:9/webhooks", kitchens=_KITCHENS, mail=False) as world:
        busy, *others = world.town.kitchens
        async with at_leisure(url) as connection:
            await fill(
                connection, world.shop.id, busy.partner_id, [each.partner_id for each in others], orders
            )
            code = await connection.fetchval(_A_CODE, busy.partner_id)
    print(f"    {orders:,} orders made in {time.monotonic() - started:.0f} s", flush=True)
    async with reader(stage, name, url, (str(busy.partner_id), str(busy.owner_id), code)) as child:
        yield Archive(orders, child)


@asynccontextmanager
async def reader(stage: Stage, name: str, url: str, who: tuple[str, str, str]) -> AsyncIterator[Child]:
    """Run whoever reads a database, for this kitchen, member and code."""
    async with helper(stage, "reader", {**stage.basics, "DATABASE_URL": url}, name=name) as child:
        await child.ask(*who)
        yield child


def _figures(question: str, what: str, few: Archive, many: Archive) -> list[Figure]:
    less, more = few.p50[question], many.p50[question]
    by_round = tuple(high / low for low, high in zip(less, more, strict=True))
    return [
        of_runs(f"read.{question}.few", f"{what}, p50, {few.orders:,} orders", less, "ms"),
        of_runs(f"read.{question}.many", f"{what}, p50, {many.orders:,} orders", more, "ms"),
        Figure(f"read.{question}.ratio", "   many ÷ few", median(more) / median(less), "", _AIM, by_round),
    ]
