"""Deliveries that start where they were routed: so many of each channel, the rest is queued."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from arq.connections import ArqRedis

from core.channels import ChannelName
from core.database import Database, connect
from core.outbox import Due, Ways
from jobs.breaker import Breakers
from jobs.deliver import Delivery
from jobs.limits import Limits
from jobs.queues import Jobs, QueueName, open_redis
from jobs.slots import Slots
from tests.jobs.gateway import Composer, Gateway


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """Yield a client of the test's Redis."""
    redis = open_redis(redis_url)
    yield redis
    await redis.aclose()


class Held(Limits):
    """Lets nobody through until it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0

    async def wait_for_gateway(self, gateway: str, documented: object) -> timedelta:
        """Wait, then send everybody away: what happens after is told of elsewhere."""
        self.asked += 1
        await self.gate.wait()
        return timedelta(seconds=1)


def _delivery(database: Database, redis: ArqRedis, held: Held) -> Delivery:
    channels = {name: Gateway([], name) for name in (ChannelName.ZALO, ChannelName.TELEGRAM)}
    ways = Ways(tuple(channels), lambda *_: True, ())
    return Delivery(database, ways, channels, Composer(), Jobs(redis), held, Breakers(timedelta(seconds=30)))


async def test_what_finds_no_slot_is_queued(database_url: str, redis: ArqRedis) -> None:
    """Zalo's slots are full of calls that hang: Telegram's are free."""
    async with connect(database_url) as database:
        held = Held()
        slots = Slots(_delivery(database, redis, held), each=2)
        await slots.deliver([Due(uuid4(), ChannelName.ZALO, 0) for _ in range(3)])
        await asyncio.sleep(0)
        assert held.asked == 2
        assert await redis.zcard(QueueName.ZALO) == 1

        await slots.deliver([Due(uuid4(), ChannelName.TELEGRAM, 0)])
        await asyncio.sleep(0)
        assert held.asked == 3
        assert await redis.zcard(QueueName.TELEGRAM) == 0

        held.gate.set()
        await slots.drain()
        await slots.deliver([Due(uuid4(), ChannelName.ZALO, 0)])
        await slots.drain()
        assert held.asked == 4


async def test_a_channel_that_is_off_is_the_sweeps(database_url: str, redis: ArqRedis) -> None:
    """It is queued as ever; the sweep gives its messages to the next channel."""
    async with connect(database_url) as database:
        slots = Slots(_delivery(database, redis, Held()))
        await slots.deliver([Due(uuid4(), ChannelName.SMS, 0)])
        assert await redis.zcard(QueueName.SMS) == 1
