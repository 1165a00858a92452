"""The sweep goes on, whatever one row or one round does."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from core import outbox
from core.actors import Via
from core.channels import ChannelName, Receipt, ReceiptKind, Sent
from core.database import Database, connect
from core.orders.order import By
from core.outbox import Ways
from core.partners import pausing
from jobs.breaker import Breakers
from jobs.deliver import Delivery
from jobs.keepers import Sweeper, every
from jobs.limits import Limits
from jobs.queues import Jobs, QueueName, open_redis
from jobs.timers import fire_due
from tests.core.kitchens import (
    HOA_KITCHEN,
    LAN_KITCHEN,
    SAIGON,
    add_partner,
    add_person,
    add_platform,
    count,
    ledger_of,
    open_kitchen,
    place,
    soon,
    travel_to,
)
from tests.jobs.gateway import Composer, Gateway

_CHATS: Final = (ChannelName.ZALO, ChannelName.TELEGRAM)
WAYS: Final = Ways(_CHATS, lambda channel, *_: channel in _CHATS, ())


async def _is_expired(database: Database, order_id: object) -> bool:
    return bool(await count(database, "orders", "id = $1 AND status = 'expired'", order_id))


async def test_a_timer_that_fails_harms_only_itself(database_url: str) -> None:
    """An order that nothing can be decided about does not keep the others from expiring, or the worker up."""
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await open_kitchen(database)
        await add_partner(database, HOA_KITCHEN, code="bep-hoa")
        broken = await place(database, ledger, partner_id=HOA_KITCHEN)
        sound = await place(database, ledger)
        await database.pool.execute("UPDATE partners SET timezone = 'Mars/Base' WHERE id = $1", HOA_KITCHEN)
        await travel_to(database, soon(database, timedelta(days=3)))

        assert await fire_due(database, ledger) > 0
        assert await _is_expired(database, sound)
        assert not await _is_expired(database, broken)


async def test_a_message_of_a_channel_that_was_switched_off_gives_way(
    database_url: str, redis_url: str
) -> None:
    """No worker looks into its queue any more: the sweep sees to it that the next channel takes over."""
    telegram = Gateway([Sent("1")], ChannelName.TELEGRAM)
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await add_platform(database)
        await add_partner(database)
        await add_person(database, "Lan", zalo="zalo-lan", telegram="telegram-lan")
        await place(database, ledger)
        await outbox.route(database, WAYS)
        redis = open_redis(redis_url)
        jobs = Jobs(redis)
        delivery = Delivery(
            database,
            WAYS,
            {ChannelName.TELEGRAM: telegram},
            Composer(),
            jobs,
            Limits(redis),
            Breakers(timedelta(seconds=30)),
        )

        await Sweeper(database, ledger, delivery, jobs).sweep()

        rows = await database.pool.fetch("SELECT channel, state FROM messages ORDER BY rung")
        assert [tuple(row) for row in rows] == [("zalo", "failed"), ("telegram", "waiting")]
        assert await redis.zcard(QueueName.TELEGRAM) == 1
        assert await redis.zcard(QueueName.ZALO) == 0
        await redis.aclose()


async def test_the_sweep_finds_the_message_of_a_receipt_that_came_early(
    database_url: str, redis_url: str
) -> None:
    """Zalo told that it arrived before we had its name for it: the next channel stays quiet."""
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await open_kitchen(database)
        await place(database, ledger)
        first, *_ = await outbox.route(database, WAYS)
        early = Receipt(ReceiptKind.DELIVERED, ids=("msg-1",))
        assert await outbox.receipt(database, ChannelName.ZALO, early) == 0
        await database.pool.execute(
            "UPDATE messages SET state = 'unclear', gateway_id = 'msg-1' WHERE id = $1", first.id
        )
        redis = open_redis(redis_url)
        jobs = Jobs(redis)
        delivery = Delivery(
            database, WAYS, {}, Composer(), jobs, Limits(redis), Breakers(timedelta(seconds=30))
        )
        await Sweeper(database, ledger, delivery, jobs).sweep()
        assert await count(database, "messages", "id = $1 AND state = 'sent'", first.id) == 1
        await redis.aclose()


async def test_the_sweep_ends_pauses_and_owes_sheets(database_url: str, redis_url: str) -> None:
    """Nobody wakes a worker for what only the clock brings about."""
    async with connect(database_url) as database, ledger_of(database) as ledger:
        await open_kitchen(database)
        await travel_to(database, datetime(2033, 5, 20, 5, tzinfo=SAIGON))
        redis = open_redis(redis_url)
        jobs = Jobs(redis)
        resting = Breakers(timedelta(seconds=30))
        delivery = Delivery(database, WAYS, {}, Composer(), jobs, Limits(redis), resting)
        sweeper = Sweeper(database, ledger, delivery, jobs)
        await sweeper.sweep()
        await place(database, ledger, deliver_at=datetime(2033, 5, 20, 11, tzinfo=SAIGON))
        until = datetime(2033, 5, 20, 5, 30, tzinfo=SAIGON)
        await pausing.pause(database, LAN_KITCHEN, until, by=By(Via.ZALO, "Lan"))

        await travel_to(database, datetime(2033, 5, 20, 6, tzinfo=SAIGON))
        await sweeper.sweep()

        assert await count(database, "partner_events", "type = 'partner.resumed'") == 1
        assert await count(database, "notices", "kind = 'morning_sheet'") == 1
        await redis.aclose()


async def test_a_keeper_outlives_a_fault_of_ours() -> None:
    """What fails once is tried again a period later."""
    looked = asyncio.Event()
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise KeyError("a row that nobody foresaw")
        looked.set()

    keeping = asyncio.create_task(every(timedelta(milliseconds=1), work, name="test"))
    async with asyncio.timeout(5):
        await looked.wait()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
