import asyncio
import re
from datetime import datetime, timedelta

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.database import Database
from core.errors import RuleError
from core.partners import addresses, linking, partners, staff
from core.partners.linking import Linked, Locked, Redeemed, WrongCode
from core.partners.partners import NewPartner
from core.partners.staff import Member, new_member

KEY = linking.code_key("test")
ZALO = Address(AddressKind.ZALO_USER, "1000000000000000001")
OTHER = Address(AddressKind.ZALO_USER, "1000000000000000002")


@pytest.fixture
async def lan(database: Database) -> Member:
    """Return the owner of a kitchen."""
    new = NewPartner("com-nha-lan", "Cơm Nhà Lan", "vi", "Asia/Ho_Chi_Minh", owner="Lan")
    return (await partners.add(database, new))[1]


async def code_for(
    database: Database, member: Member, channel: ChannelName = ChannelName.ZALO
) -> linking.LinkCode:
    """Return a fresh code of this member."""
    return await linking.create_code(database, member.id, channel, key=KEY)


async def send(
    database: Database, code: str, address: Address = ZALO, *, after: timedelta = timedelta()
) -> Redeemed:
    """Send a code from an address, some time from now."""
    now: datetime = database.clock.now() + after
    async with database.pool.acquire() as connection, connection.transaction():
        return await linking.redeem(connection, code=code, address=address, key=KEY, now=now)


