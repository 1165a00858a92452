"""What operators see of the gateways' last hour."""

from datetime import timedelta

from core import ids
from core.channels import ChannelName
from core.clock import real_now
from core.console import gateways
from core.database import Database
from tests.core.kitchens import ledger_of, open_kitchen, place


async def tried(database: Database, channel: str, outcome: str, *, ago: timedelta, took: timedelta) -> None:
    """Write down a call."""
    notice = await database.pool.fetchval("SELECT id FROM notices LIMIT 1")
    message = ids.new()
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, leg, person, channel, address_kind, address, rung, state,"
        " created_at) VALUES ($1, $2, 'chat', $3, $4, 'phone', '+84901234567', 0, 'sent', now())",
        message,
        notice,
        str(message),
        channel,
    )
    await database.pool.execute(
        "INSERT INTO attempts (message_id, try, started_at, took, outcome) VALUES ($1, 1, $2, $3, $4)",
        message,
        real_now() - ago,
        took,
        outcome,
    )


async def test_calls_of_the_last_hour_are_counted(database: Database) -> None:
    """By channel and outcome, with the usual length; what is older is not."""
    await open_kitchen(database)
    async with ledger_of(database) as ledger:
        await place(database, ledger)
    now, second = timedelta(minutes=1), timedelta(seconds=1)
    for outcome, took in (("sent", second), ("sent", 2 * second), ("unclear", 5 * second)):
        await tried(database, "zalo", outcome, ago=now, took=took)
    await tried(database, "sms", "try_later", ago=now, took=second / 4)
    await tried(database, "sms", "sent", ago=timedelta(minutes=61), took=second)
    sms, zalo = await gateways.lately(database.pool, now=real_now())
    assert (sms.channel, dict(sms.outcomes), sms.median) == (ChannelName.SMS, {"try_later": 1}, second / 4)
    assert (zalo.channel, dict(zalo.outcomes)) == (ChannelName.ZALO, {"sent": 2, "unclear": 1})
    assert (zalo.median, zalo.count, zalo.of("sent"), zalo.of("refused")) == (2 * second, 3, 2, 0)


async def test_an_hour_without_calls_is_empty(database: Database) -> None:
    """Nothing is known of gateways that nobody called."""
    assert list(await gateways.lately(database.pool, now=real_now())) == []
