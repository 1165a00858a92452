"""The same in English, for a kitchen or a person who asks for it."""

from datetime import timedelta

from sandbox.platform import FakePlatform
from tests.stories.browser import Browser
from tests.stories.world import News, Somebody, World

VIETNAMESE = ("Đơn hàng", "Đơn mới", "Giao lúc", "Giao đến", "xác nhận", "suất", "Khách", "thứ ")
BOTH = ["Confirm order", "Cancel order", "View order details"]


async def test_an_english_kitchen(world: World, platform: FakePlatform, browser: Browser) -> None:
    """Cards, buttons, answers, mails and pages: no Vietnamese but names and dishes."""
    lan = await world.kitchen(locale="en")
    order = await world.order()
    card = await lan.phone.sees(f"Order {order.code}", "15:12 Fri", "900.000 đ", "20 × Cơm gà")
    assert lan.phone.buttons(card) == BOTH
    mail = lan.mail.gets(f"Order {order.code}")
    assert [label for label, _ in mail.links()] == BOTH
    page = await browser.opens(mail.link("View order details"))
    assert "Confirm order" in page.text
    assert '<html lang="en"' in page.html
    await lan.phone.taps("Confirm order")
    told = await lan.phone.sees(f"Order {order.code}")
    for text in (card.text, mail.text, page.text, told.text):
        assert [word for word in VIETNAMESE if word in text] == []


async def test_a_whole_life_in_english(world: World, platform: FakePlatform) -> None:
    """Asked for, completed, thanked, reviewed; declined with a reason of the list."""
    lan = await world.kitchen(locale="en")
    order, second = await world.order(), await world.order()
    lan.catches_up()
    await lan.phone.says(f"CANCEL {second.code} 1")
    await lan.phone.sees(f"Order {second.code} is cancelled", "Reason: Sold out")
    world.everybody_catches_up()
    await lan.phone.says(f"OK {order.code}")
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    lan.catches_up()
    await lan.phone.taps("Complete")
    world.everybody_catches_up()
    await platform.review(order.id, 5, "Ngon", "Mai")
    await world.settles()
    rated = f"Order {order.code} was rated 5/5"
    assert lan.catches_up() == News(chat=(rated,), mail=(rated,))


async def test_a_person_chooses_their_language(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """`EN` and `VI`, for that person alone, from then on and in mails too."""
    minh = await world.hires("Minh", "manager", email="minh@example.com")
    await minh.phone.says("EN")
    await minh.phone.sees("From now on I speak English with you")
    order = await world.order()
    assert minh.catches_up().mail[0].startswith(f"Order {order.code}")
    assert lan.catches_up().mail[0].startswith(f"Đơn {order.code}")
    await minh.phone.says("VI")
    await minh.phone.sees("Từ nay mình nói tiếng Việt với bạn")
    second = await world.order()
    assert minh.catches_up().mail[0].startswith(f"Đơn {second.code}")
    lan.catches_up()
