"""Linking by the phone that a kitchen knows: shared in Zalo, proved by SMS."""

import re
from collections.abc import AsyncIterator

import pytest

from sandbox.sms import SmsPhone
from tests.stories.world import Phone, Somebody
from tests.stories.zalo_town import Town, open_town

SENT = "Nếu số này đã đăng ký với một quán, mã liên kết vừa được gửi đến bằng SMS"


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Yield a service with Zalo and SMS, without templates."""
    async with open_town(database_url, redis_url, {}) as town:
        yield town
        town.nobody_got_more()


@pytest.fixture
async def lan(town: Town) -> Somebody:
    """Return Lan, whose kitchen knows her phone and not her Zalo."""
    return await town.world.kitchen(zalo=False)


@pytest.fixture
async def sms(town: Town, lan: Somebody) -> SmsPhone:
    """Return what Lan's phone gets by SMS."""
    return await town.gives_phone(lan)


async def follows_and_shares(town: Town, phone: Phone) -> None:
    """Press "Quan tâm", then the button of the card that asks for the phone."""
    assert (await phone.person.follow()).status == 200
    await town.world.settles()
    asked = await phone.sees("Tài khoản này chưa nối với quán nào", "SMS", "LK 482913")
    assert asked.kind == "request_user_info"
    assert (await phone.person.shares_phone(on=asked)).status == 200
    await town.world.settles()


async def code_from(sms: SmsPhone) -> str:
    """Read the code off the phone."""
    text = (await sms.sees("Ma lien ket Zalo cua ban")).text
    found = re.fullmatch(
        r"Ma lien ket Zalo cua ban: (LK \d{6})\. Nhan lai ma nay trong Zalo Chot Don\. Het han sau 15 phut\.",
        text,
    )
    assert found, text
    return found[1]


async def test_a_shared_phone_is_linked_by_the_code_it_gets(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """Follow, share, read the SMS, type the code: from then on orders come to Zalo."""
    await follows_and_shares(town, lan.phone)
    await lan.phone.sees(SENT)

    await lan.phone.says(await code_from(sms))
    await lan.phone.sees("Xong! Bạn là Lan của Bếp Lan")
    order = await town.world.order()
    await lan.phone.sees(order.code)


async def test_one_code_links_the_owner_of_two_kitchens(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """One phone, staff of both: Lan is told of each, and orders of each come to one chat."""
    second = await town.world.kitchen("com-co-lan", owner="Cô Lan", email="colan@example.com", zalo=False)
    await town.gives_phone(second)
    second.phone.person.phone = ""  # the same phone in the same hand: one Zalo

    await follows_and_shares(town, lan.phone)
    await lan.phone.sees(SENT)
    await lan.phone.says(await code_from(sms))
    await lan.phone.sees("Bạn là Lan của Bếp Lan")
    await lan.phone.sees("Bạn là Cô Lan của Bếp Cô Lan")
    for kitchen in ("com-nha-lan", "com-co-lan"):
        order = await town.world.order(partner=kitchen)
        await lan.phone.sees(order.code)


async def test_two_people_of_a_kitchen_get_cards_and_buttons_of_their_own(
    town: Town, lan: Somebody, sms: SmsPhone
) -> None:
    """Each is linked by their own phone; whoever taps is on record."""
    minh = await town.world.hires("Minh", "manager", zalo=False)
    minhs = await town.gives_phone(minh, "+84909123458")
    for person, phone in ((lan, sms), (minh, minhs)):
        await follows_and_shares(town, person.phone)
        await person.phone.sees(SENT)
        await person.phone.says(await code_from(phone))
        await person.phone.sees(f"Xong! Bạn là {person.name}")

    order = await town.world.order()
    await lan.phone.sees(order.code)
    await minh.phone.sees(order.code)
    await minh.phone.taps("Xác nhận đơn hàng")
    assert (await order.shown())["status_changed_by"] == {"channel": "zalo", "name": "Minh"}
    town.world.everybody_catches_up()


async def test_a_stranger_learns_nothing(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """Whose phone is whose is not told: the same words, and an SMS to nobody but the phone itself."""
    thief = Phone(town.world.zalo.person("4999999999999999999", "Người lạ"), town.world)
    for number in ("84909123457", "84987654321"):
        thief.person.phone = number
        await follows_and_shares(town, thief)
        await thief.sees(SENT)
    assert [phone.number for phone in town.sms.phones.values() if phone.received] == [sms.number]
    await code_from(sms)


async def test_a_lie_about_the_phone_links_nobody(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """The code is on Lan's phone, so whoever says that it is theirs has nothing to type."""
    thief = Phone(town.world.zalo.person("4999999999999999999", "Người lạ", phone="84909123457"), town.world)
    await follows_and_shares(town, thief)
    await thief.sees(SENT)
    await thief.says("LK 000000")
    sms.reads_all()
    await town.world.order()
    assert thief.person.unread == []
    sms.reads_all()


async def test_who_unfollows_and_comes_back_is_linked_still(town: Town, lan: Somebody, sms: SmsPhone) -> None:
    """A dead address is not tried: orders come by SMS meanwhile."""
    await follows_and_shares(town, lan.phone)
    await lan.phone.says(await code_from(sms))
    lan.phone.person.reads_all()
    await lan.phone.person.unfollow()
    await town.world.settles()

    order = await town.world.order()
    await sms.sees(order.code)
    await lan.phone.person.follow()
    await town.world.settles()
    await lan.phone.sees("Xong! Bạn là Lan của Bếp Lan")
    order = await town.world.order()
    await lan.phone.sees(order.code)


async def test_without_sms_they_hear_how_else_to_link(database_url: str, redis_url: str) -> None:
    """No form that could lead nowhere; who shares a phone all the same hears the other way."""
    async with open_town(database_url, redis_url, {}, sms_gateway=None) as town:
        lan = await town.world.kitchen(zalo=False)
        await lan.phone.person.follow()
        await town.world.settles()
        asked = await lan.phone.sees("Tài khoản này chưa nối với quán nào", "LK 482913")
        assert asked.kind == "text"
        await lan.phone.person.submit_info(name="Lan", phone="84909123457")
        await town.world.settles()
        await lan.phone.sees("Tài khoản này chưa nối với quán nào", "LK 482913")
