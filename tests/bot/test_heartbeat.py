"""What monitors outside hear: by polling, and by being called; and what operators hear without a worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from bot.watch import Voices, Watch, voices_of
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    Outcome,
    Rate,
    ReceiptKind,
    Sent,
    TryLater,
)
from core.clock import real_now
from core.database import Database, Pool, connect
from core.settings import Settings
from jobs.heartbeat import Heartbeat
from tests.stories.world import World, open_world

SWEEP_EVERY = timedelta(seconds=10)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a running service."""
    async with open_world(database_url, redis_url) as opened:
        yield opened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield open connections."""
    async with connect(database_url) as opened:
        yield opened


async def polled(world: World) -> tuple[int, dict[str, object]]:
    """Return what a monitor gets that polls."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.url}/heartbeat") as answer:
        return answer.status, await answer.json()


async def test_a_monitor_that_polls_sees_the_sweep(world: World) -> None:
    """While sweeps come it gets 200 with their age, and nothing that is secret."""
    await world.service.sweeper.sweep()
    status, body = await polled(world)
    assert (status, body["status"]) == (200, "beating")
    assert isinstance(body["ages"], dict)
    assert 0 <= body["ages"]["sweep"] < 60


async def test_a_monitor_that_polls_sees_that_sweeps_are_missing(database_url: str, redis_url: str) -> None:
    """Once the last one is older than it should be, and where there never was one."""
    async with open_world(database_url, redis_url, sweep_every=timedelta(minutes=5)) as world:
        await world.service.sweeper.sweep()
        await world.database.pool.execute("UPDATE heartbeats SET at = at - interval '7 min'")
        assert (await polled(world))[0] == 503
        await world.database.pool.execute("DELETE FROM heartbeats")
        assert (await polled(world))[1] == {"status": "silent", "ages": {}}


async def test_a_monitor_that_polls_sees_that_the_database_is_away(world: World) -> None:
    """Within a second or two, in the same words as ever: no monitor waits for a database."""
    async with world.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE heartbeats IN ACCESS EXCLUSIVE MODE")
        assert await polled(world) == (503, {"status": "away", "ages": {}})


