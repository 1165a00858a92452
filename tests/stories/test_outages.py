"""Nothing is lost: Zalo or the mail server refuses, fails, hangs, or is away for an hour."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import pytest

from core.actors import Via
from core.clock import real_now
from core.ledger import StaffRef
from core.orders.commands import ConfirmOrder
from sandbox.platform import FakePlatform
from sandbox.zalo import Param, Template
from tests.stories.world import Placed, Somebody, World, open_world

ONE_MINUTE: Final = timedelta(minutes=1)


async def _refuses(world: World) -> None:
    await world.zalo.refuse()


async def _answers_500(world: World) -> None:
    world.zalo.status_next(500, times=None)


async def _answers_later(world: World) -> None:
    world.zalo.fail_next(-200, times=None)


AWAY: Final = {"refuses": _refuses, "answers 500": _answers_500, "cannot send now": _answers_later}


def _about(lan: Somebody, order: Placed) -> list[str]:
    return [bubble.text for bubble in lan.phone.person.received if order.code in bubble.text]


async def _passes_in_steps(world: World, whole: timedelta, step: timedelta) -> None:
    for _ in range(whole // step):
        await world.passes(step)


# --- Zalo ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AWAY)
async def test_what_zalo_does_not_take_is_tried_again_within_the_minute(
    world: World, platform: FakePlatform, lan: Somebody, name: str
) -> None:
    """It surely was not delivered: one card, as soon as Zalo is back."""
    await AWAY[name](world)
    rice = await world.order()
    assert _about(lan, rice) == []

    await world.zalo.recover()
    await world.passes(ONE_MINUTE)

    await lan.phone.sees(rice.code)
    lan.mail.gets(rice.code)


@pytest.mark.parametrize("name", AWAY)
async def test_an_hour_without_zalo_loses_nothing(
    world: World, platform: FakePlatform, lan: Somebody, name: str
) -> None:
    """Who has no other chat gets everything still worth telling when Zalo is back, each thing once."""
    await AWAY[name](world)
    rice = await world.order()
    soup = await world.order(items=[{"name": "Canh chua", "quantity": 60, "unit_price": 15_000}])
    await _passes_in_steps(world, timedelta(hours=1), timedelta(minutes=10))

    await world.zalo.recover()
    await world.passes(timedelta(hours=1))
    await world.passes(ONE_MINUTE)  # one call tries whether Zalo is back, then the others leave

    for order in (rice, soup):
        assert len(_about(lan, order)) == 2, _about(lan, order)  # the order, and the newest of the nudges
    world.everybody_catches_up()


async def test_a_hanging_zalo_holds_no_mail_up(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Zalo's trouble is Zalo's own: fifty orders are in the mailbox while Zalo says nothing."""
    world.zalo.hang(30, times=None)

    started = time.monotonic()
    answers = [await platform.place(world.body()) for _ in range(50)]
    for answer in answers:
        await world.mailbox.arrives("lan@example.com", answer.body["code"], within=5)

    assert time.monotonic() - started < 10
    assert lan.phone.person.unread == []
    await world.zalo.recover()
    await world.settles()
    world.everybody_catches_up()


