"""What each of Telegram's answers means for a message, as the library itself reads it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.telegram.channel import TelegramChannel, open_channel
from bot.telegram.pace import PER_MINUTE
from core.channels import (
    Address,
    AddressKind,
    Badge,
    Block,
    BlockRole,
    Button,
    Card,
    Edits,
    NoSuchRecipient,
    Outcome,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from core.settings import Settings
from sandbox.listener import Listener
from sandbox.telegram import FakeTelegram, TelegramPerson

KEY = "0199a000-0000-7000-8000-0000000000a1"
CARD = Card(
    "order_new",
    "vi",
    "Đơn 48273 mới",
    "Đơn 48273 mới",
    blocks=(Block(BlockRole.WHEN, ("Giao 11:30",)), Block(BlockRole.DISHES, ("20 × Cơm gà",))),
    buttons=(Button("Xác nhận đơn hàng", payload="abc"),),
)
CONFIRMED = Card(
    "answer",
    "vi",
    "Đơn 48273 đã được Lan xác nhận",
    "",
    badge=Badge("confirmed", "Đã xác nhận", "48273"),
    blocks=CARD.blocks,
)


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """Yield a Bot API without rates."""
    async with FakeTelegram(limited=False, again_after=None) as fake:
        yield fake


@pytest.fixture
async def channel(telegram: FakeTelegram) -> AsyncIterator[TelegramChannel]:
    """Yield the channel that leads to it."""
    opened = open_channel(_settings(telegram))
    yield opened
    await opened.close()


def _settings(telegram: FakeTelegram, **changed: Any) -> Settings:
    """Return the settings that lead there."""
    known: dict[str, Any] = {**telegram.settings(), **changed}
    return Settings(_env_file=None, **known)


@pytest.fixture
async def lan(telegram: FakeTelegram) -> TelegramPerson:
    """Return Lan, who has started the bot."""
    person = telegram.person("Lan")
    await person.starts()
    return person


def at(chat: int) -> Address:
    """Return a chat as an address."""
    return Address(AddressKind.TELEGRAM_CHAT, str(chat))


async def sent_to(channel: TelegramChannel, chat: int, card: Card = CARD) -> Outcome:
    """Send a card there."""
    return await channel.send(at(chat), card, key=KEY)


async def changed(
    channel: TelegramChannel, gateway_id: str | None, card: Card = CONFIRMED, *, or_send: bool = True
) -> Outcome:
    """Let an earlier card show this one."""
    assert gateway_id
    chat = int(gateway_id.partition(":")[0])
    return await channel.edit(at(chat), gateway_id, card, key=KEY, or_send=or_send)


def name_of(outcome: Outcome) -> str:
    """Return what Telegram calls the message that was sent."""
    assert isinstance(outcome, Sent), outcome
    assert outcome.id
    return outcome.id


# --- sending ----------------------------------------------------------------------------------


async def test_a_message_is_named_by_its_chat_and_its_number(
    channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """Numbers alone begin anew in every chat."""
    (first, second) = [name_of(await sent_to(channel, lan.user_id)) for _ in range(2)]
    assert first.startswith(f"{lan.user_id}:")
    assert first != second
    assert [message.text for message in lan.received] == [
        "Đơn 48273 mới\n\nGiao 11:30\n\n20 × Cơm gà",
        "Đơn 48273 mới\n\nGiao 11:30\n\n20 × Cơm gà",
    ]


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        (403, "Forbidden: bot was blocked by the user", "bot was blocked by the user"),
        (403, "Forbidden: user is deactivated", "user is deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "bot was kicked"),
        (403, "Forbidden: bot can't initiate conversation with a user", "bot can't initiate conversation"),
        (403, "Forbidden: the group chat was deleted", "group chat was deleted"),
        (400, "Bad Request: chat not found", "chat not found"),
        (400, "Bad Request: PEER_ID_INVALID", "peer_id_invalid"),
    ],
    ids=["blocked", "deactivated", "kicked", "never started", "deleted", "not found", "peer"],
)
async def test_who_is_gone_is_told_as_gone(
    telegram: FakeTelegram,
    channel: TelegramChannel,
    lan: TelegramPerson,
    code: int,
    description: str,
    expected: str,
) -> None:
    """The address ends, and the next channel takes over."""
    telegram.fail_next(code, description)
    outcome = await sent_to(channel, lan.user_id)
    assert outcome == NoSuchRecipient(expected, gone=True)


async def test_a_group_that_lets_nobody_write_has_not_ended(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """An admin may let the bot write again."""
    telegram.fail_next(400, "Bad Request: not enough rights to send text messages to the chat")
    assert await sent_to(channel, lan.user_id) == NoSuchRecipient("not enough rights")


@pytest.mark.parametrize("token", ["1:nobody", "8123456789:AAsandbox-telegram-tokem"], ids=["404", "401"])
async def test_a_wrong_token_is_everybodys_trouble(telegram: FakeTelegram, token: str) -> None:
    """The operators hear of it; nobody's address is marked by it, and the token is in no word of it."""
    channel = open_channel(_settings(telegram, telegram_token=token))
    outcome = await sent_to(channel, 42)
    await channel.close()
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.alarm) == (Scope.EVERYBODY, "token")
    assert token not in outcome.why


