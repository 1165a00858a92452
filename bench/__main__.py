"""`python -m bench`: measures this machine, and this product on it.

Everything it needs it starts itself, in a directory of its own, and ends and removes it again.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import board, pgbench, reading, sweeps
from bench.cancels import CancelBench
from bench.cards import CardBench
from bench.figures import Aim, Figure, as_json, table
from bench.placing import PlacingBench
from bench.promptness import PromptnessBench
from bench.sizes import SIZES, Size
from bench.stage import SECRET_KEY, Child, Stage, Web, helper, open_stage, port_for_web, web, worker
from bench.taps import TapBench
from bench.town import at_leisure, quieten
from bench.traffic import Phones
from bench.trouble import TroubleBench
from bench.world import World, open_world
from core.clock import real_now

_PARTS: Final = ("taps", "placing", "sweeps", "delivery", "webhooks", "trouble", "reading", "board")
_MOST_MEMORY: Final = (Aim.AT_MOST, 150.0)
#: Orders that the benchmarks number for themselves.
_FIRST_CARD: Final = 10_000_000
_FIRST_PROMPT: Final = 20_000_000
_FIRST_TROUBLE: Final = 30_000_000
_FIRST_CANCEL: Final = 40_000_000


@dataclass(frozen=True, slots=True)
class Service:
    """The product, running, with its gateways and its database."""

    stage: Stage
    world: World
    database_url: str
    gateways: Child
    addresses: dict[str, str]
    settings: dict[str, str]
    web: Web


@asynccontextmanager
async def open_service(stage: Stage) -> AsyncIterator[Service]:
    """Start the gateways and the web process on a database of their own; no worker yet."""
    url = await stage.new_database("service")
    async with helper(stage, "gateways", {}) as gateways:
        addresses = await gateways.heard()
        async with open_world(url, addresses["webhook_url"], kitchens=400, mail=True) as world:
            port = port_for_web()
            reached = {name: value for name, value in addresses.items() if name.isupper()}
            settings = {
                **stage.basics,
                **reached,
                "DATABASE_URL": url,
                "BASE_URL": f"http://127.0.0.1:{port}",
                "GATEWAY_RATES": json.dumps({"zalo": 1_000_000}),  # ours are measured, not the vendor's
                "API_RATE": "1000000",  # one key places as fast as it can
            }
            async with web(stage, settings, port) as served:
                yield Service(stage, world, url, gateways, addresses, settings, served)


async def run(size: Size, parts: Sequence[str], figures: list[Figure]) -> None:
    """Measure these parts, one after the other; add what was measured to `figures`."""
    async with open_stage(patience=size.patience) as stage:
        if {"taps", "placing", "delivery", "webhooks", "trouble"} & set(parts):
            async with open_service(stage) as service:
                await _measure_service(service, size, parts, figures)
        if "sweeps" in parts:
            _say("timers waiting, swept")
            figures += await sweeps.measure(stage, size)
        if "reading" in parts:
            _say("lists and searches, few orders and many")
            figures += await reading.measure(stage, size)
        if "board" in parts:
            _say("the operators' board")
            figures += await board.measure(stage, size)


async def _measure_service(service: Service, size: Size, parts: Sequence[str], figures: list[Figure]) -> None:
    if "taps" in parts:
        _say("taps, and pgbench beside them")
        figures += await _taps(service).measure(size)
    if "placing" in parts:
        _say("orders placed by API, singly and in batches")
        bench = PlacingBench(service.stage, service.world.town, service.world.shop, service.web.port, first=0)
        figures += await bench.measure(size)
    if "delivery" in parts:
        figures += await _deliver(service, size)
    if "webhooks" in parts:
        figures += await _cancel(service, size)
    if "trouble" in parts:
        figures += await _trouble(service, size)
    figures.append(_memory("web", service.web.child))


def _taps(service: Service) -> TapBench:
    program = pgbench.find()
    if program is None:
        _say("!!! pgbench is not installed (PATH, /usr/lib/postgresql/*/bin): the anchor is SKIPPED !!!")
    addresses = service.addresses
    phones = Phones(
        service.world.town,
        secret_key=SECRET_KEY,
        app_id=addresses["ZALO_APP_ID"],
        oa_id=addresses["ZALO_OA_ID"],
        oa_secret=addresses["ZALO_OA_SECRET"],
    )
    return TapBench(
        service.stage,
        service.world.database,
        service.database_url,
        service.world.town,
        phones,
        service.web.port,
        program,
    )


async def _deliver(service: Service, size: Size) -> list[Figure]:
    """Measure what needs a worker, and the memory of the worker after it."""
    stage, world, gateways = service.stage, service.world, service.gateways
    chats = await world.found("chats", kitchens=200, mail=False)
    owners = [kitchen.zalo_user for kitchen in (*world.town.kitchens, *chats.kitchens)]
    await gateways.ask("people", owners)
    async with at_leisure(service.database_url) as connection:
        await quieten(connection)
    cards = CardBench(service.database_url, chats, gateways, _FIRST_CARD)
    await cards.owe(size)
    async with worker(stage, service.settings) as running:
        _say("cards delivered")
        figures = await cards.measure(size, patience=stage.patience)
        await gateways.ask("forget")
        _say("orders placed, and how soon they are told")
        prompt = PromptnessBench(stage, world.town, world.shop, service.web.port, gateways, _FIRST_PROMPT)
        figures += await prompt.measure(size)
        return [*figures, _memory("worker", running)]


async def _cancel(service: Service, size: Size) -> list[Figure]:
    """Measure webhooks while one platform of three hangs."""
    async with at_leisure(service.database_url) as connection:
        await quieten(connection)
    async with worker(service.stage, service.settings):
        _say("orders cancelled while one platform of three hangs")
        url = service.addresses["webhook_url"]
        bench = CancelBench(service.stage, service.world, service.web.port, url, _FIRST_CANCEL)
        return await bench.measure(size)


async def _trouble(service: Service, size: Size) -> list[Figure]:
    """Measure SMS beside a Zalo that hangs."""
    await service.gateways.ask("people", [kitchen.zalo_user for kitchen in service.world.town.kitchens])
    async with at_leisure(service.database_url) as connection:
        await quieten(connection)
    async with worker(service.stage, service.settings):
        _say("SMS while Zalo hangs")
        bench = TroubleBench(service.stage, service.world, service.web.port, service.gateways, _FIRST_TROUBLE)
        return await bench.measure(size)


def _memory(name: str, process: Child) -> Figure:
    megabytes = process.rss / 1e6
    return Figure(
        f"memory.{name}", f"memory of the {name} process after the run", megabytes, "MB", _MOST_MEMORY
    )


def _say(what: str) -> None:
    print(f"  … {what}", flush=True)


def _machine() -> dict[str, Any]:
    return {
        "at": real_now().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "busy_before": os.getloadavg()[0],
    }


_SETTING: Final = """\
Everything runs on this machine, on loopback, and shares its {cores} cores: the product (one `chotdon serve`,
one `chotdon worker`, as in production), PostgreSQL with fsync on, Valkey, the fake gateways, and the load
generator, each in a process of its own. Load before the start: {busy_before:.1f}. Each figure is the median
of its runs. taps ÷ pgbench compares the two halves of one round against the same server."""


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument(
        "--quick", action="store_const", dest="size", const="quick", help="a fifth of the time"
    )
    parser.add_argument("--only", choices=_PARTS, action="append", help="measure this part (may be repeated)")
    parser.add_argument(
        "--json", type=Path, default=Path("var") / "bench.json", help="where figures are kept"
    )
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print the table, and keep the figures."""
    args = _arguments(given)
    machine = _machine()
    print(_SETTING.format(**machine), flush=True)
    started = time.monotonic()
    figures: list[Figure] = []
    try:
        uvloop.run(run(SIZES[args.size], args.only or _PARTS, figures))
    finally:  # what was measured before something went wrong is worth showing
        print(f"\n{table(figures)}\n", flush=True)
    took = timedelta(seconds=round(time.monotonic() - started))
    print(f"{args.size} run, {took}; kept in {args.json}", flush=True)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    kept = {"size": args.size, "took_s": took.total_seconds(), **machine, "figures": as_json(figures)}
    args.json.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
