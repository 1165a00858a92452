"""The fake Bot API as python-telegram-bot meets it: every method, and every limit the real one has."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from sandbox.telegram import FakeTelegram, TelegramGroup, TelegramPerson
from tests.sandbox.conftest import Ear, HandClock


@pytest.fixture(autouse=True)
def _spans_as_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library tell times to wait as it will from its next release on; it warns otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def telegram(clock: HandClock, ear: Ear) -> AsyncIterator[FakeTelegram]:
    """Yield a running Bot API without rates, whose updates reach `ear`."""
    async with FakeTelegram(clock=clock, limited=False, again_after=None) as fake:
        fake.webhook_url = ear.url
        yield fake


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    """Yield the library's own bot, which speaks to the fake."""
    async with Bot(telegram.token, base_url=f"{telegram.url}/bot") as ready:
        yield ready


@pytest.fixture
async def lan(telegram: FakeTelegram) -> TelegramPerson:
    """Return Lan, who has started the bot."""
    person = telegram.person("Lan", phone="84909123456")
    await person.starts()
    return person


@pytest.fixture
async def kitchen(telegram: FakeTelegram, lan: TelegramPerson) -> TelegramGroup:
    """Return a group of Lan's with the bot in it."""
    group = telegram.group("Bếp Lan", lan, telegram.person("Tí"))
    await group.adds_bot(lan)
    return group


def _keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(one, callback_data=f"d:{one}")] for one in labels])


# --- the bot itself -----------------------------------------------------------------------------------


async def test_the_bot_says_who_it_is(bot: Bot, telegram: FakeTelegram) -> None:
    """The name is what deep links are made of."""
    assert (await bot.get_me()).username == telegram.username


async def test_another_token_is_refused(telegram: FakeTelegram) -> None:
    """Whoever does not hold the token can do nothing."""
    async with aiohttp.ClientSession() as session:
        for token, status in (("8123456789:other", 401), ("nonsense", 404)):
            async with session.post(f"{telegram.url}/bot{token}/getMe") as answer:
                assert answer.status == status
                assert (await answer.json())["ok"] is False


async def test_the_webhook_is_kept_and_told(bot: Bot, telegram: FakeTelegram, ear: Ear) -> None:
    """Its address, its secret and what it asked for."""
    await bot.set_webhook(ear.url, secret_token="a-b_C9", allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == (ear.url, ("message",))
    lan = telegram.person("Lan")
    await lan.starts()
    await lan.blocks()
    (arrival,) = ear.arrivals
    assert arrival.headers["X-Telegram-Bot-Api-Secret-Token"] == "a-b_C9"
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("http://chotdon.example/webhooks/telegram", "good", "HTTPS"),
        ("https://chotdon.example:9000/webhooks/telegram", "good", "ports"),
        ("https://chotdon.example/webhooks/telegram", "no spaces", "unallowed"),
        ("https://chotdon.example/webhooks/telegram", "x" * 257, "too long"),
    ],
    ids=["http", "port", "characters", "length"],
)
async def test_a_bad_webhook_is_refused(bot: Bot, url: str, secret: str, why: str) -> None:
    """As the real server refuses it."""
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        await bot.set_webhook(url, secret_token=secret)


async def test_commands_are_kept_by_language(bot: Bot) -> None:
    """A menu in each language, and one for everybody else."""
    await bot.set_my_commands([BotCommand("donhang", "Đơn hàng")])
    await bot.set_my_commands([BotCommand("donhang", "My orders")], language_code="en")
    assert [one.description for one in await bot.get_my_commands()] == ["Đơn hàng"]
    assert [one.description for one in await bot.get_my_commands(language_code="en")] == ["My orders"]
    assert await bot.get_my_commands(language_code="fr") == ()