@pytest.mark.parametrize(
    "description",
    ["Bad Request: can't parse entities: x", "Bad Request: BUTTON_DATA_INVALID", "Bad Request: anything"],
    ids=["entities", "payload", "else"],
)
async def test_what_telegram_will_not_take_concerns_this_message(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson, description: str
) -> None:
    """Nobody is marked by it, and nobody is alarmed."""
    telegram.fail_next(400, description)
    outcome = await sent_to(channel, lan.user_id)
    assert isinstance(outcome, Refused)
    assert (outcome.scope, outcome.alarm) == (Scope.MESSAGE, None)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 409], ids=str)
async def test_a_gateway_in_trouble_is_for_later(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson, status: int
) -> None:
    """It says that it did nothing."""
    telegram.status_next(status)
    outcome = await sent_to(channel, lan.user_id)
    assert isinstance(outcome, TryLater)
    assert outcome.scope is Scope.EVERYBODY


async def test_how_long_to_wait_is_honoured(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """And never more than an hour."""
    telegram.too_many(7)
    assert await sent_to(channel, lan.user_id) == TryLater("429", timedelta(seconds=7))
    telegram.too_many(1_000_000)
    assert await sent_to(channel, lan.user_id) == TryLater("429", timedelta(hours=1))


async def test_a_group_that_has_had_enough_says_nothing_of_the_gateway(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """Telegram's own 429 for a group, and our pace before it."""
    group = telegram.group("Bếp Lan", lan)
    await group.adds_bot(lan)
    telegram.too_many(7)
    refused = await sent_to(channel, group.chat.id)
    assert refused == TryLater("429", timedelta(seconds=7), Scope.RECIPIENT)
    outcomes = [await sent_to(channel, group.chat.id) for _ in range(PER_MINUTE)]
    assert all(isinstance(outcome, Sent) for outcome in outcomes[:-1])
    waits = outcomes[-1]
    assert isinstance(waits, TryLater)
    assert waits.scope is Scope.RECIPIENT
    assert waits.after
    assert timedelta(seconds=50) < waits.after <= timedelta(minutes=1)
    assert len(group.received) == PER_MINUTE - 1


async def test_changes_count_among_what_a_group_gets(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """A card that changes again and again uses up the group's minute as messages do."""
    group = telegram.group("Bếp Lan", lan)
    await group.adds_bot(lan)
    name = name_of(await sent_to(channel, group.chat.id))
    for number in range(PER_MINUTE - 1):
        assert await changed(channel, name, CARD if number % 2 else CONFIRMED) == Sent(name)
    shown = group.received[0].text
    waits = await changed(channel, name, CARD if PER_MINUTE % 2 == 0 else CONFIRMED)
    assert isinstance(waits, TryLater)
    assert waits.scope is Scope.RECIPIENT
    assert group.received[0].text == shown


async def test_a_lost_answer_is_unclear(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """It was sent, and may have arrived: it did."""
    telegram.accept_then_hang(30)
    assert isinstance(await sent_to(channel, lan.user_id), Unclear)
    assert len(lan.received) == 1


async def test_a_yes_that_is_not_telegrams_is_unclear(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy may have answered; what it wrote is not put into the log."""
    telegram.status_next(200)
    with caplog.at_level(logging.INFO):
        assert isinstance(await sent_to(channel, lan.user_id), Unclear)
    assert telegram.token not in caplog.text


async def test_a_group_that_moved_tells_where_to(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """The same message goes there at once."""
    group = telegram.group("Bếp Lan", lan)
    await group.adds_bot(lan)
    old = group.chat.id
    card = name_of(await sent_to(channel, old))
    moved = await group.migrates(tells=False)
    outcome = await sent_to(channel, old)
    assert isinstance(outcome, NoSuchRecipient)
    assert (outcome.moved_to, outcome.gone) == (str(moved.id), False)
    assert isinstance(await sent_to(channel, moved.id), Sent)
    instead = await channel.edit(at(moved.id), card, CONFIRMED, key=KEY, or_send=True)
    assert name_of(instead).startswith(f"{moved.id}:")


@pytest.mark.parametrize("value", ["", "abc", "1.5", "@lan", "700000001\n", "١٢"], ids=repr)
async def test_what_is_no_chat_is_nobody(channel: TelegramChannel, value: str) -> None:
    """Nothing is called for it."""
    outcome = await channel.send(Address(AddressKind.TELEGRAM_CHAT, value), CARD, key=KEY)
    assert isinstance(outcome, NoSuchRecipient)


async def test_the_channel_reaches_chats_only(channel: TelegramChannel) -> None:
    """A phone says nothing of who is on Telegram."""
    assert channel.reaches(at(42), "order_new", now=real_now())
    assert not channel.reaches(Address(AddressKind.PHONE, "+84909123456"), "order_new", now=real_now())
    assert isinstance(channel, Edits)


# --- changing ---------------------------------------------------------------------------------


async def test_a_card_is_changed_in_its_place(channel: TelegramChannel, lan: TelegramPerson) -> None:
    """Its buttons go with what it said; it keeps its name, and a second change is the same."""
    name = name_of(await sent_to(channel, lan.user_id))
    assert await changed(channel, name) == Sent(name)
    assert await changed(channel, name) == Sent(name)  # "message is not modified"
    (message,) = lan.received
    assert message.text.startswith("Đơn 48273 đã được Lan xác nhận")
    assert message.buttons == []


@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: message can't be edited",
        "Bad Request: message to edit not found",
        "Bad Request: MESSAGE_ID_INVALID",
        "Bad Request: message identifier is not specified",
    ],
    ids=["too old", "deleted", "unknown", "none"],
)
async def test_a_card_that_cannot_be_changed_is_followed_by_a_short_one(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson, description: str
) -> None:
    """Where it is the newest of its order; an older one is let be."""
    name = name_of(await sent_to(channel, lan.user_id))
    telegram.fail_next(400, description, path="/editMessage", times=2)
    assert isinstance(await changed(channel, name, or_send=False), Refused)
    assert name_of(await changed(channel, name)) != name
    assert [message.text for message in lan.received][1:] == [
        "Đơn 48273 đã được Lan xác nhận\n✓ Đã xác nhận · 48273\n\nGiao 11:30"
    ]


async def test_a_change_whose_end_nobody_knows_is_made_again(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """It is the same however often it is done."""
    name = name_of(await sent_to(channel, lan.user_id))
    telegram.accept_then_hang(30, path="/editMessage")
    assert isinstance(await changed(channel, name), TryLater)
    telegram.status_next(200, path="/editMessage")
    assert isinstance(await changed(channel, name), TryLater)
    assert await changed(channel, name) == Sent(name)


async def test_who_has_blocked_the_bot_has_no_card_changed(
    telegram: FakeTelegram, channel: TelegramChannel, lan: TelegramPerson
) -> None:
    """The address ends by it as by a message."""
    name = name_of(await sent_to(channel, lan.user_id))
    telegram.fail_next(403, "Forbidden: bot was blocked by the user", path="/editMessage")
    outcome = await changed(channel, name)
    assert outcome == NoSuchRecipient("bot was blocked by the user", gone=True)


# --- what a hostile or broken gateway may do ----------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True, "result": True},
        {"ok": True, "result": {"message_id": 5}},
        {"ok": True, "result": []},
        {"ok": True, "result": "5"},
        {"ok": True},
        [],
    ],
    ids=["true", "half", "list", "text", "no result", "no object"],
)
async def test_an_answer_in_another_shape_is_unclear(answer: Any) -> None:
    """It said yes: the message may be there."""

    async def handler(request: web.Request) -> web.Response:
        return web.json_response(answer)

    assert isinstance(await _answered_by(handler), Unclear)


async def test_a_redirect_is_not_followed() -> None:
    """It would carry the token to wherever it points."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    assert isinstance(await _answered_by(handler), TryLater)
    assert len(asked) == 1


async def test_an_endless_answer_is_cut_off() -> None:
    """It neither fills the memory nor holds anybody up."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            await asyncio.sleep(0)

    async with asyncio.timeout(5):
        assert isinstance(await _answered_by(handler), Unclear)


async def _answered_by(handler: Any) -> Outcome:
    """Send a card to a gateway that answers like this."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    listener = Listener(app)
    await listener.start()
    channel = open_channel(
        Settings(_env_file=None, telegram_token="1:abc", telegram_secret="abc", telegram_api_url=listener.url)
    )
    try:
        return await sent_to(channel, 42)
    finally:
        await channel.close()
        await listener.stop()
