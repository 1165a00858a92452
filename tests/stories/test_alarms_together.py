"""Alarms that come together are one message, however many there are; and each has its all-clear."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from core import alarms
from core.actors import operator
from core.orders.commands import ConfirmOrder
from core.orders.order import OrderId
from sandbox.telegram import TelegramGroup
from tests.stories.world import World, open_world

GATHER: Final = timedelta(seconds=10)
CALM: Final = timedelta(minutes=5)
CHAT: Final = "-4000000001"


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a service that gathers its operators' alarms as it does in production; they have a mailbox."""
    async with open_world(database_url, redis_url, operator_gather=GATHER) as opened:
        yield opened
        assert opened.operators.unread == []


async def raised(world: World, *names: str) -> None:
    """Raise alarms in the service, and let the worker see them."""
    for name in names:
        async with world.database.pool.acquire() as connection, connection.transaction():
            await alarms.raise_(connection, name, "để thử", now=world.database.clock.now())
    await world.service.delivery.route()


async def test_what_comes_together_is_one_mail(world: World) -> None:
    """Three troubles within seconds: one line each, and the way to the console."""
    await raised(world, "zalo: silence", "esms: gateway", "sms: signature")
    assert world.operators.unread == []
    await world.passes(GATHER)
    mail = world.operators.gets("3 việc cần xem", "webhook của Zalo", "cổng eSMS không trả lời", "chữ ký sai")
    assert ("Mở trang tổng đài", f"{world.url}/ops/alarms") in mail.links()


async def test_one_alone_says_all_there_is_to_say(world: World) -> None:
    """With what to do; it waits no longer than it takes to gather."""
    await raised(world, "esms: gateway")
    await world.passes(GATHER)
    world.operators.gets("Có trục trặc: cổng eSMS không trả lời", "để thử", "kênh khác")


async def test_the_next_ones_wait_a_minute_and_are_one_again(world: World) -> None:
    """What is raised on and on is a message a minute, and none of it is lost."""
    await raised(world, "a: gateway")
    await world.passes(GATHER)
    world.operators.gets("cổng a")
    await raised(world, "b: gateway")
    await world.passes(GATHER)
    await raised(world, "c: gateway")
    assert world.operators.unread == []
    await world.passes(timedelta(minutes=1))
    world.operators.gets("2 việc cần xem", "cổng b", "cổng c")


async def placed(world: World, count: int) -> list[OrderId]:
    """Let so many orders come for a kitchen that nobody reaches by chat, due in three hours."""
    platform = await world.platform()
    await world.kitchen(zalo=False)
    bodies = [world.body(deliver_in=timedelta(hours=3)) for _ in range(count)]
    answers = await asyncio.gather(*(platform.place(body) for body in bodies))
    await world.settles()
    return [OrderId(UUID(answer.body["id"])) for answer in answers]


async def test_a_storm_is_a_handful_of_messages(world: World) -> None:
    """Sixty orders at risk at once: the first ten and how many more there are; then one all-clear."""
    orders = await placed(world, 60)
    await world.passes(timedelta(hours=2, minutes=1))
    for _ in range(3):
        await world.passes(timedelta(minutes=1))
    mails = world.operators.opens_all()
    assert 1 <= len(mails) <= 4
    assert sum(int(mail.subject.split()[0]) for mail in mails if "việc" in mail.subject) >= 58
    assert any("việc nữa" in mail.text for mail in mails)

    for order in orders:
        await world.ledger.submit(ConfirmOrder(order), actor=operator("Hà"))
    await world.passes(timedelta(seconds=1))
    await world.passes(CALM)
    world.operators.gets("việc đã ổn", "đã ổn (đã xác nhận)", "việc nữa")
    assert len(world.operators.opens_all()) <= 1
    assert await world.database.pool.fetchval(_UNTOLD) == 0


_UNTOLD: Final = """
SELECT count(*) FROM notices n WHERE kind IN ('order_at_risk', 'trouble') AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE m.notice_id = n.id AND m.state = 'sent')
"""


async def test_an_order_that_is_confirmed_before_the_alarm_leaves_is_not_told(world: World) -> None:
    """Neither as an alarm nor as an all-clear; the others of that moment are."""
    first, second, third = await placed(world, 3)
    await world.passes(timedelta(hours=2, seconds=1))
    await world.ledger.submit(ConfirmOrder(first), actor=operator("Hà"))
    await world.ledger.submit(ConfirmOrder(second), actor=operator("Hà"))
    await world.passes(GATHER)
    await world.passes(timedelta(seconds=1))
    alarm = world.operators.gets("chưa được xác nhận")
    assert "việc" not in alarm.subject
    await world.ledger.submit(ConfirmOrder(third), actor=operator("Hà"))
    await world.passes(timedelta(minutes=1))
    await world.passes(CALM)
    world.operators.gets("đã ổn (đã xác nhận)")


async def test_the_same_list_comes_on_telegram(database_url: str, redis_url: str) -> None:
    """As one message, cut to what Telegram takes."""
    async with open_world(
        database_url, redis_url, telegram=True, operator_gather=GATHER, operator_telegram_chat=CHAT
    ) as world:
        watch = await _watch(world)
        await raised(world, *(f"gateway{number}: gateway" for number in range(40)))
        await world.passes(GATHER)
        message = await watch.sees("40 việc cần xem")
        assert "và 30 việc nữa" in message.text
        world.operators.gets("40 việc cần xem")
        world.nobody_got_more()


async def _watch(world: World) -> TelegramGroup:
    """Return the operators' group, in which the bot is."""
    assert world.bot
    person = world.bot.person("Trực")
    group = world.bot.group("Trực ca", person)
    assert str(group.chat.id) == CHAT
    await group.adds_bot(person)
    await world.settles()
    world.everybody_catches_up()
    return group
