"""N4: an order that its platform changes."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from sandbox.zalo import Bubble
from tests.stories.browser import Browser
from tests.stories.world import News, Placed, Somebody, World, open_world

BOTH = ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]
MORE = [
    {"name": "Cơm gà", "quantity": 25, "unit_price": 45_000},
    {"name": "Trà đá", "quantity": 25, "unit_price": 5_000},
]
SECOND = timedelta(seconds=1)


async def changed(world: World, order: Placed, **changes: object) -> None:
    """Let the platform change the order, and everybody be told."""
    answer = await order.platform.change(order.id, **changes)
    assert answer.status == 200, answer
    await world.settles()


async def confirmed(lan: Somebody) -> Bubble:
    """Let Lan confirm; return the card she did it on."""
    card = lan.phone.person.received[-1]
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    lan.catches_up()
    return card


async def test_a_change_is_told_as_before_and_after(world: World, rice: Placed, lan: Somebody) -> None:
    """Time, dishes, total, address and note, by mail and chat, with buttons for the order as it is now."""
    later = rice.deliver_at + timedelta(hours=1)
    await changed(
        world, rice, deliver_at=later.isoformat(), items=MORE, address="34 Hàm Nghi, Quận 1, TP.HCM", note=""
    )
    lines = (
        "Giờ giao: 15:12 thứ Sáu 20/05 → 16:12 thứ Sáu 20/05",
        "Cơm gà: 20 → 25",
        "Thêm 25 × Trà đá",
        "Tổng tiền: 900.000 đ → 1.250.000 đ",
        "Địa chỉ: 12 Lê Lợi, Quận 1, TP.HCM → 34 Hàm Nghi, Quận 1, TP.HCM",
        "Ghi chú: Giao cổng sau → –",
    )
    card = await lan.phone.sees(f"Đơn {rice.code} đã thay đổi, chờ bạn xác nhận", *lines)
    assert lan.phone.buttons(card) == BOTH
    lan.mail.gets(f"Đơn {rice.code} đã thay đổi", *lines)


@pytest.mark.parametrize(
    "change",
    [{"items": MORE}, {"deliver_at": "2033-05-20T18:00:00+07:00"}, {"items": MORE, "note": "Nhanh giúp"}],
)
async def test_a_confirmed_order_whose_time_or_dishes_change_must_be_confirmed_again(
    world: World, rice: Placed, lan: Somebody, change: dict[str, object]
) -> None:
    """The kitchen took on something else."""
    await confirmed(lan)
    await changed(world, rice, **change)
    card = await lan.phone.sees(f"Đơn {rice.code} đã thay đổi, cần xác nhận lại")
    assert lan.phone.buttons(card) == BOTH
    lan.mail.gets("cần xác nhận lại")
    told = rice.heard("order.changed")["data"]
    assert (told["status"], told["revision"]) == ("pending", 2)
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees("Đã xác nhận")
    rice.heard("order.confirmed", times=2)


@pytest.mark.parametrize(
    "change", [{"note": "Gọi trước khi giao"}, {"address": "34 Hàm Nghi, Quận 1, TP.HCM"}]
)
async def test_another_address_or_note_leaves_it_confirmed(
    world: World, rice: Placed, lan: Somebody, change: dict[str, object]
) -> None:
    """The kitchen is told, and asked for nothing."""
    await confirmed(lan)
    await changed(world, rice, **change)
    card = await lan.phone.sees(f"Đơn {rice.code} đã thay đổi\n", *map(str, change.values()))
    assert lan.phone.buttons(card) == ["Gọi tổng đài", "Xem chi tiết đơn hàng"]
    lan.mail.gets(f"Đơn {rice.code} đã thay đổi")
    told = rice.heard("order.changed")["data"]
    assert (told["status"], told["revision"]) == ("confirmed", 2)


async def test_an_old_button_says_that_the_order_has_changed(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """It does nothing; the answer shows the order as it is now, with buttons that work."""
    old = lan.phone.person.received[-1]
    await changed(world, rice, items=MORE)
    lan.catches_up()
    await lan.phone.taps("Xác nhận đơn hàng", on=old)
    card = await lan.phone.sees(
        f"Đơn {rice.code} đã thay đổi sau thẻ bạn bấm, chưa có gì được làm", "25 × Trà đá"
    )
    assert (await rice.shown())["status"] == "pending"
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees("Đã xác nhận")


async def test_an_old_reason_button_cancels_nothing(world: World, rice: Placed, lan: Somebody) -> None:
    """The list of reasons was asked for before the change."""
    await lan.phone.taps("Huỷ đơn hàng")
    asked = await lan.phone.sees("vì lý do gì?")
    await changed(world, rice, items=MORE)
    lan.catches_up()
    await lan.phone.taps("Hết món", on=asked)
    await lan.phone.sees("đã thay đổi sau thẻ bạn bấm")
    assert (await rice.shown())["status"] == "pending"


async def test_an_old_complete_button_works_only_on_what_it_showed(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """A changed note after the request to complete: the answer has a new button."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at + timedelta(minutes=10))
    old = await lan.phone.sees("giao xong chưa?")
    await changed(world, rice, note="Đã nhận đủ")
    lan.catches_up()
    await lan.phone.taps("Hoàn thành", on=old)
    card = await lan.phone.sees("đã thay đổi sau thẻ bạn bấm")
    assert (await rice.shown())["status"] == "confirmed"
    await lan.phone.taps("Hoàn thành", on=card)
    await lan.phone.sees("Đã hoàn thành")
    lan.catches_up()


