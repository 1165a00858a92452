"""Cards delivered by one worker: notices owed for a while, and how fast they reach Zalo."""

import asyncio
from dataclasses import dataclass

from bench.figures import Figure
from bench.sizes import Size
from bench.stage import Child, Failed
from bench.town import Town, at_leisure, copy_orders, tidy


@dataclass(frozen=True, slots=True)
class CardBench:
    """What delivering needs; orders from `first` on are free, and their kitchens have no mail."""

    database_url: str
    town: Town
    gateways: Child
    first: int

    async def owe(self, size: Size) -> None:
        """Make orders whose first card nobody has sent yet."""
        async with at_leisure(self.database_url) as connection:
            await copy_orders(connection, self.town, self.first, size.cards, notices="owed")
            await tidy(connection)

    async def measure(self, size: Size, *, patience: float) -> list[Figure]:
        """Wait until a worker has delivered every card; measure from the first call to the last."""
        await arrived(self.gateways, "zalo", size.cards, patience=patience)
        calls = await self.gateways.ask("calls")
        moments = sorted(at for at, _, _ in calls["zalo"])
        if len(moments) > size.cards:
            raise Failed(f"{len(moments)} cards came where {size.cards} were owed")
        rate = (len(moments) - 1) / (moments[-1] - moments[0])
        return [Figure("cards.rate", "cards delivered by Zalo, one worker", rate, "cards/s")]


async def arrived(gateways: Child, where: str, count: int, *, patience: float) -> None:
    """Wait until so many have arrived; raises Failed when they do not."""
    try:
        async with asyncio.timeout(patience):
            while (await gateways.ask("count"))[where] < count:  # noqa: ASYNC110  (another process counts)
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise Failed(f"of {count} only {await gateways.ask('count')} came to {where}") from None
