"""What a customer says by the link that their platform lets us send."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from core.masking import mask_orders
from sandbox.sms import FakeEsms
from tests.stories.browser import Browser, Page, open_browser
from tests.stories.world import VIETNAM, Placed, Somebody, World, open_world

CUSTOMER = "an@example.com"


async def delivered(world: World, order: Placed, by: Somebody) -> None:
    """Let the kitchen confirm, deliver in time and complete."""
    await by.phone.says(f"XN {order.code}")
    await world.passes_until(order.deliver_at)
    await by.phone.says(f"HT {order.code}")
    by.catches_up()


@pytest.fixture
async def eaten(world: World, lan: Somebody) -> Placed:
    """Return an order of a platform that has its customers asked, delivered at 15:12 and completed."""
    await world.platform(ask_review=True)
    order = await world.order()
    await delivered(world, order, lan)
    return order


def link_of(world: World) -> str:
    """Return the link in the mail that asks the customer."""
    mail = world.inbox(CUSTOMER).gets("Cơm Ngon: món của Bếp Lan có ngon không?", "20 × Cơm gà")
    ((_, link),) = mail.links()
    assert link.startswith(f"{world.url}/r/")
    return link


async def says(page: Page, **fields: str) -> Page:
    """Send the form of the page."""
    (address,) = page.forms
    return await page.presses(address, **fields)


async def test_a_customer_says_how_it_was(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """Asked once; the kitchen hears it by mail and chat, the platform by webhook, from a customer."""
    page = await browser.opens(link_of(world))
    assert page.status == 200
    for shown in ("Cơm Ngon", "Bếp Lan", "thứ Sáu 20/05", "20 × Cơm gà"):
        assert shown in page.text
    for hidden in ("Công ty ABC", "0909123456", "Lê Lợi", "900.000", "Giao cổng sau"):
        assert hidden not in page.html
    thanked = await says(page, rating="5", comment="Cơm nóng,\r\ngiao đúng giờ", name="Chị Mai")
    assert (thanked.status, "Cảm ơn bạn đã đánh giá" in thanked.text) == (200, True)
    assert "5 trên 5 sao Cơm nóng, giao đúng giờ" in thanked.text
    title = f"Đơn {eaten.code} được khách chấm 5/5"
    await lan.phone.sees(title, "★★★★★ 5/5", "Cơm nóng", "Chị Mai")
    lan.mail.gets(title, "Chị Mai")
    told = eaten.heard("order.reviewed")["data"]
    assert (told["review"]["rating"], told["review"]["comment"]) == (5, "Cơm nóng,\ngiao đúng giờ")
    assert told["events"][-1]["by"] == {"channel": "customer", "name": "Khách"}


async def test_one_review_for_each_order(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """Who comes back sees what was said; two forms at once are one review."""
    link = link_of(world)
    first, second = await browser.opens(link), await browser.opens(link)
    await says(first, rating="4", comment="Ngon")
    again = await says(second, rating="1", comment="Dở")
    assert "4 trên 5 sao Ngon" in again.text
    assert "Dở" not in again.text
    assert (await browser.opens(link)).forms == {}
    lan.catches_up()
    eaten.heard("order.reviewed", times=1)


async def test_opening_the_link_changes_nothing(world: World, eaten: Placed, browser: Browser) -> None:
    """However often a mail app looks behind it."""
    link = link_of(world)
    for method in ("GET", "HEAD", "GET"):
        assert (await browser.asks(method, link)).status == 200
    assert (await eaten.shown())["review"] is None


async def test_what_the_platform_passed_on_stays(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """The link replaces nothing; the platform may replace what came by the link."""
    page = await browser.opens(link_of(world))
    await eaten.platform.review(eaten.id, 3, "Hơi mặn")
    await world.settles()
    shown = await says(page, rating="5", comment="Ngon")
    assert "3 trên 5 sao Hơi mặn" in shown.text
    assert (await eaten.platform.review(eaten.id, 4, "Thật ra ngon")).status == 200
    await world.settles()
    assert (await eaten.shown())["review"]["rating"] == 4
    lan.catches_up()


async def test_who_said_it_on_the_platform_is_not_asked(world: World, lan: Somebody) -> None:
    """Completed at night, reviewed on the platform before the morning."""
    await world.platform(ask_review=True)
    order = await world.order(deliver_in=timedelta(hours=12))
    await delivered(world, order, lan)
    await order.platform.review(order.id, 5, "Ngon")
    await world.passes(timedelta(hours=12))
    lan.catches_up()
    assert world.inbox(CUSTOMER).unread == []


async def test_nobody_is_asked_at_night(world: World, lan: Somebody) -> None:
    """Completed at 21:12, asked at 08:00 in the kitchen's zone."""
    await world.platform(ask_review=True)
    order = await world.order(deliver_in=timedelta(hours=12))
    await delivered(world, order, lan)
    await world.passes_until(datetime(2033, 5, 21, 7, 59, tzinfo=VIETNAM))
    assert world.inbox(CUSTOMER).unread == []
    await world.passes_until(datetime(2033, 5, 21, 8, 0, tzinfo=VIETNAM))
    link_of(world)


