import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.database import Database
from core.errors import Conflict, NotFound, RuleError
from core.partners import addresses, linking, partners, staff
from core.partners.partners import NewPartner
from core.partners.staff import new_member

KEY = linking.code_key("test")
ZALO_LAN = Address(AddressKind.ZALO_USER, "1000000000000000001")


@pytest.fixture
async def kitchen(database: Database) -> UUID:
    """Return the id of a kitchen whose owner is Lan."""
    new = NewPartner("com-nha-lan", "Cơm Nhà Lan", "vi", "Asia/Ho_Chi_Minh", owner="Lan", phone="0901234567")
    return (await partners.add(database, new))[0].id


async def test_staff_are_listed_in_the_order_they_were_added(database: Database, kitchen: UUID) -> None:
    """The ladder's next staff member is the next one of this list."""
    await staff.add(database, kitchen, new_member("Hoa", Role.KITCHEN))
    await staff.add(database, kitchen, new_member("An", Role.MANAGER))
    assert [member.name for member in await staff.staff_of(database.pool, kitchen)] == ["Lan", "Hoa", "An"]


@pytest.mark.parametrize(
    ("role", "notify", "told"),
    [
        (Role.OWNER, False, True),
        (Role.MANAGER, False, True),
        (Role.KITCHEN, False, False),
        (Role.CASHIER, False, False),
        (Role.KITCHEN, True, True),
        (Role.CASHIER, True, True),
    ],
)
async def test_recipients_are_owner_managers_and_who_asked(
    database: Database, kitchen: UUID, role: Role, notify: bool, told: bool
) -> None:
    """A cook hears of orders only when added with --notify."""
    member = await staff.add(database, kitchen, new_member("Hoa", role, notify=notify))
    assert member.is_recipient is told


@pytest.mark.parametrize("again", ["Đào", "ĐÀO", " đào ", "đào"])
async def test_a_name_is_taken_once_whatever_its_case(database: Database, kitchen: UUID, again: str) -> None:
    """Two people whom commands could not tell apart are refused; accents typed apart are the same."""
    await staff.add(database, kitchen, new_member("Đào", Role.KITCHEN))
    with pytest.raises(Conflict, match="staff_exists"):
        await staff.add(database, kitchen, new_member(again, Role.KITCHEN))


async def test_two_operators_add_one_name_once(database: Database, kitchen: UUID) -> None:
    """The same name added ten times at once is one person."""
    await asyncio.gather(*(database.pool.fetchval("SELECT pg_sleep(0.1)") for _ in range(8)))  # all connected
    adding = [staff.add(database, kitchen, new_member("HOA", Role.KITCHEN)) for _ in range(10)]
    ended = await asyncio.gather(*adding, return_exceptions=True)
    assert len([each for each in ended if isinstance(each, Conflict)]) == 9
    assert len(await staff.staff_of(database.pool, kitchen)) == 2


async def test_a_removed_member_is_nowhere_at_once(database: Database, kitchen: UUID) -> None:
    """Addresses stay as history, yet reach nobody; the name is free again."""
    lan = await staff.by_name(database.pool, kitchen, "lan")
    await staff.add(database, kitchen, new_member("Hoa", Role.OWNER))
    await addresses.add(database.pool, lan.id, ZALO_LAN, now=database.clock.now())
    await staff.remove(database, kitchen, "LAN")

    assert await addresses.staff_at(database.pool, ZALO_LAN) == []
    assert await database.pool.fetchval("SELECT count(*) FROM addresses WHERE staff_id = $1", lan.id) == 2
    with pytest.raises(NotFound, match="no_such_staff"):
        await staff.by_name(database.pool, kitchen, "Lan")
    assert (await staff.add(database, kitchen, new_member("Lan", Role.OWNER))).id != lan.id


async def test_the_last_owner_stays(database: Database, kitchen: UUID) -> None:
    """Neither removed nor made something else, until there is another one."""
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    minh = await staff.add(database, kitchen, new_member("Minh", Role.MANAGER))
    for doing in (
        staff.remove(database, kitchen, "Lan"),
        staff.remove_by_id(database, kitchen, lan.id),
        staff.change(database, kitchen, lan.id, role=Role.MANAGER, notify=True),
    ):
        with pytest.raises(RuleError, match="last_owner"):
            await doing
    await staff.change(database, kitchen, minh.id, role=Role.OWNER, notify=False)
    await staff.change(database, kitchen, lan.id, role=Role.KITCHEN, notify=True)
    members = {member.name: member for member in await staff.staff_of(database.pool, kitchen)}
    assert members["Lan"].role is Role.KITCHEN
    assert members["Lan"].notify
    await staff.remove(database, kitchen, "Lan")
    with pytest.raises(RuleError, match="last_owner"):
        await staff.remove(database, kitchen, "Minh")


