"""Telegram in trouble, and people who block it: what is owed goes another way, and nothing is told twice."""

import json
from datetime import timedelta

import aiohttp
import pytest

from sandbox.platform import FakePlatform
from sandbox.telegram import FakeTelegram
from tests.stories.telegram.conftest import CONFIRM, card_of
from tests.stories.world import News, Placed, Somebody, World, open_world

ONE_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def both(world: World) -> Somebody:
    """Return Lan, who has Telegram and, after it, Zalo."""
    return await world.kitchen(email=None, zalo=True, telegram=True)


async def test_who_blocks_the_bot_is_told_on_zalo(
    world: World, platform: FakePlatform, both: Somebody
) -> None:
    """We are told of it at once; whoever starts the bot again is told there again."""
    await both.telegram.person.blocks()
    await world.settles()
    order = await world.order()
    await both.phone.sees(order.code)

    await both.telegram.starts()
    world.everybody_catches_up()
    another = await world.order()
    await both.telegram.sees(another.code)
    assert both.phone.person.unread == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (400, "Bad Request: chat not found"),
    ],
    ids=["blocked", "deactivated", "never started", "not found"],
)
async def test_an_address_that_ended_is_followed_by_the_next_at_once(
    world: World, telegram: FakeTelegram, platform: FakePlatform, both: Somebody, code: int, why: str
) -> None:
    """The same order comes by Zalo without a minute's wait, and the next one does not try Telegram."""
    telegram.fail_next(code, why)
    order = await world.order()
    await both.phone.sees(order.code)
    another = await world.order()
    await both.phone.sees(another.code)
    assert both.telegram.person.unread == []


async def test_too_many_is_waited_for(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody
) -> None:
    """Telegram says how long; then it comes, once."""
    telegram.too_many(30)
    order = await world.order()
    assert lan.telegram.person.unread == []
    await world.passes(timedelta(seconds=20))
    assert lan.telegram.person.unread == []
    await world.passes(timedelta(seconds=15))
    await lan.telegram.sees(order.code)


@pytest.mark.parametrize("trouble", ["refused", "500", "502"])
async def test_what_was_surely_not_sent_is_tried_again(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody, trouble: str
) -> None:
    """Within the minute, once."""
    if trouble == "refused":
        await telegram.refuse()
    else:
        telegram.status_next(int(trouble))
    order = await world.order()
    await telegram.recover()
    await world.passes(ONE_MINUTE)
    await lan.telegram.sees(order.code)
    await world.passes(ONE_MINUTE * 2)


async def test_an_answer_that_nobody_can_read_is_no_answer(
    world: World, telegram: FakeTelegram, platform: FakePlatform, both: Somebody
) -> None:
    """200 and no JSON under it: it may have arrived, so the next channel takes over after a minute."""
    telegram.status_next(200)
    order = await world.order()
    assert both.phone.person.unread == []
    await world.passes(ONE_MINUTE + timedelta(seconds=1))
    await both.phone.sees(order.code)
    assert both.telegram.person.unread == []


async def test_a_lost_answer_is_not_sent_again_and_the_next_channel_takes_over(
    world: World, telegram: FakeTelegram, platform: FakePlatform, both: Somebody
) -> None:
    """It may have arrived (it has): no second copy on Telegram, and after a minute one on Zalo."""
    telegram.accept_then_hang(30)
    order = await world.order()
    await both.telegram.sees(order.code)
    assert both.phone.person.unread == []
    await world.passes(ONE_MINUTE + timedelta(seconds=1))
    await both.phone.sees(order.code)
    await world.passes(ONE_MINUTE)
    assert both.catches_up() == News()
    assert both.telegram.person.unread == []


async def test_a_tap_on_a_card_whose_answer_was_lost_counts(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody
) -> None:
    """We never learned that it arrived, and yet its button is good."""
    telegram.accept_then_hang(30)
    order = await world.order()
    card = await lan.telegram.sees(order.code)
    await lan.telegram.taps(CONFIRM, on=card)
    order.heard("order.confirmed")
    assert "Đã xác nhận" in lan.telegram.now(card).text