async def test_only_platforms_that_want_it(world: World, rice: Placed, lan: Somebody) -> None:
    """By default nobody's customers are asked."""
    await delivered(world, rice, lan)
    assert world.inbox(CUSTOMER).unread == []


async def test_a_customer_is_asked_in_their_own_language(
    world: World, lan: Somebody, browser: Browser
) -> None:
    """Mail and page."""
    await world.platform(ask_review=True)
    customer = {"name": "Ann", "phone": "0909123456", "email": CUSTOMER, "locale": "en"}
    order = await world.order(customer=customer)
    await delivered(world, order, lan)
    mail = world.inbox(CUSTOMER).gets("Cơm Ngon: how was the food from Bếp Lan?")
    page = await browser.opens(mail.links()[0][1])
    assert "How many stars?" in page.text


async def test_what_cannot_be_taken_is_said_and_nothing_is_lost(
    world: World, eaten: Placed, browser: Browser
) -> None:
    """No stars, too many words, a form of another page: what was typed stays in its field."""
    page = await browser.opens(link_of(world))
    unrated = await says(page, comment="<b>Ngon</b> http://a.vn 0909999888")
    assert (unrated.status, "chưa chọn số sao" in unrated.text) == (422, True)
    assert "&lt;b&gt;Ngon&lt;/b&gt; http://a.vn" in unrated.html
    assert "<a " not in unrated.html
    assert (await says(page, rating="9")).status == 422
    assert (await says(page, rating="5", comment="n" * 501)).status == 422
    assert (await says(page, rating="5", nonce="stale")).status == 403
    assert (await eaten.shown())["review"] is None


async def test_a_form_on_another_site_says_nothing(world: World, eaten: Placed, browser: Browser) -> None:
    """Even with a nonce of ours in it."""
    page = await browser.opens(link_of(world))
    ((address, nonce),) = page.forms.values()
    form, elsewhere = {"nonce": nonce, "rating": "1"}, {"Origin": "https://evil.example"}
    async with browser.session.post(f"{world.url}{address}", data=form, headers=elsewhere) as answer:
        assert answer.status == 403
    assert (await eaten.shown())["review"] is None


async def test_a_program_that_fills_in_everything_says_nothing(
    world: World, eaten: Placed, browser: Browser
) -> None:
    """It is answered as if all were well."""
    page = await browser.opens(link_of(world))
    answered = await says(page, rating="5", comment="Buy now", website="http://spam.vn")
    assert answered.status == 200
    assert (await eaten.shown())["review"] is None


async def test_who_sends_without_end_has_to_wait(world: World, eaten: Placed, browser: Browser) -> None:
    """Twenty forms of one order in an hour."""
    page = await browser.opens(link_of(world))
    for _ in range(20):
        assert (await says(page, rating="0")).status == 422
    assert (await says(page, rating="5")).status == 429
    await world.passes(timedelta(hours=1))
    assert (await says(page, rating="5")).status == 200
    world.everybody_catches_up()


