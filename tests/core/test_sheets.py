"""When a kitchen's morning sheet is owed: at its own hour, once a day, on days that have orders."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import sheets
from core.database import Database
from core.ledger import Ledger
from core.orders.commands import CancelOrder
from core.orders.decide import reason_of
from core.orders.order import OrderId
from core.partners import partners
from core.partners.partners import NONE, PartnerChange
from core.sheets import plan_of
from tests.core.kitchens import (
    HOA_KITCHEN,
    LAN_KITCHEN,
    SAIGON,
    Kitchen,
    add_partner,
    ledger_of,
    open_kitchen,
    place,
    travel_to,
)

#: Far enough from now, whenever that is.
DAY = date(2033, 5, 20)
BERLIN = ZoneInfo("Europe/Berlin")


def at(hour: int, minute: int = 0, *, day: date = DAY, zone: ZoneInfo = SAIGON) -> datetime:
    """Return a time of a day in Vietnam."""
    return datetime.combine(day, time(hour, minute), tzinfo=zone)


@pytest.fixture
async def kitchen(database: Database) -> Kitchen:
    """Return Cơm nhà Lan, the evening before."""
    opened = await open_kitchen(database)
    await travel_to(database, at(20) - timedelta(days=1))
    await sheets.owe_due(database)
    return opened


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with ledger_of(database) as ledger:
        yield ledger


async def ordered(database: Database, ledger: Ledger, deliver_at: datetime) -> OrderId:
    """Place one more order."""
    return await place(database, ledger, deliver_at=deliver_at, external_id=f"PX-{uuid4()}")


async def owed_days(database: Database) -> list[str]:
    """Return the days whose sheets were owed."""
    rows = await database.pool.fetch("SELECT data FROM notices WHERE kind = 'morning_sheet' ORDER BY owed_at")
    assert all(row["data"]["partner_id"] == str(LAN_KITCHEN) for row in rows)
    return [row["data"]["day"] for row in rows]


async def test_a_sheet_is_owed_at_six_and_once(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Not before; by several sweeps at once, once."""
    await ordered(database, ledger, at(11))
    await travel_to(database, at(5, 59))
    assert await sheets.owe_due(database) == []
    await travel_to(database, at(6))
    await asyncio.gather(*(sheets.owe_due(database) for _ in range(4)))

    assert await owed_days(database) == ["2033-05-20"]


