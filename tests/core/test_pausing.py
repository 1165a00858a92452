"""A kitchen's pause: on record once for each change, and told to every platform in the order it happened."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core.actors import Via
from core.clock import real_now
from core.database import Database, Row
from core.errors import NotFound, RuleError
from core.notices.kinds import NoticeKind
from core.orders.order import By
from core.partners import partners, pausing
from core.partners.partners import NONE, PartnerChange
from core.platforms import webhooks
from core.schedule import WEBHOOK_RETRIES
from tests.core.kitchens import (
    HOA_KITCHEN,
    LAN,
    LAN_KITCHEN,
    RIVAL,
    SHOP,
    SilentWake,
    add_partner,
    add_platform,
    answers,
    count,
    travel_to,
)

BY_LAN = By(Via.ZALO, "Lan", LAN)
HOUR = timedelta(hours=1)


@pytest.fixture
async def kitchen(database: Database) -> Database:
    """Return the database with Lan's kitchen and two platforms that listen."""
    await add_partner(database)
    await add_platform(database)
    await add_platform(database, RIVAL, name="Chợ Đêm")
    return database


async def events(database: Database) -> Sequence[str]:
    """Return what happened to Lan's kitchen, oldest first."""
    rows = await database.pool.fetch(
        "SELECT type FROM partner_events WHERE partner_id = $1 ORDER BY number", LAN_KITCHEN
    )
    return [row["type"] for row in rows]


async def the_row(database: Database, query: str) -> Row:
    """Return the row that there must be."""
    row = await database.pool.fetchrow(query)
    assert row is not None
    return row


async def in_hours(database: Database, hours: int) -> datetime:
    """Return a moment so many hours ahead."""
    return database.clock.now() + hours * HOUR


async def test_a_pause_is_told_to_every_platform_and_to_the_people(kitchen: Database) -> None:
    """One event, one webhook for each platform, one notice that passes over who did it."""
    until = await in_hours(kitchen, 5)
    wake = SilentWake()

    paused = await pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN, wake=wake)

    assert paused.paused_until == until
    assert await events(kitchen) == ["partner.paused"]
    notice = await the_row(kitchen, "SELECT * FROM notices")
    assert notice["kind"] == NoticeKind.KITCHEN_PAUSED
    assert notice["data"]["but"] == str(LAN)
    assert notice["data"]["partner_id"] == str(LAN_KITCHEN)
    told = await kitchen.pool.fetch("SELECT id, platform_id, of_partner FROM webhooks")
    assert {(row["platform_id"], row["of_partner"]) for row in told} == {(SHOP, True), (RIVAL, True)}
    assert (wake.notices, set(wake.webhooks)) == ([notice["id"]], {row["id"] for row in told})


async def test_a_platform_that_listens_to_nothing_is_told_nothing(kitchen: Database) -> None:
    """It has given no address: what nobody can deliver would only raise an alarm."""
    silent = UUID(int=77)
    await add_platform(kitchen, silent, name="Im Lặng", url=None)
    await pausing.pause(kitchen, LAN_KITCHEN, await in_hours(kitchen, 5), by=BY_LAN)
    assert await count(kitchen, "webhooks", "platform_id = $1", silent) == 0
    assert await count(kitchen, "webhooks", "of_partner") == 2


async def test_the_same_again_changes_nothing(kitchen: Database) -> None:
    """Neither the same end of a pause, nor taking orders again where they are taken."""
    until = await in_hours(kitchen, 5)
    await pausing.resume(kitchen, LAN_KITCHEN, by=BY_LAN)
    for _ in range(2):
        await pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN)

    assert await events(kitchen) == ["partner.paused"]


async def test_many_at_once_pause_once(kitchen: Database) -> None:
    """Ten thumbs, one event."""
    until = await in_hours(kitchen, 5)
    await asyncio.gather(*(pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN) for _ in range(10)))

    assert await events(kitchen) == ["partner.paused"]


async def test_moving_the_end_is_told_and_taking_orders_again_too(kitchen: Database) -> None:
    """Each change has its own number."""
    await pausing.pause(kitchen, LAN_KITCHEN, await in_hours(kitchen, 5), by=BY_LAN)
    await pausing.pause(kitchen, LAN_KITCHEN, await in_hours(kitchen, 9), by=BY_LAN)
    resumed = await pausing.resume(kitchen, LAN_KITCHEN, by=BY_LAN)

    assert resumed.paused_until is None
    assert await events(kitchen) == ["partner.paused", "partner.paused", "partner.resumed"]
    assert await kitchen.pool.fetchval("SELECT array_agg(number ORDER BY number) FROM partner_events") == [
        1,
        2,
        3,
    ]


