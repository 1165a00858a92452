"""Cards with buttons, changed in their place for everybody once somebody has acted."""

from datetime import timedelta

import pytest

from core.orders.commands import ConfirmOrder
from sandbox.platform import FakePlatform
from sandbox.telegram import FakeTelegram
from tests.stories.telegram.conftest import CANCEL, COMPLETE, CONFIRM, card_of
from tests.stories.world import News, Placed, Somebody, World


async def test_a_card_has_its_buttons_and_a_link(world: World, rice: Placed, lan: Somebody) -> None:
    """Confirm, cancel, details; each of the first two within Telegram's 64 bytes."""
    card = card_of(lan, rice)
    assert [label.lstrip("✅❌ ") for label in card.buttons] == [CONFIRM, CANCEL, "Xem chi tiết đơn hàng"]
    assert lan.telegram.person.link("Xem chi tiết đơn hàng", on=card).startswith(world.url)
    assert "900.000 đ" in card.text


async def test_a_kitchen_confirms_by_a_button(world: World, rice: Placed, lan: Somebody) -> None:
    """The card itself changes to who and when; no further message comes, and a toast stops the spinner."""
    tap = await lan.telegram.taps(CONFIRM)

    assert tap.toast == f"Đã xác nhận đơn {rice.code}"
    assert not tap.alert
    card = card_of(lan, rice)
    assert card.was_edited
    assert card.text.startswith(f"Đơn {rice.code} đã được Lan xác nhận lúc 09:12 qua Telegram")
    assert "Đã xác nhận" in card.text
    assert CONFIRM not in "".join(card.buttons)
    told = rice.heard("order.confirmed")
    assert told["data"]["status_changed_by"] == {"channel": "telegram", "name": "Lan"}


async def test_everybodys_cards_are_changed(
    world: World, platform: FakePlatform, lan: Somebody, minh: Somebody
) -> None:
    """Minh's card and Lan's older nudges too: who and when, no button to confirm; nobody gets a message."""
    order = await world.order()
    await world.passes(timedelta(minutes=16))
    world.everybody_catches_up()
    cards = [
        (somebody, card)
        for somebody in (lan, minh)
        for card in somebody.telegram.person.received
        if order.code in card.text
    ]
    assert len(cards) >= 2

    await minh.telegram.taps(CONFIRM)

    for somebody, card in cards:
        now = somebody.telegram.now(card)
        assert f"Đơn {order.code} đã được Minh xác nhận lúc 09:28 qua Telegram" in now.text
        assert not any(CONFIRM in label or CANCEL in label for label in now.buttons)