async def test_a_link_that_is_over_or_forged_says_so(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """A changed sign: not found. Thirty days later: closed, for looking and for sending."""
    link = link_of(world)
    page = await browser.opens(link)
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    for wrong in (forged, f"{world.url}/r/x", f"{link}AAAA"):
        found = await browser.opens(wrong)
        assert (found.status, "Không có trang đánh giá này" in found.text) == (404, True)
    await world.passes(timedelta(days=30))
    closed = await browser.opens(link)
    assert (closed.status, "Trang đánh giá này đã đóng" in closed.text) == (410, True)
    assert (await says(page, rating="5")).status == 410
    assert (await eaten.shown())["review"] is None


async def test_a_platform_that_changes_its_mind_closes_the_page(
    world: World, eaten: Placed, browser: Browser
) -> None:
    """Links that were sent are revoked with it."""
    link = link_of(world)
    await world.database.pool.execute("UPDATE platforms SET ask_review = false")
    assert (await browser.opens(link)).status == 410


async def test_a_customer_without_an_address_is_nobodys_trouble(world: World, lan: Somebody) -> None:
    """A phone alone, and no links in SMS: nobody is asked, nobody is alarmed."""
    await world.platform(ask_review=True)
    order = await world.order(customer={"name": "An", "phone": "0909123456", "locale": "vi"})
    await delivered(world, order, lan)
    assert world.operators.unread == []


async def test_few_stars_are_an_operators_matter(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """At once, with the words and the way to the order; a better review later opens nothing anew."""
    page = await browser.opens(link_of(world))
    await says(page, rating="2", comment="Nguội ngắt", name="An")
    alarm = world.operators.gets(f"Đơn {eaten.code} của Bếp Lan bị khách chấm 2/5", "★★☆☆☆ 2/5", "Nguội ngắt")
    assert f"{world.url}/ops/orders/{eaten.id}" in [link for _, link in alarm.links()]
    await eaten.platform.review(eaten.id, 5, "Đã được bù")
    await world.settles()
    lan.catches_up()
    assert world.operators.unread == []


async def test_few_stars_by_the_platform_are_one_too(world: World, rice: Placed, lan: Somebody) -> None:
    """Whichever way they came."""
    await delivered(world, rice, lan)
    await rice.platform.review(rice.id, 1, "Có tóc")
    await world.settles()
    world.operators.gets("bị khách chấm 1/5", "Có tóc")
    lan.catches_up()


@pytest.fixture
async def texting(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a world whose SMS may carry links."""
    async with open_world(
        database_url, redis_url, gateway=FakeEsms, sms_reply_number="8041", sms_links=True
    ) as opened:
        yield opened
        opened.nobody_got_more()


async def test_a_link_by_sms_where_links_are_allowed(texting: World) -> None:
    """One SMS with the whole link, which opens the same page."""
    lan = await texting.kitchen()
    await texting.platform(ask_review=True)
    order = await texting.order(customer={"name": "An", "phone": "0909123456", "locale": "vi"})
    await delivered(texting, order, lan)
    sms = await texting.text_phone("+84909123456").sees("Com Ngon: mon cua Bep Lan co ngon khong?")
    assert len(sms.text) <= 160
    async with open_browser(texting) as browser:
        page = await browser.opens(sms.text.rpartition(" ")[2])
        assert (page.status, "Bạn chấm mấy sao?" in page.text) == (200, True)


async def test_the_record_names_no_customer(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """Who said it is a customer; the name they gave stands in the review alone."""
    await says(await browser.opens(link_of(world)), rating="5", name="Chị Mai")
    lan.catches_up()
    rows = await world.database.pool.fetch("SELECT by FROM events WHERE type = 'order.reviewed'")
    assert [row["by"] for row in rows] == [{"via": "customer", "name": "Khách", "id": None}]
    assert "Mai" not in json.dumps([row["by"] for row in rows])


async def test_a_forgotten_customers_link_is_over(world: World, eaten: Placed, browser: Browser) -> None:
    """Nobody knows any more whose order it was."""
    link = link_of(world)
    async with world.database.pool.acquire() as connection, connection.transaction():
        await mask_orders(connection, [eaten.order_id])
    assert (await browser.opens(link)).status == 410


async def test_a_webhook_and_a_page_say_the_same_of_who_said_it(
    world: World, eaten: Placed, lan: Somebody, browser: Browser
) -> None:
    """The kitchen's own page tells that a customer left it, and shows links in it as words."""
    page = await browser.opens(link_of(world))
    await says(page, rating="3", comment="Xem http://a.vn <script>")
    mail = lan.mail.gets("được khách chấm 3/5")
    inside = await browser.opens(dict(mail.links())["Xem chi tiết đơn hàng"])
    assert "Khách đánh giá · khách" in inside.text
    assert "Xem http://a.vn &lt;script&gt;" in inside.html
    assert 'href="http://a.vn' not in inside.html
    lan.catches_up()
