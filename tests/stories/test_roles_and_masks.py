"""What a card carries: money and buttons by role, the customer only as far as the kitchen needs to know."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from tests.stories.browser import Browser
from tests.stories.world import Placed, Somebody, World

BOTH = ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]
MONEY = "900.000"


async def a_colleague(world: World, role: str) -> Somebody:
    """Return a colleague who is told of everything."""
    return await world.hires("Tú", role, email="tu@example.com", notify=True)


async def test_the_cook_has_the_buttons_and_not_the_money(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """Neither in the chat nor in the mail nor on the page."""
    tu = await a_colleague(world, "kitchen")
    await world.order()
    card = await tu.phone.sees("mới, chờ bạn xác nhận", "20 suất")
    mail = tu.mail.gets("mới, chờ bạn xác nhận")
    page = await browser.opens(mail.link("Xem chi tiết đơn hàng"))
    assert tu.phone.buttons(card) == BOTH
    assert [label for label, _ in mail.links()] == BOTH
    assert MONEY not in card.text + mail.text + mail.html + page.html
    assert set(page.forms) == {"confirm", "cancel"}
    lan.catches_up()


async def test_the_cashier_has_the_money_and_not_the_buttons(
    world: World, platform: FakePlatform, lan: Somebody, browser: Browser
) -> None:
    """Only the details link."""
    vy = await a_colleague(world, "cashier")
    await world.order()
    card = await vy.phone.sees("mới", MONEY)
    mail = vy.mail.gets("mới", MONEY)
    page = await browser.opens(mail.link("Xem chi tiết đơn hàng"))
    assert vy.phone.buttons(card) == ["Xem chi tiết đơn hàng"]
    assert [label for label, _ in mail.links()] == ["Xem chi tiết đơn hàng"]
    assert page.forms == {}
    assert MONEY in page.text
    lan.catches_up()


@pytest.mark.parametrize("words", ["XN {code}", "HUY {code} 1", "HT {code}"])
async def test_the_cashiers_words_do_nothing(world: World, rice: Placed, lan: Somebody, words: str) -> None:
    """The answer tells who may."""
    vy = await world.hires("Vy", "cashier")
    await vy.phone.says(words.format(code=rice.code))
    card = await vy.phone.sees(f"Bạn không bấm cho đơn {rice.code} được", "Nhờ chủ quán, quản lý hoặc bếp")
    assert vy.phone.buttons(card) == ["Xem chi tiết đơn hàng"]
    assert (await rice.shown())["version"] == 1


async def test_the_cook_is_not_told_of_money(world: World, rice: Placed, lan: Somebody) -> None:
    """Not by `TIEN`, not by a list, not by the history of an order."""
    tu = await world.hires("Tú", "kitchen")
    await tu.phone.says("TIEN")
    await tu.phone.sees("Vai của bạn không xem được tiền")
    for words in ("DS", "HN", f"CT {rice.code}"):
        await tu.phone.says(words)
        (bubble,) = tu.phone.person.reads_all()
        assert rice.code in bubble.text
        assert MONEY not in bubble.text


async def test_the_cook_completes_without_reading_the_amount(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The request and the thanks are without money for her."""
    tu = await a_colleague(world, "kitchen")
    order = await world.order()
    await tu.phone.taps("Xác nhận đơn hàng")
    await world.passes_until(order.deliver_at + timedelta(minutes=10))
    await tu.phone.taps("Hoàn thành")
    seen = [bubble.text for bubble in tu.phone.person.received]
    written = [mail.text + mail.html for mail in world.mailbox.inbox("tu@example.com")]
    assert any("Đã hoàn thành" in text for text in seen)
    assert MONEY not in "".join(seen + written)
    assert any(MONEY in bubble.text for bubble in lan.phone.person.received)
    world.everybody_catches_up()


async def test_before_confirmation_the_customer_is_masked_and_the_address_shows(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """A kitchen must know where to before it says yes, not whom to call."""
    mail = world.mailbox.inbox(lan.mail.address)[0]
    page = await browser.opens(mail.link("Xem chi tiết đơn hàng"))
    card = lan.phone.person.received[-1]
    for text in (card.text, mail.text, mail.html, page.text):
        assert "C••• t• A•• · 09•••456" in text or ("C••• t• A••" in text and "09•••456" in text)
        assert "12 Lê Lợi, Quận 1, TP.HCM" in text
        assert "Công ty ABC" not in text
        assert "0909123456" not in text
        assert "an@example.com" not in text


async def test_after_confirmation_the_customer_shows(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """By name and phone, in the chat and on the page."""
    await lan.phone.taps("Xác nhận đơn hàng")
    card = await lan.phone.sees("Công ty ABC · 0909123456")
    page = await browser.opens(lan.phone.person.link("Xem chi tiết đơn hàng", on=card))
    assert "Công ty ABC" in page.text
    assert 'href="tel:+84909123456"' in page.html


async def test_a_declined_order_does_not_show_its_customer(world: World, rice: Placed, lan: Somebody) -> None:
    """A kitchen that said no has no business with them."""
    await lan.phone.says(f"HUY {rice.code} 1")
    world.everybody_catches_up()
    await lan.phone.says(f"CT {rice.code}")
    card = await lan.phone.sees("09•••456")
    assert "Công ty ABC" not in card.text


async def test_30_days_after_delivery_all_is_masked(
    world: World, rice: Placed, lan: Somebody, browser: Browser
) -> None:
    """Name, phone and address, in the chat and on the page; on the 29th day they still show."""
    await lan.phone.taps("Xác nhận đơn hàng")
    link = lan.phone.person.link("Xem chi tiết đơn hàng")
    await world.passes_until(rice.deliver_at + timedelta(days=29, hours=23))
    world.everybody_catches_up()
    await lan.phone.says(f"CT {rice.code}")
    await lan.phone.sees("Công ty ABC · 0909123456", "12 Lê Lợi")
    await world.passes(timedelta(hours=2))
    await lan.phone.says(f"CT {rice.code}")
    card = await lan.phone.sees("•••, TP.HCM", "C••• t• A•• · 09•••456")
    page = await browser.opens(link)
    for text in (card.text, page.html):
        assert not any(hidden in text for hidden in ("Lê Lợi", "Công ty", "0909123456", "84909123456"))
    world.everybody_catches_up()


async def test_the_operators_alarm_masks_the_customer(world: World, rice: Placed, lan: Somebody) -> None:
    """It goes by mail; what an operator needs is the kitchen."""
    await world.passes_until(rice.deliver_at - timedelta(minutes=59))
    alarm = world.operators.gets("chưa được xác nhận")
    assert not any(hidden in alarm.text for hidden in ("Công ty ABC", "0909123456"))
    world.everybody_catches_up()
