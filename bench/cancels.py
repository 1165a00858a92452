"""A thousand orders cancelled while one platform of three hangs: how soon the two others hear."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench import sender, traffic
from bench.figures import Aim, Figure, percentile
from bench.sizes import Size
from bench.stage import Failed, Stage
from bench.world import World
from core.clock import real_now
from core.orders.order import OrderId
from core.platforms import platforms

_CONNECTIONS: Final = 32
#: The promise: a cancelled order disappears everywhere else, whatever one platform does.
_HEARD_WITHIN: Final = (Aim.AT_MOST, 5.0)
_LOOK_EVERY: Final = 0.1


@dataclass(frozen=True, slots=True)
class CancelBench:
    """What it needs; numbers of orders from `first` on are free. A worker runs."""

    stage: Stage
    world: World
    port: int
    webhook_url: str
    first: int

    async def measure(self, size: Size) -> list[Figure]:
        """Place orders, let everybody hear of them, then cancel all of them while one platform is silent."""
        await self._add("Chợ Đêm", self.webhook_url)
        orders = await self._placed(size.cancels)
        await self._heard("order.placed", len(orders))
        await self._all_told()
        await self._add("Im Lìm", self.webhook_url.replace("/webhooks", "/silent"))
        requests = list(traffic.cancels(self.world.shop.api_key, orders))
        answers = await sender.send(self.stage, self.port, requests, connections=_CONNECTIONS)
        answers.must_all_be("200")
        late, seconds = await self._heard("order.cancelled", len(orders))
        told = 2 * len(orders)
        await self._switch_off()
        what = f"webhooks delivered while {len(orders)} orders are cancelled and one platform of three hangs"
        return [
            Figure("webhooks.rate", what, told / seconds, "webhooks/s"),
            Figure(
                "webhooks.last",
                "   from the cancel until the last of the two others knew",
                max(late),
                "s",
                _HEARD_WITHIN,
            ),
            Figure("webhooks.p50", "   p50", percentile(late, 0.5), "s"),
            Figure("webhooks.cancels", "   cancelled by API meanwhile", answers.a_second, "orders/s"),
        ]

    async def _add(self, name: str, url: str) -> None:
        await platforms.add(name, now=real_now(), webhook_url=url, notify_customer=False, allow_private=True)

    async def _switch_off(self) -> None:
        """Let what comes after be measured with the one platform it knows."""
        await self.world.database.pool.execute(
            "UPDATE platforms SET webhook_url = NULL WHERE id <> $1", self.world.shop.id
        )

    async def _placed(self, count: int) -> Sequence[OrderId]:
        numbers = range(self.first, self.first + count)
        requests = list(traffic.orders(self.world.town, self.world.shop.api_key, numbers, now=real_now()))
        answers = await sender.send(self.stage, self.port, requests, connections=_CONNECTIONS)
        answers.must_all_be("201", "200")
        rows = await self.world.database.pool.fetch(
            "SELECT id FROM orders WHERE external_id = ANY($1::text[])", self._names(count)
        )
        return [OrderId(row["id"]) for row in rows]

    def _names(self, count: int) -> list[str]:
        return [f"NEW-{number}" for number in range(self.first, self.first + count)]

    async def _all_told(self) -> None:
        """Wait until the kitchens have their cards: cancels are measured, not what comes before them."""
        until = real_now() + timedelta(seconds=self.stage.patience)
        while await self.world.database.pool.fetchval(_STILL_LEAVING, real_now()):
            if real_now() > until:
                raise Failed("the kitchens were not told of their orders in time")
            await asyncio.sleep(_LOOK_EVERY)

    async def _heard(self, event: str, count: int) -> tuple[list[float], float]:
        """Wait until two platforms have it; return how late each was, and seconds from first to last."""
        until = real_now() + timedelta(seconds=self.stage.patience)
        while real_now() < until:
            rows = await self.world.database.pool.fetch(_LATE, event, self._names(count))
            if len(rows) >= 2 * count:
                late = [row["late"].total_seconds() for row in rows]
                span = max(row["delivered_at"] for row in rows) - min(row["at"] for row in rows)
                return late, span.total_seconds()
            await asyncio.sleep(_LOOK_EVERY)
        raise Failed(f"{event} was not heard by two platforms in time")


_LATE: Final = """
SELECT w.delivered_at - e.at AS late, w.delivered_at, e.at
FROM events e JOIN webhooks w ON w.event_id = e.id AND w.state = 'delivered'
JOIN orders o ON o.id = e.order_id
WHERE e.type = $1 AND o.external_id = ANY($2::text[])
"""
_STILL_LEAVING: Final = """
SELECT EXISTS (SELECT FROM notices WHERE state = 'owed')
    OR EXISTS (SELECT FROM messages WHERE state = 'waiting' AND next_at <= $1)
"""
