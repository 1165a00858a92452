"""How soon an SMS leaves while Zalo answers, and while Zalo hangs: one channel's trouble is its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench import sender, traffic
from bench.cards import arrived
from bench.figures import Aim, Figure, percentile
from bench.promptness import waits_of
from bench.sender import Answers
from bench.sizes import Size
from bench.stage import Child, Stage
from bench.town import Kitchen, Town
from bench.world import World
from core.clock import real_now
from core.database import Database
from core.partners import partners
from core.partners.partners import NewPartner

_KITCHENS: Final = 20
_CONNECTIONS: Final = 16
#: Seconds of orders that the load generator is given in one go.
_AT_ONCE: Final = 20
_AIM_P50: Final = (Aim.AT_MOST, 1.5)
_AIM_P99: Final = (Aim.AT_MOST, 2.0)


@dataclass(frozen=True, slots=True)
class TroubleBench:
    """What it needs: both processes, kitchens with Zalo; numbers from `first` on are free."""

    stage: Stage
    world: World
    port: int
    gateways: Child
    first: int

    async def measure(self, size: Size) -> list[Figure]:
        """Place orders for kitchens with Zalo and kitchens with SMS in turn; compare how soon SMS leave."""
        by_sms = [await _with_phone(self.world.database, number) for number in range(_KITCHENS)]
        pairs = zip(self.world.town.kitchens, by_sms, strict=False)
        town = Town("mixed", [kitchen for pair in pairs for kitchen in pair])
        calm = await self._waits(town, by_sms, self.first, size.calm_seconds, size)
        await self.gateways.ask("hang")
        troubled = await self._waits(town, by_sms, self.first + 1_000_000, size.trouble_seconds, size)
        await self.gateways.ask("recover")
        return _figures(calm, troubled, size)

    async def _waits(
        self, town: Town, by_sms: Sequence[Kitchen], first: int, seconds: int, size: Size
    ) -> list[float]:
        """Return for each order of a kitchen with SMS the seconds from its request to the gateway's call."""
        await self.gateways.ask("forget")
        placed: list[Answers] = []
        for begun in range(0, seconds, _AT_ONCE):
            count = size.trouble_rate * min(_AT_ONCE, seconds - begun)
            placed.append(await self._place(town, first + size.trouble_rate * begun, count, size))
        await arrived(self.gateways, "sms", size.trouble_rate * seconds // 2, patience=self.stage.patience)
        calls = await self.gateways.ask("calls")
        return [wait for answers in placed for wait in waits_of(answers, calls["sms"], by_sms)]

    async def _place(self, town: Town, first: int, count: int, size: Size) -> Answers:
        requests = traffic.orders(town, self.world.shop.api_key, range(first, first + count), now=real_now())
        placed = await sender.send(
            self.stage,
            self.port,
            list(requests),
            connections=_CONNECTIONS,
            rate=size.trouble_rate,
            keep_bodies=True,
        )
        placed.must_all_be("201", "200")
        return placed


def _figures(calm: Sequence[float], troubled: Sequence[float], size: Size) -> list[Figure]:
    rate = f"{size.trouble_rate // 2}/s by Zalo, {size.trouble_rate // 2}/s by SMS"
    before = [percentile(calm, share) * 1000 for share in (0.5, 0.99)]
    after = [percentile(troubled, share) * 1000 for share in (0.5, 0.99)]
    return [
        Figure("trouble.calm.p50", f"order placed → SMS gateway called, {rate}, p50", before[0], "ms"),
        Figure("trouble.calm.p99", "   p99", before[1], "ms"),
        Figure(
            "trouble.hang.p50", f"the same while Zalo hangs for {size.trouble_seconds} s, p50", after[0], "ms"
        ),
        Figure("trouble.hang.p99", "   p99", after[1], "ms"),
        Figure("trouble.ratio.p50", "   hanging ÷ calm, p50", after[0] / before[0], "", _AIM_P50),
        Figure("trouble.ratio.p99", "   hanging ÷ calm, p99", after[1] / before[1], "", _AIM_P99),
    ]


async def _with_phone(database: Database, number: int) -> Kitchen:
    """Add a kitchen that is reached by SMS alone; where others have a Zalo user it has its phone."""
    phone, code = f"+8497{number:07d}", f"sms-{number}"
    partner, owner = await partners.add(
        database, NewPartner(code, f"Bếp {code}", "vi", "Asia/Ho_Chi_Minh", owner="Lan", phone=phone)
    )
    return Kitchen(partner.id, code, owner.id, phone, None)