async def test_what_an_operator_does_changes_the_cards_as_well(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The card says so, and the notice that the order was confirmed comes besides."""
    card = card_of(lan, rice)
    await world.operator(ConfirmOrder(rice.order_id))
    now = lan.telegram.now(card)
    assert now.was_edited
    assert "Đã xác nhận" in now.text
    await lan.telegram.sees(rice.code, "Hà")


async def test_a_card_on_its_way_is_changed_once_it_is_there(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan confirms while Minh's card still waits for Telegram's answer."""
    minh = await world.hires("Minh", "manager", zalo=False, telegram=True)
    telegram.accept_then_hang(0.8, times=2)
    answer = await platform.place(world.body())
    cards = [(one, await one.telegram.person.sees(answer.body["code"])) for one in (lan, minh)]
    tap = await lan.telegram.person.taps(CONFIRM)
    await tap.stops()

    for somebody, card in cards:
        await somebody.telegram.person.chat.becomes(card, "đã được Lan xác nhận")
    await world.settles()


async def test_cancelling_takes_two_steps_inside_the_card(world: World, rice: Placed, lan: Somebody) -> None:
    """The card asks for the reason; only then the order is off, and the card says so."""
    card = card_of(lan, rice)
    await lan.telegram.taps(CANCEL, on=card)
    asked = lan.telegram.now(card)
    assert "vì lý do gì" in asked.text
    assert any("Hết món" in label for label in asked.buttons)
    rice.heard("order.cancelled", times=0)

    tap = await lan.telegram.taps("Hết món", on=card)

    assert "huỷ" in tap.toast.lower()
    now = lan.telegram.now(card)
    assert "Huỷ" in now.text
    assert "Hết món" in now.text
    assert rice.heard("order.cancelled")["data"]["reason"] == {"code": 1, "text": "Hết món"}
    world.inbox("an@example.com").gets()


async def test_another_reason_is_asked_for(world: World, rice: Placed, lan: Somebody) -> None:
    """Nothing happens before it is said; own words are taken as they are."""
    card = card_of(lan, rice)
    await lan.telegram.taps(CANCEL, on=card)
    await lan.telegram.taps("Lý do khác…", on=card)
    rice.heard("order.cancelled", times=0)
    world.everybody_catches_up()
    await lan.telegram.says(f"huỷ {rice.code} cúp điện cả phường")
    told = rice.heard("order.cancelled")
    assert told["data"]["reason"] == {"code": 6, "text": "cúp điện cả phường"}
    world.everybody_catches_up()
    assert "Huỷ" in lan.telegram.now(card).text


async def test_a_slip_of_the_thumb_is_taken_back(rice: Placed, lan: Somebody) -> None:
    """The question stands where the card was; its last button brings the card and its buttons back."""
    card = card_of(lan, rice)
    await lan.telegram.taps(CANCEL, on=card)
    await lan.telegram.taps("Không huỷ nữa", on=card)

    await lan.telegram.taps(CONFIRM, on=card)

    assert f"Đơn {rice.code} đã được Lan xác nhận" in lan.telegram.now(card).text
    rice.heard("order.confirmed", times=1)


async def test_completing_changes_every_card(world: World, rice: Placed, lan: Somebody) -> None:
    """Ten minutes after delivery the card asks; the tap completes, and the first card says so too."""
    first = card_of(lan, rice)
    await lan.telegram.taps(CONFIRM)
    await world.passes_until(rice.deliver_at + timedelta(minutes=10))
    asked = await lan.telegram.sees(rice.code, "900.000 đ")
    await lan.telegram.taps(COMPLETE, on=asked)
    for card in (first, asked):
        assert f"Đơn {rice.code} đã được Lan báo hoàn thành" in lan.telegram.now(card).text
        assert COMPLETE not in "".join(lan.telegram.now(card).buttons)
    rice.heard("order.completed")


async def test_the_second_tap_says_who_was_first(
    world: World, platform: FakePlatform, telegram: FakeTelegram, lan: Somebody, minh: Somebody
) -> None:
    """An old client still shows the button: it changes nothing, and the toast says whose it is."""
    order = await world.order()
    world.everybody_catches_up()
    old = card_of(minh, order)
    confirm = old.button(CONFIRM)
    assert confirm
    assert confirm.data
    await lan.telegram.taps(CONFIRM)
    await world.passes(timedelta(minutes=3))

    tap = await minh.telegram.person.presses(confirm.data, on=old)
    toast = await tap.stops()
    await world.settles()

    assert f"Đơn {order.code} đã được Lan xác nhận lúc 09:12" in toast
    order.heard("order.confirmed")


async def test_a_long_list_is_paged_in_its_place(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Ten orders a page; the next page takes the place of the first one."""
    orders = [await world.order(deliver_in=timedelta(hours=1 + n // 2)) for n in range(12)]
    world.everybody_catches_up()
    await lan.telegram.says("/donhang")
    page = await lan.telegram.sees("Đơn của Bếp Lan")
    await lan.telegram.taps("Xem tiếp", on=page)
    second = lan.telegram.now(page)
    assert second.was_edited
    listed = {order.code for order in orders if order.code in page.text}
    rest = {order.code for order in orders if order.code in second.text}
    assert (len(listed), len(rest), listed & rest) == (10, 2, set())


async def test_a_changed_order_asks_anew_and_old_buttons_do_nothing(
    world: World, telegram: FakeTelegram, platform: FakePlatform, rice: Placed, lan: Somebody
) -> None:
    """What was confirmed by an old card is not what is to be cooked now."""
    old = card_of(lan, rice)
    confirm = old.button(CONFIRM)
    assert confirm
    assert confirm.data
    change = {"items": [{"name": "Cơm gà", "quantity": 30, "unit_price": 45_000}], "total": 1_350_000}
    await platform.change(rice.id, **change)
    await world.settles()
    world.everybody_catches_up()

    tap = await lan.telegram.person.presses(confirm.data, on=old)
    await tap.stops()
    await world.settles()

    rice.heard("order.confirmed", times=0)
    world.everybody_catches_up()


# --- who may not --------------------------------------------------------------------------------------


async def test_a_forwarded_card_shows_and_never_acts(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody
) -> None:
    """A stranger with Lan's button in a message of their own: an alert, and nothing done."""
    card = card_of(lan, rice)
    confirm = card.button(CONFIRM)
    assert confirm
    assert confirm.data
    thief = world.telegram_phone("Người lạ")
    await thief.starts()
    world.everybody_catches_up()
    own = thief.person.received[-1]

    tap = await thief.person.presses(confirm.data, on=own)
    await tap.stops()
    await world.settles()

    rice.heard("order.confirmed", times=0)
    assert tap.alert
    assert rice.code not in tap.toast
    assert lan.telegram.now(card) == card
    assert thief.person.unread == []


async def test_a_colleague_with_somebody_elses_button_sees_and_does_not_act(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A button acts in the name of whom it was made for; Tí has buttons of his own."""
    ti = await world.hires("Tí", "kitchen", zalo=False, telegram=True)
    order = await world.order()
    world.everybody_catches_up()
    confirm = card_of(lan, order).button(CONFIRM)
    assert confirm
    assert confirm.data
    tap = await ti.telegram.person.presses(confirm.data, on=ti.telegram.person.received[-1])
    await tap.stops()
    await world.settles()
    order.heard("order.confirmed", times=0)
    world.everybody_catches_up()
    assert any(order.code in card.text for card in ti.telegram.person.received)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1] + ("A" if data[-1] != "A" else "B"),
        lambda data: data[:20] + data[20:22].swapcase() + data[22:],
        lambda data: data[:10],
        lambda data: "x",
        lambda data: "đơn " * 12,
        lambda data: "A" * 64,
        lambda data: data[::-1],
    ],
    ids=["last letter", "order", "cut", "one letter", "words", "same letters", "reversed"],
)
async def test_a_tampered_button_does_nothing(
    world: World, rice: Placed, lan: Somebody, change: object
) -> None:
    """Its spinner is stopped all the same."""
    assert callable(change)
    card = card_of(lan, rice)
    confirm = card.button(CONFIRM)
    assert confirm
    data = change(confirm.data)
    if data == confirm.data:
        data = "A" + data[1:]
    tap = await lan.telegram.person.presses(data, on=card)
    assert tap.status == 200
    await tap.stops()
    await world.settles()
    rice.heard("order.confirmed", times=0)
    world.everybody_catches_up()
    assert (await rice.shown())["status"] == "pending"


async def test_somebody_who_has_left_does_not_act(
    world: World, platform: FakePlatform, lan: Somebody, minh: Somebody
) -> None:
    """Minh's card still has its buttons; they do nothing, and stop spinning."""
    order = await world.order()
    world.everybody_catches_up()
    await world.fires("Minh")
    tap = await minh.telegram.taps(CONFIRM)
    assert tap.alert
    order.heard("order.confirmed", times=0)


async def test_a_cashier_does_not_act(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """She may see the money; the card she is shown has no such buttons."""
    hoa = await world.hires("Hoa", "cashier", zalo=False, telegram=True, notify=True)
    order = await world.order()
    lan.telegram.person.reads_all()
    card = await hoa.telegram.sees(order.code, "900.000 đ")
    assert not any(CONFIRM in label or CANCEL in label for label in card.buttons)
    await hoa.telegram.says(f"XN {order.code}")
    order.heard("order.confirmed", times=0)
    hoa.telegram.person.reads_all()


# --- updates as they come -----------------------------------------------------------------------------


async def test_an_update_that_comes_again_acts_once(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody
) -> None:
    """Telegram was not sure that we had it: the same answer, no second effect."""
    await lan.telegram.taps(CONFIRM)
    for _ in range(2):
        again = await telegram.redeliver()
        assert again.status == 200
    await world.settles()
    rice.heard("order.confirmed")
    assert lan.telegram.person.unread == []


async def test_updates_that_come_late_and_backwards_act_once_each(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody
) -> None:
    """Two taps on confirm and a question, all after two minutes, the last one first."""
    telegram.postman.hold()
    await lan.telegram.person.taps(CONFIRM)
    await lan.telegram.person.taps(CONFIRM)
    await lan.telegram.person.says("HN")
    await world.passes(timedelta(minutes=2))
    for delivery in await telegram.postman.release(backwards=True):
        assert delivery.status == 200
    await world.settles()
    rice.heard("order.confirmed")
    await lan.telegram.sees("Giao thứ Sáu 20/05")
    for tap in lan.telegram.person.taps_made:
        await tap.stops()


async def test_an_english_kitchen_reads_english(world: World, platform: FakePlatform) -> None:
    """Buttons, card and toast alike."""
    lan = await world.kitchen(email=None, zalo=False, telegram=True, locale="en")
    order = await world.order()
    await lan.telegram.sees(order.code)
    tap = await lan.telegram.taps("Confirm order")
    assert "confirmed" in tap.toast.lower()
    assert "Confirmed" in card_of(lan, order).text
    assert lan.catches_up() == News()
