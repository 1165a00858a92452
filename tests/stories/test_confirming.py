"""Confirming: one tap, one effect, and everybody learns who it was."""

import pytest

from core.orders.commands import ConfirmOrder
from sandbox.zalo import Bubble
from tests.stories.world import News, Placed, Somebody, World


async def test_a_partner_confirms_with_one_tap(world: World, rice: Placed, lan: Somebody) -> None:
    """The card answers with the order as it stands and what comes next; the platform hears it."""
    await lan.phone.taps("Xác nhận đơn hàng")
    card = await lan.phone.sees(
        f"Đã xác nhận đơn {rice.code}", "Giao xong, bấm Hoàn thành (từ 14:12 thứ Sáu 20/05)."
    )
    assert lan.phone.buttons(card) == ["Gọi tổng đài", "Xem chi tiết đơn hàng"]
    told = rice.heard("order.confirmed")["data"]
    assert (told["status"], told["status_changed_by"]) == ("confirmed", {"channel": "zalo", "name": "Lan"})


async def test_a_partner_confirms_once(world: World, rice: Placed, lan: Somebody) -> None:
    """However often Lan taps, the platform hears it once, and she reads who it was and when."""
    card = _first_card(lan)
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees("Đã xác nhận")
    for _ in range(2):
        await lan.phone.taps("Xác nhận đơn hàng", on=card)
        await lan.phone.sees(f"Đơn {rice.code} đã được Lan xác nhận lúc 09:12 qua Zalo")
    rice.heard("order.confirmed", times=1)
    assert (await rice.shown())["version"] == 2


async def test_of_two_who_tap_the_first_wins(world: World, rice: Placed, lan: Somebody) -> None:
    """Minh comes second: he reads that Lan confirmed, when, and by which way."""
    minh = await world.hires("Minh", "manager")
    second = await world.order()
    await lan.phone.taps("Xác nhận đơn hàng")
    await minh.phone.sees(second.code)
    await minh.phone.sees(f"Đơn {second.code} đã được Lan xác nhận lúc 09:12 qua Zalo")
    await minh.phone.taps("Xác nhận đơn hàng")
    await minh.phone.sees(f"Đơn {second.code} đã được Lan xác nhận lúc 09:12 qua Zalo")
    second.heard("order.confirmed", times=1)
    lan.catches_up()


@pytest.mark.parametrize("words", ["XN {code}", "xac nhan {code}", "ok {code} nhé", "Dạ {code} nhận ạ", "XN"])
async def test_words_confirm_as_a_tap_does(world: World, rice: Placed, lan: Somebody, words: str) -> None:
    """Any case, accents or none, polite words or none; without a code where one order waits."""
    await lan.phone.says(words.format(code=rice.code))
    await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")
    rice.heard("order.confirmed", times=1)


@pytest.mark.parametrize("words", ["không xn {code}", "XN HUY {code}", "XN {code} xin lỗi"])
async def test_unclear_words_do_nothing_but_ask(
    world: World, rice: Placed, lan: Somebody, words: str
) -> None:
    """A negation, two verbs, words too many: the answer shows the order, and nothing is done."""
    await lan.phone.says(words.format(code=rice.code))
    asked = await lan.phone.sees("hưa")
    assert rice.code in asked.text
    assert "Xác nhận đơn hàng" in lan.phone.buttons(asked)
    assert (await rice.shown())["status"] == "pending"


async def test_a_verb_alone_asks_which_of_two_orders(world: World, rice: Placed, lan: Somebody) -> None:
    """Two orders wait: each gets a button of its own, and only the chosen one is confirmed."""
    second = await world.order()
    lan.catches_up()
    await lan.phone.says("XN")
    asked = await lan.phone.sees("Bạn nói đơn nào?")
    assert sorted(lan.phone.buttons(asked)) == sorted([f"XN {rice.code}", f"XN {second.code}"])
    await lan.phone.taps(f"XN {second.code}")
    await lan.phone.sees(f"Đã xác nhận đơn {second.code}")
    assert (await rice.shown())["status"] == "pending"


async def test_a_wrong_code_does_nothing_but_suggest(world: World, rice: Placed, lan: Somebody) -> None:
    """One digit beside it: the answer asks whether the right one is meant, with its buttons."""
    slip = rice.code[:4] + str((int(rice.code[4]) + 1) % 10)
    await lan.phone.says(f"XN {slip}")
    asked = await lan.phone.sees(f"Không có đơn {slip}. Ý bạn là {rice.code}?")
    assert (await rice.shown())["status"] == "pending"
    await lan.phone.taps("Xác nhận đơn hàng", on=asked)
    await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")


async def test_an_operator_confirms_for_the_partner(world: World, rice: Placed, lan: Somebody) -> None:
    """The kitchen is told by mail and chat that it was the hotline; the platform hears an operator's name."""
    await world.operator(ConfirmOrder(rice.order_id), name="Hà")
    title = f"Đơn {rice.code} đã được tổng đài (Hà) xác nhận lúc 09:12"
    assert lan.catches_up() == News(chat=(title,), mail=(title,))
    told = rice.heard("order.confirmed")["data"]
    assert told["status_changed_by"] == {"channel": "operator", "name": "Hà"}


async def test_a_tap_after_an_operators_shows_who_it_was(world: World, rice: Placed, lan: Somebody) -> None:
    """Lan's old card does nothing more."""
    card = _first_card(lan)
    await world.operator(ConfirmOrder(rice.order_id), name="Hà")
    lan.catches_up()
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees(f"Đơn {rice.code} đã được tổng đài (Hà) xác nhận lúc 09:12")
    assert (await rice.shown())["version"] == 2


async def test_an_order_waits_until_somebody_acts(world: World, rice: Placed, lan: Somebody) -> None:
    """Being told and being seen change nothing."""
    bubble = _first_card(lan)
    await lan.phone.person.confirm_received(bubble)
    await lan.phone.person.confirm_seen([bubble])
    await world.settles()
    assert (await rice.shown())["version"] == 1


def _first_card(lan: Somebody) -> Bubble:
    return next(bubble for bubble in lan.phone.person.received if "chờ bạn xác nhận" in bubble.text)
