"""Orders placed by API: one a request, and a hundred a request, turn about on the same service."""

import json
from dataclasses import dataclass
from typing import Final

from bench import sender, traffic
from bench.figures import Aim, Figure, of_runs, percentile
from bench.sizes import Size
from bench.stage import Failed, Stage
from bench.town import Shop, Town
from core.clock import real_now

CONNECTIONS: Final = 32
#: Batches come over few connections: their orders take turns in the ledger anyway.
_BATCHES_AT_ONCE: Final = 4
_IN_BATCH: Final = 100
#: A batch is worth its name when the same machine places more by it than one by one.
_BATCH_AIM: Final = (Aim.AT_LEAST, 1.5)


@dataclass(frozen=True, slots=True)
class PlacingBench:
    """What placing needs; numbers of orders from `first` on are free."""

    stage: Stage
    town: Town
    shop: Shop
    port: int
    first: int

    async def measure(self, size: Size) -> list[Figure]:
        """Place orders in rounds, singly and in batches, after a few that warm up."""
        await self._place(0, 4 * CONNECTIONS)
        share = max(_IN_BATCH, size.orders // size.rounds // _IN_BATCH * _IN_BATCH)
        rates, slow, in_batches = [], [], []
        for number in range(size.rounds):
            begin = 4 * CONNECTIONS + 2 * number * share
            singly = await self._place(begin, share)
            rates.append(singly.a_second)
            slow.append(percentile(singly.took, 0.99) * 1000)
            in_batches.append(await self._place_in_batches(begin + share, share))
        ratios = [batch / single for batch, single in zip(in_batches, rates, strict=True)]
        what = f"orders placed by API in batches of {_IN_BATCH}, {_BATCHES_AT_ONCE} at once"
        return [
            of_runs("place.rate", f"orders placed by API, {CONNECTIONS} connections", rates, "orders/s"),
            of_runs("place.p99", "   p99", slow, "ms"),
            of_runs("place.batch.rate", what, in_batches, "orders/s"),
            of_runs("place.batch.ratio", "   batches ÷ singly", ratios, "", _BATCH_AIM),
        ]

    async def _place(self, first: int, count: int) -> sender.Answers:
        numbers = range(self.first + first, self.first + first + count)
        requests = list(traffic.orders(self.town, self.shop.api_key, numbers, now=real_now()))
        answers = await sender.send(self.stage, self.port, requests, connections=CONNECTIONS)
        answers.must_all_be("201", "200")
        return answers

    async def _place_in_batches(self, first: int, count: int) -> float:
        """Return how many orders a second were placed; every single one of them must be."""
        numbers = range(self.first + first, self.first + first + count)
        requests = list(
            traffic.batches(self.town, self.shop.api_key, numbers, now=real_now(), size=_IN_BATCH)
        )
        answers = await sender.send(
            self.stage, self.port, requests, connections=_BATCHES_AT_ONCE, keep_bodies=True
        )
        answers.must_all_be("200")
        placed = sum(
            result["status"] in {200, 201}
            for body in answers.bodies
            for result in json.loads(body)["results"]
        )
        if placed != count:
            raise Failed(f"{placed} of {count} orders were placed in batches")
        return count / answers.seconds
