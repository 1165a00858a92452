"""How much a gateway takes and how often one person is written to, counted for all workers together."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from arq.connections import ArqRedis

from core.channels import Address, AddressKind, Rate
from jobs.limits import PER_PERSON, Calm, Limits
from jobs.queues import open_redis

SPEEDSMS = Rate(60, timedelta(minutes=1))
LAN = Address(AddressKind.PHONE, "+84909123456")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    """Yield a client of the test's Redis."""
    redis = open_redis(redis_url)
    yield redis
    await redis.aclose()


async def test_a_quarter_at_once_then_evenly(redis: ArqRedis) -> None:
    """In no minute more than the gateway takes: a quarter, and the other three quarters over the minute."""
    limits = Limits(redis)
    waits = [await limits.wait_for_gateway("speedsms", SPEEDSMS) for _ in range(20)]
    assert [bool(wait) for wait in waits] == [False] * 15 + [True] * 5
    assert timedelta() < waits[-1] <= timedelta(minutes=1) / 45


async def test_who_waits_is_let_through_in_time(redis: ArqRedis) -> None:
    """Nothing fails: after the wait that was told a call goes through."""
    limits, quick = Limits(redis), Rate(40, timedelta(seconds=1))
    waits = [await limits.wait_for_gateway("quick", quick) for _ in range(40)]
    await asyncio.sleep(max(waits).total_seconds() + 0.05)
    assert await limits.wait_for_gateway("quick", quick) == timedelta()


async def test_a_pause_is_not_forgotten_too_soon(redis: ArqRedis) -> None:
    """Whoever has used a quarter of a minute's calls at once has not earned another one a second later."""
    limits = Limits(redis)
    for _ in range(15):
        assert not await limits.wait_for_gateway("speedsms", SPEEDSMS)
    await asyncio.sleep(1.1)
    waits = [await limits.wait_for_gateway("speedsms", SPEEDSMS) for _ in range(5)]
    assert sum(not wait for wait in waits) <= 1


async def test_two_workers_share_a_limit(redis: ArqRedis) -> None:
    """The gateway counts calls of all of us."""
    first, second = Limits(redis), Limits(redis)
    waits = await asyncio.gather(
        *(limits.wait_for_gateway("speedsms", SPEEDSMS) for limits in (first, second) * 10)
    )
    assert sum(not wait for wait in waits) == 15


async def test_a_limit_is_one_gateways(redis: ArqRedis) -> None:
    """SpeedSMS being full says nothing of Zalo."""
    limits = Limits(redis)
    for _ in range(16):
        await limits.wait_for_gateway("speedsms", SPEEDSMS)
    assert not await limits.wait_for_gateway("zalo", Rate(4_000, timedelta(minutes=1)))


async def test_what_was_agreed_counts_more_than_what_is_documented(redis: ArqRedis) -> None:
    """A bigger contract, a smaller one, and one with a gateway that has documented nothing."""
    limits = Limits(redis, a_minute={"speedsms": 8, "esms": 4})
    waits = [await limits.wait_for_gateway("speedsms", SPEEDSMS) for _ in range(5)]
    assert [bool(wait) for wait in waits] == [False, False, True, True, True]
    waits = [await limits.wait_for_gateway("esms", None) for _ in range(2)]
    assert [bool(wait) for wait in waits] == [False, True]
    assert not await limits.wait_for_gateway("smtp", None)


def test_nobody_is_written_to_without_end() -> None:
    """Whatever goes wrong on our side, one phone does not ring all day; the next one's does not suffer."""
    now = [1_000.0]
    calm = Calm(clock=lambda: now[0])
    waits = [calm.wait(LAN) for _ in range(PER_PERSON.calls)]
    assert sum(not wait for wait in waits) == PER_PERSON.calls // 2
    assert not calm.wait(Address(AddressKind.PHONE, "+84909123457"))

    now[0] += waits[-1].total_seconds()
    assert [bool(calm.wait(LAN)) for _ in range(2)] == [False, True]
    now[0] += 60
    assert [bool(calm.wait(LAN)) for _ in range(61)] == [False] * 60 + [True]
