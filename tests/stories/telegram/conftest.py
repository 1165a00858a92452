"""A kitchen that lives on Telegram."""

from collections.abc import AsyncIterator

import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import FakeTelegram, Message
from tests.stories.world import Placed, Somebody, World, open_world

CONFIRM = "Xác nhận đơn hàng"
CANCEL = "Huỷ đơn hàng"
COMPLETE = "Hoàn thành"


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Telegram first; whoever got an unexpected message fails the story."""
    order = "telegram,zalo,sms"
    async with open_world(database_url, redis_url, telegram=True, chat_order=order) as opened:
        yield opened
        opened.nobody_got_more()


@pytest.fixture
def telegram(world: World) -> FakeTelegram:
    """Return Telegram itself."""
    assert world.bot
    return world.bot


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who owns the kitchen and has Telegram and nothing else."""
    return await world.kitchen(email=None, zalo=False, telegram=True)


@pytest.fixture
async def minh(world: World, lan: Somebody) -> Somebody:
    """Return Minh, the manager, who is told of everything as Lan is."""
    return await world.hires("Minh", "manager", zalo=False, telegram=True)


@pytest.fixture
async def rice(world: World, platform: FakePlatform, lan: Somebody) -> Placed:
    """Return an order of which everybody has been told."""
    order = await world.order()
    world.everybody_catches_up()
    return order


def card_of(somebody: Somebody, order: Placed) -> Message:
    """Return the newest card of an order in somebody's private chat, as it is now."""
    return next(one for one in reversed(somebody.telegram.person.received) if order.code in one.text)