def wrong_for(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_the_right_code_links_the_chat(database: Database, lan: Member) -> None:
    """Lan sends `LK …` from her Zalo, and is known there from then on."""
    code = await code_for(database, lan)
    assert re.fullmatch(r"LK \d{6}", code.text)

    redeemed = await send(database, code.code)
    assert isinstance(redeemed, Linked)
    assert (redeemed.staff.name, redeemed.staff.partner_code) == ("Lan", "com-nha-lan")
    (found,) = await addresses.staff_at(database.pool, ZALO)
    assert found.staff_id == lan.id
    assert found.heard_at is not None


async def test_only_a_keyed_hash_of_the_code_is_stored(database: Database, lan: Member) -> None:
    """Whoever reads the table cannot link anything."""
    code = await code_for(database, lan)
    stored = await database.pool.fetchval("SELECT code_hash FROM link_codes")
    assert stored == linking._hash(KEY, ChannelName.ZALO, code.code)
    assert stored != linking._hash(linking.code_key("another"), ChannelName.ZALO, code.code)


async def test_a_code_links_one_chat(database: Database, lan: Member) -> None:
    """A code read over Lan's shoulder is of no use once she sent it; she may send it again."""
    code = await code_for(database, lan)
    await send(database, code.code)
    assert isinstance(await send(database, code.code, OTHER), WrongCode)
    assert isinstance(await send(database, code.code), Linked)


async def test_of_many_at_once_one_wins(database: Database, lan: Member) -> None:
    """Twenty chats send one code at the same moment; one is linked."""
    code = await code_for(database, lan)
    senders = [Address(AddressKind.ZALO_USER, f"{number}") for number in range(20)]
    ended = await asyncio.gather(*(send(database, code.code, sender) for sender in senders))
    assert len([each for each in ended if isinstance(each, Linked)]) == 1
    assert await database.pool.fetchval("SELECT count(*) FROM addresses WHERE kind = 'zalo_user'") == 1


async def test_a_code_lives_fifteen_minutes(database: Database, lan: Member) -> None:
    """A minute too late is too late."""
    code = await code_for(database, lan)
    assert isinstance(await send(database, code.code, after=timedelta(minutes=15)), WrongCode)
    assert isinstance(await send(database, code.code, after=timedelta(minutes=14, seconds=59)), Linked)


async def test_a_code_belongs_to_its_channel(database: Database, lan: Member) -> None:
    """A code for SMS links no Zalo chat, and none links a mail address."""
    code = await code_for(database, lan, ChannelName.SMS)
    assert isinstance(await send(database, code.code), WrongCode)
    assert isinstance(
        await send(database, code.code, Address(AddressKind.EMAIL, "lan@example.com")), WrongCode
    )
    assert isinstance(await send(database, code.code, Address(AddressKind.PHONE, "+84901234567")), Linked)
    with pytest.raises(RuleError, match="channel_not_linkable"):
        await code_for(database, lan, ChannelName.EMAIL)


async def test_the_fifth_wrong_code_locks_the_sender_for_an_hour(database: Database, lan: Member) -> None:
    """Even the right code waits; only the try that locked it is to be answered."""
    code = await code_for(database, lan)
    wrong = wrong_for(code.code)
    left = [await send(database, wrong) for _ in range(4)]
    assert left == [WrongCode(4), WrongCode(3), WrongCode(2), WrongCode(1)]

    fifth = await send(database, wrong)
    assert isinstance(fifth, Locked)
    assert fifth.just_now
    sixth = await send(database, code.code)
    assert isinstance(sixth, Locked)
    assert not sixth.just_now

    fresh = await code_for(database, lan)
    assert isinstance(await send(database, fresh.code, OTHER), Linked)


async def test_a_person_who_tries_in_many_groups_is_locked_as_well(database: Database, lan: Member) -> None:
    """Tries are counted for who makes them: another group brings no new ones."""
    code = await code_for(database, lan, ChannelName.TELEGRAM)
    person = Address(AddressKind.TELEGRAM_CHAT, "700")

    async def tries(number: int, text: str) -> Redeemed:
        group = Address(AddressKind.TELEGRAM_CHAT, f"-{number}")
        async with database.pool.acquire() as connection, connection.transaction():
            now = database.clock.now()
            return await linking.redeem(connection, code=text, address=group, key=KEY, now=now, sender=person)

    for number in range(1, 6):
        await tries(number, wrong_for(code.code))
    assert isinstance(await tries(6, code.code), Locked)


async def test_the_lock_ends_after_the_hour(database: Database, lan: Member) -> None:
    """After an hour the sender has five tries again."""
    wrong = wrong_for((await code_for(database, lan)).code)
    for _ in range(5):
        await send(database, wrong)
    assert isinstance(await send(database, wrong, after=timedelta(minutes=59)), Locked)
    assert await send(database, wrong, after=timedelta(minutes=61)) == WrongCode(4)


async def test_a_right_code_forgives_the_wrong_ones(database: Database, lan: Member) -> None:
    """Four slips before the right code do not count afterwards."""
    code = await code_for(database, lan)
    wrong = wrong_for(code.code)
    for _ in range(4):
        await send(database, wrong)
    await send(database, code.code)
    assert await send(database, wrong) == WrongCode(4)


async def test_many_tries_at_once_count_each(database: Database, lan: Member) -> None:
    """A sender that fires thirty wrong codes at once gets five tries, as everybody does."""
    wrong = wrong_for((await code_for(database, lan)).code)
    ended = await asyncio.gather(*(send(database, wrong) for _ in range(30)))
    assert len([each for each in ended if isinstance(each, WrongCode)]) == 4
    assert len([each for each in ended if isinstance(each, Locked) and each.just_now]) == 1


async def test_a_person_may_have_several_chats(database: Database, lan: Member) -> None:
    """Lan links her second phone; the first stays hers."""
    for address in (ZALO, OTHER):
        await send(database, (await code_for(database, lan)).code, address)
    member = await staff.first_of(database.pool, lan.partner_id)
    assert [known.value for known in member.live(AddressKind.ZALO_USER)] == [ZALO.value, OTHER.value]


async def test_linking_again_revives_an_ended_chat(database: Database, lan: Member) -> None:
    """Lan unfollowed, came back, and links the same Zalo anew."""
    await send(database, (await code_for(database, lan)).code)
    await addresses.end(database.pool, ZALO, now=database.clock.now())
    assert isinstance(await send(database, (await code_for(database, lan)).code), Linked)
    assert len(await addresses.staff_at(database.pool, ZALO)) == 1


async def test_a_colleagues_code_takes_the_chat_over(database: Database, lan: Member) -> None:
    """A phone handed on in a kitchen speaks for its new owner only."""
    hoa = await staff.add(database, lan.partner_id, new_member("Hoa", Role.KITCHEN))
    await send(database, (await code_for(database, lan)).code)
    await send(database, (await code_for(database, hoa)).code)
    (found,) = await addresses.staff_at(database.pool, ZALO)
    assert found.name == "Hoa"


async def test_another_kitchen_does_not_take_the_chat_over(database: Database, lan: Member) -> None:
    """Whoever works for two kitchens is staff of both from one chat."""
    _, me = await partners.add(database, NewPartner("bep-me", "Bếp Mẹ", "vi", "Asia/Ho_Chi_Minh"))
    for member in (lan, me):
        await send(database, (await code_for(database, member)).code)
    assert len(await addresses.staff_at(database.pool, ZALO)) == 2


async def test_one_code_links_the_same_person_in_two_kitchens(database: Database, lan: Member) -> None:
    """Whoever is staff of both by one phone types one code; from another chat it is worth nothing then."""
    _, me = await partners.add(database, NewPartner("bep-me", "Bếp Mẹ", "vi", "Asia/Ho_Chi_Minh"))
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction():
        code = await linking.issue_code(connection, [lan.id, me.id], ChannelName.ZALO, key=KEY, now=now)

    senders = [ZALO, *(Address(AddressKind.ZALO_USER, f"{number}") for number in range(5))]
    ended = await asyncio.gather(*(send(database, code.code, sender) for sender in senders))
    (linked,) = [each for each in ended if isinstance(each, Linked)]
    assert {seat.staff_id for seat in (linked.staff, *linked.others)} == {lan.id, me.id}
    assert await database.pool.fetchval("SELECT count(*) FROM addresses WHERE kind = 'zalo_user'") == 2


async def test_codes_of_different_people_differ(database: Database, lan: Member) -> None:
    """Two live codes are never the same, or the wrong person would be linked."""
    codes = await asyncio.gather(*(code_for(database, lan) for _ in range(30)))
    assert len({code.code for code in codes}) == 30


async def test_codes_long_dead_are_swept_away(database: Database, lan: Member) -> None:
    """The table holds codes of the last hour, not of the last year."""
    await code_for(database, lan)
    database.clock.offset = timedelta(hours=2)
    await code_for(database, lan)
    assert await database.pool.fetchval("SELECT count(*) FROM link_codes") == 1
