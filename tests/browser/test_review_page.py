"""The page on which a customer says how it was, on real screens: phone and desk, light and dark."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from core.orders.commands import AnswerReview, CompleteOrder
from core.orders.order import Customer, Order
from core.settings import Settings
from tests.bot.web.conftest import Site, settings_for, site
from tests.browser.axe import violations

__all__ = ["site"]  # the fixture of tests/bot/web, used here as well

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 860}
#: A folder that screenshots of every page are put into, for people to look at.
SHOTS = os.environ.get("TAKE_SHOTS")
CUSTOMER = Customer("Nguyễn Văn An", "+84909123456", "an@example.com", "vi")


@pytest.fixture
def settings() -> Settings:
    """Return the usual settings."""
    return settings_for()


async def delivered(site: Site, locale: str = "vi") -> Order:
    """Return a completed order of a platform that has its customers asked."""
    await site.database.pool.execute("UPDATE platforms SET ask_review = true")
    soon = site.now + timedelta(minutes=30)
    order = await site.confirmed(deliver_at=soon, customer=replace(CUSTOMER, locale=locale))
    await site.does(CompleteOrder(order.id))
    return await site.order(order.id)


def address(site: Site, order: Order) -> str:
    """Return where the link leads."""
    return str(site.client.make_url(f"/r/{site.signer.review(order.id)}"))


@pytest.fixture(
    params=[(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")],
    ids=["phone light", "phone dark", "desk light", "desk dark"],
)
async def tab(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Yield a tab of that screen; the page must not need JavaScript, but axe does."""
    size, scheme = request.param
    context = await browser.new_context(viewport=size, color_scheme=scheme, locale="vi-VN")
    yield await context.new_page()
    await context.close()


async def looked_at(tab: Page, name: str) -> None:
    """Check that nothing is wrong for anybody and nothing runs off the screen; keep a picture if wanted."""
    assert await violations(tab) == []
    wide: Any = await tab.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, name
    if SHOTS:
        width = (tab.viewport_size or PHONE)["width"]
        dark: Any = await tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        await tab.screenshot(
            path=Path(SHOTS) / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True
        )


@pytest.mark.parametrize("locale", ["vi", "en"])
async def test_every_state_of_the_page(site: Site, tab: Page, locale: str) -> None:
    """Asked, refused, said, answered, over: each can be read and used by everybody."""
    order = await delivered(site, locale)
    await tab.goto(address(site, order))
    await looked_at(tab, f"asked-{locale}")
    assert await tab.locator("#website").is_visible() is False or await _is_off_screen(tab)
    await tab.locator("input[value='4']").check()
    await tab.locator("#comment").fill("Cơm nóng, hơi ít rau.\nNước chấm ngon! https://a.vn 0909 999 888")
    await tab.locator("button[type=submit]").click()
    await looked_at(tab, f"said-{locale}")
    assert await tab.locator("blockquote a").count() == 0
    await site.does(AnswerReview(order.id, "Cảm ơn bạn, lần sau quán thêm rau nhé!"))
    await tab.reload()
    assert "lần sau quán thêm rau" in await tab.inner_text("main")
    await looked_at(tab, f"answered-{locale}")


async def test_closed_and_wrong_links(site: Site, tab: Page) -> None:
    """They say what to do instead."""
    order = await delivered(site)
    await tab.goto(address(site, order)[:-1])
    await looked_at(tab, "wrong")
    await site.database.pool.execute("UPDATE platforms SET ask_review = false")
    await tab.goto(address(site, order))
    await looked_at(tab, "closed")


async def test_stars_are_big_enough_for_thumbs(site: Site, tab: Page) -> None:
    """Each choice is 48 px high and chosen by its whole line; the keyboard chooses too."""
    order = await delivered(site)
    await tab.goto(address(site, order))
    for choice in await tab.locator(".rating .choice").all():
        box = await choice.bounding_box()
        assert box is not None
        assert box["height"] >= 48
    await tab.locator(".rating .choice").nth(1).click()
    assert await tab.locator("input[value='4']").is_checked()
    await tab.keyboard.press("ArrowDown")
    assert await tab.locator("input[value='3']").is_checked()


async def _is_off_screen(tab: Page) -> bool:
    box = await tab.locator("#website").bounding_box()
    return box is not None and box["x"] + box["width"] <= 0
