"""C1: what a customer is told of an order that will not come."""

from typing import Any

from core.orders.commands import CancelOrder
from core.orders.order import Reason
from tests.stories.world import Placed, Somebody, World

CUSTOMER = "an@example.com"


async def cancelled(world: World, lan: Somebody, **customer: Any) -> Placed:
    """Place an order for this customer, and let Lan decline it."""
    known = {"name": "Nguyễn Văn An", "phone": "0909123456", "email": CUSTOMER, "locale": "vi"}
    order = await world.order(customer={**known, **customer})
    await lan.phone.says(f"HUY {order.code} 3")
    lan.catches_up()
    return order


async def test_a_customer_is_told_once(world: World, lan: Somebody) -> None:
    """By mail: where, when, why, what it was, and whom to turn to; no button and no link."""
    await world.platform()
    order = await cancelled(world, lan)
    mail = world.inbox(CUSTOMER).gets(
        "Cơm Ngon: đơn hàng của bạn tại Bếp Lan đã bị huỷ",
        "15:12 thứ Sáu 20/05",
        "Quán đóng cửa lúc đó",
        "20 × Cơm gà",
        "Hãy liên hệ Cơm Ngon để được hoàn tiền hoặc đặt lại",
    )
    assert mail.links() == []
    await world.operator(CancelOrder(order.order_id, Reason(None, "lần nữa")))


async def test_a_customer_is_told_in_their_own_language(world: World, lan: Somebody) -> None:
    """Whatever the kitchen speaks."""
    await world.platform()
    await cancelled(world, lan, locale="en")
    world.inbox(CUSTOMER).gets("Cơm Ngon: your order at Bếp Lan was cancelled")


async def test_a_platform_that_tells_its_own_customers_switches_it_off(world: World, lan: Somebody) -> None:
    """Nothing is sent to the customer, and nobody is alarmed about that."""
    await world.platform(notify_customer=False)
    order = await cancelled(world, lan)
    assert world.inbox(CUSTOMER).unread == []
    order.heard("order.cancelled", times=1)


async def test_a_platform_without_its_customers_addresses_places_orders_too(
    world: World, lan: Somebody
) -> None:
    """Only if it tells them itself."""
    platform = await world.platform(notify_customer=False)
    order = await world.order(platform=platform, customer={"name": "Chị Mai"})
    lan.catches_up()
    assert order.body["customer"]["phone"] is None


async def test_a_customer_who_cannot_be_reached_is_the_operators_matter(world: World, lan: Somebody) -> None:
    """A phone alone while SMS is off: somebody has to call."""
    await world.platform()
    order = await cancelled(world, lan, email=None)
    alarm = world.operators.gets(
        f"Đơn {order.code}", "Có tin không đến được ai", "Khách chưa biết đơn đã huỷ"
    )
    assert "0909123456" not in alarm.text


async def test_a_customer_hears_nothing_of_a_life_without_trouble(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Confirmed, changed, completed: the platform tells that, if anybody."""
    await lan.phone.taps("Xác nhận đơn hàng")
    await rice.platform.change(rice.id, note="Gọi trước")
    await world.passes_until(rice.deliver_at)
    await lan.phone.says(f"HT {rice.code}")
    lan.catches_up()
    assert world.mailbox.inbox(CUSTOMER) == []
