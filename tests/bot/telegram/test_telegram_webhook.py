"""Whoever presses a button gets an answer to that on every path; whoever is not Telegram gets none."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from prometheus_client import REGISTRY

from bot.registry import signer_of
from bot.telegram.client import close_bot, open_bot
from bot.telegram.toasts import Toast, Toasts
from bot.telegram_webhook import HEADER
from bot.tokens import ButtonToken, Purpose
from core.actors import operator
from core.orders.commands import ConfirmOrder
from core.orders.order import OrderId
from sandbox.telegram import FakeTelegram, Message
from tests.stories.world import Placed, Somebody, World, open_world

CONFIRM = "Xác nhận đơn hàng"
AGAIN = "Hệ thống đang bận, bạn bấm lại sau ít phút nhé."
NO_MORE = "Nút này không dùng được nữa. Nhắn DS để xem các đơn nhé."
STRANGER = "Bạn chưa liên kết với quán này nên chưa bấm được. Nhắn riêng cho bot để liên kết nhé."


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield the service with Telegram."""
    async with open_world(database_url, redis_url, telegram=True) as opened:
        yield opened


@pytest.fixture
def telegram(world: World) -> FakeTelegram:
    """Return Telegram itself."""
    assert world.bot
    world.bot.postman.again_after = None
    return world.bot


@pytest.fixture
async def lan(world: World, telegram: FakeTelegram) -> Somebody:
    """Return Lan, who owns the kitchen and has Telegram and nothing else."""
    await world.platform()
    return await world.kitchen(email=None, zalo=False, telegram=True)


@pytest.fixture
async def rice(world: World, lan: Somebody) -> Placed:
    """Return an order that Lan has been told of."""
    return await world.order()


@pytest.fixture
async def card(world: World, rice: Placed, lan: Somebody) -> Message:
    """Return the card of that order."""
    await world.settles()
    return lan.telegram.person.received[-1]


def counted(name: str, **labels: str) -> float:
    """Return a counter as it stands."""
    return REGISTRY.get_sample_value(name, {"channel": "telegram", **labels}) or 0.0


async def posted(world: World, raw: bytes, secret: str | None) -> int:
    """Post a body as anybody could; return the status."""
    headers = {"Content-Type": "application/json"} | ({} if secret is None else {HEADER: secret})
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{world.url}/webhooks/telegram", data=raw, headers=headers) as answer,
    ):
        return answer.status


async def test_what_was_done_is_said_in_few_words(world: World, rice: Placed, lan: Somebody) -> None:
    """At once, over the chat; it needs no closing."""
    tap = await lan.telegram.taps(CONFIRM)
    assert (tap.toast, tap.alert) == (f"Đã xác nhận đơn {rice.code}", False)


async def test_a_press_that_comes_again_says_the_same(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody
) -> None:
    """Telegram repeats what was not answered in time."""
    tap = await lan.telegram.taps(CONFIRM)
    again = lan.telegram.person.taps_made[-1]
    again.stopped.clear()
    again.toast = ""
    await telegram.redeliver()
    assert await again.stops() == tap.toast == f"Đã xác nhận đơn {rice.code}"


async def test_who_was_second_hears_who_was_first(
    world: World, rice: Placed, lan: Somebody, card: Message
) -> None:
    """On a card that had not changed yet."""
    by = operator("Trang")
    await world.ledger.submit(ConfirmOrder(rice.order_id), actor=by)
    tap = await lan.telegram.person.presses(_payload_of(card), on=card)
    assert await tap.stops() == f"Đơn {rice.code} đã được tổng đài (Trang) xác nhận lúc 09:12"
    assert not tap.alert


async def test_a_refusal_stays_until_it_was_read(world: World, rice: Placed, lan: Somebody) -> None:
    """Too early to complete: what was pressed, and from when on it works."""
    await lan.telegram.taps(CONFIRM)
    data = _signed(world, rice, lan, Purpose.COMPLETE)
    tap = await lan.telegram.person.presses(data, on=lan.telegram.person.received[-1])
    assert (
        await tap.stops()
        == f"Chưa báo hoàn thành đơn {rice.code} được. Bấm Hoàn thành được từ 14:12 thứ Sáu 20/05."
    )
    assert tap.alert


async def test_a_question_has_its_answer_in_the_chat(world: World, rice: Placed, lan: Somebody) -> None:
    """The button only stops waiting."""
    tap = await lan.telegram.taps("Huỷ đơn hàng")
    assert (await tap.stops(), tap.alert) == ("", False)


@pytest.mark.parametrize("label", [CONFIRM, "Huỷ đơn hàng"], ids=["acts", "asks"])
async def test_a_stranger_is_told_that_nothing_was_done(
    world: World, rice: Placed, lan: Somebody, card: Message, label: str
) -> None:
    """And nothing of the order."""
    bob = world.telegram_phone("Bob")
    await bob.starts()
    tap = await bob.person.presses(_payload_of(card, label), on=bob.person.received[-1])
    assert await tap.stops() == STRANGER
    assert tap.alert
    assert (await rice.shown())["status"] == "pending"


