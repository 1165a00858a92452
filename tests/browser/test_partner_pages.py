"""Sign-in, staff, invitations, settings and the guide on real screens: phone and desk, light and dark."""

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.outbox import reach
from core.partners import addresses, one_time_links
from core.partners.one_time_links import LinkPurpose
from core.settings import Settings
from tests.bot.web.conftest import Site, settings_for, site
from tests.bot.web.signing import LANS_MAIL, LANS_PHONE, another_kitchen, known_at, sent_codes
from tests.browser.axe import violations

__all__ = ["site"]  # the fixture of tests/bot/web, used here as well

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 860}
#: A folder that screenshots of every page are put into, for people to look at.
SHOTS = os.environ.get("TAKE_SHOTS")

ZALO = {"zalo_app_id": "1", "zalo_app_secret": "s", "zalo_oa_id": "4567", "zalo_oa_secret": "o"}
ESMS = {"sms_gateway": "esms", "esms_api_key": "k", "esms_secret_key": "s", "esms_brandname": "CHOTDON"}


@pytest.fixture
def settings() -> Settings:
    """Return settings with chats that codes can be drawn for."""
    return settings_for(**ZALO, **ESMS, sms_reply_number="8041", sms_reply_prefix="COM")


async def furnish(site: Site) -> None:
    """Give the kitchen's people addresses that work and fail, and a second kitchen to Lan."""
    await known_at(site, Role.OWNER, AddressKind.PHONE, LANS_PHONE)
    await known_at(site, Role.OWNER, AddressKind.EMAIL, LANS_MAIL)
    await known_at(site, Role.OWNER, AddressKind.ZALO_USER, "1000000000000000001")
    await known_at(site, Role.KITCHEN, AddressKind.TELEGRAM_CHAT, "770001")
    pool = site.database.pool
    await reach.worked(pool, ChannelName.ZALO, ["1000000000000000001"], site.now)
    async with pool.acquire() as connection:
        mail = Address(AddressKind.EMAIL, LANS_MAIL)
        await reach.failed(connection, ChannelName.EMAIL, mail, "no such box", now=site.now)
    huong = await another_kitchen(site, name="Bếp Hương Quê Miền Tây")
    added = await pool.fetchval(
        "INSERT INTO staff (id, partner_id, name, role, added_at)"
        " VALUES (gen_random_uuid(), $1, 'Lan', 'manager', now()) RETURNING id",
        huong,
    )
    await addresses.add(pool, added, Address(AddressKind.PHONE, LANS_PHONE), now=site.now)


async def link(site: Site, role: Role, purpose: LinkPurpose) -> str:
    """Return the path of a one-time link."""
    made = await one_time_links.issue(site.database.pool, site.staff[role], purpose, via="zalo", now=site.now)
    return f"/{purpose.value}/{site.signer.one_time(made)}"


async def sign_in(site: Site, page: Page, base: str) -> None:
    """Sign Lan in by a code, as she does."""
    await page.goto(f"{base}/login")
    await page.get_by_role("textbox").fill("0901234567")
    await page.get_by_role("button").first.click()
    await page.get_by_role("textbox").fill((await sent_codes(site))[-1][1])
    await page.get_by_role("button").first.click()


@pytest.fixture
async def base(site: Site) -> str:
    """Return the address of the pages, with somebody to show on them."""
    await furnish(site)
    return str(site.client.make_url("")).rstrip("/")


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """Yield a tab on a small phone without JavaScript."""
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    yield await context.new_page()
    await context.close()


async def test_lan_signs_in_without_javascript_and_chooses_a_kitchen(
    site: Site, phone: Page, base: str
) -> None:
    """Type a phone, type the code, choose; find the other pages behind Thêm, and leave again."""
    await sign_in(site, phone, base)
    assert "Vào quán nào?" in await phone.inner_text("h1")
    await phone.get_by_role("link", name="Ở lại Cơm Nhà Lan").click()
    await phone.goto(f"{base}/staff")
    assert not await phone.get_by_role("link", name="Cài đặt").is_visible()
    await phone.get_by_role("link", name="Thêm", exact=True).click()
    await phone.get_by_role("link", name="Cài đặt").click()
    assert phone.url.endswith("/settings")
    await phone.get_by_role("link", name="Thêm", exact=True).click()
    await phone.get_by_role("button", name="Thoát", exact=True).click()
    assert "Bạn đã thoát" in await phone.inner_text("body")


