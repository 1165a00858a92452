"""The tap path: signed webhook in, one transaction, answer out; beside it pgbench writing the same rows."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import pgbench, sender
from bench.figures import Aim, Figure, of_runs, percentile
from bench.pgbench import Anchor, Script
from bench.sender import Answers
from bench.sizes import Size
from bench.stage import Failed, Stage
from bench.town import RowKind, Town, at_leisure, copy_orders, row_id, tidy
from bench.traffic import Phones
from core.clock import real_now
from core.database import Database

Counts = dict[str, float]
CONNECTIONS: Final = (8, 32)
CLIENTS: Final = 8
_AIM: Final = (Aim.AT_LEAST, 0.8)
_WARM_UP: Final = 50  # per client

#: Every row that a tap writes or changes.
_ROWS: Final = """
SELECT (SELECT count(*) FROM inbox) AS inbox,
       (SELECT count(*) FROM orders WHERE status = 'confirmed') AS orders_confirmed,
       (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM notices) AS notices,
       (SELECT count(*) FROM webhooks) AS webhooks, (SELECT count(*) FROM timers) AS timers,
       (SELECT count(*) FROM timers WHERE state = 'dead') AS timers_killed,
       (SELECT count(*) FROM wrong_tries) AS wrong_tries, (SELECT count(*) FROM messages) AS messages
"""


@dataclass(slots=True)
class Orders:
    """Orders that nobody has confirmed yet, handed out once."""

    left: range

    def take(self, count: int) -> range:
        """Return the next orders."""
        taken, self.left = self.left[:count], self.left[count:]
        if len(taken) < count:
            raise Failed("too few orders were made")
        return taken


@dataclass(slots=True)
class Rounds:
    """What each round measured; taps by number of connections."""

    taps: dict[int, list[Answers]] = field(default_factory=lambda: {each: [] for each in CONNECTIONS})
    anchors: list[Anchor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TapBench:
    """What tapping needs; without `program` there is no anchor."""

    stage: Stage
    database: Database
    database_url: str
    town: Town
    phones: Phones
    port: int
    program: Path | None

    async def measure(self, size: Size) -> list[Figure]:
        """Measure in rounds that alternate the loads, on orders of the same tables of the same server."""
        orders = await self._orders(size)
        await self.tap(orders.take(_WARM_UP * CLIENTS), CLIENTS)
        counted = orders.take(_WARM_UP * CLIENTS)
        wrote = await self._rows(self.tap(counted, CLIENTS), len(counted))
        figures = [Figure("tap.rows", "rows written by a tap", sum(wrote.values()), "")]
        rounds, script = Rounds(), await self._checked_script(counted[0], orders, wrote)
        for _ in range(size.rounds):
            if script:
                rounds.anchors.append(await self._anchor(script, orders.take(size.taps)))
            for connections in CONNECTIONS:
                rounds.taps[connections].append(await self.tap(orders.take(size.taps), connections))
        return figures + figures_of(rounds)

    async def _orders(self, size: Size) -> Orders:
        loads = len(CONNECTIONS) + 1
        count = 3 * _WARM_UP * CLIENTS + size.rounds * loads * size.taps
        async with at_leisure(self.database_url) as connection:
            made = await copy_orders(connection, self.town, 0, count)
            await tidy(connection)
        return Orders(made)

    async def tap(self, orders: range, connections: int) -> Answers:
        """Tap the confirm button of each order once; raises Failed unless every answer is 200."""
        requests = list(self.phones.taps(orders, now=real_now()))
        answers = await sender.send(self.stage, self.port, requests, connections=connections)
        answers.must_all_be("200")
        return answers

    async def _anchor(self, script: Script, orders: range) -> Anchor:
        if self.program is None:
            raise Failed("there is no pgbench")
        return await pgbench.run(
            self.program,
            script,
            folder=self.stage.folder,
            database_url=self.database_url,
            first=orders[0],
            count=len(orders),
            clients=CLIENTS,
            within=self.stage.patience,
        )

    async def _checked_script(self, tapped: int, orders: Orders, wrote: Counts) -> Script | None:
        """Return the anchor's script once it has shown that it writes what a tap writes."""
        if self.program is None:
            return None
        script = await pgbench.script_like(self.database, row_id(RowKind.ORDER, tapped))
        tried = orders.take(_WARM_UP * CLIENTS)
        writes = await self._rows(self._anchor(script, tried), len(tried))
        if writes != wrote:
            raise Failed(f"pgbench writes {writes} where a tap writes {wrote}")
        return script

    async def _rows(self, work: Awaitable[object], times: int) -> Counts:
        """Return how many rows of each sort each time wrote."""
        before = await self.database.pool.fetchrow(_ROWS)
        await work
        after = await self.database.pool.fetchrow(_ROWS)
        if before is None or after is None:
            raise Failed("rows could not be counted")
        return {name: (after[name] - before[name]) / times for name in after.keys()}  # noqa: SIM118  (a Record)


def figures_of(rounds: Rounds) -> list[Figure]:
    """Return the medians of all rounds, and the ratios of each round."""
    figures: list[Figure] = []
    anchors = [anchor.tps for anchor in rounds.anchors]
    if anchors:
        latencies = [anchor.latency_ms for anchor in rounds.anchors]
        figures += [
            of_runs("pgbench.tps", f"pgbench, {CLIENTS} clients, the same rows", anchors, "tps"),
            of_runs("pgbench.latency", "   latency, average", latencies, "ms"),
        ]
    for connections, taps in rounds.taps.items():
        figures += _figures_of_load(connections, taps, anchors)
    return figures


def _figures_of_load(connections: int, taps: Sequence[Answers], anchors: Sequence[float]) -> list[Figure]:
    rates = [answers.a_second for answers in taps]
    figures = [of_runs(f"tap.{connections}.rate", f"taps, {connections} connections", rates, "taps/s")]
    for share in (0.5, 0.99):
        times = [percentile(answers.took, share) * 1000 for answers in taps]
        name = f"p{share * 100:g}"
        figures.append(of_runs(f"tap.{connections}.{name}", f"   {name}", times, "ms"))
    if anchors:
        ratios = [rate / tps for rate, tps in zip(rates, anchors, strict=True)]
        aim = _AIM if connections == max(CONNECTIONS) else None
        figures.append(of_runs(f"tap.{connections}.ratio", "   ÷ pgbench of the same round", ratios, "", aim))
    return figures