@pytest.mark.parametrize(
    ("name", "description"),
    [("DonHang", "x"), ("x" * 33, "x"), ("đơn", "x"), ("ok", "x" * 257)],
    ids=["capitals", "long", "accents", "description"],
)
async def test_a_bad_command_is_refused(bot: Bot, name: str, description: str) -> None:
    """Small letters, digits and underscores, 32 at most."""
    with pytest.raises((BadRequest, ValueError)):
        await bot.set_my_commands([BotCommand(name, description)])


# --- messages -----------------------------------------------------------------------------------------


async def test_a_message_is_read_as_its_marks_say(bot: Bot, lan: TelegramPerson) -> None:
    """The marks are gone from the text; entities and buttons are told."""
    sent = await bot.send_message(
        lan.user_id,
        '<b>Đơn 48273</b> &lt;mới&gt; <a href="https://chotdon.example/o/1">xem</a>',
        parse_mode="HTML",
        reply_markup=_keyboard("Xác nhận"),
    )
    seen = await lan.sees("Đơn 48273")
    assert seen.text == "Đơn 48273 <mới> xem"
    assert seen.buttons == ["Xác nhận"]
    assert [(one.type, one.offset, one.length) for one in sent.entities] == [
        ("bold", 0, 9),
        ("text_link", 16, 3),
    ]
    assert sent.date.year == 2026


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<b>không đóng", "Can't find end tag"),
        ("<b>sai <i>thứ</b> tự</i>", "Unmatched end tag"),
        ("<h1>lớn</h1>", "Unsupported start tag"),
        ("nhỏ </b>", "Unexpected end tag"),
        ("1 < 2", "Unsupported start tag|Unclosed start tag"),
        ("<b></b>", "non-empty"),
        ("<b>" + "x" * 4097 + "</b>", "too long"),
    ],
    ids=["unclosed", "crossed", "unknown", "unopened", "bare", "empty", "long"],
)
async def test_bad_html_is_refused(bot: Bot, lan: TelegramPerson, text: str, why: str) -> None:
    """Nothing arrives, and the sentence says why."""
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        await bot.send_message(lan.user_id, text, parse_mode="HTML")
    assert lan.received == []


async def test_length_counts_without_the_marks(bot: Bot, lan: TelegramPerson) -> None:
    """4096 characters may carry any number of tags."""
    await bot.send_message(lan.user_id, "<b>" + "x" * 4096 + "</b>", parse_mode="HTML")
    assert len(lan.received[0].text) == 4096


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"text": "x", "callback_data": "đ" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "url": "http://localhost:8080/o/1"}, "Wrong HTTP URL"),
        ({"text": "x", "url": "javascript:alert(1)"}, "Wrong HTTP URL|Unsupported URL protocol"),
        ({"text": "x", "url": "ftp://chotdon.example/"}, "Unsupported URL protocol"),
        ({"text": "", "callback_data": "x"}, "text"),
        ({"text": "x"}, "unallowed"),
    ],
    ids=["66 bytes", "no data", "localhost", "script", "ftp", "no label", "nothing"],
)
async def test_a_bad_button_is_refused(
    telegram: FakeTelegram, lan: TelegramPerson, button: dict[str, str], why: str
) -> None:
    """One bad button, and the whole message does not go out."""
    markup = {"inline_keyboard": [[button]]}
    async with aiohttp.ClientSession() as session:
        address = f"{telegram.url}/bot{telegram.token}/sendMessage"
        body = {"chat_id": lan.user_id, "text": "x", "reply_markup": markup}
        async with session.post(address, json=body) as answer:
            told = await answer.json()
    assert (answer.status, told["ok"], told["error_code"]) == (400, False, 400)
    assert re.search(why, told["description"])
    assert lan.received == []


async def test_good_buttons_are_taken(bot: Bot, lan: TelegramPerson) -> None:
    """64 bytes of data; links to a host with a dot, or to an address."""
    rows = [
        InlineKeyboardButton("đủ", callback_data="đ" * 32),
        InlineKeyboardButton("web", url="https://chotdon.example/o/1"),
        InlineKeyboardButton("máy này", url="http://127.0.0.1:8080/o/1"),
    ]
    await bot.send_message(lan.user_id, "x", reply_markup=InlineKeyboardMarkup([rows]))
    assert lan.link("máy này") == "http://127.0.0.1:8080/o/1"


