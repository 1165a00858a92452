"""How often a key may call, and how often keys may be tried."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.api.limits import Limits, Rate
from bot.api.routes import add_routes
from bot.keys import DATABASE, LEDGER, SETTINGS
from core.database import Database
from core.ledger import Ledger
from core.platforms import platforms
from core.settings import Settings
from tests.bot.api.conftest import ORDERS, Caller


@dataclass
class Watch:
    """A clock moved by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now


@pytest.fixture
def watch() -> Watch:
    """Return a clock that stands still."""
    return Watch()


@pytest.fixture
def settings() -> Settings:
    """Return settings with few calls a minute."""
    return Settings(_env_file=None, api_rate=6)


@pytest.fixture
async def http(
    database: Database, ledger: Ledger, settings: Settings, watch: Watch
) -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    """Yield a client of a server whose limits go by the hand-moved clock."""
    app = web.Application()
    app[DATABASE], app[LEDGER], app[SETTINGS] = database, ledger, settings
    add_routes(app, seconds=watch)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_key_that_calls_too_often_waits(shop: Caller, watch: Watch) -> None:
    """429 says for how long, and after that time the next call is let through."""
    answers = [await shop.list() for _ in range(7)]

    assert [heard.status for heard in answers] == [200] * 6 + [429]
    assert (answers[6].body["code"], answers[6].headers["Retry-After"]) == ("too_many_requests", "10")
    watch.now += 9.9
    assert (await shop.list()).headers["Retry-After"] == "1"
    watch.now += 0.2
    assert (await shop.list()).status == 200
    assert (await shop.list()).status == 429


async def test_every_answer_tells_what_is_left(shop: Caller) -> None:
    """Refusals too: a client sees the limit before it meets it."""
    first, missing = await shop.list(), await shop.call("GET", f"{ORDERS}/nothing")

    assert first.headers["RateLimit-Policy"] == '"key";q=6;w=60'
    assert first.headers["RateLimit"] == '"key";r=5;t=10'
    assert (missing.status, missing.headers["RateLimit"]) == (404, '"key";r=4;t=20')


async def test_one_platforms_haste_is_not_anothers(shop: Caller, rival: Caller) -> None:
    """Each key has its own allowance."""
    answers = [await shop.list() for _ in range(7)]

    assert answers[-1].status == 429
    assert (await rival.list()).status == 200


async def test_orders_of_a_batch_are_paid_off_afterwards(
    shop: Caller, watch: Watch, order: dict[str, Any]
) -> None:
    """Sixty orders cost six calls and the request one: the batch is let through, the next one waits."""
    orders = [{**order, "external_id": str(number)} for number in range(60)]

    batch = await shop.call("POST", f"{ORDERS}:batch", json={"orders": orders})

    assert (batch.status, batch.headers["RateLimit"]) == (200, '"key";r=0;t=70')
    assert (await shop.list()).headers["Retry-After"] == "20"
    watch.now += 20
    assert (await shop.list()).status == 200


async def test_who_tries_keys_is_stopped_and_who_has_one_goes_on(
    shop: Caller, database: Database, watch: Watch
) -> None:
    """A guesser at the same address costs nobody else anything, and after a minute may try again."""
    assert (await shop.list()).status == 200
    stranger = Caller(shop.http, await platforms.add("Lạ", now=database.clock.now()))

    guesses = [
        await shop.call("GET", ORDERS, headers={"Authorization": f"Bearer cdk_{number}"})
        for number in range(60)
    ]

    assert {heard.status for heard in guesses[:59]} == {401}
    assert guesses[59].status == 429
    assert (await shop.list()).status == 200
    assert (await stranger.list()).status == 429
    watch.now += 60
    assert (await stranger.list()).status == 200


def test_a_rate_forgets_who_came_long_ago() -> None:
    """However many addresses try, so many are kept; nobody saves up more than a minute's calls."""
    watch = Watch()
    rate = Rate(2, seconds=watch)
    for name in range(20_000):
        rate.take(name)
    assert len(rate) == 10_000
    watch.now += 3_600
    assert rate.take(19_999).left == 1


def test_a_key_that_is_taken_away_is_tried_as_any_other() -> None:
    """What was known to be good is forgotten when it turns out not to be."""
    limits = Limits(1, seconds=Watch())
    limits.note_key("old", good=True)
    limits.note_key("old", good=False)
    for number in range(60):
        limits.check_key(f"guess {number}", "::1")

    with pytest.raises(Exception, match="too_many_requests"):
        limits.check_key("old", "::1")
