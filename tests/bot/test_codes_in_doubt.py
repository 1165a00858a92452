"""A code that may be two orders', or that comes from somebody who tried too many: nothing is done by it."""

from collections.abc import AsyncIterator

import pytest

from core.actors import Role
from core.orders.status import Status
from tests.bot.chatting import Chats, open_chats
from tests.core.kitchens import HOA_KITCHEN


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Yield Lan's kitchen and its neighbour."""
    async with open_chats(database_url) as chats:
        yield chats


async def test_a_code_of_two_kitchens_shows_both_and_does_nothing(chats: Chats) -> None:
    """One person works in both, and each has an order of this code."""
    await chats.hires("Lan", Role.OWNER, "lan", elsewhere=True)
    orders = [await chats.places(), await chats.places(partner_id=HOA_KITCHEN, external_id="PX-2")]
    await chats.database.pool.execute("UPDATE orders SET code = '48274'")
    cards = await chats.says("lan", "XN 48274")
    assert len(cards) == 2
    assert {(await chats.order(order.id)).status for order in orders} == {Status.PENDING}


async def test_who_is_locked_is_not_asked_back_either(chats: Chats) -> None:
    """Else words in doubt would tell which codes there are."""
    order = await chats.places()
    for _ in range(5):
        await chats.says("lan", "XN 11111")
    for words in (f"không XN {order.code}", f"{order.code}", f"XN {order.code[:4]}"):
        assert await chats.says("lan", words) == []
