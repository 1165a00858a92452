"""Tables in parts: every row has a home, and what is there once is there once, across the ends of months."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from core import inbox, partitions
from core.clock import real_now
from core.database import Connection, Database
from core.orders.events import Json
from core.partitions import PARTED, Month, first_id

_NEXT: Final = Month.of(real_now()).following
_BEFORE_MIDNIGHT: Final = _NEXT.begins - timedelta(seconds=1)
_AFTER_MIDNIGHT: Final = _NEXT.begins + timedelta(seconds=1)
_TAKE: Final = """
INSERT INTO inbox (key, received_at, answer, made_at) VALUES ($1, now(), '{}', $2)
ON CONFLICT DO NOTHING RETURNING key
"""


_HOME: Final = "SELECT tableoid::regclass::text FROM events WHERE id = $1"


async def write_event(
    connection: Connection, event_id: UUID, *, version: int = 1, of: UUID | None = None
) -> None:
    """Write an event with this id."""
    await connection.execute(
        "INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)"
        " VALUES ($1, $2, $3, 'order.placed', now(), '{}', '{}', '{}')",
        event_id,
        of or uuid4(),
        version,
    )


async def test_the_next_two_months_have_their_parts(database: Database) -> None:
    """Each of the four tables, from the migration on; asking again makes none."""
    months = partitions.coming(real_now())
    async with database.pool.acquire() as connection:
        there = await partitions.parts(connection)
    assert len(months) == 2
    assert set(there) == {month.part_of(each) for month in months for each in PARTED} | {
        f"{each.table}_default" for each in PARTED
    }
    assert await partitions.keep_ahead(database) == 0


async def test_a_part_leaves_room_as_its_table_does(database: Database) -> None:
    """Messages are written to again and again: each of their pages keeps room for that."""
    part = _NEXT.part_of(PARTED[1])
    async with database.pool.acquire() as connection:
        options = await connection.fetchval("SELECT reloptions FROM pg_class WHERE relname = $1", part)
    assert options == [f"fillfactor={PARTED[1].fill}"] == ["fillfactor=80"]


@pytest.mark.parametrize(
    ("days", "part"),
    [(0, "events_default"), (-400, "events_default"), (4000, "events_default"), (None, None)],
    ids=["today", "long ago", "in eleven years", "next month"],
)
async def test_every_row_finds_a_home(database: Database, days: int | None, part: str | None) -> None:
    """Those of a month with a part in it, all others, before and after, in the default one."""
    moment = _NEXT.begins if days is None else real_now() + timedelta(days=days)
    async with database.pool.acquire() as connection:
        await write_event(connection, first_id(moment))
        home = await connection.fetchval(_HOME, first_id(moment))
    assert home == (part or _NEXT.part_of(PARTED[0]))


async def test_an_order_has_no_two_events_of_one_version_in_a_new_part(database: Database) -> None:
    """What a part must keep unique is copied from the default one."""
    order_id, first = uuid4(), first_id(_NEXT.begins)
    async with database.pool.acquire() as connection:
        await write_event(connection, first, of=order_id)
        with pytest.raises(asyncpg.UniqueViolationError):
            await write_event(connection, UUID(int=first.int + 1), of=order_id)


async def test_a_message_lies_where_its_notice_was_owed(database: Database) -> None:
    """So one notice has one message for each person, way and rung, whenever it is written."""
    notice_id = UUID(int=first_id(_NEXT.begins).int + 1)
    async with database.pool.acquire() as connection:
        homes = {await _message_home(connection, notice_id, rung) for rung in range(2)}
        again = await connection.execute(_MESSAGE + " ON CONFLICT DO NOTHING", notice_id, 1)
    assert len(homes) == 1
    assert again == "INSERT 0 0"


async def _message_home(connection: Connection, notice_id: UUID, rung: int) -> str:
    await connection.execute(_MESSAGE, notice_id, rung)
    return str(
        await connection.fetchval(
            "SELECT tableoid::regclass::text FROM messages WHERE notice_id = $1 AND rung = $2",
            notice_id,
            rung,
        )
    )


_MESSAGE: Final = """
INSERT INTO messages (id, notice_id, leg, person, channel, address_kind, address, rung, state, created_at)
VALUES (id_beside($1), $1, 'chat', 'staff:1', 'zalo', 'zalo_user', '1', $2, 'waiting', now())
"""


# --- the inbox ------------------------------------------------------------------------------------


async def test_a_key_is_taken_once_though_the_month_ends_meanwhile(database: Database) -> None:
    """The second waits for the first, whose row lies in another part, and then writes nothing."""
    async with database.pool.acquire() as one, database.pool.acquire() as other:
        first = one.transaction()
        await first.start()
        assert await one.fetchval(_TAKE, "zalo:1", _BEFORE_MIDNIGHT) == "zalo:1"
        second = asyncio.create_task(other.fetchval(_TAKE, "zalo:1", _AFTER_MIDNIGHT))
        await asyncio.sleep(0.2)
        assert not second.done()
        await first.commit()
        assert await second is None
    assert await database.pool.fetchval("SELECT count(*) FROM inbox WHERE key = 'zalo:1'") == 1


async def test_a_key_that_was_given_back_at_midnight_can_be_taken(database: Database) -> None:
    """The first one's transaction came to nothing: the second has its effect."""
    async with database.pool.acquire() as one, database.pool.acquire() as other:
        first = one.transaction()
        await first.start()
        await one.fetchval(_TAKE, "zalo:1", _BEFORE_MIDNIGHT)
        second = asyncio.create_task(other.fetchval(_TAKE, "zalo:1", _AFTER_MIDNIGHT))
        await asyncio.sleep(0.2)
        await first.rollback()
        assert await second == "zalo:1"