async def test_silence_that_took_nothing_is_tried_once_more(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Nobody can know whether it arrived; without a receipt it is sent a second time after a minute."""
    world.zalo.hang(30)
    rice = await world.order()
    assert _about(lan, rice) == []

    await world.passes(ONE_MINUTE)  # no receipt came, and no other chat is there to take over

    assert len(_about(lan, rice)) == 1
    await lan.phone.sees(rice.code)
    lan.mail.gets(rice.code)


async def test_silence_after_taking_gives_two_copies_at_most(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Zalo takes every card and answers none of the calls: at least once, and at most twice."""
    world.zalo.accept_then_hang(30, times=None)
    rice = await world.order()

    for _ in range(4):
        await world.passes(timedelta(minutes=2))

    assert len(_about(lan, rice)) == 2
    await world.zalo.recover()
    world.everybody_catches_up()


async def test_a_card_that_has_moved_on_is_dropped_not_sent_late(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan confirms from her mail while Zalo is away: no chat asks her to confirm afterwards."""
    await world.zalo.refuse()
    rice = await world.order()
    lan.mail.gets(rice.code)
    command = ConfirmOrder(rice.order_id, 1)
    await world.ledger.submit(command, actor=StaffRef(lan.staff_id, Via.EMAIL))

    await world.zalo.recover()
    await world.passes(timedelta(minutes=5))

    assert _about(lan, rice) == []


async def test_an_order_that_expired_meanwhile_is_told_as_expired(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """After the outage Lan hears what is so now, and nothing of what was to be done before."""
    await world.zalo.refuse()
    rice = await world.order(deliver_in=timedelta(minutes=20))
    await world.passes(timedelta(minutes=21))

    await world.zalo.recover()
    await world.passes(timedelta(minutes=20))

    assert len(_about(lan, rice)) == 1, _about(lan, rice)
    await lan.phone.sees(rice.code, "uá hạn")
    assert not any(
        button.title == "Xác nhận đơn hàng" for b in lan.phone.person.received for button in b.buttons
    )
    world.everybody_catches_up()


async def test_when_no_way_leads_to_anybody_the_operators_hear(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan has blocked the account, and her mailbox is gone."""
    lan.phone.person.refusal = -213
    world.mailbox.refuse("lan@example.com", times=None)

    rice = await world.order()

    world.operators.gets(rice.code)


# --- the next address in the chat order ------------------------------------------------------------


@pytest.fixture
async def billed(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a service that may also write to phones, by a ZBS template for new orders."""
    async with open_world(database_url, redis_url, zalo_templates={"order_new": "77"}) as world:
        params = (Param("order_code", 30), Param("summary", 200))
        world.zalo.add_template(Template("77", "order_new", "Đơn <order_code>: <summary>", params))
        await world.platform()
        yield world
        world.nobody_got_more()


async def _with_phone(world: World) -> Somebody:
    lan = await world.kitchen()
    lan.phone.person.phone = "84909123457"
    await world.database.pool.execute(
        "INSERT INTO addresses (id, staff_id, kind, value, added_at)"
        " VALUES (gen_random_uuid(), $1, 'phone', '+84909123457', now())",
        lan.staff_id,
    )
    return lan


async def test_who_does_not_take_the_free_message_gets_the_billed_one(billed: World) -> None:
    """A phone and a user id are two addresses of Zalo; the second takes over from the first."""
    lan = await _with_phone(billed)
    billed.zalo.fail_next(-213, path="/cs")

    rice = await billed.order()

    bubble = await lan.phone.sees(rice.code)
    assert bubble.kind == "template"
    lan.mail.gets(rice.code)
    await lan.phone.person.confirm_received(bubble)
    await billed.passes(timedelta(minutes=10))  # the receipt came: nothing more
    assert len(_about(lan, rice)) == 1


async def test_silence_is_followed_by_the_next_address_after_a_minute(billed: World) -> None:
    """Never the same call again at once, and not again at all where another way is left."""
    lan = await _with_phone(billed)
    billed.zalo.hang(30, path="/cs")
    rice = await billed.order()

    await billed.passes(ONE_MINUTE)

    assert (await lan.phone.sees(rice.code)).kind == "template"
    lan.mail.gets(rice.code)


async def test_a_failing_gateway_is_followed_by_the_next_address_within_the_minute(billed: World) -> None:
    """Tried again within the minute, then the next one takes over."""
    lan = await _with_phone(billed)
    billed.zalo.status_next(500, times=None, path="/cs")
    rice = await billed.order()

    await _passes_in_steps(billed, ONE_MINUTE, timedelta(seconds=15))

    assert (await lan.phone.sees(rice.code)).kind == "template"
    lan.mail.gets(rice.code)


# --- mail ------------------------------------------------------------------------------------------


async def test_a_mail_server_that_says_later_is_tried_again(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """451, and then it takes it: one mail."""
    world.mailbox.refuse("lan@example.com", "451 4.7.1 Greylisted", times=2)
    rice = await world.order()
    await lan.phone.sees(rice.code)

    await _passes_in_steps(world, ONE_MINUTE, timedelta(seconds=30))

    lan.mail.gets(rice.code)


async def test_a_mailbox_that_does_not_exist_is_not_tried_again(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """550: the chat has told Lan, so nobody needs to be alarmed."""
    world.mailbox.refuse("lan@example.com", "550 5.1.1 No such user", times=1)
    rice = await world.order()
    await lan.phone.sees(rice.code)

    await world.passes(timedelta(minutes=10))


async def test_an_hour_without_the_mail_server_loses_no_mail(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The chat tells at once; each mail still worth sending comes when the server is back, once."""
    await world.mailbox.refuse_connections()
    rice = await world.order()
    await lan.phone.sees(rice.code)
    await lan.phone.taps("Xác nhận đơn hàng")
    await lan.phone.sees("Đã xác nhận")
    await platform.change(rice.id, note="Giao cổng trước")
    await platform.cancel(rice.id)
    await world.settles()
    await _passes_in_steps(world, timedelta(hours=1), timedelta(minutes=10))
    lan.phone.person.reads_all()

    await world.mailbox.recover()
    await world.passes(timedelta(hours=1))
    await world.passes(ONE_MINUTE)

    lan.mail.gets(rice.code, "uỷ")
    world.inbox("an@example.com").gets()
    world.operators.opens_all()


async def test_a_silent_mail_server_gives_two_copies_at_most(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Both copies carry the same Message-ID, so that mail readers show one."""
    world.mailbox.accept_then_hang(30, times=None)
    rice = await world.order()
    await lan.phone.sees(rice.code)

    for _ in range(4):
        await world.passes(timedelta(minutes=2))

    mails = [mail for mail in lan.mail.opens_all() if rice.code in mail.subject]
    assert len(mails) == 2
    assert mails[0].message_id == mails[1].message_id


async def test_a_hanging_mail_server_holds_no_chat_up(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The other way round too."""
    world.mailbox.hang(30, times=None)

    started = time.monotonic()
    answers = [await platform.place(world.body()) for _ in range(20)]
    for answer in answers:
        await lan.phone.person.sees(answer.body["code"], within=5)

    assert time.monotonic() - started < 8
    await world.mailbox.recover()
    await world.settles()
    world.everybody_catches_up()


# --- Redis -----------------------------------------------------------------------------------------


async def test_an_emptied_redis_loses_nothing(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Wake-ups, running jobs and queues are wiped again and again while thirty orders come in."""
    redis = world.service.delivery.jobs._redis
    codes = []
    for number in range(30):
        answer = await platform.place(world.body())
        codes.append(answer.body["code"])
        if number % 3 == 0:
            await redis.flushdb()
    await redis.flushdb()
    await world.settles()

    for code in codes:
        await lan.phone.sees(code)
        lan.mail.gets(code)
    assert len(platform.heard("order.placed")) == 30


async def test_what_was_never_woken_is_found_by_the_sweep(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The wake-up is lost before anybody saw it: the order is told all the same, within a sweep."""
    redis = world.service.delivery.jobs._redis
    placing = asyncio.create_task(platform.place(world.body()))
    while not placing.done():
        await redis.flushdb()
    started = real_now()
    code = placing.result().body["code"]
    await lan.phone.person.sees(code, within=10)
    assert real_now() - started < timedelta(seconds=10)
    await world.settles()
    lan.mail.gets(code)