@pytest.mark.parametrize("data", ["", "x", "A" * 64, "ĐƠN"], ids=["empty", "short", "forged", "accents"])
async def test_a_button_that_is_none_of_ours_says_so(
    world: World, rice: Placed, lan: Somebody, card: Message, data: str
) -> None:
    """It does nothing, and does not go on waiting."""
    tap = await lan.telegram.person.presses(data, on=card)
    assert await tap.stops() == NO_MORE
    assert tap.status == 200


async def test_a_press_without_a_payload_stops_waiting_too(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody, card: Message
) -> None:
    """A game's, or one of a shape that nobody has heard of."""
    tap = await lan.telegram.person.presses("x", on=card)
    assert await tap.stops() == NO_MORE
    query = {**telegram.postman.deliveries[-1].update["callback_query"]}
    for number, broken in enumerate(
        ({**query, "data": 7}, {name: part for name, part in query.items() if name != "data"})
    ):
        tap.stopped.clear()
        tap.toast = ""
        update: dict[str, Any] = {"update_id": 5_000 + number, "callback_query": broken}
        assert await posted(world, json.dumps(update).encode(), telegram.secret) == 200
        assert await tap.stops() == NO_MORE


async def test_words_that_cannot_be_made_leave_no_button_waiting(
    world: World, lan: Somebody, rice: Placed, card: Message
) -> None:
    """A fault of ours in the words alone: the press has had its effect."""
    tap = await lan.telegram.person.presses("x", on=card)
    assert await tap.stops() == NO_MORE
    tap.stopped.clear()

    async def broken() -> Toast:
        raise LookupError

    bot = open_bot(world.settings)
    toasts = Toasts(bot)
    toasts.show(tap.query_id, broken)
    assert await tap.stops() == ""
    await toasts.drain()
    await close_bot(bot)


async def test_while_the_database_is_stuck_the_tap_is_told_and_telegram_comes_again(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody, card: Message
) -> None:
    """What was not taken in is not lost: the second time it has its effect."""
    async with world.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE inbox, addresses IN ACCESS EXCLUSIVE MODE")
        tap = await lan.telegram.person.presses(_payload_of(card), on=card)
        assert await tap.stops() == AGAIN
        assert tap.status == 503
    delivery = await telegram.redeliver()
    assert delivery.status == 200
    assert (await rice.shown())["status"] == "confirmed"


async def test_a_telegram_that_says_nothing_holds_no_tap_up(
    world: World, telegram: FakeTelegram, rice: Placed, lan: Somebody, card: Message
) -> None:
    """The order is confirmed and the webhook answered, whatever becomes of the toast; it is counted."""
    before = counted("chotdon_inbound_total", what="tap not answered")
    telegram.fail_next(400, "Bad Request: query is too old", path="/answerCallbackQuery")
    tap = await lan.telegram.person.presses(_payload_of(card), on=card)
    assert tap.status == 200
    assert (await rice.shown())["status"] == "confirmed"
    await world.settles()
    assert tap.spins
    assert counted("chotdon_inbound_total", what="tap not answered") == before + 1


@pytest.mark.parametrize("secret", [None, "", "wrong", "sandbox-telegram-secreu", "é"], ids=repr)
async def test_who_does_not_know_the_secret_is_not_read(
    world: World, telegram: FakeTelegram, lan: Somebody, secret: str | None
) -> None:
    """Not even looked at: what no object is has the same answer."""
    before = counted("chotdon_webhook_rejected_total", reason="signature")
    assert await posted(world, b"{", secret) == 401
    assert await posted(world, b'{"update_id": 1}', secret) == 401
    assert counted("chotdon_webhook_rejected_total", reason="signature") == before + 2


async def test_our_own_name_is_asked_for_when_a_command_names_a_bot(
    world: World, telegram: FakeTelegram, lan: Somebody
) -> None:
    """Before it is known every command is taken for ours; from then on only those that are."""
    person = lan.telegram.person
    await lan.telegram.says(f"/homnay@{telegram.username}")
    told = len(person.received)
    await person.says("/homnay@another_bot")
    await world.settles()
    assert len(person.received) == told


def _payload_of(card: Message, label: str = CONFIRM) -> str:
    button = card.button(label)
    assert button
    assert button.data
    return button.data


def _signed(world: World, order: Placed, somebody: Somebody, purpose: Purpose) -> str:
    """Return the payload of a button that no card has had yet."""
    order_id = OrderId(UUID(order.id))
    return signer_of(world.settings).button(ButtonToken(order_id, 1, purpose, somebody.staff_id))