async def test_a_pause_that_is_over_ends_by_itself_once(kitchen: Database) -> None:
    """At the moment when it ran out, in nobody's name; however many sweeps look."""
    until = await in_hours(kitchen, 5)
    await pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN)
    assert await pausing.end_due(kitchen) == 0
    await travel_to(kitchen, until)

    ended = await asyncio.gather(*(pausing.end_due(kitchen) for _ in range(4)))

    assert sum(ended) == 1
    assert await events(kitchen) == ["partner.paused", "partner.resumed"]
    last = await the_row(kitchen, "SELECT at, by FROM partner_events ORDER BY number DESC LIMIT 1")
    assert (last["at"], last["by"]["via"], last["by"]["id"]) == (until, "system", None)
    assert (await partners.by_id(kitchen.pool, LAN_KITCHEN)).paused_until is None


async def test_a_pause_after_one_that_nobody_ended_yet_ends_that_first(kitchen: Database) -> None:
    """Platforms never hear of two pauses with nothing between them, unless the end was moved."""
    until = await in_hours(kitchen, 5)
    await pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN)
    await travel_to(kitchen, until + HOUR)
    await pausing.pause(kitchen, LAN_KITCHEN, until + 2 * HOUR, by=BY_LAN)

    assert await events(kitchen) == ["partner.paused", "partner.resumed", "partner.paused"]


async def test_taking_orders_again_after_it_ran_out_is_no_deed(kitchen: Database) -> None:
    """It ended by itself, whoever says so later."""
    until = await in_hours(kitchen, 5)
    await pausing.pause(kitchen, LAN_KITCHEN, until, by=BY_LAN)
    await travel_to(kitchen, until + HOUR)
    await pausing.resume(kitchen, LAN_KITCHEN, by=BY_LAN)

    last = await the_row(kitchen, "SELECT type, by FROM partner_events ORDER BY number DESC LIMIT 1")
    assert (last["type"], last["by"]["via"]) == ("partner.resumed", "system")


async def test_a_moment_that_is_past_is_refused(kitchen: Database) -> None:
    """And nothing is on record."""
    with pytest.raises(RuleError, match="paused_until_past"):
        await pausing.pause(kitchen, LAN_KITCHEN, kitchen.clock.now(), by=BY_LAN)
    with pytest.raises(NotFound):
        await pausing.resume(kitchen, HOA_KITCHEN, by=BY_LAN)

    assert await count(kitchen, "partner_events") == 0


async def test_the_command_line_pauses_by_the_same_way(kitchen: Database) -> None:
    """An operator did it, and everybody in the kitchen hears of it."""
    until = await in_hours(kitchen, 5)
    await partners.change(kitchen, "com-nha-lan", PartnerChange(paused_until=until))
    await partners.change(kitchen, "com-nha-lan", PartnerChange(paused_until=NONE))

    assert await events(kitchen) == ["partner.paused", "partner.resumed"]
    rows = await kitchen.pool.fetch("SELECT data FROM notices")
    assert [(row["data"]["by"]["via"], row["data"]["but"]) for row in rows] == [("operator", None)] * 2


async def test_a_dead_webhook_of_a_kitchen_alarms_without_an_order(kitchen: Database) -> None:
    """The operators hear which platform does not answer."""
    await pausing.pause(kitchen, LAN_KITCHEN, await in_hours(kitchen, 900), by=BY_LAN)
    for _ in range(len(WEBHOOK_RETRIES) + 1):
        (webhook_id, *_) = await webhooks.due(kitchen)
        for other in await webhooks.due(kitchen):
            claimed = await webhooks.claim(kitchen, [other])
            for webhook in (webhook for group in claimed.groups for webhook in group):
                assert webhook.of_partner
                await answers(kitchen, webhook, 500 if other == webhook_id else 200)
        await travel_to(kitchen, kitchen.clock.now() + timedelta(days=2))

    alarm = await the_row(kitchen, "SELECT * FROM notices WHERE kind = 'webhook_dead'")
    assert alarm["order_id"] is None
    assert alarm["data"]["why"] == "HTTP 500"
    assert real_now() <= kitchen.clock.now()