async def test_of_two_owners_who_remove_each_other_one_stays(database: Database, kitchen: UUID) -> None:
    """They queue at the kitchen's row."""
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    hoa = await staff.add(database, kitchen, new_member("Hoa", Role.OWNER))
    done = await asyncio.gather(
        staff.remove_by_id(database, kitchen, lan.id),
        staff.remove_by_id(database, kitchen, hoa.id),
        return_exceptions=True,
    )
    assert len([each for each in done if isinstance(each, RuleError)]) == 1
    assert len(await staff.staff_of(database.pool, kitchen)) == 1


@pytest.mark.parametrize("manager", Role)
@pytest.mark.parametrize("other", Role)
def test_who_manages_whom(manager: Role, other: Role) -> None:
    """Owners everybody, managers everybody but owners, the others nobody."""
    whom = {Role.OWNER: set(Role), Role.MANAGER: {Role.MANAGER, Role.KITCHEN, Role.CASHIER}}
    assert staff.may_manage(manager, other) is (other in whom.get(manager, set()))


async def test_a_removed_members_link_code_is_dead(database: Database, kitchen: UUID) -> None:
    """Whoever leaves with a fresh code in hand links nothing."""
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    await staff.add(database, kitchen, new_member("Hoa", Role.OWNER))
    code = await linking.create_code(database, lan.id, ChannelName.ZALO, key=KEY)
    await staff.remove(database, kitchen, "Lan")
    async with database.pool.acquire() as connection, connection.transaction():
        redeemed = await linking.redeem(
            connection, code=code.code, address=ZALO_LAN, key=KEY, now=database.clock.now()
        )
    assert isinstance(redeemed, linking.WrongCode)


async def test_one_person_may_work_for_two_kitchens(database: Database, kitchen: UUID) -> None:
    """One Zalo user is found as staff of both, with each kitchen's role."""
    other, owner = await partners.add(database, NewPartner("bep-me", "Bếp Mẹ", "en", "Asia/Ho_Chi_Minh"))
    lan = await staff.first_of(database.pool, kitchen)
    for each in (lan, owner):
        await addresses.add(database.pool, each.id, ZALO_LAN, now=database.clock.now())

    found = await addresses.staff_at(database.pool, ZALO_LAN)
    assert {(each.partner_code, each.locale) for each in found} == {("com-nha-lan", "vi"), ("bep-me", "en")}
    assert {each.partner_id for each in found} == {kitchen, other.id}


async def test_an_ended_address_lives_again_when_it_writes(database: Database, kitchen: UUID) -> None:
    """Unfollowing ends an address, following once more brings it back without a new code."""
    lan = await staff.first_of(database.pool, kitchen)
    now = database.clock.now()
    await addresses.add(database.pool, lan.id, ZALO_LAN, now=now)
    await addresses.end(database.pool, ZALO_LAN, now=now)
    assert await addresses.staff_at(database.pool, ZALO_LAN) == []

    await addresses.heard(database.pool, ZALO_LAN, now=now + timedelta(hours=1))
    (found,) = await addresses.staff_at(database.pool, ZALO_LAN)
    assert found.heard_at == now + timedelta(hours=1)


async def test_a_group_lives_again_for_the_kitchen_of_who_speaks(database: Database, kitchen: UUID) -> None:
    """Whoever put the bot out of a group is not overruled by a stranger who adds it again."""
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    group, now = Address(AddressKind.TELEGRAM_CHAT, "-100500"), database.clock.now()
    await addresses.add(database.pool, lan.id, group, now=now)
    await addresses.end(database.pool, group, now=now)
    for kitchens in ([], [uuid4()]):
        await addresses.heard(database.pool, group, now=now, kitchens=kitchens)
        assert await addresses.staff_at(database.pool, group) == []
    await addresses.heard(database.pool, group, now=now, kitchens=[kitchen])
    assert [seat.name for seat in await addresses.staff_at(database.pool, group)] == ["Lan"]


