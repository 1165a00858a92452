"""A kitchen's group: everybody sees, the kitchen's people act, each in their own name."""

import re
from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import FakeTelegram, Message, TelegramGroup
from tests.stories.telegram.conftest import CANCEL, CONFIRM
from tests.stories.world import Placed, Somebody, World


@pytest.fixture
async def ti(world: World, lan: Somebody) -> Somebody:
    """Return Tí of the kitchen, who is told nothing by himself."""
    return await world.hires("Tí", "kitchen", zalo=False, telegram=True)


@pytest.fixture
async def group(world: World, lan: Somebody, ti: Somebody) -> TelegramGroup:
    """Return the kitchen's group, linked by Lan."""
    return await world.group("Bếp Lan", lan, ti)


@pytest.fixture
async def soup(world: World, platform: FakePlatform, group: TelegramGroup) -> Placed:
    """Return an order whose cards everybody has read."""
    order = await world.order()
    world.everybody_catches_up()
    return order


MONEY = re.compile(r"[0-9] đ\b")


def card_in(group: TelegramGroup, order: Placed) -> Message:
    """Return the newest card of an order in the group."""
    return next(one for one in reversed(group.received) if order.code in one.text)


async def test_an_order_comes_to_the_group_too(
    world: World, platform: FakePlatform, lan: Somebody, group: TelegramGroup
) -> None:
    """With its buttons and without its money: customers' bills are not for everybody who reads along."""
    order = await world.order()
    card = await group.sees(order.code)
    assert any(CONFIRM in label for label in card.buttons)
    assert not MONEY.search(card.text)
    await lan.telegram.sees(order.code, "900.000 đ")


