"""What strangers who read along in a kitchen's group must not get: names, and links that act for somebody."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import TelegramGroup
from tests.stories.telegram.conftest import CONFIRM
from tests.stories.world import Placed, Somebody, World


@pytest.fixture
async def group(world: World, platform: FakePlatform, lan: Somebody) -> TelegramGroup:
    """Return the kitchen's group, linked by Lan."""
    return await world.group("Bếp Lan", lan)


@pytest.fixture
async def soup(world: World, group: TelegramGroup) -> Placed:
    """Return an order that the group and Lan have a card of."""
    return await world.order()


async def test_a_groups_card_has_no_link_that_acts_for_somebody(
    world: World, soup: Placed, lan: Somebody, group: TelegramGroup
) -> None:
    """Lan's own card has hers; in the group whoever opens the page has to sign in."""
    assert "/o/" in str(lan.telegram.person.received[-1])
    await lan.telegram.taps(CONFIRM, on=group.received[-1], where=group.chat)
    for message in group.received:
        assert "/o/" not in str(message)
    assert f"/orders/{soup.code}" in str(group.now(group.received[-1]))
    world.everybody_catches_up()


async def test_who_wrote_a_review_is_not_named_in_the_group(
    world: World, soup: Placed, lan: Somebody, group: TelegramGroup
) -> None:
    """The stars and the words are for all, the name is the kitchen's."""
    await lan.telegram.taps(CONFIRM, on=lan.telegram.person.received[-1])
    await world.passes_until(soup.deliver_at + timedelta(minutes=1))
    await lan.telegram.says(f"HT {soup.code}")
    world.everybody_catches_up()
    await soup.platform.review(soup.id, 5, "Cơm nóng", "Chị Mai")
    await world.settles()
    await lan.telegram.sees("Cơm nóng", "Chị Mai")
    told = await group.sees("Cơm nóng")
    assert "Mai" not in told.text
    world.everybody_catches_up()