async def test_a_group_that_moved_lives_at_its_new_place(database: Database, kitchen: UUID) -> None:
    """Even if that it is no more at the old one was told first."""
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    old, now = Address(AddressKind.TELEGRAM_CHAT, "-400"), database.clock.now()
    await addresses.add(database.pool, lan.id, old, now=now)
    await addresses.end(database.pool, old, now=now)
    await addresses.move(database.pool, old, "-100400")
    moved = Address(AddressKind.TELEGRAM_CHAT, "-100400")
    assert [seat.name for seat in await addresses.staff_at(database.pool, moved)] == ["Lan"]


async def test_hearing_never_goes_back(database: Database, kitchen: UUID) -> None:
    """A late event does not shorten Zalo's window."""
    lan = await staff.first_of(database.pool, kitchen)
    now = database.clock.now()
    await addresses.add(database.pool, lan.id, ZALO_LAN, now=now)
    await addresses.heard(database.pool, ZALO_LAN, now=now)
    await addresses.heard(database.pool, ZALO_LAN, now=now - timedelta(days=1))
    (found,) = await addresses.staff_at(database.pool, ZALO_LAN)
    assert found.heard_at == now


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (AddressKind.PHONE, "+84901234456", "09•••456"),
        (AddressKind.EMAIL, "lan@example.com", "l•••@example.com"),
        (AddressKind.ZALO_USER, "1000000000000000001", "•••001"),
    ],
)
def test_a_masked_address_tells_its_owner_only(kind: AddressKind, value: str, shown: str) -> None:
    """An operator recognises it; nobody can call or write to it."""
    assert addresses.masked(kind, value) == shown


GROUP = Address(AddressKind.TELEGRAM_CHAT, "-100400")


@pytest.mark.parametrize(
    ("people", "heir"),
    [
        ([("Bình", Role.KITCHEN), ("Minh", Role.MANAGER), ("Hoa", Role.OWNER)], "Hoa"),
        ([("Bình", Role.KITCHEN), ("Hoa", Role.OWNER), ("Minh", Role.MANAGER)], "Hoa"),
    ],
    ids=["owner last", "owner in between"],
)
async def test_a_group_outlives_who_linked_it(
    database: Database, kitchen: UUID, people: list[tuple[str, Role]], heir: str
) -> None:
    """It goes to who can answer for the kitchen; a private chat goes to nobody."""
    for name, role in people:
        await staff.add(database, kitchen, new_member(name, role))
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    now = database.clock.now()
    for address in (GROUP, Address(AddressKind.TELEGRAM_CHAT, "700"), ZALO_LAN):
        await addresses.add(database.pool, lan.id, address, now=now)
    await staff.remove(database, kitchen, "Lan")

    assert [seat.name for seat in await addresses.staff_at(database.pool, GROUP)] == [heir]
    assert await addresses.staff_at(database.pool, Address(AddressKind.TELEGRAM_CHAT, "700")) == []
    assert await addresses.staff_at(database.pool, ZALO_LAN) == []


async def test_an_owner_takes_a_group_over_from_a_cook(database: Database, kitchen: UUID) -> None:
    """Owners come first, whoever was there before."""
    await staff.add(database, kitchen, new_member("Minh", Role.MANAGER))
    cook = await staff.add(database, kitchen, new_member("Bình", Role.KITCHEN))
    await addresses.add(database.pool, cook.id, GROUP, now=database.clock.now())
    await staff.remove(database, kitchen, "Bình")
    assert [seat.name for seat in await addresses.staff_at(database.pool, GROUP)] == ["Lan"]


async def test_a_group_that_has_ended_is_handed_to_nobody(database: Database, kitchen: UUID) -> None:
    """The bot was put out of it."""
    await staff.add(database, kitchen, new_member("Hoa", Role.OWNER))
    lan = await staff.by_name(database.pool, kitchen, "Lan")
    await addresses.add(database.pool, lan.id, GROUP, now=database.clock.now())
    await addresses.end(database.pool, GROUP, now=database.clock.now())
    await staff.remove(database, kitchen, "Lan")
    assert await addresses.staff_at(database.pool, GROUP) == []