async def test_more_than_a_hundred_buttons_are_refused(bot: Bot, lan: TelegramPerson) -> None:
    """One hundred is what a message carries."""
    await bot.send_message(lan.user_id, "x", reply_markup=_keyboard(*map(str, range(100))))
    with pytest.raises(BadRequest, match=r"(?i)too long"):
        await bot.send_message(lan.user_id, "x", reply_markup=_keyboard(*map(str, range(101))))


async def test_who_cannot_be_reached_and_why(
    bot: Bot, telegram: FakeTelegram, lan: TelegramPerson, kitchen: TelegramGroup
) -> None:
    """Each has the server's own sentence."""
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(123, "x")
    stranger = telegram.person("Người lạ")
    with pytest.raises(Forbidden, match=r"(?i)can't initiate"):
        await bot.send_message(stranger.user_id, "x")
    await lan.blocks()
    with pytest.raises(Forbidden, match=r"(?i)blocked by the user"):
        await bot.send_message(lan.user_id, "x")
    await lan.starts()
    await bot.send_message(lan.user_id, "x")
    lan.ends_account()
    with pytest.raises(Forbidden, match=r"(?i)deactivated"):
        await bot.send_message(lan.user_id, "x")
    await kitchen.kicks_bot(lan)
    with pytest.raises(Forbidden, match=r"(?i)kicked"):
        await bot.send_message(kitchen.chat.id, "x")


async def test_a_group_that_moved_says_where(bot: Bot, kitchen: TelegramGroup) -> None:
    """The error names the new chat, and that one takes messages; its numbers begin anew."""
    old = kitchen.chat.id
    await bot.send_message(old, "cũ")
    moved = await kitchen.migrates()
    with pytest.raises(ChatMigrated) as error:
        await bot.send_message(old, "x")
    assert error.value.new_chat_id == moved.id
    sent = await bot.send_message(moved.id, "mới")
    assert (await kitchen.sees("mới")).message_id == sent.message_id
    assert sent.message_id < 5


async def test_a_message_is_changed_in_its_place(bot: Bot, lan: TelegramPerson, clock: HandClock) -> None:
    """It keeps what it said before; without buttons in the change its buttons are gone."""
    sent = await bot.send_message(lan.user_id, "Chờ xác nhận", reply_markup=_keyboard("Xác nhận"))
    seen = await lan.sees("Chờ")
    await bot.edit_message_text("Đã xác nhận", lan.user_id, sent.message_id)
    now = lan.now(seen)
    assert (now.text, now.buttons, now.earlier) == ("Đã xác nhận", [], ("Chờ xác nhận",))
    assert now.was_edited
    assert lan.unread == []
    await bot.edit_message_reply_markup(lan.user_id, sent.message_id, reply_markup=_keyboard("Hoàn thành"))
    assert lan.now(seen).buttons == ["Hoàn thành"]


async def test_what_cannot_be_changed(bot: Bot, lan: TelegramPerson, clock: HandClock) -> None:
    """The same again, nothing there, somebody else's, and what is older than two days."""
    sent = await bot.send_message(lan.user_id, "x", reply_markup=_keyboard("A"))
    with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
        await bot.edit_message_text("x", lan.user_id, sent.message_id, reply_markup=_keyboard("A"))
    with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
        await bot.edit_message_text("y", lan.user_id, 999_999)
    with pytest.raises(BadRequest, match=r"(?i)can't be edited"):
        await bot.edit_message_text("y", lan.user_id, lan.chat.messages[0].message_id)
    clock.advance(timedelta(hours=48, seconds=1))
    with pytest.raises(BadRequest, match=r"(?i)can't be edited"):
        await bot.edit_message_text("y", lan.user_id, sent.message_id)
    with pytest.raises(BadRequest, match=r"(?i)can't be deleted"):
        await bot.delete_message(lan.user_id, sent.message_id)


