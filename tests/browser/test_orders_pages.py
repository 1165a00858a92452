"""A kitchen's pages as people see them: on a cheap phone and on a desk, with and without JavaScript."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser, Page, expect

from core.actors import Role
from core.orders.commands import CompleteOrder, ConfirmOrder, ReviewOrder
from core.orders.order import Item, Order
from core.orders.status import Status
from core.settings import Settings
from tests.bot.web.conftest import NOON, Site, settings_for, site
from tests.bot.web.sending import MESSAGES, tells

__all__ = ["site"]  # the fixture of tests/bot/web, used here as well

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 860}
LONG = "Cơm gà xối mỡ sốt mật ong nướng than hoa đặc biệt nhiều rau ít cơm"


@pytest.fixture
def settings() -> Settings:
    """Return the usual settings."""
    return settings_for()


def base(site: Site) -> str:
    """Return where the pages are."""
    return str(site.client.make_url("")).rstrip("/")


@asynccontextmanager
async def tab(site: Site, browser: Browser, *, role: Role = Role.OWNER, **screen: Any) -> AsyncIterator[Page]:
    """Yield a tab in which this member is signed in."""
    context = await browser.new_context(locale="vi-VN", **screen)
    secret = await site.signs_in(role)
    await context.add_cookies([{"name": "chotdon", "value": secret, "url": base(site)}])
    yield await context.new_page()
    await context.close()


async def a_busy_day(site: Site) -> dict[str, Order]:
    """Have orders of every status, long words, reviews and messages."""
    completed = await site.completed()
    second = await site.confirmed(deliver_at=NOON + timedelta(minutes=20))
    await site.does(CompleteOrder(second.id))
    words = "Giao trễ 15 phút nhưng đồ ăn còn nóng, nước mắm ngon. " * 3
    await site.ledger.submit(ReviewOrder(second.id, 3, words, ""), actor=site.platform)
    many = tuple(Item(f"{LONG} {n}", 100 + n, 55_000, "không hành, nhiều ớt") for n in range(4))
    total = sum(item.quantity * item.unit_price for item in many) + 50_000
    pending = await site.places(deliver_at=NOON + timedelta(hours=3), items=many, total=total)
    confirmed = await site.confirmed(deliver_at=NOON + timedelta(days=1))
    await tells(site, confirmed, *MESSAGES)
    cancelled = await site.cancelled_by_operator(await site.places(deliver_at=NOON + timedelta(days=2)))
    return {"completed": completed, "pending": pending, "confirmed": confirmed, "cancelled": cancelled}


def pages_of(orders: dict[str, Order]) -> dict[str, str]:
    """Return a page of every sort."""
    return {
        "to do": "/orders",
        "all": "/orders?status=all",
        "chosen days": "/orders?from=2026-11-24&to=2026-11-25",
        "search": "/orders?q=com+ga",
        "nothing found": "/orders?q=pizza",
        "nothing there": "/orders?status=expired",
        **{f"order {name}": f"/orders/{order.code}" for name, order in orders.items()},
        "reasons": f"/orders/{orders['pending'].code}#cancel",
        "summary": "/summary",
        "summary by month": "/summary?from=2026-01-01&to=2026-11-30&by=month",
        "settlement": "/settlement",
        "settlement of nothing": "/settlement?days=lastmonth",
        "reviews": "/reviews",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_no_page_has_a_fault(site: Site, browser: Browser, viewport: Any, scheme: Any) -> None:
    """Nothing that axe can find, and nothing wider than the screen."""
    pages = pages_of(await a_busy_day(site))
    faults: dict[str, object] = {}
    # axe itself is a script: only this test lets one in, which the pages' policy would not.
    async with tab(site, browser, viewport=viewport, color_scheme=scheme, bypass_csp=True) as page:
        for name, path in pages.items():
            await page.goto(base(site) + path)
            await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            found = await Axe().run(page)
            if found.violations_count:
                faults[name] = found.generate_report()
            if await page.evaluate("document.documentElement.scrollWidth") > viewport["width"]:
                faults[f"{name}, width"] = await page.evaluate("document.documentElement.scrollWidth")
    assert faults == {}


async def test_everything_works_without_javascript(site: Site, browser: Browser) -> None:
    """From the list to an order and its button, and back to a list that has changed."""
    order = await site.places()
    async with tab(site, browser, viewport=PHONE, java_script_enabled=False) as page:
        await page.goto(base(site) + "/orders")
        await page.get_by_role("link", name="2.450.000 đ").click()
        await page.get_by_role("button", name="Xác nhận đơn hàng").click()
        await expect(page.locator(".told")).to_contain_text("xác nhận")
        assert (await site.order(order.id)).status is Status.CONFIRMED
        await page.get_by_role("link", name="Về danh sách đơn").click()
        await expect(page.get_by_role("heading", name="Phải giao")).to_be_visible()


async def test_whoever_touches_has_room(site: Site, browser: Browser) -> None:
    """What is pressed on a phone is 48 pixels high at least."""
    await a_busy_day(site)
    async with tab(site, browser, viewport=PHONE) as page:
        for path in ("/orders", "/summary", "/settlement", "/reviews"):
            await page.goto(base(site) + path)
            await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            for part in await page.locator("main .chip, main .button, main .line, main summary").all():
                box = await part.bounding_box()
                assert box is not None
                assert box["height"] >= 47.5, (path, await part.inner_text())


async def test_the_bar_stands_above_the_way_to_the_other_pages(site: Site, browser: Browser) -> None:
    """Neither covers the other on a phone, and the end of the page can be read."""
    order = await site.places()
    async with tab(site, browser, viewport=PHONE) as page:
        await page.goto(f"{base(site)}/orders/{order.code}")
        bar = await page.locator(".bar").bounding_box()
        ways = await page.locator(".places .few").bounding_box()
        await page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        last = await page.locator(".after").bounding_box()
    assert bar
    assert ways
    assert last
    assert bar["y"] + bar["height"] <= ways["y"] + 1
    assert last["y"] + last["height"] <= bar["y"]


async def test_an_open_page_hears_what_a_colleague_did(site: Site, browser: Browser) -> None:
    """The order changes under the reader's eyes, is said aloud, and the page stays where it was."""
    order = await site.places(note="Giao cổng sau. " * 40)
    async with tab(site, browser, viewport=PHONE) as page:
        await page.goto(f"{base(site)}/orders/{order.code}")
        await page.evaluate("window.scrollTo(0, 300)")
        await site.does(ConfirmOrder(order.id))
        await expect(page.locator(".status")).to_have_text("Đã xác nhận", timeout=10_000)
        await expect(page.locator("#heard")).to_contain_text("Đã xác nhận")
        await expect(page.get_by_role("button", name="Xác nhận đơn hàng")).to_have_count(0)
        assert await page.title() == f"Đơn {order.code} · Đã xác nhận · Cơm Nhà Lan"
        assert await page.evaluate("window.scrollY") == 300


