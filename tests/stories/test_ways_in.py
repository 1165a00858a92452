"""`WEB`: a link into the kitchen's pages, for who asked alone, by the way that may carry it."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms, FakeSpeedSms
from tests.stories.world import Somebody, World, open_world

NUMBER = "+84909000111"
GATEWAYS: Final[Mapping[str, type[FakeEsms | FakeSpeedSms]]] = {"esms": FakeEsms, "speedsms": FakeSpeedSms}


@pytest.fixture(params=list(GATEWAYS))
async def world(request: pytest.FixtureRequest, database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with one of the gateways, of which eSMS carries answers in its own reply."""
    async with open_world(database_url, redis_url, gateway=GATEWAYS[request.param]) as opened:
        yield opened
        opened.nobody_got_more()


def link_of(world: World, somebody: Somebody) -> str:
    """Return the newest link of a chat."""
    return next(
        button.target
        for bubble in reversed(somebody.phone.person.received)
        for button in bubble.buttons
        if button.is_link and f"{world.url}/login/" in button.target
    )


async def test_asked_by_sms_the_link_goes_to_zalo(world: World, platform: FakePlatform) -> None:
    """The SMS says where to look, and holds no link."""
    lan = await world.kitchen(phone=NUMBER)
    await lan.texts.writes("WEB")
    sms = await lan.texts.sees("da gui qua Zalo")
    assert "http" not in sms.text
    await lan.phone.sees("Trang của Bếp Lan", "Đường dẫn dùng một lần")
    assert re.fullmatch(r"\S+/login/[A-Za-z0-9_.-]+", link_of(world, lan))


async def test_without_zalo_it_goes_by_mail(world: World, platform: FakePlatform) -> None:
    """Whichever of that person's ways there is."""
    lan = await world.kitchen(phone=NUMBER, zalo=False)
    await lan.texts.writes("web")
    await lan.texts.sees("da gui vao email")
    mail = lan.mail.gets("Trang của Bếp Lan")
    assert "/login/" in mail.link("Vào trang của quán")


async def test_with_neither_it_says_so(world: World, platform: FakePlatform) -> None:
    """No link is made that nobody could get."""
    lan = await world.kitchen(phone=NUMBER, zalo=False, email=None)
    await lan.texts.writes("WEB")
    await lan.texts.sees("chua noi Zalo")
    assert await world.database.pool.fetchval("SELECT count(*) FROM one_time_links") == 0


async def test_the_same_question_twice_is_two_links_and_a_repeat_is_one(
    world: World, platform: FakePlatform
) -> None:
    """A webhook that comes again makes nothing new."""
    lan = await world.kitchen(phone=NUMBER)
    delivery = await lan.phone.person.say("WEB")
    await world.zalo.redeliver(delivery)
    await world.settles()
    assert await world.database.pool.fetchval("SELECT count(*) FROM one_time_links") == 1
    await lan.phone.says("WEB")
    assert await world.database.pool.fetchval("SELECT count(*) FROM one_time_links") == 2
    lan.catches_up()
