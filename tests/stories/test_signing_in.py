"""Signing in as people do it: a code by SMS or mail, a link from the chat, an invitation; and leaving."""

import re
from collections.abc import AsyncIterator, Mapping
from html import unescape

import aiohttp
import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from tests.stories.browser import Browser, Page
from tests.stories.world import Somebody, World, open_world

NUMBER = "+84909000111"


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with an SMS gateway; whoever got a message that nobody expected fails the story."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as opened:
        yield opened
        opened.nobody_got_more()


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    """Yield a browser that keeps cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session, world)


@pytest.fixture
async def lan(world: World, platform: FakePlatform) -> Somebody:
    """Return Lan, who owns Bếp Lan, with Zalo, a phone and a mailbox."""
    return await world.kitchen(phone=NUMBER)


async def sends(page: Page, action: str, **fields: str) -> Page:
    """Fill in the form that goes there and send it."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.html, re.DOTALL)
    assert found, f"no form to {action}"
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0]))
    data: Mapping[str, str] = {name: unescape(value) for name, value in hidden.items()} | fields
    return await page.browser.asks("POST", page.browser.world.url + action, data=data)


async def asks_for_a_code(browser: Browser, typed: str) -> Page:
    """Open the sign-in and ask for a code."""
    return await sends(await browser.opens(f"{browser.world.url}/login?next=/staff"), "/login", address=typed)


async def test_lan_signs_in_by_a_code_in_an_sms(world: World, lan: Somebody, browser: Browser) -> None:
    """The code comes to her phone, nobody else hears of it, and her pages open."""
    page = await asks_for_a_code(browser, "0909 000 111")
    sms = await lan.texts.sees("Ma vao trang Chot Don")
    found = re.search(r"[0-9]{6}", sms.text)
    assert found
    assert "http" not in sms.text
    page = await sends(page, "/login/code", code=found[0])
    assert page.url == f"{world.url}/staff"
    assert "Lan · Chủ quán" in page.text


async def test_lan_signs_in_by_a_code_in_a_mail(world: World, lan: Somebody, browser: Browser) -> None:
    """Her mailbox does as well as her phone."""
    page = await asks_for_a_code(browser, "lan@example.com")
    mail = lan.mail.gets("Mã vào trang Chốt Đơn của bạn")
    found = re.search(r"\b[0-9]{6}\b", mail.subject)
    assert found
    page = await sends(page, "/login/code", code=found[0])
    assert page.url == f"{world.url}/staff"


async def test_a_stranger_gets_nothing(world: World, lan: Somebody, browser: Browser) -> None:
    """And reads the same as Lan."""
    ours = await asks_for_a_code(browser, NUMBER)
    await lan.texts.sees("Ma vao trang Chot Don")
    theirs = await asks_for_a_code(browser, "0909999888")
    assert theirs.text == ours.text
    assert world.text_phone("+84909999888").phone.texts == []


async def test_a_code_that_is_late_is_not_sent(world: World, lan: Somebody, browser: Browser) -> None:
    """A gateway that was away for a while brings no code that has died."""
    await asks_for_a_code(browser, NUMBER)
    await lan.texts.sees("Ma vao trang Chot Don")
    await world.database.pool.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at)"
        " SELECT gen_random_uuid(), kind, 'late', data, owed_at - interval '16 min' FROM notices"
        " WHERE kind = 'login_code'"
    )
    await world.settles()


async def test_a_cook_is_invited_links_zalo_and_is_let_go(
    world: World, lan: Somebody, browser: Browser
) -> None:
    """From the owner's pages to a chat that gets orders, and out again at once."""
    page = await asks_for_a_code(browser, NUMBER)
    sms = await lan.texts.sees("Ma vao trang Chot Don")
    await sends(page, "/login/code", code=re.findall(r"[0-9]{6}", sms.text)[0])
    page = await browser.opens(f"{world.url}/staff/new")
    page = await sends(page, "/staff/new", name="Bình", role="kitchen", notify="on")
    member = page.url.partition("?")[0].removeprefix(world.url)
    page = await sends(page, f"{member}/invite")
    invite = next(iter(re.findall(rf'href="({world.url}/invite/[^"]+)"', page.html)))

    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        phone = await Browser(session, world).opens(invite)
        phone = await sends(phone, invite.removeprefix(world.url))
        code = re.findall(r"LK [0-9]{6}", phone.text)[0]
        binh = world.zalo.person("4000000000000000099", "Bình")
        await binh.say(code)
        await world.settles()
        await binh.sees("Bạn là Bình của Bếp Lan", within=0.2)
        assert (await Browser(session, world).opens(invite)).status == 410

    page = await browser.opens(f"{world.url}{member}/remove")
    page = await sends(page, f"{member}/remove")
    assert "Đã cho nghỉ." in page.text
    order = await world.order()
    await lan.phone.sees(order.code)
    lan.mail.gets(order.code)


async def test_a_link_of_the_chat_dies_with_the_member(world: World, lan: Somebody, browser: Browser) -> None:
    """And so does the session that it began."""
    minh = await world.hires("Minh", "manager")
    links = []
    for _ in range(2):
        await minh.phone.says("WEB")
        bubble = await minh.phone.sees("Trang của Bếp Lan")
        links.append(next(button.target for button in bubble.buttons if button.is_link))
    page = await browser.opens(links[0])
    page = await sends(page, links[0].removeprefix(world.url))
    assert "Minh · Quản lý" in (await browser.opens(f"{world.url}/settings")).text
    await world.fires("Minh")
    assert "/login" in (await browser.opens(f"{world.url}/settings")).url
    assert (await browser.opens(links[1])).status == 410
