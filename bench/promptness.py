"""From the placing of an order to the first call of a gateway about it, at a steady rate."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bench import sender, traffic
from bench.cards import arrived
from bench.figures import Aim, Figure, percentile
from bench.sender import Answers
from bench.sizes import Size
from bench.stage import Child, Failed, Stage
from bench.town import Kitchen, Shop, Town
from core.clock import real_now

_CONNECTIONS: Final = 32
_AIM: Final = (Aim.AT_MOST, 300.0)
_CODE: Final = re.compile(r"\b[0-9]{5}\b")
#: A recipient and an order's code: codes of two kitchens may be the same.
Told = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PromptnessBench:
    """What it needs: both processes, kitchens with Zalo and mail; numbers from `first` on are free."""

    stage: Stage
    town: Town
    shop: Shop
    port: int
    gateways: Child
    first: int

    async def measure(self, size: Size) -> list[Figure]:
        """Place orders at the rate, after a second of it that warms up."""
        rate = size.orders_a_second
        await self._place(self.first, rate, rate)
        await self._all_told(rate)
        await self.gateways.ask("forget")
        placed = await self._place(self.first + rate, rate * size.seconds, rate)
        await self._all_told(len(placed.took))
        calls = await self.gateways.ask("calls")
        waits = waits_of(placed, [*calls["zalo"], *calls["mail"]], self.town.kitchens)
        what = f"order placed → first gateway call, {rate} orders/s for {size.seconds} s"
        sent, first = placed.started, [wait * 1000 for wait in waits]
        return [
            Figure(
                "prompt.rate", "orders placed a second", (len(sent) - 1) / (max(sent) - min(sent)), "orders/s"
            ),
            Figure("prompt.p50", f"{what}, p50", percentile(first, 0.5), "ms"),
            Figure("prompt.p99", "   p99", percentile(first, 0.99), "ms", _AIM),
            Figure("prompt.max", "   slowest", max(first), "ms"),
        ]

    async def _place(self, first: int, count: int, rate: int) -> Answers:
        requests = traffic.orders(self.town, self.shop.api_key, range(first, first + count), now=real_now())
        answers = await sender.send(
            self.stage, self.port, list(requests), connections=_CONNECTIONS, rate=rate, keep_bodies=True
        )
        answers.must_all_be("201", "200")
        return answers

    async def _all_told(self, count: int) -> None:
        """Every order is told by Zalo and by mail."""
        for where in ("zalo", "mail"):
            await arrived(self.gateways, where, count, patience=self.stage.patience)


def waits_of(
    placed: Answers, calls: Iterable[tuple[float, str, str]], kitchens: Iterable[Kitchen]
) -> list[float]:
    """Return for each order of these kitchens the seconds from its request to the first call about it.

    Raises Failed for one that no gateway was called about.
    """
    first = first_calls(calls)
    reached = {kitchen.code: (kitchen.zalo_user, kitchen.email or "") for kitchen in kitchens}
    waits = []
    for since, body in zip(placed.started, placed.bodies, strict=True):
        order = json.loads(body)
        if order["partner"] not in reached:
            continue
        told = [first[to, order["code"]] for to in reached[order["partner"]] if (to, order["code"]) in first]
        if not told:
            raise Failed(f"no gateway was called about order {order['code']}")
        waits.append(min(told) - since)
    return waits


def first_calls(calls: Iterable[tuple[float, str, str]]) -> dict[Told, float]:
    """Return when each recipient was first told of each code."""
    first: dict[Told, float] = {}
    for at, to, text in calls:
        for code in _CODE.findall(text):
            first[to, code] = min(at, first.get((to, code), at))
    return first
