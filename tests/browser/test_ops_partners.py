"""Kitchens, platforms and settings of the console on real screens: phone and desk, light and dark."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page

from core.actors import Role, Via
from core.channels import Address, AddressKind, ChannelName
from core.orders.commands import CompleteOrder, ConfirmOrder
from core.outbox import reach
from core.settings import Settings
from tests.bot.ops.console import HA, KITCHEN, sign_in, site, tried
from tests.bot.web.conftest import MORNING, NOON, Site, settings_for
from tests.bot.web.signing import LANS_MAIL, LANS_PHONE, known_at
from tests.browser.axe import violations

__all__ = ["site"]  # the fixture of tests/bot/ops, used here as well

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 860}
#: A folder that screenshots of every page are put into, for people to look at.
SHOTS = os.environ.get("TAKE_SHOTS")
ZALO = {"zalo_app_id": "1", "zalo_app_secret": "s", "zalo_oa_id": "4567", "zalo_oa_secret": "o"}
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "email_from": "chotdon@chotdon.example"}
OFF = UUID("0199a000-0000-7000-8000-0000000000ff")
LONG = "Bếp Cơm Trưa Văn Phòng Nhà Cô Bảy Hương Quê Miền Tây Sông Nước — Chi nhánh Nguyễn Thị Minh Khai"


@pytest.fixture
def settings() -> Settings:
    """Return settings with an operator, Zalo and mail."""
    return settings_for(operator_emails=HA, **ZALO, **MAIL)


async def furnish(site: Site) -> None:
    """Give the kitchen addresses that work and fail, and a few weeks of orders; and others beside it."""
    pool = site.database.pool
    await pool.execute("UPDATE platforms SET webhook_url = 'https://dat-com.example/hook'")
    await pool.execute(
        "INSERT INTO platforms (id, name, api_key_hash, webhook_url, webhook_secret, created_at, disabled_at,"
        " disabled_why) VALUES ($1, $2, 'y', $3, 'whsec_y', now(), $4, 'HTTP 410')",
        OFF,
        LONG,
        f"https://{'mot-ten-mien-rat-dai.' * 4}example/hook",
        site.now,
    )
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    await known_at(site, Role.KITCHEN, AddressKind.TELEGRAM_CHAT, "770001")
    for days, minutes, via in ((40, 3, Via.ZALO), (20, 12, Via.WEB), (6, 75, Via.ZALO)):
        await site.goes_to(MORNING - timedelta(days=days))
        order = await site.places(deliver_at=NOON - timedelta(days=days))
        await site.goes_to(MORNING - timedelta(days=days) + timedelta(minutes=minutes))
        await site.does(ConfirmOrder(order.id), via=via)
        await site.goes_to(NOON - timedelta(days=days))
        await site.does(CompleteOrder(order.id), via=via)
    await site.goes_to(MORNING)
    await site.places()
    await tried(site, status=503, why="busy, come back later")
    await site.confirmed()
    await tried(site, status=200, why="")
    await site.places()
    mail = Address(AddressKind.EMAIL, LANS_MAIL)
    async with site.database.pool.acquire() as connection:
        await reach.failed(connection, ChannelName.EMAIL, mail, "550 no such box here", now=site.now)
    await site.database.pool.execute(
        "INSERT INTO partners (id, code, name, created_at, paused_until)"
        " VALUES (gen_random_uuid(), 'bep-co-bay', $1, now(), $2)",
        LONG,
        site.now + timedelta(days=3),
    )


@pytest.fixture
async def base(site: Site) -> str:
    """Return the address of the console, with something to show on it."""
    await furnish(site)
    return str(site.client.make_url("")).rstrip("/")


def pages_of(site: Site) -> Mapping[str, str]:
    """Return every page that needs only to be opened: name to path."""
    return {
        "partners": "/ops/partners",
        "partners-none": "/ops/partners?q=khong-co",
        "partner-new": "/ops/partners/_new",
        "partner": KITCHEN,
        "partner-done": f"{KITCHEN}?done=paused",
        "partner-empty": "/ops/partners/bep-co-bay",
        "staff-new": f"{KITCHEN}/staff/_new",
        "staff": f"{KITCHEN}/staff/{site.staff[Role.OWNER]}",
        "platforms": "/ops/platforms",
        "platform": f"/ops/platforms/{site.platform_id}",
        "platform-none": f"/ops/platforms/{site.platform_id}?state=dead",
        "platform-off": f"/ops/platforms/{OFF}",
        "settings": "/ops/settings",
    }


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_is_readable_for_everybody(
    site: Site, browser: Browser, base: str, screen: dict[str, int], scheme: Any
) -> None:
    """Axe finds nothing, nothing is wider than the screen, and every target has room for a thumb."""
    # axe itself is a script: only this test lets one in, which the pages' policy would not.
    context = await browser.new_context(
        viewport=screen,  # type: ignore[arg-type]
        color_scheme=scheme,
        locale="vi-VN",
        bypass_csp=True,
    )
    await context.add_cookies([{"name": "chotdon-ops", "value": await sign_in(site), "url": base}])
    page = await context.new_page()
    faults: dict[str, Any] = {}

    async def look(name: str) -> None:
        await _shot(page, f"ops-{name}-{screen['width']}-{scheme}")
        found = [*await violations(page), *await _too_small(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if found or wide > screen["width"]:
            faults[name] = (found, wide)

    for name, path in pages_of(site).items():
        await page.goto(base + path)
        await look(name)
    await page.goto(f"{base}/ops/platforms/{site.platform_id}")
    await page.locator("summary").first.click()
    await look("platform-tries")
    await page.get_by_role("button", name="Tạo khoá mới").click()
    await look("platform-secret")
    await page.goto(f"{base}{KITCHEN}/staff/{site.staff[Role.OWNER]}")
    await page.get_by_role("button", name="Tạo lời mời").click()
    await look("invite")
    await page.goto(f"{base}{KITCHEN}/staff/{site.staff[Role.OWNER]}")
    await page.get_by_role("button", name="Lấy mã để đọc qua điện thoại").click()
    await look("codes")
    await context.close()
    assert faults == {}


async def test_an_operator_pauses_a_kitchen_on_a_phone_without_javascript(
    site: Site, browser: Browser, base: str
) -> None:
    """From the list to the pause, with the thumb alone; without a reason the browser itself refuses."""
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    await context.add_cookies([{"name": "chotdon-ops", "value": await sign_in(site), "url": base}])
    page = await context.new_page()
    await page.goto(f"{base}/ops/partners")
    await page.get_by_role("searchbox").fill("nha lan")
    await page.get_by_role("button", name="Tìm").click()
    await page.get_by_role("link", name="Cơm Nhà Lan").click()
    await page.get_by_label("Nghỉ đến hết ngày").fill("2026-11-26")
    await page.get_by_role("button", name="Cho nghỉ").click()
    assert "Quán đã nghỉ" not in await page.inner_text("main")
    await page.get_by_label("Lý do").first.fill("Chủ quán gọi: mất điện")
    await page.get_by_role("button", name="Cho nghỉ").click()
    assert "Quán đã nghỉ" in await page.inner_text("main")
    assert await site.database.pool.fetchval("SELECT reason FROM audit") == "Chủ quán gọi: mất điện"
    await context.close()


async def _too_small(page: Page) -> list[tuple[str, list[str]]]:
    """Return what can be tapped and is lower than 48 px; a link inside a sentence may be."""
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, .choice, .tick')]
            .filter(each => !each.closest('.address, label, .sought, .whose') || each.matches('label'))
            .filter(each => !each.matches('.skip') && each.getClientRects().length)
            .filter(each => each.getBoundingClientRect().height < 47.5)
            .map(each => each.outerHTML)"""
    )
    return [("target-48", small)] if small else []


async def _shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page where somebody wants to look."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
