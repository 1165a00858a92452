"""The life of Zalo's webhook: probes, repeats, a slow database, and the day it falls silent."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
from prometheus_client import REGISTRY

from bot.zalo_silence import ALARM, HEARTBEAT, look_for_silence
from core.clock import real_now
from core.database import Connection
from sandbox.platform import FakePlatform
from tests.stories.world import Placed, Somebody, World
from tests.zalo_oa.conftest import SAMPLES

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
#: Some noon in Vietnam, in real time: so late that no event of the story's own is heard after it.
NOON = datetime(2096, 11, 20, 5, 0, tzinfo=UTC)
THIRTY = timedelta(minutes=30)


def counted(what: str) -> float:
    """Return how often this came in."""
    return REGISTRY.get_sample_value("chotdon_inbound_total", {"channel": "zalo", "what": what}) or 0.0


async def test_saving_the_address_in_the_console(world: World) -> None:
    """The unsigned empty object gets its 200, and is not taken for an event."""
    assert (await world.zalo.probe()).status == 200
    assert (
        await world.database.pool.fetchval("SELECT count(*) FROM heartbeats WHERE name = $1", HEARTBEAT) == 0
    )


async def test_the_consoles_test_button(world: World, lan: Somebody) -> None:
    """Signed, from nobody to nobody we know: 200 and nothing done."""
    content = json.loads((SAMPLES / "webhook-console-probe.json").read_text("utf-8"))
    event = content["_probe_2_test_button"] | {"app_id": world.zalo.app_id, "timestamp": "1787209817225"}
    before = counted("foreign account")
    assert (await world.zalo.post(event)).status == 200
    assert counted("foreign account") == before + 1
    await world.settles()


async def test_an_event_that_nobody_knows_yet(world: World) -> None:
    """What Zalo invents tomorrow is counted and answered, or it would come for hours."""
    before = counted("unknown event")
    assert (await world.zalo.post({"event_name": "user_dances", "message": [1]})).status == 200
    assert counted("unknown event") == before + 1


async def test_what_comes_again_is_counted(world: World, rice: Placed, lan: Somebody) -> None:
    """`num_retry` tells that we were not heard in time; the tap has one effect."""
    before = counted("sent again")
    tap = await lan.phone.taps("Xác nhận đơn hàng")
    for _ in range(2):
        tap = await world.zalo.redeliver(tap)
        assert tap.status == 200
    assert counted("sent again") == before + 2
    await world.settles()
    assert len(lan.catches_up().chat) == 1
    rice.heard("order.confirmed")


async def held(connection: Connection, order: Placed, seconds: float) -> None:
    """Hold an order's row, as something slow would."""
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", order.order_id)
        await asyncio.sleep(seconds)


async def test_a_slow_database_is_a_503_within_two_seconds(world: World, rice: Placed, lan: Somebody) -> None:
    """Zalo tries again, and by then it works: one effect, one answer."""
    async with world.database.pool.acquire() as connection:
        holding = asyncio.create_task(held(connection, rice, 4.0))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        tap = await lan.phone.person.tap("Xác nhận đơn hàng")
        took = time.monotonic() - began
        await holding
    assert (tap.status, took < 2.0) == (503, True)
    for _ in range(2):
        assert (await world.zalo.redeliver(tap)).status == 200
    await world.settles()
    assert len(lan.catches_up().chat) == 1
    rice.heard("order.confirmed")


async def test_a_commit_that_comes_after_the_503_counts(world: World, rice: Placed, lan: Somebody) -> None:
    """We gave up waiting, the database did not: the repeat finds the answer and does nothing more."""
    async with world.database.pool.acquire() as connection:
        holding = asyncio.create_task(held(connection, rice, 1.8))
        await asyncio.sleep(0.1)
        tap = await lan.phone.person.tap("Xác nhận đơn hàng")
        assert tap.status == 503
        await holding
    async with asyncio.timeout(5):
        while (await rice.shown())["status"] != "confirmed":  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.05)
    assert (await world.zalo.redeliver(tap)).status == 200
    await world.settles()
    assert len(lan.catches_up().chat) == 1
    rice.heard("order.confirmed")


