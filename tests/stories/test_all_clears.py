"""Who was told of a trouble hears that it is over, as soon as something shows that it is."""

from datetime import timedelta
from typing import Final

import aiohttp
import pytest

from core import alarms
from core.clock import real_now
from core.orders.commands import ConfirmOrder
from jobs.lateness import Lateness
from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from tests.stories.world import Placed, Somebody, World, open_world

BAD: Final = b'{"event_name": "follow", "app_id": "1", "timestamp": "1"}'
LAN_NUMBER: Final = "+84903111222"


async def standing(world: World) -> list[str]:
    """Return the names of the alarms that are not over."""
    rows = await world.database.pool.fetch("SELECT name FROM alarms ORDER BY name")
    return [row["name"] for row in rows]


async def test_an_order_at_risk_that_is_confirmed(world: World, rice: Placed, lan: Somebody) -> None:
    """The operators hear so, once, and the item is off their list."""
    await world.passes_until(rice.deliver_at - timedelta(hours=1))
    world.operators.gets("chưa được xác nhận")
    await world.operator(ConfirmOrder(rice.order_id))
    await world.passes(timedelta(seconds=1))
    world.operators.gets(f"Đơn {rice.code} của Bếp Lan: đã ổn (đã xác nhận)")
    left = await world.database.pool.fetch("SELECT handled_by FROM notices WHERE kind = 'order_at_risk'")
    assert [row["handled_by"] for row in left] == ["system"]
    await world.passes(timedelta(minutes=10))
    assert world.operators.unread == []
    world.everybody_catches_up()


async def test_an_order_that_was_not_completed_and_is_now(world: World, rice: Placed, lan: Somebody) -> None:
    """A day after the question the operators are told; then somebody taps."""
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.passes_until(rice.deliver_at + timedelta(hours=24, minutes=11))
    world.operators.gets("chưa được báo hoàn thành")
    await lan.phone.taps("Hoàn thành")
    await world.passes(timedelta(seconds=1))
    world.operators.gets(f"Đơn {rice.code} của Bếp Lan: đã ổn (hoàn thành)")
    world.everybody_catches_up()


async def test_what_was_dealt_with_long_ago_is_put_aside_without_a_word(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """After an upgrade nobody is told of the troubles of last year."""
    await world.passes_until(rice.deliver_at - timedelta(hours=1))
    world.operators.gets("chưa được xác nhận")
    await world.database.pool.execute("UPDATE notices SET owed_at = owed_at - interval '30 days'")
    await world.operator(ConfirmOrder(rice.order_id))
    await world.passes(timedelta(seconds=1))
    assert world.operators.unread == []
    world.everybody_catches_up()


@pytest.mark.parametrize("code", ["103", "140"], ids=["money", "ip"])
async def test_a_gateway_that_takes_messages_again(database_url: str, redis_url: str, code: str) -> None:
    """Money is paid in, an address is let through: the next SMS shows it."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as world:
        await world.platform()
        await world.kitchen(phone=LAN_NUMBER, email=None, zalo=False)
        assert isinstance(world.sms, FakeEsms)
        world.sms.fail_next(code, times=1)
        await world.order()
        world.operators.gets(f"({code})")
        await world.passes(timedelta(minutes=1))
        world.operators.gets("Trục trặc đã hết", f"({code})")
        assert await standing(world) == []
        assert await world.database.pool.fetchval("SELECT count(*) FROM alarms_over") == 1


def test_what_zalo_takes_for_nothing_shows_nothing_of_the_wallet() -> None:
    """The proof is a message that would be paid for alike, and of the same kind if only that was refused."""
    paid = alarms.Proof("zalo", "zalo_zbs_phone", None)
    assert not paid.is_given_by(alarms.Proof("zalo", "zalo_cs", "order_new"))
    assert paid.is_given_by(alarms.Proof("zalo", "zalo_zbs_phone", "confirm_nudge"))
    one = alarms.Proof("sms", None, "order_new")
    assert not one.is_given_by(alarms.Proof("sms", "esms", "confirm_nudge"))
    assert not one.is_given_by(alarms.Proof("zalo", "zalo_cs", "order_new"))
    assert one.is_given_by(alarms.Proof("sms", "esms", "order_new"))


async def test_a_gateway_that_a_worker_before_had_given_up(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A worker that has just started never saw it fail: the first answer clears the alarm all the same."""
    async with world.database.pool.acquire() as connection, connection.transaction():
        await alarms.raise_(connection, "zalo: gateway", "không trả lời", now=world.database.clock.now())
    world.service.delivery.standing.forget()
    await world.order()
    lan.catches_up()
    assert await standing(world) == []
    world.operators.gets("Trục trặc đã hết: cổng Zalo không trả lời")
    world.everybody_catches_up()


async def test_bad_signatures_that_have_stopped(world: World) -> None:
    """An hour after the last one; one more in between makes it an hour from then."""
    headers = {"X-ZEvent-Signature": "mac=00"}
    async with aiohttp.ClientSession() as stranger:
        for _ in range(10):
            async with stranger.post(world.zalo.webhook_url, data=BAD, headers=headers) as answer:
                assert answer.status == 401
    await world.settles()
    world.operators.gets("chữ ký sai gửi đến webhook Zalo")
    await world.passes(timedelta(minutes=50))
    async with world.database.pool.acquire() as connection:
        await alarms.seen_again(connection, "zalo: signature", now=world.database.clock.now())
    await world.passes(timedelta(minutes=50))
    assert await standing(world) == ["zalo: signature"]
    await world.passes(timedelta(minutes=11))
    world.operators.gets("Trục trặc đã hết: chữ ký sai")


async def test_timers_that_are_late(world: World, rice: Placed, lan: Somebody) -> None:
    """Above a minute it is an alarm, until they are in time again."""
    moments = iter([0.0, 100.0, 100.0, 110.0])
    lateness = Lateness(clock=lambda: next(moments))
    assert await lateness.look(world.database) == timedelta()
    await world.database.pool.execute(
        "UPDATE timers SET due_at = $1 WHERE state = 'live'", world.database.clock.now() - timedelta(hours=2)
    )
    late = await lateness.look(world.database)
    assert timedelta(seconds=99) < late < timedelta(seconds=101), "as long as its clock has run evenly"
    await world.settles()
    world.operators.gets("nhắc hẹn đang trễ")
    await world.service.sweeper.sweep()
    await lateness.look(world.database)
    await world.settles()
    world.operators.gets("Trục trặc đã hết: nhắc hẹn đang trễ")
    world.everybody_catches_up()


async def test_a_clock_that_leaps_makes_no_timer_late(world: World, rice: Placed, lan: Somebody) -> None:
    """Everything is hours overdue at once, and nothing is wrong."""
    started = real_now()
    for _ in range(3):
        await world.passes(timedelta(hours=9))
    assert real_now() - started < timedelta(minutes=1)
    assert await standing(world) == []
    world.everybody_catches_up()
