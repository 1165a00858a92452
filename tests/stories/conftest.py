"""Who a story is about."""

from collections.abc import AsyncIterator

import pytest

from sandbox.platform import FakePlatform
from tests.stories.browser import Browser, open_browser
from tests.stories.world import Placed, Somebody, World, open_world


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the running service; whoever got a message that nobody expected fails the story."""
    async with open_world(database_url, redis_url) as opened:
        yield opened
        opened.nobody_got_more()


@pytest.fixture
async def platform(world: World) -> FakePlatform:
    """Return the platform that places the orders."""
    return await world.platform()


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who owns Bếp Lan and has linked her Zalo."""
    return await world.kitchen()


@pytest.fixture
async def rice(world: World, platform: FakePlatform, lan: Somebody) -> Placed:
    """Return 20 portions of chicken rice for 900.000 đ, due in six hours, of which Lan has been told."""
    order = await world.order()
    await lan.phone.sees(order.code)
    lan.mail.gets(order.code)
    return order


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    """Yield a browser without JavaScript and without cookies."""
    async with open_browser(world) as opened:
        yield opened
