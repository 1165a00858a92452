from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser, Locator, Page

from core.orders.status import Status
from core.settings import Settings
from tests.bot.web.conftest import NOON, Site, settings_for, site
from tests.bot.web.sending import MESSAGES, tells

__all__ = ["site"]  # the fixture of tests/bot/web, used here as well

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 860}


@pytest.fixture
def settings() -> Settings:
    """Return the usual settings."""
    return settings_for()


@dataclass(frozen=True, slots=True)
class Tab:
    """A browser tab on our pages."""

    page: Page
    base: str

    async def opens(self, path: str) -> None:
        """Open a page of ours."""
        await self.page.goto(self.base + path)

    async def reads(self) -> str:
        """Return what can be read."""
        return await self.page.inner_text("body")

    async def presses(self, label: str) -> None:
        """Press what has this label, button or link."""
        await (await self.finds(label)).click()

    async def finds(self, label: str) -> Locator:
        """Return the button or the link with this label."""
        button = self.page.get_by_role("button", name=label)
        return button if await button.count() else self.page.get_by_role("link", name=label)


@pytest.fixture
async def phone(browser: Browser, site: Site) -> AsyncIterator[Tab]:
    """Yield a tab on a small phone without JavaScript."""
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    yield Tab(await context.new_page(), str(site.client.make_url("")).rstrip("/"))
    await context.close()


async def test_confirm_on_a_phone_without_javascript(site: Site, phone: Tab) -> None:
    """Open the mail's link, press the big button, read what happened and what comes next."""
    order = await site.places()
    await phone.opens(site.path(order) + "#confirm")
    await phone.presses("Xác nhận đơn hàng")
    assert "Giao xong, bấm Hoàn thành" in await phone.reads()
    assert (await site.order(order.id)).status is Status.CONFIRMED
    await phone.page.reload()
    assert (await site.order(order.id)).version == 2


async def test_cancel_on_a_phone_without_javascript(site: Site, phone: Tab) -> None:
    """The mail's link leads to the reasons; one must be chosen."""
    order = await site.places()
    await phone.opens(site.path(order))
    assert not await phone.page.get_by_label("Hết món").is_visible()
    await phone.presses("Huỷ đơn hàng")
    assert not await phone.page.get_by_role("button", name="Xác nhận đơn hàng").is_visible()
    await phone.presses("Huỷ đơn này")
    assert (await site.order(order.id)).status is Status.PENDING
    await phone.page.get_by_label("Hết món").check()
    await phone.presses("Huỷ đơn này")
    assert "Lý do: Hết món" in await phone.reads()
    assert (await site.order(order.id)).status is Status.CANCELLED


async def test_changing_ones_mind_about_cancelling(site: Site, phone: Tab) -> None:
    """The reasons go away again and the buttons are back."""
    order = await site.places()
    await phone.opens(site.path(order) + "#cancel")
    assert await phone.page.get_by_label("Hết món").is_visible()
    await phone.presses("Không huỷ nữa")
    assert not await phone.page.get_by_label("Hết món").is_visible()
    assert await phone.page.get_by_role("button", name="Xác nhận đơn hàng").is_visible()


async def test_the_bar_is_under_the_thumb(site: Site, phone: Tab) -> None:
    """The buttons stay at the bottom of the screen, big enough, and cover nothing at the page's end."""
    order = await site.places()
    await phone.opens(site.path(order))
    for label in ("Xác nhận đơn hàng", "Huỷ đơn hàng"):
        role = phone.page.get_by_role("button", name=label)
        box = await (
            role if await role.count() else phone.page.get_by_role("link", name=label)
        ).bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert PHONE["height"] - 200 < box["y"] < PHONE["height"] - 48
    for choice in ("#cancel .choice", "#cancel .button", "#note"):
        await phone.opens(site.path(order) + "#cancel")
        for part in await phone.page.locator(choice).all():
            box = await part.bounding_box()
            assert box is not None
            assert box["height"] >= 48


async def test_nothing_is_wider_than_the_phone(site: Site, browser: Browser) -> None:
    """Long words and amounts wrap."""
    order = await site.places(note="ghichú" * 60, address="đường" * 60)
    context = await browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{str(site.client.make_url('')).rstrip('/')}{site.path(order)}")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await context.close()


async def test_what_was_sent_opens_without_javascript(site: Site, phone: Tab) -> None:
    """Closed until somebody asks, wide enough for a thumb, and nothing of it leaves the screen."""
    order = await site.places()
    await tells(site, order, *MESSAGES)
    await phone.opens(site.path(order))
    summary, line = phone.page.locator(".sent summary"), phone.page.get_by_text("Nhắc xác nhận")
    assert not await line.is_visible()
    box = await summary.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    await summary.click()
    assert await line.is_visible()
    last = await phone.page.locator(".sent li").last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= PHONE["width"]


async def _paths(site: Site) -> dict[str, str]:
    """Return a page of every sort."""
    waiting, taken = await site.places(), await site.confirmed(deliver_at=NOON + timedelta(hours=1))
    changed = await site.places()
    old_link = site.path(changed)
    await site.changed(changed, deliver_at=NOON + timedelta(hours=2))
    done = await site.completed()
    await tells(site, taken, *MESSAGES)
    return {
        "expired": site.path(waiting),
        "reasons": f"{site.path(await site.places(deliver_at=NOON + timedelta(days=1)))}#cancel",
        "outdated": old_link,
        "confirmed": site.path(taken),
        "completed": site.path(done),
        "answered": (await site.presses(site.path(taken), "complete")).url.partition("/o/")[2],
        "front": "/",
        "not found": "/o/x",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_axe_finds_nothing(site: Site, browser: Browser, viewport: Any, scheme: Any) -> None:
    """No page has a fault that a machine can find, in either colour scheme, small or large."""
    base = str(site.client.make_url("")).rstrip("/")
    # axe itself is a script: only this test lets one in, which the pages' policy would not.
    context = await browser.new_context(
        viewport=viewport, color_scheme=scheme, locale="vi-VN", bypass_csp=True
    )
    page = await context.new_page()
    faults = {}
    for name, path in (await _paths(site)).items():
        await page.goto(base + (path if path.startswith("/") else f"/o/{path}"))
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = await Axe().run(page)
        if found.violations_count:
            faults[name] = found.generate_report()
    await context.close()
    assert faults == {}
