"""The worker as a whole: it starts, ends when it is told to, and is missed when it is gone."""

import asyncio
import random
from datetime import timedelta
from typing import Final

import pytest
from prometheus_client import REGISTRY

from bot.mail.channel import MailChannel
from bot.mail.render import Renderer, sender_of
from bot.mail.server import Connections, read_url
from bot.watch import Voices, Watch
from core import ids
from core.channels import Address, AddressKind, Channel, ChannelName, Inbound, Said
from core.clock import real_now
from core.database import connect
from core.outbox import Due
from jobs.queues import QUEUE_OF, Jobs, QueueName, deserialize, open_redis, serialize
from jobs.worker import counted
from tests.stories.world import OPERATORS, World, open_world


async def test_a_worker_ends_whenever_it_is_told_to(database_url: str, redis_url: str) -> None:
    """Also in the moment in which it connects to Redis, when a cancellation can be lost."""
    for _ in range(8):
        async with asyncio.timeout(20):
            world = open_world(database_url, redis_url)
            await world.__aenter__()
            await asyncio.sleep(random.random() / 20)
            await world.__aexit__(None, None, None)
            await _back_to_real_time(database_url)


async def _back_to_real_time(database_url: str) -> None:
    async with connect(database_url) as database:
        await database.pool.execute("UPDATE clock SET ahead = '0'")


def test_jobs_are_json() -> None:
    """Nothing that runs when it is read, and what JSON cannot say becomes text."""
    job = {"t": 1, "f": "deliver", "a": ["0199a000"], "k": {}, "r": ValueError("x")}

    assert deserialize(serialize(job)) == {**job, "r": "ValueError('x')"}


async def test_one_try_of_one_message_is_queued_once(redis_url: str) -> None:
    """The sweep finds a message again and again while it waits for its turn."""
    redis = open_redis(redis_url)
    jobs = Jobs(redis)
    message = ids.new()
    for tries in (0, 0, 0, 1):
        await jobs.deliver([Due(message, ChannelName.ZALO, tries)])

    assert await redis.zcard(QueueName.ZALO) == 2
    await redis.aclose()


def test_every_channel_has_a_queue_of_its_own() -> None:
    """One that hangs holds only its own slots."""
    assert len(set(QUEUE_OF.values())) == len(ChannelName)
    assert not set(QUEUE_OF.values()) & {QueueName.ROUTE, QueueName.RELAY}


def _watch(world: World, mail: Channel | None = None) -> Watch:
    """Return a web process's watch that has run for an hour."""
    mail = mail or world.service.delivery.channels[ChannelName.EMAIL]
    voices = Voices([(mail, Address(AddressKind.EMAIL, OPERATORS))])
    started = real_now() - timedelta(hours=1)
    return Watch(world.database, voices, started=started, patience=timedelta(minutes=1))


async def _is_missed(world: World) -> bool:
    return bool(
        await world.database.pool.fetchval("SELECT count(*) FROM alarms WHERE name = 'timers stopped'")
    )


_SWEPT: Final = "SELECT count(*) FROM heartbeats WHERE name = 'sweep'"


async def _first_sweep(world: World) -> None:
    """Wait for the worker's one sweep for now."""
    while not await world.database.pool.fetchval(_SWEPT):  # noqa: ASYNC110 - told to nobody
        await asyncio.sleep(0.02)


async def test_a_worker_that_is_gone_is_told_by_the_web_process(database_url: str, redis_url: str) -> None:
    """One mail when its sweep falls silent, one when it is heard again; the worker itself sends neither."""
    async with open_world(database_url, redis_url, sweep_every=timedelta(minutes=5)) as world:
        await _first_sweep(world)
        watch = _watch(world)
        await watch.look()
        assert not await _is_missed(world)

        await world.database.pool.execute("UPDATE heartbeats SET at = at - interval '10 min'")
        await watch.look()
        await _watch(world).look()
        assert await _is_missed(world)
        world.operators.gets("worker đã dừng")
        await world.service.sweeper.sweep()
        await watch.look()

        assert not await _is_missed(world)
        assert await world.database.pool.fetchval("SELECT count(*) FROM alarms_over") == 1
        world.operators.gets("worker đã chạy lại")
        world.nobody_got_more()


async def test_what_the_operators_did_not_hear_is_told_again(database_url: str, redis_url: str) -> None:
    """The mail server is away in the moment in which the worker is missed: the mail comes when it is back."""
    async with open_world(database_url, redis_url, sweep_every=timedelta(minutes=5)) as world:
        away = MailChannel(
            Connections(read_url("smtp://127.0.0.1:1?tls=none")), Renderer(sender_of(OPERATORS))
        )
        await _first_sweep(world)
        await world.database.pool.execute("DELETE FROM heartbeats")

        await _watch(world, away).look()
        assert not await _is_missed(world)
        await _watch(world).look()
        world.operators.gets("worker đã dừng")
        await _watch(world).look()
        world.nobody_got_more()


async def test_what_comes_over_a_bind_is_counted() -> None:
    """As what comes by webhook is; also when it cannot be taken in, for it comes again."""
    number = Address(AddressKind.PHONE, "+84901234567")
    inbound = Inbound(ChannelName.SMS, "smpp:1", number, Said("XN 48273"))
    heard: list[Inbound] = []

    async def hear(inbound: Inbound) -> None:
        heard.append(inbound)
        if len(heard) == 2:
            raise ConnectionRefusedError("the database is away")

    before = _said()
    await counted(hear)(inbound)
    with pytest.raises(ConnectionRefusedError):
        await counted(hear)(inbound)

    assert heard == [inbound, inbound]
    assert _said() == before + 2


def _said() -> float:
    return REGISTRY.get_sample_value("chotdon_inbound_total", {"channel": "sms", "what": "said"}) or 0.0
