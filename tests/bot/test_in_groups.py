"""What is said and pressed in a group of one kitchen or of two: who counts, and where the answer goes."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from bot.tokens import ButtonToken, Purpose
from core.actors import Role
from core.channels import Address, AddressKind, Body, ChannelName, Inbound, Pressed, Said
from core.orders.status import Status
from core.partners import addresses
from tests.bot.chatting import SIGNER, Chats, open_chats
from tests.core.kitchens import HOA_KITCHEN, add_person

GROUP = Address(AddressKind.TELEGRAM_CHAT, "-100200300")
LAN, HAI, TI = "101", "202", "303"


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Yield two kitchens, of which Lan's has a group; Lan has Telegram."""
    async with open_chats(database_url) as chats:
        await _reached(chats, chats.lan.id, LAN)
        await addresses.add(chats.database.pool, chats.lan.id, GROUP, now=chats.now)
        yield chats


async def _reached(chats: Chats, staff_id: Any, chat: str) -> None:
    own = Address(AddressKind.TELEGRAM_CHAT, chat)
    await addresses.add(chats.database.pool, staff_id, own, now=chats.now)


async def in_the_group(chats: Chats, who: str, body: Body) -> list[dict[str, Any]]:
    """Let something come in from the group; return what is owed because of it."""
    key = f"telegram:{uuid4().int}"
    sender = Address(AddressKind.TELEGRAM_CHAT, who)
    await chats.conversation.handle(Inbound(ChannelName.TELEGRAM, key, sender, body, group=GROUP))
    rows = await chats.database.pool.fetch(
        "SELECT data FROM notices WHERE kind = 'answer' AND starts_with(occasion, $1) ORDER BY occasion", key
    )
    return [row["data"] for row in rows]


async def test_who_works_elsewhere_is_nobody_here(chats: Chats) -> None:
    """The group would read another kitchen's orders."""
    await add_person(chats.database, "Hải", partner_id=HOA_KITCHEN, telegram=HAI)
    assert await in_the_group(chats, HAI, Said("DS")) == []
    (told,) = await in_the_group(chats, LAN, Said("DS"))
    assert told["to"]["value"] == GROUP.value


async def test_in_a_group_of_two_kitchens_who_presses_acts_where_the_order_is(chats: Chats) -> None:
    """Hải works in both: his seat is that of the order's kitchen, whichever he took first."""
    first = await add_person(chats.database, "Hải", partner_id=HOA_KITCHEN, telegram=HAI)
    await addresses.add(chats.database.pool, first.id, GROUP, now=chats.now)
    await add_person(chats.database, "Hải", Role.KITCHEN, telegram=HAI)
    order = await chats.places()
    payload = SIGNER.button(ButtonToken(order.id, order.revision, Purpose.CONFIRM, chats.lan.id))
    await in_the_group(chats, HAI, Pressed(payload))
    confirmed = await chats.order(order.id)
    assert confirmed.status is Status.CONFIRMED
    assert confirmed.status_changed_by.name == "Hải"


async def test_who_works_in_one_kitchen_of_two_presses_nothing_of_the_other(chats: Chats) -> None:
    """Both read along; a stranger to the order is told so and nothing is owed."""
    hai = await add_person(chats.database, "Hải", partner_id=HOA_KITCHEN, telegram=HAI)
    await addresses.add(chats.database.pool, hai.id, GROUP, now=chats.now)
    order = await chats.places()
    for purpose in (Purpose.CONFIRM, Purpose.CANCEL, Purpose.DETAILS):
        payload = SIGNER.button(ButtonToken(order.id, order.revision, purpose, chats.lan.id))
        assert await in_the_group(chats, HAI, Pressed(payload)) == []
    assert (await chats.order(order.id)).status is Status.PENDING


async def test_the_money_of_two_kitchens_is_told_to_who_asked_alone(chats: Chats) -> None:
    """Each of them named, none of them in the group."""
    hoa = await add_person(chats.database, "Lan", partner_id=HOA_KITCHEN, telegram=LAN)
    await addresses.add(chats.database.pool, hoa.id, GROUP, now=chats.now)
    told = await in_the_group(chats, LAN, Said("TIEN"))
    assert [(each["to"]["value"], each["of_several"]) for each in told] == [(LAN, True), (LAN, True)]


async def test_a_stranger_does_not_bring_an_ended_group_back(chats: Chats) -> None:
    """Whoever put us out meant it; one of the kitchen who speaks there brings it back."""
    await add_person(chats.database, "Hải", partner_id=HOA_KITCHEN, telegram=HAI)
    await add_person(chats.database, "Tí", Role.KITCHEN, telegram=TI)
    await addresses.end(chats.database.pool, GROUP, now=chats.now)
    for stranger in ("999", HAI):
        assert await in_the_group(chats, stranger, Said("DS")) == []
        assert await addresses.staff_at(chats.database.pool, GROUP) == []
    (told,) = await in_the_group(chats, TI, Said("DS"))
    assert told["to"]["value"] == GROUP.value


async def test_at_a_phone_of_two_money_is_told_to_who_may_see_it(chats: Chats) -> None:
    """The cook was added first; the cashier reads there too."""
    number = "+84909111222"
    await add_person(chats.database, "Tí", Role.KITCHEN, phone=number)
    cashier = await add_person(chats.database, "Mai", Role.CASHIER, phone=number)
    sender = Address(AddressKind.PHONE, number)
    await chats.conversation.handle(Inbound(ChannelName.SMS, "sms:1", sender, Said("TIEN")))
    told = await chats.database.pool.fetch("SELECT data FROM notices WHERE kind = 'answer'")
    assert [row["data"]["staff_id"] for row in told] == [str(cashier.id)]
