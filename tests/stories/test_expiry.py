"""N3: an order that nobody confirmed in time."""

from datetime import timedelta

from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World

SECOND = timedelta(seconds=1)


async def overdue(world: World, order: Placed, lan: Somebody) -> None:
    """Let the order's time come without anybody acting; the nudges before it are read."""
    await world.passes_until(order.deliver_at - timedelta(minutes=1))
    world.everybody_catches_up()
    await world.passes_until(order.deliver_at)


async def test_an_order_expires_just_after_its_delivery_time(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Exactly at that time it still waits; a moment later it is overdue."""
    await world.passes(rice.deliver_at - world.now - 2 * SECOND)
    assert (await rice.shown())["status"] == "pending"
    await world.passes(3 * SECOND)
    shown = await rice.shown()
    assert (shown["status"], shown["status_changed_by"]["channel"]) == ("expired", "system")
    world.everybody_catches_up()


async def test_the_kitchen_hears_that_it_is_overdue(world: World, rice: Placed, lan: Somebody) -> None:
    """By mail and chat: nobody shall cook it now."""
    await overdue(world, rice, lan)
    card = await lan.phone.sees(f"Đơn {rice.code} đã huỷ vì quá hạn xác nhận", "Đừng làm đơn này")
    assert lan.phone.buttons(card) == ["Xem chi tiết đơn hàng"]
    lan.mail.gets(f"Đơn {rice.code} đã huỷ vì quá hạn xác nhận")
    world.operators.gets(f"Đơn {rice.code} của Bếp Lan: quá hạn xác nhận, đã tự huỷ")
    world.inbox("an@example.com").gets("đã bị huỷ")


async def test_the_customer_hears_that_it_will_not_come(world: World, rice: Placed, lan: Somebody) -> None:
    """By mail, once, with what to do next."""
    await overdue(world, rice, lan)
    lan.catches_up()
    told = world.inbox("an@example.com").gets(
        "Cơm Ngon: đơn hàng của bạn tại Bếp Lan đã bị huỷ", "Quán chưa kịp nhận đơn", "Hãy liên hệ Cơm Ngon"
    )
    assert rice.body["external_id"] in told.text
    world.operators.opens_all()
    await world.passes(timedelta(days=2))


async def test_the_platform_hears_that_it_is_overdue(world: World, rice: Placed, lan: Somebody) -> None:
    """Once."""
    await overdue(world, rice, lan)
    told = rice.heard("order.expired")["data"]
    assert (told["status"], told["reason"]) == ("expired", None)
    world.everybody_catches_up()


async def test_a_tap_that_comes_too_late_shows_that_it_is_overdue(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Neither button does anything any more."""
    card = lan.phone.person.received[-1]
    await overdue(world, rice, lan)
    world.everybody_catches_up()
    for label in ("Xác nhận đơn hàng", "Huỷ đơn hàng"):
        await lan.phone.taps(label, on=card)
        await lan.phone.sees(f"Đơn {rice.code} đã quá hạn xác nhận lúc 15:12")
    assert (await rice.shown())["version"] == 2


async def test_a_tap_that_is_faster_than_the_timer_expires_it_too(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """The time is over although no timer has fired yet: the tap confirms nothing, everybody is told."""
    card = lan.phone.person.received[-1]
    world.database.clock.offset += rice.deliver_at - world.now + SECOND
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    assert f"Đơn {rice.code} đã quá hạn xác nhận lúc 15:12" in lan.catches_up().chat
    assert (await rice.shown())["status"] == "expired"
    world.everybody_catches_up()


async def test_an_order_expires_even_if_nobody_could_be_told_of_it(
    world: World, platform: FakePlatform
) -> None:
    """A kitchen without any address: the operators hear at once, the customer in the end."""
    await world.kitchen(email=None, zalo=False)
    order = await world.order(deliver_in=timedelta(hours=2))
    world.operators.gets(f"Đơn {order.code}", "Có tin không đến được ai")
    await world.passes_until(order.deliver_at)
    assert (await order.shown())["status"] == "expired"
    assert len(world.operators.opens_all()) > 0
    world.inbox("an@example.com").gets("đã bị huỷ")


async def test_an_overdue_order_is_left_in_peace(world: World, rice: Placed, lan: Somebody) -> None:
    """No reminder, no request to complete."""
    await overdue(world, rice, lan)
    world.everybody_catches_up()
    for _ in range(3):
        await world.passes(timedelta(hours=12))
    assert lan.catches_up() == News()
