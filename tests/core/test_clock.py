from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core import ids, product_clock
from core.clock import real_now
from core.database import Database, connect
from core.errors import RuleError

DAY = timedelta(days=1)
SLACK = timedelta(seconds=20)


@pytest.fixture
async def elsewhere(database_url: str, database: Database) -> AsyncIterator[Database]:
    """Yield another process's view of the same database."""
    async with connect(database_url) as other:
        yield other


async def test_time_moves_for_every_process(database: Database, elsewhere: Database) -> None:
    """A process that reads the clock afterwards lives in the same moment."""
    moved = await product_clock.advance(database, DAY)
    await elsewhere.set_clock()
    assert abs(moved - (real_now() + DAY)) < SLACK
    assert abs(elsewhere.clock.now() - database.clock.now()) < SLACK


async def test_leaps_add_up(database: Database) -> None:
    """Two days are one day and one day."""
    await product_clock.advance(database, DAY)
    await product_clock.advance(database, DAY)
    assert await product_clock.ahead(database) == 2 * DAY


async def test_a_reset_brings_real_time_back(database: Database) -> None:
    """It tells how far ahead time was; resetting twice is nothing more."""
    await product_clock.advance(database, DAY)
    assert await product_clock.reset(database) == DAY
    assert await product_clock.reset(database) == timedelta()
    assert abs(database.clock.now() - real_now()) < SLACK


@pytest.mark.parametrize("by", [timedelta(), timedelta(seconds=-1)])
async def test_time_does_not_go_back(database: Database, by: timedelta) -> None:
    """Only a reset goes back."""
    with pytest.raises(RuleError, match="clock_backwards"):
        await product_clock.advance(database, by)


@pytest.mark.parametrize("by", [timedelta(days=3651), timedelta.max])
async def test_time_does_not_go_beyond_dates(database: Database, by: timedelta) -> None:
    """A slip of the finger does not break every process."""
    with pytest.raises(RuleError, match="clock_too_far"):
        await product_clock.advance(database, by)
    assert await product_clock.ahead(database) == timedelta()


async def waiting_message(database: Database, next_at: datetime, *, state: str = "waiting") -> UUID:
    """Put a message on the table that is tried again at this moment."""
    message_id, notice_id = ids.new(), ids.new()
    await database.pool.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at, state)"
        " VALUES ($1, 'answer', $2, '{}', $3, 'routed')",
        notice_id,
        str(notice_id),
        next_at,
    )
    await database.pool.execute(
        "INSERT INTO messages"
        " (id, notice_id, leg, person, channel, address_kind, address, state, next_at, created_at)"
        " VALUES ($1, $2, 'chat', 'lan', 'zalo', 'zalo_user', '1', $3, $4, $4)",
        message_id,
        notice_id,
        state,
        next_at,
    )
    return message_id


async def next_at(database: Database, message_id: UUID) -> datetime:
    """Return when a message is tried again."""
    found = await database.pool.fetchval("SELECT next_at FROM messages WHERE id = $1", message_id)
    assert isinstance(found, datetime)
    return found


async def test_nothing_waits_for_a_time_that_is_gone(database: Database) -> None:
    """A message to be tried again in five minutes still is, after a reset from tomorrow."""
    await product_clock.advance(database, DAY)
    wait = timedelta(minutes=5)
    waiting = await waiting_message(database, database.clock.now() + wait)
    unclear = await waiting_message(database, database.clock.now() + wait, state="unclear")
    sent = await waiting_message(database, database.clock.now() + wait, state="sent")
    await product_clock.reset(database)

    assert abs(await next_at(database, waiting) - (real_now() + wait)) < SLACK
    assert abs(await next_at(database, unclear) - (real_now() + wait)) < SLACK
    assert await next_at(database, sent) > real_now() + DAY


async def test_what_was_due_stays_due(database: Database) -> None:
    """A reset does not push back what should have left already."""
    due = datetime(2026, 1, 1, tzinfo=UTC)
    message = await waiting_message(database, due)
    await product_clock.advance(database, DAY)
    await product_clock.reset(database)
    assert await next_at(database, message) == due


async def test_a_straggler_is_brought_back(database: Database, elsewhere: Database) -> None:
    """A worker that had not seen the reset yet plans a retry for tomorrow; it is tried today."""
    await product_clock.advance(database, DAY)
    await elsewhere.set_clock()
    was = await product_clock.reset(database)
    late = await waiting_message(database, elsewhere.clock.now() + timedelta(minutes=1))
    fresh = await waiting_message(database, database.clock.now() + timedelta(hours=1))
    expected = await next_at(database, fresh)
    await product_clock.bring_stragglers_back(database, was)

    assert await next_at(database, late) < real_now() + timedelta(minutes=2)
    assert await next_at(database, fresh) == expected


async def test_a_locked_sender_waits_no_longer_than_an_hour(database: Database) -> None:
    """A lock set on a moved clock ends an hour later, whatever the clock does."""
    await product_clock.advance(database, 30 * DAY)
    now = database.clock.now()
    await database.pool.execute(
        "INSERT INTO wrong_tries (what, sender, tries, since, locked_until)"
        " VALUES ('link_code', 'x', 5, $1, $2)",
        now,
        now + timedelta(hours=1),
    )
    await product_clock.reset(database)
    locked_until = await database.pool.fetchval("SELECT locked_until FROM wrong_tries")
    assert abs(locked_until - (real_now() + timedelta(hours=1))) < SLACK