async def test_many_at_midnight_have_one_effect_each(database: Database) -> None:
    """Forty batches of twelve keys each, in both parts and in both orders, without a deadlock."""
    keys = [f"zalo:{number}" for number in range(12)]

    async def batch(number: int) -> int:
        side = _BEFORE_MIDNIGHT if number % 2 else _AFTER_MIDNIGHT
        taken = await database.pool.fetch(_MANY, keys, side)
        return len(taken)

    assert sum(await asyncio.gather(*(batch(number) for number in range(40)))) == len(keys)
    assert await database.pool.fetchval("SELECT count(*) FROM inbox") == len(keys)


_MANY: Final = """
INSERT INTO inbox (key, received_at, answer, made_at) SELECT key, now(), '{}', $2
FROM unnest($1::text[]) AS key
ON CONFLICT DO NOTHING RETURNING key
"""


async def test_without_the_queue_at_midnight_a_key_would_be_taken_twice(database: Database) -> None:
    """Which shows that the tests above can fail: else two parts know nothing of each other."""
    async with database.pool.acquire() as connection:
        far = _NEXT.begins + timedelta(days=10)
        assert await connection.fetchval(_TAKE, "zalo:1", _NEXT.begins - timedelta(days=10)) == "zalo:1"
        assert await connection.fetchval(_TAKE, "zalo:1", far) == "zalo:1"


async def test_a_repeat_weeks_later_is_a_repeat(database: Database) -> None:
    """What came in a month ago is in another part; it is looked for there."""
    await database.pool.fetchval(_TAKE, "zalo:1", _NEXT.begins + timedelta(days=10))

    async def effect(_: Connection) -> Mapping[str, Json]:
        return {"done": "again"}

    answer, is_repeat = await inbox.once(database, "zalo:1", effect, now=real_now())
    assert (answer, is_repeat) == ({}, True)


# --- making and dropping --------------------------------------------------------------------------