async def test_a_change_starts_the_ladder_anew(world: World, rice: Placed, lan: Somebody) -> None:
    """Fifteen minutes after the change, not after the placing."""
    await world.passes(timedelta(minutes=10))
    await changed(world, rice, items=MORE)
    lan.catches_up()
    await world.passes(timedelta(minutes=14))
    assert lan.catches_up() == News()
    await world.passes(timedelta(minutes=1, seconds=5))
    assert lan.catches_up() == News(chat=(f"Đơn {rice.code} vẫn chờ bạn xác nhận",))


async def test_a_later_delivery_expires_later(world: World, rice: Placed, lan: Somebody) -> None:
    """The old time passes without anything; the new one does not."""
    later = rice.deliver_at + timedelta(hours=2)
    await changed(world, rice, deliver_at=later.isoformat())
    await world.passes_until(rice.deliver_at)
    assert (await rice.shown())["status"] == "pending"
    await world.passes_until(later)
    assert (await rice.shown())["status"] == "expired"
    world.everybody_catches_up()


async def test_a_change_that_changes_nothing_is_told_to_nobody(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The same note again: no version, no message, no webhook."""
    await changed(world, rice, note="Giao cổng sau")
    assert (await rice.shown())["version"] == 1
    rice.heard("order.changed", times=0)


async def test_a_final_order_is_not_changed(world: World, rice: Placed, lan: Somebody) -> None:
    """The platform gets 409, the kitchen nothing."""
    await lan.phone.says(f"HUY {rice.code} 1")
    world.everybody_catches_up()
    assert (await rice.platform.change(rice.id, note="Nhanh")).status == 409
    assert (await rice.platform.cancel(rice.id)).status == 409


async def test_a_change_overtakes_the_first_card(world: World, rice: Placed, lan: Somebody) -> None:
    """Zalo was down when the order was placed and changed: only the newer card comes."""
    world.zalo.status_next(503, times=1)
    second = await world.order()
    await changed(world, second, items=MORE)
    await world.passes(timedelta(seconds=30))
    assert lan.catches_up().chat == (f"Đơn {second.code} đã thay đổi, chờ bạn xác nhận",)


async def test_changes_within_seconds_are_told_as_one(world: World, rice: Placed, lan: Somebody) -> None:
    """Zalo rests meanwhile: what comes is the sum of both, since what Lan confirmed."""
    await confirmed(lan)
    world.zalo.status_next(503, times=1)
    await changed(world, rice, items=MORE)
    assert lan.phone.person.unread == []
    await changed(world, rice, note="Gọi trước")
    await world.passes(timedelta(seconds=30))
    card = await lan.phone.sees(
        f"Đơn {rice.code} đã thay đổi, cần xác nhận lại",
        "Cơm gà: 20 → 25",
        "Thêm 25 × Trà đá",
        "Ghi chú: Giao cổng sau → Gọi trước",
    )
    assert lan.phone.buttons(card) == BOTH
    first, second = lan.mail.unread  # mails left in between: each tells what the one before did not
    assert "Cơm gà: 20 → 25" in first.text
    assert ("Cơm gà: 20 → 25" in second.text, "→ Gọi trước" in second.text) == (False, True)
    lan.catches_up()


async def test_changed_and_changed_back_says_so(world: World, rice: Placed, lan: Somebody) -> None:
    """Nothing differs from what Lan knows, but it must be confirmed again."""
    await confirmed(lan)
    world.zalo.status_next(503, times=1)
    await changed(world, rice, items=MORE)
    await changed(world, rice, items=rice.body["items"])
    await world.passes(timedelta(seconds=30))
    await lan.phone.sees("cần xác nhận lại", "nội dung như lần bạn được báo trước")
    lan.catches_up()


async def test_who_taps_two_changes_later_reads_all_that_differs(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The card of the first revision, tapped at the third: both changes, and buttons that work."""
    old = lan.phone.person.received[-1]
    await changed(world, rice, items=MORE)
    await changed(world, rice, address="34 Hàm Nghi, Quận 1, TP.HCM")
    lan.catches_up()
    await lan.phone.taps("Xác nhận đơn hàng", on=old)
    card = await lan.phone.sees(
        "đã thay đổi sau thẻ bạn bấm, chưa có gì được làm",
        "Cơm gà: 20 → 25",
        "Địa chỉ: 12 Lê Lợi, Quận 1, TP.HCM → 34 Hàm Nghi, Quận 1, TP.HCM",
    )
    assert (await rice.shown())["status"] == "pending"
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    assert (await rice.shown())["status"] == "confirmed"
    lan.catches_up()


async def test_a_page_of_before_shows_what_differs_and_asks(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """The form was opened, the order changed, the form is sent: nothing is done."""
    order = await world.order()
    page = await browser.opens(dict(lan.mail.gets(order.code).links())["Xác nhận đơn hàng"])
    await changed(world, order, items=MORE)
    told = await page.presses("confirm")
    for line in ("đã thay đổi", "Cơm gà: 20 → 25", "Thêm 25 × Trà đá"):
        assert line in told.text
    assert (await order.shown())["status"] == "pending"
    lan.catches_up()


async def test_an_sms_tells_a_change_with_every_dish(database_url: str, redis_url: str) -> None:
    """Before → after in few letters, and what to text."""
    async with open_world(database_url, redis_url, gateway=FakeEsms, sms_reply_number="8041") as world:
        lan = await world.kitchen(phone="+84909111222", zalo=False, email=None)
        await world.platform()
        order = await world.order()
        world.everybody_catches_up()
        await changed(world, order, items=MORE)
        sms = await lan.texts.sees(
            f"Don {order.code} da thay doi", "Com ga: 20 -> 25", "Tra da: 0 -> 25", f"XN {order.code}"
        )
        assert len(sms.text) <= 306
        world.everybody_catches_up()
