"""Cancelling: always with a reason, never by a slip of the thumb, never alone once it is confirmed."""

from datetime import timedelta

import pytest

from core.orders.commands import CancelOrder
from core.orders.order import Reason
from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World

ASKED = ["Hết món", "Quá tải", "Đóng cửa", "Ngoài vùng giao", "Lý do khác…"]
CUSTOMER = "an@example.com"


def customer_is_told(world: World) -> str:
    """Read the customer's one mail about the cancelled order; return its text."""
    return world.inbox(CUSTOMER).gets("Cơm Ngon: đơn hàng của bạn tại Bếp Lan đã bị huỷ").text


async def test_cancelling_asks_for_the_reason_first(world: World, rice: Placed, lan: Somebody) -> None:
    """One tap cancels nothing yet: a slip of the thumb costs no order."""
    await lan.phone.taps("Huỷ đơn hàng")
    asked = await lan.phone.sees(f"Huỷ đơn {rice.code} vì lý do gì?", "Đơn chưa bị huỷ")
    assert lan.phone.buttons(asked) == ASKED
    assert (await rice.shown())["status"] == "pending"


@pytest.mark.parametrize(
    ("number", "words", "to_customer"),
    [
        (1, "Hết món", "Quán đã hết món"),
        (2, "Quá tải", "Quán đang quá đông đơn"),
        (3, "Đóng cửa", "Quán đóng cửa lúc đó"),
        (4, "Ngoài vùng giao", "Địa chỉ nằm ngoài vùng giao của quán"),
    ],
    ids=["sold out", "too busy", "closed", "out of area"],
)
async def test_a_second_tap_gives_the_reason(
    world: World, rice: Placed, lan: Somebody, number: int, words: str, to_customer: str
) -> None:
    """The order is off, for the platform and the customer too, with the reason, to each in their words."""
    await lan.phone.taps("Huỷ đơn hàng")
    await lan.phone.sees("vì lý do gì?")
    await lan.phone.taps(words)
    await lan.phone.sees(f"Đã huỷ đơn {rice.code}", f"Lý do: {words}")
    assert rice.heard("order.cancelled")["data"]["reason"] == {"code": number, "text": words}
    assert to_customer in customer_is_told(world)


@pytest.mark.parametrize(("number", "words"), [(5, "Sai giá hoặc thực đơn"), (6, "Khác")])
async def test_the_other_reasons_are_one_tap_further(
    world: World, rice: Placed, lan: Somebody, number: int, words: str
) -> None:
    """Zalo shows five buttons: the last one leads to the rest."""
    await lan.phone.taps("Huỷ đơn hàng")
    await lan.phone.sees("vì lý do gì?")
    await lan.phone.taps("Lý do khác…")
    asked = await lan.phone.sees("vì lý do gì?", f"HUY {rice.code}")
    assert lan.phone.buttons(asked) == ["Sai giá hoặc thực đơn", "Khác", "Không huỷ nữa"]
    await lan.phone.taps(words)
    await lan.phone.sees(f"Đã huỷ đơn {rice.code}")
    assert rice.heard("order.cancelled")["data"]["reason"] == {"code": number, "text": words}
    customer_is_told(world)


@pytest.mark.parametrize(
    ("said", "code", "text"),
    [
        ("HUY {code} 1", 1, "Hết món"),
        ("huỷ {code} quá tải", 2, "Quá tải"),
        ("từ chối {code} dong cua", 3, "Đóng cửa"),
        ("HUY {code} 6", 6, "Khác"),
        ("HUY {code} bếp mất điện từ sáng", 6, "bếp mất điện từ sáng"),
    ],
)
async def test_words_give_the_reason_too(
    world: World, rice: Placed, lan: Somebody, said: str, code: int, text: str
) -> None:
    """A number, the words of the list with or without accents, or one's own words."""
    await lan.phone.says(said.format(code=rice.code))
    await lan.phone.sees(f"Đã huỷ đơn {rice.code}")
    assert rice.heard("order.cancelled")["data"]["reason"] == {"code": code, "text": text}
    customer_is_told(world)


async def test_words_without_a_reason_are_asked_for_one(world: World, rice: Placed, lan: Somebody) -> None:
    """HUY and the code alone do nothing."""
    await lan.phone.says(f"HUY {rice.code}")
    asked = await lan.phone.sees(f"Huỷ đơn {rice.code} vì lý do gì?")
    assert lan.phone.buttons(asked) == ASKED
    assert (await rice.shown())["status"] == "pending"