async def test_a_month_that_has_rows_already_stays_with_the_default_part(database: Database) -> None:
    """Nothing is moved and nothing fails; the next month gets its part."""
    later = datetime(2031, 5, 9, tzinfo=UTC)
    async with database.pool.acquire() as connection:
        await write_event(connection, first_id(datetime(2031, 6, 9, tzinfo=UTC)))
        made = await partitions.make_ahead(connection, now=later)
        there = await partitions.parts(connection)
        await write_event(connection, first_id(datetime(2031, 6, 10, tzinfo=UTC)))
    assert made == 7
    assert {"messages_2031_06", "events_2031_07"} <= set(there)
    assert "events_2031_06" not in there


async def test_two_who_make_parts_at_once(database: Database) -> None:
    """One makes them, the other leaves it to them."""
    later = datetime(2031, 5, 9, tzinfo=UTC)
    async with database.pool.acquire() as one, database.pool.acquire() as other:
        made = await asyncio.gather(
            partitions.make_ahead(one, now=later), partitions.make_ahead(other, now=later)
        )
    assert sum(made) == 8


async def test_whoever_writes_meanwhile_is_in_nobodys_way(database: Database) -> None:
    """A transaction that has read and written is open: no part is made now, all are at the next call."""
    later = datetime(2031, 5, 9, tzinfo=UTC)
    async with database.pool.acquire() as busy, database.pool.acquire() as maker:
        async with busy.transaction():
            await write_event(busy, uuid4())
            await busy.fetch("SELECT 1 FROM events")
            made = await partitions.make_ahead(maker, now=later)
            await write_event(busy, uuid4())
        assert made + await partitions.make_ahead(maker, now=later) == 8
        assert made < 8


async def test_only_what_ended_long_enough_ago_can_be_dropped(database: Database) -> None:
    """Its rows go with it; the other parts stay."""
    events = PARTED[0]
    async with database.pool.acquire() as connection:
        await write_event(connection, first_id(_NEXT.begins))
        assert await partitions.ended(connection, events, _NEXT.following.begins) == []
        assert await partitions.ended(connection, events, _NEXT.following.begins + timedelta(days=1)) == [
            _NEXT
        ]
        assert await partitions.drop(connection, events, _NEXT)
        assert await connection.fetchval("SELECT count(*) FROM events") == 0
        assert _NEXT.part_of(events) not in await partitions.parts(connection)
        assert _NEXT.part_of(PARTED[1]) in await partitions.parts(connection)


async def test_what_is_looked_up_by_its_id_is_looked_for_in_one_part(database: Database) -> None:
    """However many months there are."""
    async with database.pool.acquire() as connection:
        rows = await connection.fetch(
            f"EXPLAIN SELECT 1 FROM messages WHERE id = '{first_id(_NEXT.begins)}'"  # noqa: S608  (an id)
        )
    plan = "\n".join(row[0] for row in rows)
    assert _NEXT.part_of(PARTED[1]) in plan
    assert "default" not in plan


async def test_the_operators_hear_of_a_month_that_has_no_part(database: Database) -> None:
    """A week before it begins, not earlier; and that it is over once the part is there."""
    month = partitions.coming(real_now())[1]
    standing = "SELECT count(*) FROM alarms WHERE name = 'database: months'"
    async with database.pool.acquire() as connection:
        await partitions.drop(connection, PARTED[0], month)
        for days, alarms in ((8, 0), (6, 1)):
            moment = month.begins - timedelta(days=days)
            await partitions.tell_of_missing(connection, moment, now=real_now())
            assert await connection.fetchval(standing) == alarms
        assert await partitions.keep_ahead(database) == 1
        await partitions.tell_of_missing(connection, month.begins - timedelta(days=5), now=real_now())
        assert await connection.fetchval(standing) == 0


async def test_the_month_in_which_the_parts_began_is_no_alarm(database: Database) -> None:
    """Its rows lie in the default part, as they should."""
    this = Month.of(real_now())
    async with database.pool.acquire() as connection:
        assert this.part_of(PARTED[0]) not in await partitions.parts(connection)
        await partitions.tell_of_missing(connection, this.begins + timedelta(days=1), now=real_now())
        assert await connection.fetchval("SELECT count(*) FROM alarms") == 0
