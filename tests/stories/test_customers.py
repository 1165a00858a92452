"""C1: what a customer is told of an order that will not come."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.orders.commands import CancelOrder
from core.orders.order import Reason
from sandbox.sms import FakeEsms
from tests.stories.world import Placed, Somebody, World, open_world

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


async def test_only_of_what_is_committed(world: World, lan: Somebody) -> None:
    """The cancelling fails when its transaction would commit: nobody is told of anything."""
    await world.platform()
    order = await world.order()
    lan.catches_up()
    await world.database.pool.execute(_NO_CANCELLING)
    answer = await order.platform.cancel(order.id)
    await world.settles()
    assert answer.status >= 400
    assert (await order.shown())["status"] == "pending"
    assert world.inbox(CUSTOMER).unread == []
    order.heard("order.cancelled", times=0)
    await world.database.pool.execute("DROP TRIGGER no_cancelling ON orders")
    assert (await order.platform.cancel(order.id)).status == 200
    await world.settles()
    world.inbox(CUSTOMER).gets("Cơm Ngon: đơn hàng của bạn")
    lan.catches_up()


#: Fails as late as can be: when everything is written and the transaction ends.
_NO_CANCELLING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
CREATE CONSTRAINT TRIGGER no_cancelling AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.status = 'cancelled') EXECUTE FUNCTION refuse();
"""


async def test_an_overdue_order_is_told_too(world: World, lan: Somebody) -> None:
    """In the customer's words, once."""
    await world.platform()
    order = await world.order()
    await world.passes_until(order.deliver_at)
    world.inbox(CUSTOMER).gets("Cơm Ngon: đơn hàng của bạn tại Bếp Lan đã bị huỷ", "Quán chưa kịp nhận đơn")
    world.everybody_catches_up()


async def test_words_of_platforms_and_operators_stay_inside(world: World, lan: Somebody) -> None:
    """What they wrote was not written for the customer."""
    await world.platform()
    order = await world.order()
    await order.platform.cancel(order.id, "khách nợ tiền")
    await world.settles()
    mail = world.inbox(CUSTOMER).gets("Cơm Ngon: đơn hàng của bạn")
    assert "nợ" not in mail.text
    lan.catches_up()


@pytest.fixture
async def texting(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a world with SMS."""
    async with open_world(database_url, redis_url, gateway=FakeEsms, sms_reply_number="8041") as opened:
        yield opened
        opened.nobody_got_more()


async def test_by_sms_and_mail_where_both_are_known(texting: World) -> None:
    """One SMS of one segment, from the platform: which order, when, where, why, and whom to turn to."""
    lan = await texting.kitchen()
    await texting.platform()
    order = await cancelled(texting, lan)
    sms = await texting.text_phone("+84909123456").sees(
        "Com Ngon: don PX-1 (15:12 20/05) cua ban tai Bep Lan da bi huy",
        "Quan dong cua luc do",
        "Lien he Com Ngon de duoc hoan tien hoac dat lai.",
    )
    assert len(sms.text) <= 160
    assert order.code not in sms.text
    texting.inbox(CUSTOMER).gets("Cơm Ngon: đơn hàng của bạn tại Bếp Lan đã bị huỷ", "PX-1")


async def test_by_sms_alone_in_their_language(texting: World) -> None:
    """Where there is no mail; nothing is sent twice, whatever happens to the order afterwards."""
    lan = await texting.kitchen()
    await texting.platform()
    order = await cancelled(texting, lan, email=None, locale="en")
    await texting.text_phone("+84909123456").sees("Com Ngon: your order PX-1", "The kitchen was closed then")
    await order.platform.cancel(order.id)
    await texting.passes_until(order.deliver_at)
    lan.catches_up()


async def test_switched_off_holds_for_sms_too(texting: World) -> None:
    """The platform tells its customers itself."""
    lan = await texting.kitchen()
    await texting.platform(notify_customer=False)
    await cancelled(texting, lan)
