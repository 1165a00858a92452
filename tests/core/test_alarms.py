"""When operators are told of a trouble again, and what is kept of it."""

from datetime import timedelta

from core import alarms
from core.clock import real_now
from core.database import Database


async def test_a_trouble_that_lasts_is_told_again_after_a_day(database: Database) -> None:
    """Not sooner, however often it is seen; the latest words are told."""
    now = real_now()
    async with database.pool.acquire() as connection, connection.transaction():
        told = [
            await alarms.raise_(
                connection, "zalo: token", f"after {hours} h", now=now + timedelta(hours=hours)
            )
            for hours in (0, 1, 23, 24, 25, 48)
        ]
        assert told == [True, False, False, True, False, True]
        details = await connection.fetch("SELECT data ->> 'detail' AS detail FROM notices ORDER BY owed_at")
    assert [row["detail"] for row in details] == ["after 0 h", "after 24 h", "after 48 h"]


async def test_what_is_over_is_kept_and_told_once(database: Database) -> None:
    """Since when it lasted and until when; clearing it again says nothing."""
    now = real_now()
    over_at = now + timedelta(minutes=7)
    async with database.pool.acquire() as connection, connection.transaction():
        await alarms.raise_(connection, "zalo: token", "expired", now=now)
        assert await alarms.clear(connection, "zalo: token", now=over_at)
        assert not await alarms.clear(connection, "zalo: token", now=over_at)
        kept = await connection.fetch("SELECT name, detail, raised_at, over_at FROM alarms_over")
        owed = await connection.fetchval("SELECT count(*) FROM notices WHERE (data ->> 'over')::bool")
    assert [tuple(row) for row in kept] == [("zalo: token", "expired", now, over_at)]
    assert owed == 1