async def test_huy_1_asks_which_order(world: World, rice: Placed, lan: Somebody) -> None:
    """A digit alone is a reason, not an order."""
    await lan.phone.says("HUY 1")
    asked = await lan.phone.sees("Bạn nói đơn nào?")
    assert lan.phone.buttons(asked) == [f"HUY {rice.code}"]
    assert (await rice.shown())["status"] == "pending"


async def test_own_words_are_not_passed_on_to_the_customer(world: World, rice: Placed, lan: Somebody) -> None:
    """They were written for the platform."""
    await lan.phone.says(f"HUY {rice.code} khách này hay bom hàng")
    await lan.phone.sees("Đã huỷ")
    assert "bom hàng" not in customer_is_told(world)


async def test_a_confirmed_order_is_cancelled_by_the_hotline_only(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Neither an old button nor words do it: the answer gives the hotline's number."""
    card = lan.phone.person.received[-1]
    await lan.phone.taps("Huỷ đơn hàng", on=card)
    asked = await lan.phone.sees("vì lý do gì?")
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees("Đã xác nhận")
    for tap in (("Huỷ đơn hàng", card), ("Hết món", asked)):
        await lan.phone.taps(tap[0], on=tap[1])
        told = await lan.phone.sees("đã xác nhận nên bạn không tự huỷ được", "gọi tổng đài 1900 6868")
        assert lan.phone.person.link("Gọi tổng đài", on=told) == "19006868"
    await lan.phone.says(f"HUY {rice.code} 1")
    await lan.phone.sees("đã xác nhận nên bạn không tự huỷ được")
    assert (await rice.shown())["status"] == "confirmed"


async def test_a_cancelled_order_stays_cancelled(world: World, rice: Placed, lan: Somebody) -> None:
    """An old button shows who cancelled it and why, and does nothing."""
    card = lan.phone.person.received[-1]
    await lan.phone.says(f"HUY {rice.code} 2")
    await lan.phone.sees("Đã huỷ")
    customer_is_told(world)
    for label in ("Xác nhận đơn hàng", "Huỷ đơn hàng"):
        await lan.phone.taps(label, on=card)
        await lan.phone.sees(f"Đơn {rice.code} đã được Lan huỷ lúc 09:12 qua Zalo", "Lý do: Quá tải")
    rice.heard("order.cancelled", times=1)
    rice.heard("order.confirmed", times=0)


async def test_the_platform_cancels_and_the_kitchen_stops_cooking(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """By mail and chat, with the platform's name and words, also after it was confirmed."""
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    await rice.platform.cancel(rice.id, "Khách dời tiệc")
    await world.settles()
    card = await lan.phone.sees(
        f"Đơn {rice.code} đã được Cơm Ngon huỷ lúc 09:12", "Đừng làm hoặc dừng làm đơn này", "Khách dời tiệc"
    )
    assert lan.phone.buttons(card) == ["Xem chi tiết đơn hàng"]
    lan.mail.gets(f"Đơn {rice.code} đã được Cơm Ngon huỷ", "Khách dời tiệc")
    assert rice.heard("order.cancelled")["data"]["reason"] == {"code": None, "text": "Khách dời tiệc"}
    customer_is_told(world)


async def test_an_operator_cancels_what_was_confirmed(world: World, rice: Placed, lan: Somebody) -> None:
    """What the kitchen cannot do alone; everybody is told, the customer too."""
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    await world.operator(CancelOrder(rice.order_id, Reason(None, "Bếp mất điện")))
    title = f"Đơn {rice.code} đã được tổng đài (Hà) huỷ lúc 09:12"
    assert lan.catches_up() == News(chat=(title,), mail=(title,))
    rice.heard("order.cancelled", times=1)
    customer_is_told(world)


async def test_nothing_is_asked_of_a_cancelled_order_any_more(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """No nudge, no reminder, no expiry, however much time passes."""
    order = await world.order(deliver_in=timedelta(days=5))
    await lan.phone.says(f"HUY {order.code} 1")
    world.everybody_catches_up()
    for _ in range(3):
        await world.passes(timedelta(days=2))
    assert lan.catches_up() == News()
    assert (await order.shown())["status"] == "cancelled"