@dataclass(slots=True)
class Monitor:
    """An outside monitor: what it was called with, and how it answers."""

    url: str = ""
    status: int = 200
    calls: list[str] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        """Take down a call."""
        self.calls.append(request.method)
        return web.Response(status=self.status, headers={"Location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def monitor() -> AsyncIterator[Monitor]:
    """Run a monitor on this machine."""
    heard = Monitor()
    app = web.Application()
    app.router.add_get("/{any:.*}", heard.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    heard.url = f"http://{host}:{port}/ping/secret"
    try:
        yield heard
    finally:
        await runner.cleanup()


async def swept(database: Database, ago: timedelta) -> None:
    """Let the last sweep have been so long ago."""
    await database.pool.execute(
        "INSERT INTO heartbeats (name, at) VALUES ('sweep', $1) ON CONFLICT (name) DO UPDATE SET at = $1",
        real_now() - ago,
    )


async def test_the_monitor_is_called_while_sweeps_succeed(database: Database) -> None:
    """And hears nothing as soon as they do not: its silence is the alarm."""
    async with monitor() as heard:
        beat = Heartbeat(database, heard.url, sweep_every=SWEEP_EVERY)
        assert not await beat.beat()
        await swept(database, timedelta(seconds=5))
        assert await beat.beat()
        await swept(database, timedelta(minutes=2))
        assert not await beat.beat()
        assert heard.calls == ["GET"]


@pytest.mark.parametrize("status", [302, 500], ids=["elsewhere", "broken"])
async def test_a_monitor_in_trouble_is_only_counted(database: Database, status: int) -> None:
    """No redirect is followed, nothing fails because of it."""
    before = REGISTRY.get_sample_value("chotdon_failed_heartbeats_total") or 0.0
    await swept(database, timedelta())
    async with monitor() as heard:
        heard.status = status
        assert not await Heartbeat(database, heard.url, sweep_every=SWEEP_EVERY).beat()
        assert len(heard.calls) == 1
    assert not await Heartbeat(database, heard.url, sweep_every=SWEEP_EVERY).beat()
    assert REGISTRY.get_sample_value("chotdon_failed_heartbeats_total") == before + 2


@dataclass(slots=True)
class Ear:
    """A channel that takes everything, and keeps the titles."""

    name: ChannelName = ChannelName.TELEGRAM
    gateway: str = "ear"
    rate: Rate | None = None
    heard: list[str] = field(default_factory=list)
    is_deaf: bool = False

    def reaches(self, address: Address, kind: str, *, now: object) -> bool:
        """Reach everybody."""
        return True

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Take a card, unless it is deaf."""
        if self.is_deaf:
            return TryLater("deaf")
        self.heard.append(card.title)
        return Sent()

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Know nothing."""
        return None

    async def close(self) -> None:
        """Have nothing to let go of."""


def test_operators_are_told_by_every_way_that_is_on() -> None:
    """Their mailboxes and their chat; a channel without settings is left out."""
    settings = Settings(
        _env_file=None, operator_emails=("a@chotdon.vn", "b@chotdon.vn"), operator_telegram_chat="-100"
    )
    both = voices_of(settings, {ChannelName.EMAIL: Ear(), ChannelName.TELEGRAM: Ear()})
    assert [address.value for _, address in both.ways] == ["a@chotdon.vn", "b@chotdon.vn", "-100"]
    mail = voices_of(settings, {ChannelName.EMAIL: Ear()})
    assert [address.kind for _, address in mail.ways] == [AddressKind.EMAIL] * 2


async def test_a_database_that_is_away_is_told_once_by_every_way(database_url: str) -> None:
    """After a minute, and once more when it is back; the worker is not missed for that minute."""
    ear, moments = Ear(), iter([0.0, 30.0, 61.0, 75.0, 90.0])
    ways = [(ear, Address(AddressKind.TELEGRAM_CHAT, "-1")), (ear, Address(AddressKind.EMAIL, "a@b.vn"))]
    async with connect(database_url) as database:
        watch = Watch(
            database,
            Voices(ways),
            started=real_now() - timedelta(hours=1),
            patience=timedelta(minutes=1),
            clock=lambda: next(moments),
        )
        pool, closed = database.pool, await _closed(database_url)
        database.pool = closed
        for _ in range(3):
            await watch.look()
        assert ear.heard == ["Chốt Đơn: cơ sở dữ liệu không trả lời"] * 2
        await watch.look()
        database.pool = pool
        await watch.look()
        await watch.look()
        assert ear.heard[2:] == ["Chốt Đơn: cơ sở dữ liệu đã trở lại"] * 2


def watching(database: Database, ear: Ear, *, started_ago: timedelta) -> Watch:
    """Return who watches the sweep and tells this ear, in a process as old as that."""
    voices = Voices([(ear, Address(AddressKind.TELEGRAM_CHAT, "-1"))])
    return Watch(database, voices, started=real_now() - started_ago, patience=timedelta(minutes=1))


async def test_what_nobody_heard_is_told_again(database: Database) -> None:
    """That the worker is gone, and that it is back: each until somebody has heard it, then no more."""
    ear = Ear(is_deaf=True)
    watch = watching(database, ear, started_ago=timedelta(hours=1))
    await swept(database, timedelta(minutes=30))
    await watch.look()
    ear.is_deaf = False
    for _ in range(2):
        await watch.look()
    assert ear.heard == ["Chốt Đơn: worker đã dừng"]

    ear.is_deaf = True
    await swept(database, timedelta())
    await watch.look()
    ear.is_deaf = False
    for _ in range(2):
        await watch.look()
    assert ear.heard[1:] == ["Chốt Đơn: worker đã chạy lại"]


async def test_a_process_that_has_just_begun_gives_the_worker_time(database: Database) -> None:
    """After a restart of everything the last sweep is old, and nothing is wrong."""
    ear = Ear()
    await swept(database, timedelta(hours=8))
    await watching(database, ear, started_ago=timedelta(seconds=50)).look()
    assert ear.heard == []
    await watching(database, ear, started_ago=timedelta(seconds=70)).look()
    assert ear.heard == ["Chốt Đơn: worker đã dừng"]


async def _closed(database_url: str) -> Pool:
    """Return connections to a server that does not answer any more."""
    async with connect(database_url) as gone:
        return gone.pool
