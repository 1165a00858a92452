"""Completing: what a partner is paid for, and how it is asked for (N6, N7, N8)."""

from datetime import timedelta

from core.orders.commands import CompleteOrder
from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def confirmed(lan: Somebody) -> None:
    """Let Lan confirm the order she was told of last."""
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()


async def test_a_delivered_order_is_completed_with_one_tap(world: World, rice: Placed, lan: Somebody) -> None:
    """The answer tells the amount that is paid now; the mail says thank you; the platform hears it."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at + 10 * MINUTE)
    lan.catches_up()
    await lan.phone.taps("Hoàn thành")
    await lan.phone.sees(f"Đã hoàn thành đơn {rice.code}. Cảm ơn bạn!", "900.000 đ đã vào kỳ đối soát")
    lan.mail.gets(f"Đơn {rice.code} đã hoàn thành, cảm ơn bạn", "900.000 đ đã vào kỳ đối soát")
    told = rice.heard("order.completed")["data"]
    assert (told["status"], told["status_changed_by"]["name"]) == ("completed", "Lan")


async def test_it_is_completed_once(world: World, rice: Placed, lan: Somebody) -> None:
    """A second tap tells who completed it and when."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at + 10 * MINUTE)
    card = await lan.phone.sees("giao xong chưa?")
    for _ in range(2):
        await lan.phone.taps("Hoàn thành", on=card)
    await lan.phone.sees("Đã hoàn thành")
    await lan.phone.sees(f"Đơn {rice.code} đã được Lan báo hoàn thành lúc 15:22 qua Zalo")
    rice.heard("order.completed", times=1)
    lan.catches_up()


async def test_complete_is_taken_from_an_hour_before_delivery(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Before that the answer tells from when; words count as taps."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at - HOUR - MINUTE)
    await lan.phone.says(f"HT {rice.code}")
    await lan.phone.sees(
        f"Chưa báo hoàn thành đơn {rice.code} được", "Bấm Hoàn thành được từ 14:12 thứ Sáu 20/05"
    )
    assert (await rice.shown())["status"] == "confirmed"
    await world.passes_until(rice.deliver_at - HOUR)
    await lan.phone.says(f"HT {rice.code}")
    await lan.phone.sees("Đã hoàn thành")
    lan.mail.gets("cảm ơn bạn")


async def test_details_offer_complete_as_soon_as_it_is_taken(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """An hour before delivery the button appears; the word alone is enough where one order fits."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at - HOUR)
    await lan.phone.says(f"CT {rice.code}")
    card = await lan.phone.sees(f"Đơn {rice.code}: Đã xác nhận")
    assert lan.phone.buttons(card) == ["Hoàn thành", "Gọi tổng đài", "Xem chi tiết đơn hàng"]
    await lan.phone.says("xong rồi nhé")
    await lan.phone.sees("Đã hoàn thành")
    lan.mail.gets("cảm ơn bạn")


async def test_what_was_not_confirmed_is_not_completed(world: World, rice: Placed, lan: Somebody) -> None:
    """The answer says that it waits for the confirmation, with the buttons for it."""
    await lan.phone.says(f"HT {rice.code}")
    card = await lan.phone.sees(f"Đơn {rice.code} đang chờ xác nhận")
    assert lan.phone.buttons(card) == ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]


async def test_ten_minutes_after_delivery_the_kitchen_is_asked(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """By mail and chat, with the button and the amount that waits for the tap; not a minute earlier."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at + 9 * MINUTE)
    assert lan.catches_up() == News()
    await world.passes_until(rice.deliver_at + 10 * MINUTE)
    card = await lan.phone.sees(
        f"Đơn {rice.code} giao xong chưa? Bấm Hoàn thành", "900.000 đ chờ bạn bấm Hoàn thành"
    )
    assert lan.phone.buttons(card) == ["Hoàn thành", "Gọi tổng đài", "Xem chi tiết đơn hàng"]
    mail = lan.mail.gets(f"Đơn {rice.code} giao xong chưa?", "900.000 đ chờ bạn bấm Hoàn thành")
    assert mail.links()[0][0] == "Hoàn thành"


async def test_the_reminders_count_from_the_question_and_end_with_the_operators(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """30 minutes, 4 hours and 24 hours after it, by both ways; the operators hear with the last."""
    await confirmed(lan)
    asked_at = rice.deliver_at + 10 * MINUTE
    await world.passes_until(asked_at)
    lan.catches_up()
    title = f"Đơn {rice.code} chưa được báo hoàn thành"
    for wait in (30 * MINUTE, 4 * HOUR, 24 * HOUR):
        assert world.operators.unread == []
        await world.passes_until(asked_at + wait - MINUTE)
        assert lan.catches_up() == News()
        await world.passes_until(asked_at + wait)
        assert lan.catches_up() == News(chat=(title,), mail=(title,))
    world.operators.gets(f"Đơn {rice.code} của Bếp Lan đã giao mà chưa được báo hoàn thành")
    await world.passes(timedelta(days=7))
    assert (await rice.shown())["status"] == "confirmed"


async def test_the_reminders_stop_with_the_tap(world: World, rice: Placed, lan: Somebody) -> None:
    """Whoever has completed is left in peace."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at + 10 * MINUTE)
    await lan.phone.taps("Hoàn thành")
    world.everybody_catches_up()
    for _ in range(3):
        await world.passes(timedelta(hours=12))
    assert lan.catches_up() == News()


async def test_an_operator_completes_for_the_partner(world: World, rice: Placed, lan: Somebody) -> None:
    """The chat tells who it was, the mail says thank you."""
    await confirmed(lan)
    await world.passes_until(rice.deliver_at)
    await world.operator(CompleteOrder(rice.order_id))
    assert lan.catches_up() == News(
        chat=(f"Đơn {rice.code} đã được tổng đài (Hà) báo hoàn thành lúc 15:12",),
        mail=(f"Đơn {rice.code} đã hoàn thành, cảm ơn bạn",),
    )
    assert rice.heard("order.completed")["data"]["status_changed_by"]["channel"] == "operator"


async def test_a_settlement_lists_exactly_the_completed_orders(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Of a completed, a confirmed, a cancelled, an overdue and a waiting order, only the first is paid."""
    done, taken, off, _overdue = [await world.order() for _ in range(4)]
    for order in (done, taken):
        await lan.phone.says(f"XN {order.code}")
    await lan.phone.says(f"HUY {off.code} 1")
    await world.passes_until(done.deliver_at)
    await lan.phone.says(f"HT {done.code}")
    await world.order()
    answer = await platform.call("GET", "/settlements?partner=com-nha-lan&from=2033-05-20&to=2033-05-20")
    assert [item["order_id"] for item in answer.body["items"]] == [done.id]
    assert (answer.body["count"], answer.body["total"]) == (1, 900_000)
    world.everybody_catches_up()
