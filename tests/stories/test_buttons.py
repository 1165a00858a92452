"""A button is a claim: whose it is, and whether it may act, is looked up when it is tapped."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.zalo import Bubble
from tests.stories.browser import Browser
from tests.stories.test_linking import stranger
from tests.stories.world import News, Phone, Placed, Somebody, World


def forwarded(card: Bubble, to: Phone) -> Bubble:
    """Put a copy of a card on another phone."""
    to.person.bubbles.append(card)
    return card


def card_of(lan: Somebody, order: Placed) -> Bubble:
    """Return the first card about an order."""
    return next(bubble for bubble in lan.phone.person.received if order.code in bubble.text)


@pytest.mark.parametrize("label", ["Xác nhận đơn hàng", "Huỷ đơn hàng"])
async def test_a_card_forwarded_to_a_stranger_neither_acts_nor_tells(
    world: World, rice: Placed, lan: Somebody, label: str
) -> None:
    """Nothing of the order reaches an address of nobody's."""
    thief = stranger(world)
    await thief.taps(label, on=forwarded(card_of(lan, rice), thief))
    assert thief.person.unread == []
    assert (await rice.shown())["version"] == 1


@pytest.mark.parametrize("label", ["Xác nhận đơn hàng", "Huỷ đơn hàng"])
async def test_a_card_forwarded_to_a_colleague_shows_and_does_not_act(
    world: World, rice: Placed, lan: Somebody, label: str
) -> None:
    """Tú taps Lan's card: she sees the order with buttons of her own, and those act in her name."""
    tu = await world.hires("Tú", "kitchen")
    await tu.phone.taps(label, on=forwarded(card_of(lan, rice), tu.phone))
    own = await tu.phone.sees(f"Đơn {rice.code}: Chờ xác nhận")
    assert (await rice.shown())["version"] == 1
    await tu.phone.taps("Xác nhận đơn hàng", on=own)
    await tu.phone.sees("Đã xác nhận")
    assert (await rice.shown())["status_changed_by"]["name"] == "Tú"
    lan.catches_up()


async def test_a_card_forwarded_to_another_kitchen_neither_acts_nor_tells(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Mai of another kitchen sees nothing of Lan's order."""
    mai = await world.kitchen("pho-mai", owner="Mai", email="mai@example.com")
    await mai.phone.taps("Xác nhận đơn hàng", on=forwarded(card_of(lan, rice), mai.phone))
    assert all(rice.code not in bubble.text for bubble in mai.phone.person.unread)
    assert (await rice.shown())["version"] == 1
    mai.catches_up()


async def test_a_removed_members_buttons_and_words_do_nothing(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """From that moment on, and without an answer."""
    minh = await world.hires("Minh", "manager", email="minh@example.com")
    order = await world.order()
    world.everybody_catches_up()
    await world.fires("Minh")
    await minh.phone.taps("Xác nhận đơn hàng")
    await minh.phone.says(f"XN {order.code}")
    assert minh.catches_up() == News()
    assert (await order.shown())["version"] == 1


async def test_a_removed_members_link_shows_nothing_of_the_order_and_does_not_act(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """A form that was open at that moment is refused too."""
    minh = await world.hires("Minh", "manager", email="minh@example.com")
    order = await world.order()
    link = minh.mail.gets(order.code).link("Xác nhận đơn hàng")
    open_before = await browser.opens(link)
    await world.fires("Minh")
    page = await open_before.presses("confirm")
    assert page.forms == {}
    assert (await browser.opens(link)).forms == {}
    assert (await order.shown())["version"] == 1
    world.everybody_catches_up()


async def test_a_removed_member_is_not_told_any_more(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Neither of new orders nor of what becomes of the old ones."""
    minh = await world.hires("Minh", "manager", email="minh@example.com")
    await world.order()
    world.everybody_catches_up()
    await world.fires("Minh")
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.order()
    lan.catches_up()
    assert minh.catches_up() == News()


async def test_what_was_owed_to_a_member_who_left_meanwhile_is_not_sent(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The mail server was down when the order came; Minh left before it was back."""
    minh = await world.hires("Minh", "manager", email="minh@example.com", zalo=False)
    world.mailbox.refuse("minh@example.com", "451 4.3.2 try again", times=1)
    await world.order()
    lan.catches_up()
    await world.fires("Minh")
    await world.passes(timedelta(minutes=2))
    assert minh.catches_up() == News()


async def test_a_button_that_was_tampered_with_is_no_button(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """One letter of its payload changed: it does nothing."""
    payload = next(button.target for button in card_of(lan, rice).buttons if "Xác nhận" in button.title)
    forged = ("A" if payload[0] != "A" else "B") + payload[1:]
    await lan.phone.says(forged)
    await lan.phone.sees("Mình chưa hiểu")
    assert (await rice.shown())["version"] == 1


async def test_a_payload_sent_as_words_is_the_button(world: World, rice: Placed, lan: Somebody) -> None:
    """Zalo turns every tap into words; whether the phone sends or the thumb does is all the same."""
    payload = next(button.target for button in card_of(lan, rice).buttons if "Xác nhận" in button.title)
    await lan.phone.says(payload)
    await lan.phone.sees("Đã xác nhận")


async def test_a_tap_that_zalo_reports_twice_is_one_tap(world: World, rice: Placed, lan: Somebody) -> None:
    """The same event again, an hour later: no second effect, no second answer."""
    delivery = await lan.phone.taps("Xác nhận đơn hàng")
    await lan.phone.sees("Đã xác nhận")
    await world.passes(timedelta(hours=1))
    again = await world.zalo.redeliver(delivery)
    await world.settles()
    assert again.status == 200
    rice.heard("order.confirmed", times=1)
