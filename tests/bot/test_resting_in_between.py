"""Whoever may pause a kitchen is looked at when it is written, not when the words came in."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.owing import Owing
from bot.rests import Rests
from core.actors import Role
from core.channels import Address, AddressKind, ChannelName, Inbound, Said
from core.partners import addresses
from tests.bot.chatting import Chats, open_chats

LANS = Address(AddressKind.ZALO_USER, "lan")
INBOUND = Inbound(ChannelName.ZALO, "zalo:1", LANS, Said("MO LAI"))


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Yield Lan's kitchen and its neighbour."""
    async with open_chats(database_url) as chats:
        yield chats


@pytest.mark.parametrize(
    "changed",
    ["removed_at = now()", "role = 'kitchen'", "partner_id = partner_id"],
    ids=["left", "a cook by now", "as before"],
)
async def test_who_may_no_longer_by_then_changes_nothing(chats: Chats, changed: str) -> None:
    """Removed, or given another role, between the words and the deed."""
    (seat,) = await addresses.staff_at(chats.database.pool, LANS)
    await chats.hires("Hải", Role.OWNER, "hai")
    await chats.database.pool.execute(
        "UPDATE partners SET paused_until = $2 WHERE id = $1", seat.partner_id, chats.now.replace(year=2099)
    )
    await chats.database.pool.execute(f"UPDATE staff SET {changed} WHERE id = $1", seat.staff_id)  # noqa: S608
    await Rests(chats.database, Owing(chats.database, chats.wake)).over(INBOUND, [replace(seat)])
    told = await chats.database.pool.fetchval("SELECT data->>'reply' FROM notices WHERE kind = 'answer'")
    paused = await chats.database.pool.fetchval(
        "SELECT paused_until FROM partners WHERE id = $1", seat.partner_id
    )
    may = changed == "partner_id = partner_id"
    assert (told, paused is None) == (("resumed", True) if may else ("not_yours", False))


@pytest.mark.parametrize("words", ["nghỉ đến hết 25/12/2099", "NGHI DEN HET 1/1/2999"], ids=["2099", "2999"])
async def test_nobody_rests_for_years_by_a_slip(chats: Chats, words: str) -> None:
    """A year that is a slip closes no kitchen: it is asked how long."""
    (card,) = await chats.says("lan", words)
    assert card.title == "Quán nghỉ nhận đơn đến khi nào?"
    assert await chats.database.pool.fetchval("SELECT count(*) FROM partner_events") == 0
