"""A fault of ours between claim and settling loses no notice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core import outbox
from core.channels import ChannelName, NoSuchRecipient, Sent
from core.clock import real_now
from core.database import Database, connect
from core.outbox import Ways
from jobs.breaker import Breakers
from jobs.deliver import Delivery
from jobs.limits import Limits
from jobs.queues import Jobs, open_redis
from tests.core.kitchens import ledger_of, open_kitchen, place
from tests.jobs.gateway import Composer, Gateway


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield a database in which Lan alone is owed the word of a new order, by Zalo."""
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await open_kitchen(database)
        await database.pool.execute("UPDATE staff SET removed_at = now() WHERE name <> 'Lan'")
        await database.pool.execute("DELETE FROM addresses WHERE kind <> 'zalo_user'")
        await place(database, ledger)
        yield database


async def _deliver(database: Database, redis_url: str, gateway: Gateway, composer: Composer) -> list[str]:
    """Deliver what is owed, as if an hour passed between tries; return the states it went through."""
    redis = open_redis(redis_url)
    ways = Ways((ChannelName.ZALO,), lambda channel, *_: channel is ChannelName.ZALO, ())
    delivery = Delivery(
        database,
        ways,
        {ChannelName.ZALO: gateway},
        composer,
        Jobs(redis),
        Limits(redis),
        Breakers(timedelta(seconds=30)),
    )
    await delivery.route()
    states = []
    for _ in range(4):
        for message in await outbox.due(database):
            await delivery.deliver(message.id, message.channel)
            states.append(await database.pool.fetchval("SELECT state FROM messages"))
        await database.pool.execute("UPDATE clock SET ahead = ahead + '1 h'")
        await database.set_clock()
    await redis.aclose()
    return states


async def test_a_card_that_cannot_be_made_is_tried_again(database: Database, redis_url: str) -> None:
    """Nothing was sent: it does not count as a copy, and leaves once the fault is mended."""
    gateway = Gateway([Sent("1")])
    assert await _deliver(database, redis_url, gateway, Composer(fails=3)) == ["waiting"] * 3 + ["sent"]
    assert gateway.calls == 1


async def test_a_channel_that_breaks_may_have_sent(database: Database, redis_url: str) -> None:
    """The message is unclear, as after a gateway's silence: with no other way one more copy leaves."""
    gateway = Gateway([ValueError("what was that"), Sent("2")])
    states = await _deliver(database, redis_url, gateway, Composer())
    assert states == ["unclear", "waiting", "sent"]
    assert gateway.calls == 2


async def test_an_address_that_was_given_up_meanwhile_is_not_called(
    database: Database, redis_url: str
) -> None:
    """Lan unfollowed between the order and its card."""
    await outbox.route(database, Ways((ChannelName.ZALO,), lambda *_: True, ()))
    await database.pool.execute("UPDATE addresses SET ended_at = now()")
    gateway = Gateway([Sent("1")])
    assert await _deliver(database, redis_url, gateway, Composer()) == ["failed"]
    assert gateway.calls == 0


async def test_what_the_gateway_says_counts(database: Database, redis_url: str) -> None:
    """A value is an outcome as ever."""
    gateway = Gateway([NoSuchRecipient("gone")])
    assert await _deliver(database, redis_url, gateway, Composer()) == ["failed"]
    assert (
        await database.pool.fetchval("SELECT count(*) FROM attempts WHERE started_at <= $1", real_now()) == 1
    )
