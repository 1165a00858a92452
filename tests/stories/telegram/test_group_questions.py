"""What is asked in a kitchen's group: orders for all to see, money and links for who asked alone."""

import re

import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import TelegramGroup
from tests.stories.world import Somebody, World

MONEY = re.compile(r"[0-9] đ\b")


@pytest.fixture
async def ti(world: World, lan: Somebody) -> Somebody:
    """Return Tí, a cook."""
    return await world.hires("Tí", "kitchen", zalo=False, telegram=True)


@pytest.fixture
async def group(world: World, platform: FakePlatform, lan: Somebody, ti: Somebody) -> TelegramGroup:
    """Return the kitchen's group, linked by Lan."""
    return await world.group("Bếp Lan", lan, ti)


async def test_help_is_given_in_the_group(world: World, lan: Somebody, group: TelegramGroup) -> None:
    """To whoever of the kitchen asks for it."""
    await lan.telegram.says("/trogiup", where=group.chat)
    await group.sees("Bạn có thể nhắn")


async def test_what_another_bot_may_know_is_left_to_it(
    world: World, lan: Somebody, group: TelegramGroup
) -> None:
    """An unknown command without our name is not answered there."""
    await lan.telegram.says("/poll", where=group.chat)
    assert not group.unread
    await lan.telegram.says("/poll")
    await lan.telegram.sees("Mình chưa hiểu")


async def test_the_menus_money_goes_to_who_pressed(world: World, lan: Somebody, group: TelegramGroup) -> None:
    """The group sees neither the money nor that the card changes."""
    await lan.telegram.says("/trogiup", where=group.chat)
    card = await group.sees("Bạn có thể nhắn")
    await lan.telegram.taps("Xem thêm…", on=card, where=group.chat)
    menu = group.now(card)
    await lan.telegram.taps("Tiền tháng này", on=menu, where=group.chat)
    assert group.now(menu).text == menu.text
    told = await lan.telegram.sees("Tiền tháng 05/2033")
    assert MONEY.search(told.text)
    assert not any(MONEY.search(message.text) for message in group.received)


async def test_a_cook_who_presses_for_money_is_refused_alone(
    world: World, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """The card was made for Lan; who presses counts."""
    await lan.telegram.says("/trogiup", where=group.chat)
    card = await group.sees("Bạn có thể nhắn")
    await lan.telegram.taps("Xem thêm…", on=card, where=group.chat)
    await ti.telegram.taps("Tiền tháng này", on=group.now(card), where=group.chat)
    await ti.telegram.sees("Vai của bạn không xem được tiền")


async def test_a_link_into_the_pages_is_never_told_to_a_group(
    world: World, lan: Somebody, group: TelegramGroup
) -> None:
    """It signs its reader in."""
    await lan.telegram.says("/web", where=group.chat)
    assert not group.unread
    await lan.telegram.sees("Trang của Bếp Lan")
    assert not any("/login/" in str(message) for message in group.received)


async def test_the_kitchen_is_paused_in_the_group_by_who_runs_it(
    world: World, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """The cook is refused there; Lan's word counts, in her name."""
    await ti.telegram.says("/nghi 2 ngày", where=group.chat)
    await group.sees("Vai của bạn không cho quán nghỉ")
    await lan.telegram.says("/nghi 2 ngày", where=group.chat)
    await group.sees("Quán nghỉ, không nhận đơn mới đến hết thứ Bảy 21/05")
    by = await world.database.pool.fetchval("SELECT by FROM partner_events")
    assert (by["name"], by["via"]) == ("Lan", "telegram")
    world.everybody_catches_up()


async def test_small_talk_pauses_nothing_and_is_not_answered(
    world: World, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """People of a group talk to each other."""
    for words in ("nghỉ trưa đi mọi người", "mai nghỉ không chị?", "hôm nay mệt quá"):
        await ti.telegram.says(words, where=group.chat)
    assert not group.unread
    assert await world.database.pool.fetchval("SELECT count(*) FROM partner_events") == 0