async def test_a_day_without_deliveries_has_no_sheet(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Nor one whose only order was cancelled, was delivered before, or is for tomorrow."""
    cancelled = await ordered(database, ledger, at(11))
    await ledger.submit(CancelOrder(cancelled, reason_of(1)), actor=kitchen.lan.taps())
    await ordered(database, ledger, at(5))
    await ordered(database, ledger, at(0, day=DAY + timedelta(days=1)))
    await travel_to(database, at(6))
    await sheets.owe_due(database)

    assert await owed_days(database) == []


async def test_each_day_has_its_own_sheet(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """The next one is planned with this one."""
    for days in range(3):
        await ordered(database, ledger, at(11, day=DAY + timedelta(days=days)))
    for days in range(3):
        await travel_to(database, at(6, 1, day=DAY + timedelta(days=days)))
        await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-20", "2033-05-21", "2033-05-22"]


async def test_a_worker_that_was_away_makes_up_for_today_only(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Yesterday's sheet helps nobody; today's comes late, with what is still ahead."""
    await ordered(database, ledger, at(11))
    await ordered(database, ledger, at(11, day=DAY + timedelta(days=1)))
    await travel_to(database, at(9, day=DAY + timedelta(days=1)))
    await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-21"]


async def test_an_hour_that_is_over_is_not_made_up_for(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Setting the hour to one that has passed today speaks of tomorrow."""
    await ordered(database, ledger, at(15))
    await travel_to(database, at(10))
    await sheets.owe_due(database)
    await database.pool.execute("DELETE FROM notices WHERE kind = 'morning_sheet'")
    await partners.change(database, "com-nha-lan", PartnerChange(sheet_at=time(9)))
    await sheets.owe_due(database)
    assert await owed_days(database) == []
    await partners.change(database, "com-nha-lan", PartnerChange(sheet_at=time(10, 30)))
    await sheets.owe_due(database)
    await travel_to(database, at(10, 30))
    await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-20"]


async def test_another_zone_is_another_hour(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Six o'clock in Tokyo is four in Vietnam."""
    await ordered(database, ledger, at(11))
    await partners.change(database, "com-nha-lan", PartnerChange(timezone="Asia/Tokyo"))
    await sheets.owe_due(database)
    await travel_to(database, at(4))
    await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-20"]


async def test_who_wants_no_sheet_gets_none(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """`--sheet-at none`."""
    await ordered(database, ledger, at(11))
    await partners.change(database, "com-nha-lan", PartnerChange(sheet_at=NONE))
    await travel_to(database, at(6))
    await sheets.owe_due(database)

    assert await owed_days(database) == []


async def test_a_clock_that_goes_back_owes_nothing_twice(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """And the sheet of the days that come again is not forgotten for it."""
    await ordered(database, ledger, at(11))
    await ordered(database, ledger, at(11, day=DAY + timedelta(days=1)))
    for moment in (at(6), at(6, day=DAY + timedelta(days=9)), at(6), at(6, day=DAY + timedelta(days=1))):
        await travel_to(database, moment)
        await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-20", "2033-05-21"]


async def test_the_same_morning_again_brings_no_second_sheet(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A clock that goes back before the hour: when that comes again, its day was told already."""
    await ordered(database, ledger, at(11))
    for moment in (at(6), at(2), at(6)):
        await travel_to(database, moment)
        await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-20"]


async def test_a_neighbours_deliveries_bring_no_sheet(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Each kitchen hears of its own day."""
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    await sheets.owe_due(database)
    await place(database, ledger, deliver_at=at(11), partner_id=HOA_KITCHEN)
    await travel_to(database, at(6))
    await sheets.owe_due(database)
    owed = await database.pool.fetch("SELECT data FROM notices WHERE kind = 'morning_sheet'")
    assert [row["data"]["partner_id"] for row in owed] == [str(HOA_KITCHEN)]


async def test_a_clock_that_goes_back_behind_the_hour_waits_for_the_next(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """What was planned far away is planned anew, and an hour that is over is over."""
    await ordered(database, ledger, at(11))
    await ordered(database, ledger, at(11, day=DAY + timedelta(days=1)))
    for moment in (at(6, day=DAY + timedelta(days=9)), at(9), at(6, day=DAY + timedelta(days=1))):
        await travel_to(database, moment)
        await sheets.owe_due(database)

    assert await owed_days(database) == ["2033-05-21"]


async def test_only_kitchens_that_are_due_are_read(database: Database, kitchen: Kitchen) -> None:
    """By the index: the cost follows what is due, not how many kitchens there are."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {sheets._DUE}", at(6), at(8), 500)
        assert "partners_sheet" in "\n".join(row[0] for row in plan)


def partner(**changes: Any) -> dict[str, Any]:
    """Return a kitchen's row as the plan reads it."""
    wanted = {"id": UUID(int=1), "timezone": "Europe/Berlin", "sheet_at": time(6), "next_sheet_at": None}
    return wanted | changes


@pytest.mark.parametrize(
    ("now", "hour", "expected"),
    [
        (datetime(2033, 3, 26, 12, tzinfo=BERLIN), time(6), datetime(2033, 3, 27, 4, tzinfo=UTC)),
        (datetime(2033, 10, 29, 12, tzinfo=BERLIN), time(6), datetime(2033, 10, 30, 5, tzinfo=UTC)),
        (datetime(2033, 3, 26, 12, tzinfo=BERLIN), time(2, 30), datetime(2033, 3, 27, 1, 30, tzinfo=UTC)),
        (datetime(2033, 10, 29, 12, tzinfo=BERLIN), time(2, 30), datetime(2033, 10, 30, 0, 30, tzinfo=UTC)),
    ],
    ids=["into summer", "into winter", "an hour that is skipped", "an hour that comes twice"],
)
def test_summer_time_changes_no_hour_on_the_wall(now: datetime, hour: time, expected: datetime) -> None:
    """Six o'clock is six o'clock; what the clock skips is an hour later, what comes twice is the first."""
    assert plan_of(partner(sheet_at=hour), now.astimezone(UTC)).next_at == expected


@given(
    now=st.integers(0, 4 * 366 * 24 * 60).map(lambda minutes: at(0) - timedelta(minutes=minutes)),
    hour=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    zone=st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York", "Pacific/Apia"]),
)
def test_a_plan_lies_ahead_and_is_never_far(now: datetime, hour: time, zone: str) -> None:
    """What was planned once is due once: never at the same moment again, never later than in 26 hours."""
    row = partner(timezone=zone, sheet_at=hour)
    first = plan_of(row, now.astimezone(UTC))
    then = plan_of(row | {"next_sheet_at": first.next_at}, first.next_at)

    assert first.day is None
    assert now < first.next_at <= now + timedelta(hours=26)
    assert then.day == first.next_at.astimezone(ZoneInfo(zone)).date()
    assert then.next_at > first.next_at