async def test_a_change_that_failed_is_made_later(
    world: World, telegram: FakeTelegram, platform: FakePlatform, lan: Somebody, minh: Somebody
) -> None:
    """Minh's card is brought up to date when Telegram is well again."""
    order = await world.order()
    world.everybody_catches_up()
    telegram.status_next(502, times=2, path="/editMessage")
    await lan.telegram.taps(CONFIRM)
    for _ in range(2):
        await world.passes(ONE_MINUTE)
    for somebody in (lan, minh):
        assert "đã được Lan xác nhận" in card_of(somebody, order).text


async def test_a_card_too_old_to_change_is_followed_by_a_short_message(
    world: World, platform: FakePlatform, lan: Somebody, minh: Somebody
) -> None:
    """After two days Telegram may refuse to change it; Minh reads in a line or two what became of it."""
    order = await world.order(deliver_in=timedelta(hours=49, minutes=30))
    await lan.telegram.taps(CONFIRM)
    await world.passes(timedelta(hours=48, minutes=40))
    world.everybody_catches_up()
    old = card_of(minh, order)

    await lan.telegram.says(f"HT {order.code}")

    assert minh.telegram.now(old) == old
    told = await minh.telegram.sees(f"Đơn {order.code} đã được Lan báo hoàn thành")
    assert len(told.text.splitlines()) <= 5
    order.heard("order.completed")
    lan.telegram.person.reads_all()


async def test_who_does_not_know_the_secret_is_not_heard(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody
) -> None:
    """401 each time, nothing done; at ten in five minutes the operators hear, once."""
    confirm = card_of(lan, rice).button(CONFIRM)
    assert confirm
    query = {"id": "1", "from": lan.telegram.person.told, "chat_instance": "1", "data": confirm.data}
    body = json.dumps({"update_id": 1, "callback_query": query}).encode()
    for number in range(12):
        secret = {"X-Telegram-Bot-Api-Secret-Token": "wrong"} if number % 2 else {}
        answer = await telegram.postman.post_raw(body, {"Content-Type": "application/json", **secret})
        assert answer.status == 401
    await world.settles()
    rice.heard("order.confirmed", times=0)
    world.operators.gets("telegram")
    assert world.operators.unread == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff\xfe", b'{"update_id":"x"}', b'{"update_id":5,"message":[]}', b"[" * 5000],
    ids=["nothing", "list", "empty", "bytes", "words", "shape", "deep"],
)
async def test_what_cannot_be_read_is_taken_and_forgotten(
    world: World, telegram: FakeTelegram, lan: Somebody, body: bytes
) -> None:
    """It carries the secret and would come again for a day."""
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": telegram.secret}
    answer = await telegram.postman.post_raw(body, headers)
    assert answer.status == 200


async def test_a_gateway_that_is_not_configured_is_not_there(database_url: str, redis_url: str) -> None:
    """Without a token the webhook is a page that nobody knows."""
    async with (
        open_world(database_url, redis_url) as world,
        aiohttp.ClientSession() as session,
        session.post(f"{world.url}/webhooks/telegram", json={"update_id": 1}) as answer,
    ):
        assert answer.status == 404


async def test_operators_hear_on_telegram_too(database_url: str, redis_url: str) -> None:
    """Their chat gets what their mailbox gets."""
    async with open_world(
        database_url, redis_url, telegram=True, operator_telegram_chat="-4000000001"
    ) as world:
        assert world.bot
        watch = world.bot.person("Trực")
        group = world.bot.group("Trực ca", watch)
        assert group.chat.id == -4_000_000_001
        await group.adds_bot(watch)
        await world.settles()
        world.everybody_catches_up()
        await world.platform()
        await world.kitchen(email=None, zalo=False)
        order = await world.order()
        alarm = await group.sees(order.code)
        mail = world.operators.gets(order.code)
        assert alarm.text.partition("\n")[0] in mail.subject or mail.subject in alarm.text