async def test_the_picture_above_the_form_is_there(world: World) -> None:
    """Zalo's servers fetch it from us."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{world.url}/static/share-phone.png") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert (await answer.read()).startswith(b"\x89PNG")


# --- silence ------------------------------------------------------------------------------------------


async def accepted(world: World, lan: Somebody, *, at: datetime, orders: int = 3) -> None:
    """Let Zalo accept cards of so many orders, and have it been at this moment of real time."""
    for _ in range(orders):
        await world.order()
    await world.database.pool.execute("UPDATE attempts SET started_at = $1", at)
    lan.catches_up()


async def heard_last(world: World, at: datetime) -> None:
    """Have the last event of Zalo's come at this moment of real time."""
    await world.database.pool.execute(
        "INSERT INTO heartbeats (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = $2",
        HEARTBEAT,
        at,
    )


async def is_silent(world: World, now: datetime = NOON) -> bool:
    """Look as the worker does, and wait until operators have been told."""
    silent = await look_for_silence(world.database, zone=VIETNAM, now=now)
    await world.settles()
    return silent


async def test_hours_without_an_event_are_told_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Zalo takes messages and tells of nothing: somebody has to look into the console."""
    await accepted(world, lan, at=NOON - THIRTY)
    await heard_last(world, NOON - timedelta(hours=2, minutes=1))
    assert await is_silent(world)
    world.operators.gets("kiểm tra webhook")
    assert await is_silent(world, NOON + timedelta(minutes=10))


async def test_the_next_event_ends_the_alarm(world: World) -> None:
    """Whatever it is, it shows that the webhook works; the operators hear so, once."""
    await world.database.pool.execute(
        "INSERT INTO alarms (name, raised_at, detail) VALUES ($1, $2, 'im lặng')", ALARM, world.now
    )
    for _ in range(3):
        assert (await world.zalo.post({"event_name": "user_dances"})).status == 200
    await world.settles()
    world.operators.gets("im lặng")
    assert await world.database.pool.fetchval("SELECT count(*) FROM alarms") == 0
    noted = await world.database.pool.fetchval("SELECT at FROM heartbeats WHERE name = $1", HEARTBEAT)
    assert real_now() - noted < timedelta(minutes=1)


async def test_an_account_that_was_never_heard_is_silent_too(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A webhook that was never set up looks the same."""
    await accepted(world, lan, at=NOON - THIRTY)
    await world.database.pool.execute("DELETE FROM heartbeats WHERE name = $1", HEARTBEAT)
    assert await is_silent(world)
    world.operators.gets("kiểm tra webhook")


async def test_a_quiet_day_is_no_silence(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Two messages only, or an event within two hours, or messages of long ago."""
    await accepted(world, lan, at=NOON - THIRTY, orders=1)  # and the answer to her link
    await heard_last(world, NOON - timedelta(hours=3))
    assert not await is_silent(world)
    await accepted(world, lan, at=NOON - timedelta(hours=2, minutes=5))
    assert not await is_silent(world)
    await accepted(world, lan, at=NOON - THIRTY)
    await heard_last(world, NOON - timedelta(hours=1, minutes=59))
    assert not await is_silent(world)


async def test_the_night_is_no_silence(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Between 21:00 and 09:00 nobody can tell whether people just sleep."""
    await world.database.pool.execute("DELETE FROM heartbeats WHERE name = $1", HEARTBEAT)
    for hour, silent in ((1, False), (8, False), (9, True), (12, True), (20, True), (21, False), (23, False)):
        now = datetime(2026, 11, 20, hour, 0, 1, tzinfo=VIETNAM)
        await accepted(world, lan, at=now - THIRTY, orders=3 if hour == 1 else 0)
        assert (hour, await is_silent(world, now)) == (hour, silent)
    world.everybody_catches_up()
