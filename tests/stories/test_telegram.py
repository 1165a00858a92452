"""A kitchen on Telegram: cards with buttons, changed in their place for everybody once somebody has acted."""

from collections.abc import AsyncIterator

import pytest

from sandbox.platform import FakePlatform
from tests.stories.world import Placed, Somebody, World, open_world


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Telegram; whoever got an unexpected message fails the story."""
    async with open_world(database_url, redis_url, telegram=True) as opened:
        yield opened
        opened.nobody_got_more()


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, who has Telegram and nothing else."""
    return await world.kitchen(email=None, zalo=False, telegram=True)


@pytest.fixture
async def rice(world: World, platform: FakePlatform, lan: Somebody) -> Placed:
    """Return an order whose card Lan has read."""
    order = await world.order()
    await lan.telegram.sees(order.code)
    return order


async def test_a_kitchen_confirms_by_a_button(world: World, lan: Somebody, rice: Placed) -> None:
    """The card itself changes to who and when; no further message comes, and a toast stops the spinner."""
    (card,) = lan.telegram.person.received[-1:]
    tap = await lan.telegram.taps("Xác nhận đơn hàng", on=card)

    assert "xác nhận" in tap.toast.lower()
    now = lan.telegram.now(card)
    assert now.was_edited
    assert "Đã xác nhận" in now.text
    assert "Lan" in now.text
    assert "09:12" in now.text
    rice.heard("order.confirmed")