async def test_lan_adds_a_cook_and_shows_the_qr_code(site: Site, phone: Page, base: str) -> None:
    """From the list to a code that a phone can scan, with the thumb alone."""
    await sign_in(site, phone, base)
    await phone.goto(f"{base}/staff")
    await phone.get_by_role("link", name="Thêm nhân viên").click()
    await phone.get_by_label("Tên gọi ở quán").fill("Bình")
    await phone.get_by_label("Bếp").check()
    await phone.get_by_role("button", name="Thêm", exact=True).click()
    await phone.get_by_role("button", name="Tạo lời mời").click()
    picture = phone.get_by_role("img", name="Mã QR của lời mời")
    box = await picture.bounding_box()
    assert box is not None
    assert 240 <= box["width"] <= 296
    assert box["width"] == pytest.approx(box["height"], abs=2)


async def _pages(site: Site, page: Page, base: str) -> Mapping[str, str]:
    """Return every page that needs only to be opened: name to path."""
    cook = f"/staff/{site.staff[Role.KITCHEN]}"
    invite = await link(site, Role.KITCHEN, LinkPurpose.INVITE)
    await page.goto(f"{base}{cook}")
    await page.get_by_role("button", name="Tạo lời mời").click()
    made = page.url.removeprefix(base)
    return {
        "seats": "/seats",
        "staff": "/staff",
        "staff-new": "/staff/new",
        "staff-one": cook,
        "staff-remove": f"{cook}/remove",
        "staff-invite": made,
        "settings": "/settings",
        "settings-done": "/settings?done=quiet",
        "help": "/help",
        "help-en": "/help?lang=en",
        "invite": invite,
        "login-link": await link(site, Role.OWNER, LinkPurpose.LOGIN),
        "login-over": "/login/none",
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
    page = await context.new_page()
    faults: dict[str, Any] = {}

    async def look(name: str) -> None:
        await _shot(page, f"{name}-{screen['width']}-{scheme}")
        found = [*await violations(page), *await _too_small(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if found or wide > screen["width"]:
            faults[name] = (found, wide)

    await page.goto(f"{base}/login")
    await look("login")
    await page.get_by_role("textbox").fill("abc")
    await page.get_by_role("button").first.click()
    await look("login-fault")
    await page.get_by_role("textbox").fill("0901234567")
    await page.get_by_role("button").first.click()
    await look("login-code")
    await sign_in(site, page, base)
    for name, path in (await _pages(site, page, base)).items():
        await page.goto(base + path)
        await look(name)
        if name == "invite":
            await page.get_by_role("button").first.click()
            await look("invite-codes")
    await page.goto(f"{base}/staff#more")
    await look("more")
    await context.close()
    assert faults == {}


async def _too_small(page: Page) -> list[tuple[str, list[str]]]:
    """Return what can be tapped and is lower than 48 px; a link inside a sentence may be."""
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, .choice, .tick')]
            .filter(each => !each.closest('.address, label') || each.matches('label'))
            .filter(each => !each.matches('.skip') && each.getClientRects().length)
            .filter(each => each.getBoundingClientRect().height < 47.5)
            .map(each => each.outerHTML)"""
    )
    return [("target-48", small)] if small else []


async def _shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page where somebody wants to look."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def test_the_first_load_is_light(site: Site, browser: Browser, base: str) -> None:
    """At most 100 kB until the page stands, pictures further down not counted."""
    context = await browser.new_context(viewport=PHONE, locale="vi-VN")  # type: ignore[arg-type]
    page = await context.new_page()
    await sign_in(site, page, base)
    kept = await context.storage_state()
    weights = {
        path: await _weight(browser, kept, base + path) for path in ("/login", "/staff", "/settings", "/help")
    }
    await context.close()
    assert all(0 < weight <= 100_000 for weight in weights.values()), weights


async def _weight(browser: Browser, kept: Any, address: str) -> int:
    """Return how many bytes a fresh browser fetches until a page stands."""
    context = await browser.new_context(viewport=PHONE, storage_state=kept)  # type: ignore[arg-type]
    page, sizes = await context.new_page(), list[int]()
    page.on("response", lambda answered: sizes.append(int(answered.headers.get("content-length", "0"))))
    await page.goto(address, wait_until="load")
    await context.close()
    return sum(sizes)