async def test_anybody_of_the_kitchen_acts_there_in_their_own_name(
    world: World, soup: Placed, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """The group's card was made for nobody in particular; whoever presses is on record."""
    own = lan.telegram.person.received[-1]
    card = card_in(group, soup)
    tap = await ti.telegram.taps(CONFIRM, on=card)
    assert tap.toast == f"Đã xác nhận đơn {soup.code}"
    for message in (group.now(card), lan.telegram.now(own)):
        assert f"Đơn {soup.code} đã được Tí xác nhận lúc 09:12 qua Telegram" in message.text
    told = soup.heard("order.confirmed")
    assert told["data"]["status_changed_by"] == {"channel": "telegram", "name": "Tí"}


async def test_the_group_does_not_learn_who_ordered(
    world: World, soup: Placed, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """Strangers may read along: name and phone stay masked there, also after the kitchen has taken it on."""
    card, own = card_in(group, soup), lan.telegram.person.received[-1]
    await ti.telegram.taps(CONFIRM, on=card)
    assert "0909123456" in lan.telegram.now(own).text.replace(" ", "")
    assert "09•••456" in group.now(card).text
    assert "0909123456" not in group.now(card).text.replace(" ", "")


async def test_what_is_done_in_private_changes_the_groups_card(
    world: World, soup: Placed, lan: Somebody, group: TelegramGroup
) -> None:
    """Nobody presses for an order that is settled."""
    card = card_in(group, soup)
    await lan.telegram.taps(CONFIRM)
    assert "đã được Lan xác nhận" in group.now(card).text
    assert not any(CONFIRM in label for label in group.now(card).buttons)


async def test_a_stranger_in_the_group_sees_and_never_acts(
    world: World, soup: Placed, group: TelegramGroup
) -> None:
    """An alert on their own screen; the card is as it was, and nobody else is bothered."""
    stranger = world.telegram_phone("Chú hàng xóm")
    card = card_in(group, soup)
    for label in (CONFIRM, CANCEL):
        tap = await stranger.taps(label, on=card)
        assert tap.alert
        assert "chưa liên kết" in tap.toast
    assert group.now(card) == card
    soup.heard("order.confirmed", times=0)
    assert (await soup.shown())["status"] == "pending"


async def test_a_member_of_another_kitchen_is_a_stranger_there(
    world: World, soup: Placed, group: TelegramGroup
) -> None:
    """Being staff somewhere is not being staff here."""
    hai = await world.kitchen("bep-hai", owner="Hải", email=None, zalo=False, telegram=True)
    card = card_in(group, soup)
    tap = await hai.telegram.taps(CONFIRM, on=card)
    assert tap.alert
    assert group.now(card) == card
    soup.heard("order.confirmed", times=0)
    await hai.telegram.says("/donhang", where=group.chat)
    assert group.unread == []


async def test_a_cashier_does_not_act_in_the_group(world: World, soup: Placed, group: TelegramGroup) -> None:
    """She is told so herself; the card stays."""
    hoa = await world.hires("Hoa", "cashier", zalo=False, telegram=True)
    card = card_in(group, soup)
    tap = await hoa.telegram.taps(CONFIRM, on=card)
    assert tap.alert
    assert group.now(card) == card
    soup.heard("order.confirmed", times=0)


async def test_cancelling_in_the_group_takes_two_steps_as_well(
    world: World, soup: Placed, ti: Somebody, lan: Somebody, group: TelegramGroup
) -> None:
    """The group's card asks for the reason, and anybody of the kitchen may give it."""
    card = card_in(group, soup)
    await ti.telegram.taps(CANCEL, on=card)
    assert "vì lý do gì" in group.now(card).text
    soup.heard("order.cancelled", times=0)
    await lan.telegram.taps("Quá tải", on=card)
    assert "Quá tải" in group.now(card).text
    told = soup.heard("order.cancelled")
    assert told["data"]["status_changed_by"]["name"] == "Lan"
    world.inbox("an@example.com").gets()


async def test_money_is_answered_in_private(world: World, lan: Somebody, group: TelegramGroup) -> None:
    """The group learns nothing of it."""
    await lan.telegram.says("/tien", where=group.chat)
    await lan.telegram.sees("Tiền tháng 05/2033")
    assert group.unread == []


async def test_a_list_in_the_group_has_no_money(
    world: World, soup: Placed, lan: Somebody, group: TelegramGroup
) -> None:
    """Codes, hours and portions are for everybody."""
    await lan.telegram.says("/donhang", where=group.chat)
    listed = await group.sees(soup.code)
    assert "20 suất" in listed.text
    assert not MONEY.search(listed.text)


async def test_a_strangers_command_in_the_group_gets_no_answer(
    world: World, soup: Placed, group: TelegramGroup
) -> None:
    """Nor does talk among people."""
    stranger = world.telegram_phone("Chú hàng xóm")
    for words in ("/donhang", "/tien", f"/donhang XN {soup.code}"):
        await stranger.says(words, where=group.chat)
    assert group.unread == []
    assert stranger.person.unread == []


async def test_a_bot_that_is_put_out_sends_there_no_more(
    world: World, platform: FakePlatform, lan: Somebody, group: TelegramGroup
) -> None:
    """Lan is told as before; let in again by a fresh link, the group is too."""
    await group.kicks_bot(lan.telegram.person)
    await world.settles()
    order = await world.order()
    await lan.telegram.sees(order.code)
    assert group.unread == []

    await group.adds_bot(lan.telegram.person, code=await world.code_for(lan.staff_id))
    await world.settles()
    world.everybody_catches_up()
    another = await world.order()
    await group.sees(another.code)
    await lan.telegram.sees(another.code)


@pytest.mark.parametrize("tells", [True, False], ids=["told", "found out"])
async def test_a_group_that_becomes_a_supergroup_goes_on(
    world: World, soup: Placed, lan: Somebody, ti: Somebody, group: TelegramGroup, tells: bool
) -> None:
    """Under its new id, whether Telegram told us or refused the old one; people act there as before."""
    await group.migrates(tells=tells)
    await world.settles()
    order = await world.order()
    card = await group.sees(order.code)
    await lan.telegram.sees(order.code)
    await ti.telegram.taps(CONFIRM, on=card)
    assert "đã được Tí xác nhận" in group.now(card).text
    order.heard("order.confirmed")


async def test_nudges_come_to_the_group_and_are_changed_with_the_rest(
    world: World, soup: Placed, lan: Somebody, ti: Somebody, group: TelegramGroup
) -> None:
    """Every card of the order that stands there says who settled it."""
    await world.passes(timedelta(minutes=16))
    world.everybody_catches_up()
    cards = [message for message in group.received if soup.code in message.text]
    await ti.telegram.taps(CONFIRM, on=cards[0])
    assert cards
    for card in cards:
        assert "đã được Tí xác nhận" in group.now(card).text


async def test_a_stranger_cannot_link_a_group_by_talk(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody
) -> None:
    """Without a code the bot in a group is told nothing of anybody's orders."""
    thief = world.telegram_phone("Người lạ")
    group = telegram.group("Nhóm lạ", thief.person)
    await group.adds_bot(thief.person)
    await world.settles()
    world.everybody_catches_up()
    await world.order()
    assert group.unread == []
    world.everybody_catches_up()
