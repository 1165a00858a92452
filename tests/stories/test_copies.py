"""Whatever Zalo does, everybody gets at least one and at most two copies, and one SMS within the minute."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

import pytest

from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from sandbox.zalo import Param, Template
from tests.stories.world import World, open_world

NUMBER: Final = "+84909000111"
#: Steps of half a minute: the gateway has a minute, then the next channel takes over.
STEP: Final = timedelta(seconds=30)


def _code(code: int, *, times: int | None = None) -> Callable[[World], Awaitable[None]]:
    async def plan(world: World) -> None:
        world.zalo.fail_next(code, times=times)

    return plan


def _status(status: int) -> Callable[[World], Awaitable[None]]:
    async def plan(world: World) -> None:
        world.zalo.status_next(status, times=None)

    return plan


async def _refuses(world: World) -> None:
    await world.zalo.refuse()


async def _hangs(world: World) -> None:
    world.zalo.hang(30, times=None)


async def _takes_and_hangs(world: World) -> None:
    world.zalo.accept_then_hang(30, times=None)


async def _too_many(world: World) -> None:
    world.zalo.too_many(600, times=None)


#: What goes wrong, and how many copies arrive by Zalo and by SMS.
TROUBLES: Final[dict[str, tuple[Callable[[World], Awaitable[None]], int, int]]] = {
    "nothing": (_code(-200, times=0), 1, 0),
    "fails once": (_code(-200, times=1), 1, 0),
    "always fails": (_code(-200), 0, 1),
    "over its call limit": (_code(-32), 0, 1),
    "this person is inactive": (_code(-227), 0, 1),
    "this person never wrote": (_code(-232), 0, 1),
    "out of quota": (_code(-211), 0, 1),
    "no money": (_code(-321), 0, 1),
    "a code nobody knows": (_code(-99999), 0, 1),
    "answers 500": (_status(500), 0, 1),
    "answers 502": (_status(502), 0, 1),
    "too many": (_too_many, 0, 1),
    "refuses connections": (_refuses, 0, 1),
    "hangs": (_hangs, 0, 1),
    "takes it and hangs": (_takes_and_hangs, 1, 1),
}


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Zalo and SMS."""
    async with open_world(database_url, redis_url, gateway=FakeEsms) as opened:
        yield opened


@pytest.mark.parametrize("name", list(TROUBLES))
async def test_one_or_two_copies_and_one_change_of_channel(
    world: World, platform: FakePlatform, name: str
) -> None:
    """Counted a quarter of an hour later, when no step of any ladder has been due yet."""
    plan, by_zalo, by_sms = TROUBLES[name]
    lan = await world.kitchen(phone=NUMBER, email=None)
    await plan(world)

    order = await world.order()
    await world.passes(STEP)
    await world.passes(STEP)
    texts = [sms for sms in lan.texts.phone.received if order.code in sms.text]
    assert len(texts) == by_sms, "within the minute"
    for _ in range(4):
        await world.passes(timedelta(minutes=3))

    cards = [bubble for bubble in lan.phone.person.received if order.code in bubble.text]
    texts = [sms for sms in lan.texts.phone.received if order.code in sms.text]
    assert (len(cards), len(texts)) == (by_zalo, by_sms)
    await world.zalo.recover()


# --- two addresses of Zalo --------------------------------------------------------------------------


@pytest.fixture
async def templated(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with SMS, and with Zalo that may also write to phones."""
    async with open_world(
        database_url, redis_url, gateway=FakeEsms, zalo_templates={"order_new": "77"}
    ) as opened:
        opened.zalo.add_template(Template("77", "order_new", "Đơn <order_code>", (Param("order_code", 30),)))
        await opened.platform()
        yield opened


@pytest.mark.parametrize("name", ["answers 500", "refuses connections", "hangs", "takes it and hangs"])
async def test_both_addresses_of_zalo_share_its_minute(templated: World, name: str) -> None:
    """Both of Zalo's hosts are in trouble: the kitchen's SMS comes as soon as if it had only one of them."""
    plan, by_zalo, by_sms = TROUBLES[name]
    lan = await templated.kitchen(phone=NUMBER, email=None)
    lan.phone.person.phone = NUMBER.removeprefix("+")
    await plan(templated)

    order = await templated.order()
    await templated.passes(STEP)
    await templated.passes(STEP)
    texts = [sms for sms in lan.texts.phone.received if order.code in sms.text]
    assert len(texts) == by_sms, "within the minute"
    for _ in range(4):
        await templated.passes(timedelta(minutes=3))

    cards = [bubble for bubble in lan.phone.person.received if order.code in bubble.text]
    texts = [sms for sms in lan.texts.phone.received if order.code in sms.text]
    assert (len(cards), len(texts)) == (by_zalo, by_sms)
    await templated.zalo.recover()
