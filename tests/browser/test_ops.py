"""The operators' console on real screens: phone and desk, light and dark."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page

from bot.registry import signer_of
from core import alarms
from core.operators import links
from sandbox.sms import FakeEsms
from tests.browser.axe import violations
from tests.stories.world import OPERATORS, Placed, World, open_world

PHONE: Final = {"width": 360, "height": 640}
DESK: Final = {"width": 1280, "height": 860}
#: A folder that screenshots of every page are put into, for people to look at.
SHOTS: Final = os.environ.get("TAKE_SHOTS")


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a service with something of everything on the board."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as opened:
        yield opened


async def furnish(world: World) -> Placed:
    """Place orders of every urgency, let time pass, break a platform; return one that is at risk."""
    await world.platform()
    await world.kitchen(phone="+84909000111")
    await world.hires("Bình", "kitchen", phone="+84909000222", zalo=False)
    await world.kitchen("bep-huong", owner="Hương Quê Miền Tây", email=None, phone="+84909000333", zalo=False)
    down = await world.platform("Tiệc Vui")
    down.status_next(500, times=None)
    risky = await world.order(deliver_in=timedelta(hours=3))
    await world.order(deliver_in=timedelta(hours=5), partner="bep-huong")
    await world.order(deliver_in=timedelta(days=2))
    await world.passes(timedelta(hours=2, minutes=1))
    await world.order(deliver_in=timedelta(hours=12))
    pool = world.database.pool
    async with pool.acquire() as connection:
        await alarms.raise_(connection, "zalo: token", "Hết hạn sau 2 giờ", now=world.now)
    await pool.execute(
        "INSERT INTO alarms_over (name, detail, raised_at, over_at) VALUES ($1, $2, $3, $4)",
        "esms: wallet",
        "Còn 12.000 đ",
        world.now - timedelta(hours=3),
        world.now - timedelta(hours=1),
    )
    await world.settles()
    return risky


async def sign_in(world: World, page: Page) -> None:
    """Sign the operator in by a link."""
    link = await links.issue(world.database.pool, OPERATORS, now=world.now)
    await page.goto(f"{world.url}/ops/login/{signer_of(world.settings).one_time(link)}")
    await page.get_by_role("button").click()
    await page.wait_for_url("**/ops")


async def look(page: Page, name: str) -> None:
    """Ask axe about the page, see that it is not wider than the screen, and keep a picture of it."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    assert await violations(page) == [], name
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is wider than the screen by {wide}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_is_fit_for_everybody(
    world: World, browser: Browser, size: dict[str, int], scheme: Any
) -> None:
    """Contrast, names, order of headings, whatever axe knows of; and nothing wider than the screen."""
    risky = await furnish(world)
    at = f"{size['width']}-{scheme}"
    context = await browser.new_context(viewport=size, color_scheme=scheme, locale="vi-VN")  # type: ignore[arg-type]
    page = await context.new_page()
    for path, name in (("/ops/login", "login"), ("/ops/login/sent", "login-sent"), ("/ops/login/x", "over")):
        await page.goto(f"{world.url}{path}")
        await look(page, f"ops-{name}-{at}")
    await sign_in(world, page)
    pages = {
        "board": "/ops",
        "order": f"/ops/orders/{risky.id}",
        "items": "/ops/items",
        "alarms": "/ops/alarms",
        "search": f"/ops/search?q={risky.code}",
        "search-phone": "/ops/search?q=0909123456",
        "audit": "/ops/audit",
        "devices": "/ops/devices",
    }
    for name, path in pages.items():
        await page.goto(f"{world.url}{path}")
        await page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        await look(page, f"ops-{name}-{at}")
    await context.close()


async def test_the_board_shows_a_new_order_by_itself(world: World, page: Page) -> None:
    """And says so to who cannot see it; what is confirmed goes."""
    await world.platform()
    lan = await world.kitchen()
    await sign_in(world, page)
    await page.get_by_text("Không có đơn nào đang chờ xác nhận").wait_for()
    order = await world.order()
    await page.get_by_text(f"Đơn {order.code}").wait_for(timeout=10_000)
    await page.get_by_text("Lan", exact=True).wait_for(timeout=10_000)
    assert "1 đơn chờ xác nhận" in (await page.inner_text("#heard"))
    await lan.phone.taps("Xác nhận đơn hàng")
    await page.get_by_text("Không có đơn nào đang chờ xác nhận").wait_for(timeout=10_000)


async def test_an_operator_acts_with_the_thumb_and_without_javascript(world: World, browser: Browser) -> None:
    """From the board to what came of it, on a small phone."""
    await world.platform()
    await world.kitchen()
    order = await world.order()
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    page = await context.new_page()
    await sign_in(world, page)
    await page.get_by_role("link", name=f"Đơn {order.code}").click()
    await page.get_by_text("Xác nhận thay quán").click()
    await page.get_by_label("Lý do (bắt buộc, lưu vào nhật ký)").first.fill("Lan gọi điện")
    await page.get_by_role("button", name="Xác nhận đơn này").click()
    assert "Đã xác nhận" in await page.inner_text("main")
    assert (await order.shown())["status"] == "confirmed"
    await context.close()
