"""N1: a new order, for the kitchen to confirm or to cancel."""

from datetime import timedelta

from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World

BOTH = ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]


async def test_a_new_order_reaches_the_chat_with_both_buttons_and_the_details(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan sees when, how much, what, where to, the note and through whom, and can act at once."""
    order = await world.order()
    card = await lan.phone.sees(
        f"Đơn {order.code} mới, chờ bạn xác nhận",
        "Giao 15:12 thứ Sáu 20/05",
        "20 suất · 900.000 đ",
        "20 × Cơm gà",
        "12 Lê Lợi, Quận 1, TP.HCM",
        "Giao cổng sau",
        "Đặt qua Cơm Ngon",
    )
    assert lan.phone.buttons(card) == BOTH
    assert lan.phone.person.link("Xem chi tiết đơn hàng", on=card).startswith(f"{world.url}/o/")
    lan.mail.opens_all()


async def test_a_new_order_reaches_the_mailbox_with_both_buttons_and_the_details(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The mail says the same as the chat, as text and as HTML, and its buttons are links."""
    order = await world.order()
    mail = lan.mail.gets(
        f"Đơn {order.code} mới", "Giao 15:12 thứ Sáu 20/05", "900.000 đ", "20 × Cơm gà", "Giao cổng sau"
    )
    assert [label for label, _ in mail.links()] == BOTH
    assert "20 × Cơm gà" in mail.html
    lan.phone.person.reads_all()


async def test_recipients_are_told_and_nobody_else(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The owner, every manager and whoever was added with --notify hear of it; cook and cashier do not."""
    minh = await world.hires("Minh", "manager", email="minh@example.com")
    hoa = await world.hires("Hoa", "kitchen", notify=True)
    await world.hires("Tú", "kitchen", email="tu@example.com")
    await world.hires("Vy", "cashier", email="vy@example.com")
    order = await world.order()
    title = f"Đơn {order.code} mới, chờ bạn xác nhận"
    assert lan.catches_up() == News(chat=(title,), mail=(title,))
    assert minh.catches_up() == News(chat=(title,), mail=(title,))
    assert hoa.catches_up() == News(chat=(title,))


async def test_who_has_no_chat_gets_the_mail_alone(world: World, platform: FakePlatform) -> None:
    """A kitchen that has not linked any chat yet still hears of its orders."""
    lan = await world.kitchen(zalo=False)
    order = await world.order()
    assert lan.catches_up() == News(mail=(f"Đơn {order.code} mới, chờ bạn xác nhận",))


async def test_who_has_no_email_gets_the_chat_alone(world: World, platform: FakePlatform) -> None:
    """A mailbox is no condition for anything."""
    lan = await world.kitchen(email=None)
    order = await world.order()
    assert lan.catches_up() == News(chat=(f"Đơn {order.code} mới, chờ bạn xác nhận",))


async def test_two_people_who_share_a_mailbox_get_one_mail(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan and Minh read the same mailbox: it holds one copy."""
    minh = await world.hires("Minh", "manager", email="lan@example.com")
    await world.order()
    assert len(lan.catches_up().mail) == 1
    assert len(minh.catches_up().chat) == 1


async def test_an_order_that_is_placed_again_is_told_once(world: World, rice: Placed) -> None:
    """A platform that repeats itself gets the same order, and the kitchen hears nothing more."""
    again = await rice.platform.place({name: rice.body[name] for name in _PLACED})
    await world.settles()
    assert (again.status, again.body["id"], again.body["code"]) == (200, rice.id, rice.code)
    rice.heard("order.placed", times=1)


_PLACED = (
    "external_id",
    "partner",
    "deliver_at",
    "customer",
    "address",
    "note",
    "items",
    "total",
    "currency",
)


async def test_every_order_of_a_kitchen_has_its_own_code(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Five digits each, none twice."""
    orders = [await world.order() for _ in range(5)]
    codes = {order.code for order in orders}
    assert len(codes) == 5
    assert all(len(code) == 5 and code.isdigit() for code in codes)
    world.everybody_catches_up()


async def test_an_order_in_the_past_is_refused_and_told_to_nobody(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Nothing is stored of an order that could not be delivered any more."""
    body = {
        "external_id": "PX-LATE",
        "partner": "com-nha-lan",
        "deliver_at": (world.now - timedelta(minutes=1)).isoformat(),
        "customer": {"name": "Công ty ABC", "phone": "0909123456"},
        "address": "12 Lê Lợi",
        "items": [{"name": "Cơm gà", "quantity": 1, "unit_price": 45_000}],
        "total": 45_000,
    }
    answer = await platform.place(body)
    await world.settles()
    assert answer.status == 422
    assert answer.body["errors"][0]["loc"] == ["deliver_at"]
