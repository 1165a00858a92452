"""How a chat of Telegram's comes to belong to somebody: by a deep link, or by one's own number."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import FakeTelegram
from tests.stories.world import Somebody, TelegramPhone, World

NUMBER = "+84909000111"


@pytest.fixture
async def mai(world: World, lan: Somebody) -> Somebody:
    """Return Mai, a manager with a number and no chat at all."""
    return await world.hires("Mai", "manager", phone=NUMBER, zalo=False)


async def _is_told(world: World, phone: TelegramPhone) -> bool:
    """Whether this phone gets the next order."""
    world.everybody_catches_up()
    order = await world.order()
    told = any(order.code in message.text for message in phone.person.unread)
    world.everybody_catches_up()
    return told


async def test_a_deep_link_links_the_chat(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """One tap on start; from then on orders come here."""
    await mai.telegram.starts(await world.code_for(mai.staff_id))
    await mai.telegram.sees("Xong! Bạn là Mai của Bếp Lan")
    assert await _is_told(world, mai.telegram)


async def test_the_code_may_be_written_as_well(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """`LK 482913`, as on Zalo."""
    await mai.telegram.says(f"lk {await world.code_for(mai.staff_id)}")
    await mai.telegram.sees("Xong! Bạn là Mai của Bếp Lan")


async def test_a_link_works_once(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """Whoever finds it later in somebody's chat gets nowhere."""
    code = await world.code_for(mai.staff_id)
    await mai.telegram.starts(code)
    thief = world.telegram_phone("Người lạ")
    await thief.starts(code)
    assert not await _is_told(world, thief)


async def test_a_link_lives_15_minutes(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """A minute more is too late; a fresh one works."""
    code = await world.code_for(mai.staff_id)
    await world.passes(timedelta(minutes=15, seconds=1))
    await mai.telegram.starts(code)
    assert not await _is_told(world, mai.telegram)
    await mai.telegram.starts(await world.code_for(mai.staff_id))
    assert await _is_told(world, mai.telegram)


async def test_five_wrong_codes_wait_an_hour(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """The sixth is not even looked at, right as it is; after the hour it counts."""
    thief = world.telegram_phone("Người lạ")
    for wrong in range(5):
        await thief.starts(f"00000{wrong}")
    await thief.starts(await world.code_for(mai.staff_id))
    assert not await _is_told(world, thief)
    await world.passes(timedelta(hours=1, seconds=1))
    await thief.starts(await world.code_for(mai.staff_id))
    assert await _is_told(world, thief)


async def test_a_stranger_who_starts_is_told_how_to_link(world: World, lan: Somebody) -> None:
    """And asked for their number, by a button of Telegram's own."""
    stranger = world.telegram_phone("Người lạ")
    await stranger.starts()
    await stranger.sees("chưa nối với quán nào")
    assert [button.asks_contact for row in stranger.person.chat.keyboard for button in row] == [True]


async def test_a_strangers_words_get_no_answer(world: World, lan: Somebody) -> None:
    """Whatever they say: nobody learns what lives here."""
    stranger = world.telegram_phone("Người lạ")
    await stranger.starts()
    world.everybody_catches_up()
    for words in ("XN 48273", "/donhang", "/tien", "TG", "xin chào", "LK 000000"):
        await stranger.says(words)
    assert stranger.person.unread == []


async def test_ones_own_number_links_the_chat(world: World, platform: FakePlatform, mai: Somebody) -> None:
    """Telegram vouches that it is the number of this account: no code is needed."""
    await mai.telegram.starts()
    await mai.telegram.person.shares_contact()
    await world.settles()
    world.everybody_catches_up()
    assert await _is_told(world, mai.telegram)


@pytest.mark.parametrize("names_account", [True, False], ids=["an account's", "a number alone"])
async def test_somebody_elses_number_does_not(
    world: World, telegram: FakeTelegram, platform: FakePlatform, mai: Somebody, names_account: bool
) -> None:
    """Anybody can send Mai's number from their address book."""
    thief = world.telegram_phone("Người lạ", "+84977777777")
    await thief.starts()
    await thief.person.shares_contact(mai.telegram.person, names_account=names_account)
    await world.settles()
    assert not await _is_told(world, thief)


async def test_an_own_number_that_nobody_knows_links_nothing(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A stranger's own number stays a stranger's."""
    stranger = world.telegram_phone("Người lạ", "+84977777777")
    await stranger.starts()
    await stranger.person.shares_contact()
    await world.settles()
    assert not await _is_told(world, stranger)
