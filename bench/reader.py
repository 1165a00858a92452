"""A kitchen that reads: the conversation's lists, searches and the pages, in a process of its own.

A question and how often in, as many times in ms out. The first line names the kitchen and who asks.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import aiohttp
import uvloop
from aiohttp import web

from bench.archive import COMMON_DISH, RARE_CUSTOMER
from bot.app import build
from bot.registry import ways_of
from core.clock import real_now
from core.database import Database, connect
from core.keys import code_key
from core.ledger import Ledger
from core.orders import listing, lookups
from core.orders.listing import Wanted
from core.orders.status import Status
from core.partners import sessions
from core.settings import Settings

_IN_A_CHAT: Final = 10
_ON_A_PAGE: Final = 25

Ask = Callable[[], Awaitable[object]]


class NoQueues:
    """Nobody is woken: nothing is owed by reading."""

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Wake nobody."""

    async def is_up(self) -> bool:
        """Say that all is well."""
        return True


def _questions(database: Database, partner_id: UUID, code: str, pages: "Pages") -> Mapping[str, Ask]:
    """Return what is asked, by name; lists as the conversation asks for them, pages as a browser does."""

    def search(text: str) -> Ask:
        wanted = Wanted(partner_id)
        return lambda: listing.search(
            database.pool, wanted, text, after=None, most=_ON_A_PAGE, now=real_now()
        )

    return {
        "ds": lambda: lookups.page(partner_id, status=None, after=None, most=_IN_A_CHAT),
        "ds_waiting": lambda: lookups.page(partner_id, status=Status.PENDING, after=None, most=_IN_A_CHAT),
        "search_dish": search(COMMON_DISH),
        "search_customer": search(RARE_CUSTOMER),
        "search_code": search(code),
        "page_to_do": lambda: pages.get("/orders"),
        "page_all": lambda: pages.get("/orders?status=all"),
        "page_search": lambda: pages.get(f"/orders?q={COMMON_DISH.replace(' ', '+')}"),
    }


class Pages:
    """A browser that is signed in."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str) -> bytes:
        """Return a page of the inside with orders on it; raises RuntimeError for anything else."""
        async with self._session.get(self._base + path, allow_redirects=False) as response:
            body = await response.read()
        if response.status != 200 or b'class="line"' not in body:
            raise RuntimeError(f"{path} answered {response.status} without orders")
        return body


async def _main() -> None:
    settings = Settings.load(var=Path("var"), env_file=None)
    partner, owner, code = json.loads(await _line())
    async with connect(settings.require("database_url")) as database:
        runner = web.AppRunner(_app(settings, database), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            secret = await sessions.begin(
                database.pool, UUID(owner), via="web", device="", address=None, now=database.clock.now()
            )
            async with aiohttp.ClientSession(cookies={"chotdon": secret}) as session:
                pages = Pages(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
                await _answer(_questions(database, UUID(partner), code, pages))
        finally:
            await runner.cleanup()


def _app(settings: Settings, database: Database) -> web.Application:
    """Return the web process's application; its ledger does not run, as nothing is commanded."""
    queues = NoQueues()
    key = code_key(settings.require("secret_key"))
    ledger = Ledger(database, policy=settings.policy, code_key=key, wake=queues)
    return build(settings, database, ledger, queues, ways=ways_of(settings, {}))


async def _answer(questions: Mapping[str, Ask]) -> None:
    print(json.dumps(list(questions)), flush=True)
    while line := await _line():
        name, times = json.loads(line)
        print(json.dumps([await _timed(questions[name]) for _ in range(times)]), flush=True)


async def _timed(ask: Ask) -> float:
    started = time.perf_counter()
    await ask()
    return (time.perf_counter() - started) * 1000


async def _line() -> str:
    return await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(_main())