async def test_a_form_that_is_being_filled_in_is_left_alone(site: Site, browser: Browser) -> None:
    """What somebody types stays, until they are done with it."""
    order = await site.places()
    async with tab(site, browser, viewport=DESK) as page:
        await page.goto(f"{base(site)}/orders/{order.code}#cancel")
        await page.get_by_label("Lý do khác thì ghi ở đây").fill("Hết gạo")
        await site.does(ConfirmOrder(order.id))
        await page.wait_for_timeout(2_500)
        assert await page.get_by_label("Lý do khác thì ghi ở đây").input_value() == "Hết gạo"
        await page.get_by_label("Lý do khác thì ghi ở đây").fill("")
        await page.get_by_role("link", name="Không huỷ nữa").click()
        await expect(page.locator(".status")).to_have_text("Đã xác nhận", timeout=10_000)


async def test_the_page_of_a_link_hears_too(site: Site, browser: Browser) -> None:
    """Whoever opened it from a message need not sign in for that."""
    order = await site.places()
    context = await browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(base(site) + site.path(order))
    await site.does(ConfirmOrder(order.id))
    await expect(page.locator(".status")).to_have_text("Đã xác nhận", timeout=10_000)
    await context.close()


async def test_no_page_is_wider_than_a_phone_in_english(site: Site, browser: Browser) -> None:
    """English words are longer: nothing scrolls sideways, and no word is broken under the icons."""
    pages = pages_of(await a_busy_day(site))
    await site.database.pool.execute("UPDATE partners SET locale = 'en'")
    async with tab(site, browser, viewport=PHONE) as page:
        for path in pages.values():
            await page.goto(base(site) + path)
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        labels = await page.locator(".places .few span").all()
        heights = [box["height"] for label in labels if (box := await label.bounding_box())]
    assert len(heights) == 5
    assert max(heights) <= 16


async def test_a_long_dish_has_the_width_of_the_page(site: Site, browser: Browser) -> None:
    """Its price goes below it; beside a short one it stays in the same line."""
    items = (Item(LONG, 100, 55_000), Item("Cơm gà", 20, 60_000))
    order = await site.places(items=items, total=6_750_000)
    async with tab(site, browser, viewport=PHONE) as page:
        await page.goto(f"{base(site)}/orders/{order.code}")
        names = [await each.bounding_box() for each in await page.locator(".dishes .name").all()]
        prices = [await each.bounding_box() for each in await page.locator(".dishes .money").all()]
    (long, short), (below, beside) = names, prices
    assert long
    assert short
    assert below
    assert beside
    assert long["width"] >= 200
    assert below["y"] >= long["y"] + long["height"] - 1
    assert beside["y"] < short["y"] + short["height"]
