"""Who shares a phone in a chat is linked by the code that goes to that phone, and learns nothing else."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.conversation import Conversation
from core.actors import Role
from core.channels import AddressKind, Card, Followed, SharedPhone
from tests.bot.chatting import SETTINGS, SIGNER, Chats, open_chats
from tests.core.kitchens import HOA_KITCHEN, add_person

LAN = "+84912345678"
STRANGER = "+84987654321"
SENT = "Nếu số này đã đăng ký với một quán, mã liên kết vừa được gửi đến bằng SMS"
ON = {"sms_gateway": "speedsms", "speedsms_token": "a token"}


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Two kitchens that are reached by SMS; Lan's own phone is known to hers."""
    async with open_chats(database_url) as chats:
        chats.conversation = Conversation(
            settings=SETTINGS.model_copy(update=ON),
            database=chats.database,
            ledger=chats.ledger,
            signer=SIGNER,
            wake=chats.wake,
        )
        await add_person(chats.database, "Minh", Role.MANAGER, phone=LAN)
        yield chats


async def shares(chats: Chats, phone: str = LAN, *, who: str = "new", key: str | None = None) -> list[Card]:
    """Have somebody share a phone; return what their chat says."""
    return await chats.comes_in(who, SharedPhone(phone, "Lan"), key=key)


def codes(chats: Chats, phone: str = LAN) -> list[str]:
    """Return what the SMS to a phone say, oldest first."""
    return [card.short for to, _, card in chats.told if to == phone and card]


async def test_the_code_goes_to_the_phone_and_links_the_chat(chats: Chats) -> None:
    """The chat is told to type what the phone got, and does."""
    (told,) = await shares(chats)
    assert told.title == SENT
    (sms,) = codes(chats)
    assert re.fullmatch(
        r"Mã liên kết Zalo của bạn: LK \d{6}. Nhắn lại mã này trong Zalo Chốt Đơn. Hết hạn sau 15 phút.", sms
    )

    (linked,) = await chats.says("new", sms.partition(": ")[2][:9])
    assert linked.title == "Xong! Bạn là Minh của Cơm nhà Lan"


async def test_a_phone_of_nobodys_hears_the_same_words(chats: Chats) -> None:
    """Nobody learns here whose phones a kitchen has."""
    assert await shares(chats, STRANGER) == await shares(chats, who="another")
    assert codes(chats, STRANGER) == []


async def test_a_phone_of_nobodys_is_not_taken_down(chats: Chats) -> None:
    """Whoever is hired with this phone a minute later has all three codes left."""
    for number in range(4):
        await shares(chats, STRANGER, who=f"chat{number}")
    await add_person(chats.database, "Sen", Role.KITCHEN, phone=STRANGER)
    await shares(chats, STRANGER)
    assert len(codes(chats, STRANGER)) == 1


async def test_a_claim_that_comes_twice_sends_one_code(chats: Chats) -> None:
    """Zalo repeats what it was not answered in time."""
    assert len(await shares(chats, key="zalo:claim")) == 1
    assert await shares(chats, key="zalo:claim") == []
    assert len(codes(chats)) == 1


async def test_one_code_links_both_kitchens_of_one_phone(chats: Chats) -> None:
    """Minh helps at Hoa's, too: he types one code and is told of both."""
    await add_person(chats.database, "Minh", Role.KITCHEN, partner_id=HOA_KITCHEN, phone=LAN)
    await shares(chats)
    (sms,) = codes(chats)
    linked = await chats.says("new", sms.partition(": ")[2][:9])
    assert len({card.title for card in linked}) == 2
    assert all(card.title.startswith("Xong! Bạn là Minh của") for card in linked)


async def test_a_phone_gets_three_codes_in_an_hour(chats: Chats) -> None:
    """Whoever asks for them, nobody can flood it; those who ask hear the same all the time."""
    for number in range(5):
        (told,) = await shares(chats, who=f"chat{number}")
        assert told.title == SENT
    assert len(codes(chats)) == 3
    await chats.moves(timedelta(minutes=61))
    await shares(chats)
    assert len(codes(chats)) == 4


async def test_a_sender_is_answered_five_times_in_an_hour(chats: Chats) -> None:
    """After that it is quiet, and no phone gets anything."""
    heard = [len(await shares(chats, STRANGER)) for _ in range(6)]
    assert heard == [1, 1, 1, 1, 1, 0]
    assert await shares(chats) == []
    assert codes(chats) == []


async def test_a_removed_member_gets_no_code(chats: Chats) -> None:
    """A phone is staff's only as long as they are."""
    await chats.database.pool.execute("UPDATE staff SET removed_at = now() WHERE name = 'Minh'")
    await shares(chats)
    assert codes(chats) == []


async def test_an_ended_phone_gets_no_code(chats: Chats) -> None:
    """Nor is a phone that was given up."""
    await chats.database.pool.execute(
        "UPDATE addresses SET ended_at = now() WHERE kind = $1", AddressKind.PHONE.value
    )
    await shares(chats)
    assert codes(chats) == []


async def test_who_follows_is_asked_for_the_phone(chats: Chats) -> None:
    """The card carries the request; who is linked already is not asked."""
    (card,) = await chats.comes_in("new", Followed())
    assert card.wants_phone
    assert "LK 482913" in card.blocks[0].lines[1]
    (known,) = await chats.comes_in("lan", Followed())
    assert not known.wants_phone
