"""The day Zalo does not take our refresh token any more, and what an admin of the account does about it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from core.clock import real_now
from core.database import connect
from core.secrets import Secrets
from jobs.keepers import keep_tokens
from tests.stories.world import World, open_world
from zalo_oa.account import Account, consent_link, open_account, token_teller
from zalo_oa.consent import is_ours, new_state
from zalo_oa.credentials import TOKEN_ALARM, TokenTrouble, new_verifier

VERIFIER = new_verifier()


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a service whose console knows our challenge."""
    async with open_world(database_url, redis_url, zalo_code_verifier=VERIFIER) as world:
        yield world
        world.nobody_got_more()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a browser that follows redirects."""
    async with aiohttp.ClientSession() as session:
        yield session


async def consents(browser: aiohttp.ClientSession, world: World, link: str) -> int:
    """Open a consent link, say yes at Zalo's, press the button of our page; return how that ended."""
    async with browser.get(link) as response:
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', await response.text()))
    async with browser.post(f"{world.url}/oauth/zalo/callback", data=form) as response:
        return response.status


def link_in_the_alarm(world: World) -> str:
    """Return the consent link that the operators were mailed."""
    mail = world.operators.gets("quản trị viên OA cần cấp quyền lại")
    found = re.search(r"http://\S+/v4/oa/permission\?\S+", mail.text)
    assert found, mail.text
    return found[0]


async def test_a_burned_token_is_an_alarm_that_carries_its_cure(
    world: World, browser: aiohttp.ClientSession
) -> None:
    """One mail however many orders come; its link leads to the consent, and everything works again."""
    await world.platform()
    lan = await world.kitchen()
    world.zalo.tokens.revoke()
    for _ in range(2):
        await world.order()
    link = link_in_the_alarm(world)
    lan.catches_up()

    assert await consents(browser, world, link) == 200
    await world.settles()
    world.operators.gets("Zalo không nhận refresh token nữa")  # that it is over
    order = await world.order()
    await lan.phone.sees(order.code)
    world.everybody_catches_up()


async def test_the_link_of_an_alarm_waits_for_two_days(world: World) -> None:
    """Somebody has to read the mail first; the link that the command prints is for now."""
    link = token_link(world)
    state = parse_qs(urlsplit(link).query)["state"][0]
    key = world.settings.require("secret_key")
    now = real_now()
    assert is_ours(key, state, now=now + timedelta(hours=47))
    assert not is_ours(key, state, now=now + timedelta(hours=49))
    assert not is_ours("another key", state)
    assert is_ours(key, new_state(key), now=now + timedelta(minutes=59))
    assert not is_ours(key, new_state(key), now=now + timedelta(minutes=62))


def token_link(world: World) -> str:
    """Return the link that an alarm would carry now."""
    link = consent_link(world.settings)
    assert link
    return link


async def test_a_challenge_that_is_not_the_consoles(
    database_url: str, redis_url: str, browser: aiohttp.ClientSession
) -> None:
    """-14003: the verifier was changed between the link and the button; the page says what to do."""
    async with open_world(database_url, redis_url, zalo_code_verifier=VERIFIER) as world:
        link = token_link(world)
        challenge = parse_qs(urlsplit(link).query)["code_challenge"][0]
        assert await consents(browser, world, link.replace(challenge, "x" * 43)) == 502


async def test_a_code_that_is_used_twice(world: World, browser: aiohttp.ClientSession) -> None:
    """The second press of the button gets no tokens, and the first one's go on working."""
    link = token_link(world)
    async with browser.get(link) as response:
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', await response.text()))
    ended = []
    for _ in range(2):
        async with browser.post(f"{world.url}/oauth/zalo/callback", data=form) as response:
            ended.append(response.status)
    assert ended == [200, 502]
    lan = await world.kitchen()
    await lan.phone.says("TG")
    await lan.phone.sees("Bạn có thể nhắn")


async def test_two_processes_that_refresh_at_once_use_the_refresh_token_once(world: World) -> None:
    """On connections of their own, three calls each: nobody burns the other's pair."""
    key, url = world.settings.require("secret_key"), world.settings.require("database_url")
    async with connect(url) as first, connect(url) as second:
        one = open_account(world.settings, Secrets(first, key))
        two = open_account(world.settings, Secrets(second, key))
        try:
            given = "Zalo cấp cặp token mới"
            await one.credentials.access_token()  # the seed is of unknown age: renewed at first use
            before = [hop.text_vi for hop in world.zalo.feed.hops].count(given)
            stale = await two.credentials.access_token()
            world.zalo.tokens.expire_access()
            tokens = await asyncio.gather(
                *(account.credentials.replace(stale) for account in (one, two) for _ in range(3))
            )
            assert len(set(tokens)) == 1
            assert [hop.text_vi for hop in world.zalo.feed.hops].count(given) == before + 1
            world.zalo.tokens.check(tokens[0])
        finally:
            await one.client.close()
            await two.client.close()


@asynccontextmanager
async def process(world: World) -> AsyncIterator[Account]:
    """Open the account as one more process does."""
    account = open_account(world.settings, Secrets(world.database, world.settings.require("secret_key")))
    try:
        yield account
    finally:
        await account.client.close()


async def keeps(world: World, account: Account) -> None:
    """Do what the keeper of the tokens does every few minutes."""
    tell = token_teller(world.settings)
    await keep_tokens(world.database, account.credentials, TokenTrouble, alarm=TOKEN_ALARM, tell=tell)
    await world.settles()


async def test_the_keeper_alarms_with_the_link_and_says_when_it_is_over(
    world: World, browser: aiohttp.ClientSession
) -> None:
    """Long before anybody is due a message: the job that renews tokens meets the refusal first."""
    world.zalo.tokens.revoke()  # the settings' pair was burned before this service ever used it
    async with process(world) as account:
        await keeps(world, account)
        assert await consents(browser, world, link_in_the_alarm(world)) == 200
        await keeps(world, account)
    world.everybody_catches_up()
    assert await world.database.pool.fetchval("SELECT count(*) FROM alarms") == 0
