"""O*: what the operators are told of, each thing once."""

from datetime import timedelta

from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World


async def test_a_notice_that_reaches_nobody(world: World, platform: FakePlatform) -> None:
    """A kitchen without chat whose mail server knows nobody of that name."""
    lan = await world.kitchen(zalo=False)
    world.mailbox.refuse("lan@example.com", "550 5.1.1 No such user", times=None)
    order = await world.order()
    alarm = world.operators.gets(
        f"Đơn {order.code} của Bếp Lan: Có tin không đến được ai", "Quán chưa biết có đơn mới"
    )
    assert [label for label, _ in alarm.links()] == ["Mở trang tổng đài", "Xem chi tiết đơn hàng"]
    assert lan.catches_up() == News()


async def test_one_way_that_fails_is_no_alarm_while_another_works(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The mail bounced, the chat arrived: the kitchen knows."""
    world.mailbox.refuse("lan@example.com", "550 5.1.1 No such user", times=None)
    await world.order()
    assert len(lan.catches_up().chat) == 1
    assert world.operators.unread == []


async def test_a_dead_webhook(world: World, rice: Placed, lan: Somebody) -> None:
    """A platform that has been away for days: when the last try has failed somebody has to look."""
    rice.platform.status_next(500, times=None)
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    for _ in range(12):
        await world.passes(timedelta(hours=25))
    world.operators.gets(f"Đơn {rice.code} của Bếp Lan: Không báo được cho nền tảng", "Cơm Ngon", "HTTP 500")
    rice.heard("order.confirmed", times=0)
    world.everybody_catches_up()


async def test_zalo_does_not_take_the_token_any_more(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The mail goes on; the operators are told once what to do, however many orders come."""
    world.zalo.tokens.revoke()
    for _ in range(3):
        await world.order()
    news = lan.catches_up()
    assert (len(news.chat), len(news.mail)) == (0, 3)
    world.operators.gets("chotdon zalo authorize")


async def test_an_order_at_risk(world: World, rice: Placed, lan: Somebody) -> None:
    """With the last step before delivery, once, with the kitchen's name and when it is due."""
    await world.passes_until(rice.deliver_at - timedelta(hours=1))
    alarm = world.operators.gets(f"Đơn {rice.code} của Bếp Lan chưa được xác nhận", "Giao 15:12")
    assert "còn " in alarm.text
    await world.passes_until(rice.deliver_at)
    world.everybody_catches_up()
    assert (
        len([m for m in world.mailbox.inbox(world.operators.address) if "chưa được xác nhận" in m.subject])
        == 1
    )
