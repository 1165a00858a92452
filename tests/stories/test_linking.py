"""Linking a chat to a staff member by a one-time code."""

from datetime import timedelta

from core.channels import ChannelName
from core.partners import linking
from core.partners.linking import LinkCode
from sandbox.platform import FakePlatform
from tests.stories.world import News, Phone, Somebody, World


async def code_for(world: World, somebody: Somebody) -> LinkCode:
    """Return a new code for this person."""
    key = linking.code_key(world.settings.require("secret_key"))
    return await linking.create_code(world.database, somebody.staff_id, ChannelName.ZALO, key=key)


def stranger(world: World) -> Phone:
    """Return the phone of somebody we do not know."""
    return Phone(world.zalo.person("4999999999999999999", "Người lạ"), world)


async def test_a_code_links_the_chat_it_is_sent_from(world: World, platform: FakePlatform) -> None:
    """The answer tells who you are now; from then on orders come here."""
    lan = await world.kitchen(zalo=False, email=None)
    code = await code_for(world, lan)
    await lan.phone.says(code.text)
    await lan.phone.sees("Xong! Bạn là Lan của Bếp Lan")
    order = await world.order()
    await lan.phone.sees(order.code)


async def test_a_code_works_once(world: World, platform: FakePlatform) -> None:
    """Somebody else who sends it later is nobody; the same chat may send it again."""
    lan = await world.kitchen(zalo=False, email=None)
    code = await code_for(world, lan)
    await lan.phone.says(code.text)
    await lan.phone.says(code.text)
    assert lan.catches_up().chat == ("Xong! Bạn là Lan của Bếp Lan",) * 2
    thief = stranger(world)
    await thief.says(code.text)
    assert thief.person.received == []


async def test_a_code_lives_15_minutes(world: World, platform: FakePlatform) -> None:
    """A minute later it is as wrong as any other: no answer to a stranger."""
    lan = await world.kitchen(zalo=False, email=None)
    code = await code_for(world, lan)
    await world.passes(timedelta(minutes=15, seconds=1))
    await lan.phone.says(code.text)
    assert lan.phone.person.received == []


async def test_a_wrong_code_of_a_member_is_answered_with_the_tries_left(world: World, lan: Somebody) -> None:
    """Five within the hour, then that sender waits an hour; even the right code is then not taken."""
    code = await code_for(world, lan)
    wrong = f"{(int(code.code) + 1) % 1_000_000:06}"
    for _ in range(6):
        await lan.phone.says(f"LK {wrong}")
    assert lan.catches_up().chat == (
        *("Mã nối không đúng hoặc đã hết hạn",) * 4,
        "Sai mã nhiều lần, hãy thử lại sau một giờ",
    )
    await lan.phone.says(code.text)
    assert lan.catches_up() == News()


async def test_strangers_get_no_answer(world: World, lan: Somebody) -> None:
    """Whatever they say or send: nobody learns what lives here."""
    thief = stranger(world)
    for words in ("XN 48273", "DS", "TG", "LK 000000", "TIEN", "xin chào"):
        await thief.says(words)
    await thief.person.attach("image", {"url": "https://example.com/x.jpg"})
    await world.settles()
    assert thief.person.received == []


async def test_who_follows_the_account_is_told_how_to_link(world: World, lan: Somebody) -> None:
    """Pressing "Quan tâm" is how a partner's phone comes here first."""
    newcomer = stranger(world)
    await newcomer.person.follow()
    await world.settles()
    await newcomer.sees("Tài khoản này chưa nối với quán nào", "LK 482913")


async def test_a_removed_member_is_a_stranger(world: World, lan: Somebody) -> None:
    """A code that was made before the leave links nobody any more."""
    minh = await world.hires("Minh", "manager", zalo=False)
    code = await code_for(world, minh)
    await world.fires("Minh")
    await minh.phone.says(code.text)
    assert minh.phone.person.received == []


async def test_a_later_code_of_a_colleague_takes_the_chat_over(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The kitchen's phone changes hands: from then on it is Minh's, and acts in his name."""
    minh = await world.hires("Minh", "manager", zalo=False)
    await lan.phone.says((await code_for(world, minh)).text)
    await lan.phone.sees("Xong! Bạn là Minh của Bếp Lan")
    order = await world.order()
    await lan.phone.taps("Xác nhận đơn hàng")
    world.everybody_catches_up()
    assert (await order.shown())["status_changed_by"]["name"] == "Minh"


async def test_who_unfollows_is_told_by_mail_until_they_are_back(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A dead address is not tried; writing again revives it."""
    await lan.phone.person.unfollow()
    await world.settles()
    order = await world.order()
    title = f"Đơn {order.code} mới, chờ bạn xác nhận"
    assert lan.catches_up() == News(mail=(title,))
    await lan.phone.says("DS CHO")
    await lan.phone.sees("Đơn chờ xác nhận", order.code)
    second = await world.order()
    assert len(lan.catches_up().chat) == 1
    assert second.code != order.code
