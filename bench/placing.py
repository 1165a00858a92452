"""Orders placed by API, one a request."""

from dataclasses import dataclass
from typing import Final

from bench import sender, traffic
from bench.figures import Figure, of_runs, percentile
from bench.sizes import Size
from bench.stage import Stage
from bench.town import Shop, Town
from core.clock import real_now

CONNECTIONS: Final = 32


@dataclass(frozen=True, slots=True)
class PlacingBench:
    """What placing needs; numbers of orders from `first` on are free."""

    stage: Stage
    town: Town
    shop: Shop
    port: int
    first: int

    async def measure(self, size: Size) -> list[Figure]:
        """Place orders in rounds, after a few that warm up."""
        await self._place(0, 4 * CONNECTIONS)
        share = max(CONNECTIONS, size.orders // size.rounds)
        rounds = [await self._place(4 * CONNECTIONS + number * share, share) for number in range(size.rounds)]
        rates = [answers.a_second for answers in rounds]
        slow = [percentile(answers.took, 0.99) * 1000 for answers in rounds]
        return [
            of_runs("place.rate", f"orders placed by API, {CONNECTIONS} connections", rates, "orders/s"),
            of_runs("place.p99", "   p99", slow, "ms"),
        ]

    async def _place(self, first: int, count: int) -> sender.Answers:
        numbers = range(self.first + first, self.first + first + count)
        requests = list(traffic.orders(self.town, self.shop.api_key, numbers, now=real_now()))
        answers = await sender.send(self.stage, self.port, requests, connections=CONNECTIONS)
        answers.must_all_be("201", "200")
        return answers