async def test_a_message_is_deleted(bot: Bot, lan: TelegramPerson) -> None:
    """It is gone from the phone; a second time there is nothing to delete."""
    sent = await bot.send_message(lan.user_id, "x")
    await bot.delete_message(lan.user_id, sent.message_id)
    assert lan.received == []
    with pytest.raises(BadRequest, match=r"(?i)not found"):
        await bot.delete_message(lan.user_id, sent.message_id)


async def test_json_and_both_kinds_of_form_are_read(telegram: FakeTelegram, lan: TelegramPerson) -> None:
    """Whatever a library writes its calls in."""
    fields = {"chat_id": str(lan.user_id), "text": "chào"}
    address = f"{telegram.url}/bot{telegram.token}/sendMessage"
    multipart = aiohttp.FormData(fields, default_to_multipart=True)
    async with aiohttp.ClientSession() as session:
        for body in ({"json": fields}, {"data": fields}, {"data": multipart}, {"params": fields}):
            async with session.post(address, **body) as answer:
                assert (await answer.json())["ok"] is True
    assert len(lan.reads_all()) == 4


# --- rates and troubles -------------------------------------------------------------------------------


async def test_too_much_is_told_how_long_to_wait(clock: HandClock, ear: Ear) -> None:
    """A person takes a burst of five, a group twenty a minute; others are not concerned."""
    async with (
        FakeTelegram(clock=clock, again_after=None) as telegram,
        Bot(telegram.token, base_url=f"{telegram.url}/bot") as bot,
    ):
        telegram.webhook_url = ear.url
        lan, minh = telegram.person("Lan"), telegram.person("Minh")
        for person in (lan, minh):
            await person.starts()
        for number in range(5):
            await bot.send_message(lan.user_id, str(number))
        with pytest.raises(RetryAfter) as error:
            await bot.send_message(lan.user_id, "một tin nữa")
        assert 1 <= _seconds(error.value) <= 5
        await bot.send_message(minh.user_id, "chào")
    assert len(lan.received) == 5


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else after


async def test_troubles_are_scripted(bot: Bot, telegram: FakeTelegram, lan: TelegramPerson) -> None:
    """429, 5xx, nonsense, the server's own errors, a lost answer, a closed port; then all is well."""
    telegram.too_many(7)
    with pytest.raises(RetryAfter, match="7"):
        await bot.send_message(lan.user_id, "x")
    telegram.status_next(502)
    with pytest.raises(TelegramError):
        await bot.send_message(lan.user_id, "x")
    telegram.status_next(200)
    with pytest.raises(TelegramError):
        await bot.send_message(lan.user_id, "x")
    telegram.fail_next(403, "Forbidden: bot was blocked by the user")
    with pytest.raises(Forbidden):
        await bot.send_message(lan.user_id, "x")
    await telegram.refuse()
    with pytest.raises(TelegramError):
        await bot.send_message(lan.user_id, "x")
    await telegram.recover()
    assert lan.received == []
    telegram.accept_then_hang(5)
    with pytest.raises(TimedOut):
        await bot.send_message(lan.user_id, "tới rồi", read_timeout=0.2)
    await lan.sees("tới rồi")
    await bot.send_message(lan.user_id, "lại tốt")
    await lan.sees("lại tốt")


async def test_a_phone_number_is_asked_for_by_a_keyboard(bot: Bot, lan: TelegramPerson) -> None:
    """The keyboard stands in place of the phone's own until it is taken away."""
    ask = ReplyKeyboardMarkup([[KeyboardButton("Chia sẻ số", request_contact=True)]])
    await bot.send_message(lan.user_id, "Số của chị?", reply_markup=ask)
    ((button,),) = lan.chat.keyboard
    assert (button.label, button.asks_contact) == ("Chia sẻ số", True)
