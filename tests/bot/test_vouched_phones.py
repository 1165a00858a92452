"""Telegram knows whose phone it is: who shares their own is linked at once, and by nobody else's."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, Card, ChannelName, Followed, Inbound, SharedPhone
from core.partners import addresses
from tests.bot.chatting import Chats, open_chats
from tests.core.kitchens import HOA_KITCHEN, add_person

BINH = "+84912345678"
NOBODYS = "+84987654321"


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Two kitchens without SMS; Bình's phone is known to the first."""
    async with open_chats(database_url) as chats:
        await add_person(chats.database, "Bình", Role.KITCHEN, phone=BINH)
        yield chats


def chat(number: str) -> Address:
    """Return a private chat."""
    return Address(AddressKind.TELEGRAM_CHAT, number)


async def comes_in(
    chats: Chats, body: SharedPhone | Followed, *, chat_id: str = "700", key: str | None = None
) -> list[Card]:
    """Take something in from somebody's Telegram; return the cards that they get."""
    key = key or f"telegram:{uuid4()}"
    await chats.conversation.handle(Inbound(ChannelName.TELEGRAM, key, chat(chat_id), body))
    return [card for _, card in await chats.delivered(chat_id)]


async def shares(chats: Chats, phone: str = BINH, *, own: bool = True, **more: str) -> list[Card]:
    """Have somebody share a phone."""
    return await comes_in(chats, SharedPhone(phone, "Bình", is_own=own), **more)


async def names(chats: Chats, chat_id: str = "700") -> list[str]:
    """Return whose chat it is."""
    return [seat.name for seat in await addresses.staff_at(chats.database.pool, chat(chat_id))]


async def test_ones_own_phone_links_at_once(chats: Chats) -> None:
    """No code has to travel; a repeat says nothing more."""
    (card,) = await shares(chats, key="telegram:1")
    assert card.title == "Xong! Bạn là Bình của Cơm nhà Lan"
    assert await names(chats) == ["Bình"]
    assert await shares(chats, key="telegram:1") == []


async def test_who_works_for_two_kitchens_is_linked_to_both(chats: Chats) -> None:
    """Each says who they are there."""
    await add_person(chats.database, "Anh Bình", Role.MANAGER, partner_id=HOA_KITCHEN, phone=BINH)
    cards = await shares(chats)
    assert len(cards) == 2
    assert sorted(await names(chats)) == ["Anh Bình", "Bình"]


async def test_a_shared_phone_links_who_may_act(chats: Chats) -> None:
    """A chat belongs to one member of a kitchen; the one whose buttons work is meant."""
    await add_person(chats.database, "Thu", Role.CASHIER, phone=NOBODYS)
    await add_person(chats.database, "Minh", Role.MANAGER, phone=NOBODYS)
    await shares(chats, NOBODYS)
    assert await names(chats) == ["Minh"]


async def test_the_chat_of_a_colleague_is_taken_over(chats: Chats) -> None:
    """The phone went to another cook, and its Telegram with it."""
    await add_person(chats.database, "Cũ", Role.KITCHEN, telegram="700")
    await shares(chats)
    assert await names(chats) == ["Bình"]


async def test_a_phone_that_nobody_has_links_nothing(chats: Chats) -> None:
    """One answer says how else."""
    (card,) = await shares(chats, NOBODYS)
    assert card.title == "Chưa quán nào đăng ký số điện thoại này"
    assert await names(chats) == []


async def test_somebody_elses_contact_links_nothing(chats: Chats) -> None:
    """Anybody may have the owner's number in their phone; nothing is said of whose it is."""
    (known,) = await shares(chats, own=False)
    (unknown,) = await shares(chats, NOBODYS, own=False)
    assert known == unknown
    assert known.wants_phone
    assert await names(chats) == []


async def test_who_has_left_is_not_linked(chats: Chats) -> None:
    """Their phone is history."""
    await chats.database.pool.execute("UPDATE staff SET removed_at = now() WHERE name = 'Bình'")
    (card,) = await shares(chats)
    assert card.title == "Chưa quán nào đăng ký số điện thoại này"


async def test_phones_are_not_tried_one_after_another(chats: Chats) -> None:
    """Five answers in an hour, and then none: nor is the right one linked any more."""
    for _ in range(5):
        assert await shares(chats, NOBODYS)
    assert await shares(chats) == []
    assert await names(chats) == []


async def test_a_stranger_is_shown_the_button(chats: Chats) -> None:
    """Without SMS too: Telegram itself vouches."""
    (card,) = await comes_in(chats, Followed())
    assert card.wants_phone
    assert "Bấm nút bên dưới" in card.blocks[0].lines[0]
