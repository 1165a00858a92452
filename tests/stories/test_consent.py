"""The account's admin lets Chốt Đơn send messages, in a browser."""

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from core.secrets import Secrets
from tests.stories.world import World, open_world
from zalo_oa.account import read_config
from zalo_oa.consent import new_state, redirect_uri
from zalo_oa.credentials import consent_url, new_verifier
from zalo_oa.token_store import SealedTokens


@pytest.fixture
async def fresh(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a service whose account nobody has consented for yet."""
    changed: dict[str, Any] = {
        "zalo_access_token": None,
        "zalo_refresh_token": None,
        "zalo_code_verifier": new_verifier(),
    }
    async with open_world(database_url, redis_url, **changed) as world:
        yield world


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a browser that follows redirects."""
    async with aiohttp.ClientSession() as session:
        yield session


def link(world: World) -> str:
    """Return what `chotdon zalo authorize` prints."""
    return consent_url(
        read_config(world.settings),
        redirect_uri=redirect_uri(world.settings.base_url),
        verifier=world.settings.require("zalo_code_verifier"),
        state=new_state(world.settings.require("secret_key")),
    )


def fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's form."""
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))


async def tokens_are_there(world: World) -> bool:
    """Whether a token pair is stored."""
    secrets = Secrets(world.database, world.settings.require("secret_key"))
    return await SealedTokens(secrets, world.zalo.oa_id).load() is not None


async def test_an_admin_consents(fresh: World, browser: aiohttp.ClientSession) -> None:
    """Opening the link changes nothing; the button stores the tokens, and kitchens can be told."""
    async with browser.get(link(fresh)) as response:
        page = await response.text()
    assert "Hoàn tất" in page
    assert not await tokens_are_there(fresh)

    async with browser.post(f"{fresh.url}/oauth/zalo/callback", data=fields(page)) as response:
        assert response.status == 200
        assert "Xong" in await response.text()
    assert await tokens_are_there(fresh)

    await fresh.platform()
    lan = await fresh.kitchen()
    order = await fresh.order()
    await lan.phone.sees(order.code)


async def test_a_code_is_good_once(fresh: World, browser: aiohttp.ClientSession) -> None:
    """Zalo refuses a code that was used; the page says what to do, and the tokens stay as they are."""
    async with browser.get(link(fresh)) as response:
        form = fields(await response.text())
    text = ""
    for status in (200, 502):
        async with browser.post(f"{fresh.url}/oauth/zalo/callback", data=form) as response:
            assert response.status == status
            text = await response.text()
    assert "chotdon zalo authorize" in text
    assert await tokens_are_there(fresh)


@pytest.mark.parametrize("state", ["", "made-up", "x" * 5_000, "\x00"])
async def test_a_link_that_is_not_ours_is_refused(
    fresh: World, browser: aiohttp.ClientSession, state: str
) -> None:
    """Somebody else's consent must not become our account's."""
    where = f"{fresh.url}/oauth/zalo/callback"
    async with browser.get(where, params={"code": "abc", "state": state}) as response:
        assert response.status == 400
    async with browser.post(where, data={"code": "abc", "state": state}) as response:
        assert response.status == 400
    assert not await tokens_are_there(fresh)
