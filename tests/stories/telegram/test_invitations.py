"""An invitation opens Telegram with one tap; codes to sign in by come to the chat where no SMS can leave."""

import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest

from bot.registry import signer_of
from core.partners import one_time_links
from core.partners.one_time_links import LinkPurpose
from tests.stories.browser import Browser, Page
from tests.stories.world import Somebody, World


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    """Yield a browser that keeps cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session, world)


async def sends(page: Page, action: str, **fields: str) -> Page:
    """Fill in the form that goes there and send it."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.html, re.DOTALL)
    assert found, f"no form to {action}"
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    data = {name: unescape(value) for name, value in hidden} | fields
    return await page.browser.asks("POST", page.browser.world.url + action, data=data)


async def test_an_invitation_is_one_tap_on_telegram(world: World, lan: Somebody, browser: Browser) -> None:
    """The button carries the code; pressing start links the chat and ends the invitation."""
    tu = await world.hires("Tú", "kitchen", zalo=False)
    link_id = await one_time_links.issue(
        world.database.pool,
        tu.staff_id,
        LinkPurpose.INVITE,
        via="invite",
        now=world.database.clock.now(),
    )
    path = f"/invite/{signer_of(world.settings).one_time(link_id)}"
    page = await sends(await browser.opens(world.url + path), path)
    found = re.search(r'href="https://t\.me/[A-Za-z0-9_]+\?start=([0-9]{6})"', page.html)
    assert found
    await tu.telegram.starts(found[1])
    await tu.telegram.sees("Bạn là Tú của Bếp Lan")
    assert (await browser.opens(world.url + path)).status == 410


async def test_without_sms_a_code_comes_to_telegram(world: World, browser: Browser) -> None:
    """To the chat of the person whose phone was typed."""
    lan = await world.kitchen(email=None, zalo=False, telegram=True, phone="+84909000111")
    page = await sends(await browser.opens(f"{world.url}/login"), "/login", address="0909000111")
    message = await lan.telegram.sees("Mã vào trang Chốt Đơn của bạn")
    code = re.findall(r"\b[0-9]{6}\b", message.text)[0]
    page = await sends(page, "/login/code", code=code)
    assert page.url == f"{world.url}/orders"
