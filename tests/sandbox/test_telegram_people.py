"""People and groups on the fake Telegram: what they do travels as the updates that Telegram posts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot, Update

from sandbox.telegram import FakeTelegram, TelegramPerson
from sandbox.telegram.html import Text, read_text
from sandbox.telegram.keyboards import read_markup
from sandbox.wall.marks import marked
from tests.sandbox.conftest import Ear, HandClock


@pytest.fixture
async def telegram(clock: HandClock, ear: Ear) -> AsyncIterator[FakeTelegram]:
    """Yield a running Bot API whose updates reach `ear`."""
    async with FakeTelegram(clock=clock, limited=False, again_after=None) as fake:
        fake.webhook_url = ear.url
        yield fake


@pytest.fixture
async def lan(telegram: FakeTelegram, ear: Ear) -> TelegramPerson:
    """Return Lan, who has started the bot."""
    person = telegram.person("Lan", phone="84909123456")
    await person.starts()
    ear.arrivals.clear()
    return person


def _last(ear: Ear) -> Update:
    """Read the newest update as the product's library reads it."""
    return Update.de_json(ear.arrivals[-1].body, Bot("1:A"))


def _card(telegram: FakeTelegram, person: TelegramPerson) -> None:
    markup = {"inline_keyboard": [[{"text": "Xác nhận", "callback_data": "abc"}]]}
    telegram.office.put(person.chat, Text("Đơn 48273"), read_markup(markup))


async def test_starting_by_a_deep_link_carries_its_code(telegram: FakeTelegram, ear: Ear) -> None:
    """The person may be written to from then on."""
    lan = telegram.person("Lan")
    delivery = await lan.starts("LK482913")
    message = _last(ear).message
    assert delivery.accepted
    assert message
    assert message.from_user
    assert (message.text, message.from_user.id, message.chat.id) == (
        "/start LK482913",
        lan.user_id,
        lan.user_id,
    )
    assert ear.arrivals[-1].headers["X-Telegram-Bot-Api-Secret-Token"] == telegram.secret


async def test_a_tap_spins_until_it_is_answered(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """It carries the data, the card and who pressed; the toast is what the bot says, once."""
    _card(telegram, lan)
    tap = await lan.taps("Xác nhận")
    query = _last(ear).callback_query
    assert query
    assert (query.data, query.from_user.id, query.id) == ("abc", lan.user_id, tap.query_id)
    assert query.message
    assert query.message.is_accessible
    assert tap.spins

    async with Bot(telegram.token, base_url=f"{telegram.url}/bot") as bot:
        await bot.answer_callback_query(query.id, "Đã xác nhận", show_alert=True)
        with pytest.raises(Exception, match="too old"):
            await bot.answer_callback_query(query.id)
        with pytest.raises(Exception, match=r"(?i)message_too_long"):
            await bot.answer_callback_query(query.id, "x" * 201)
    assert (tap.spins, tap.toast, tap.alert) == (False, "Đã xác nhận", True)
    assert lan.toasts == ["Đã xác nhận"]


async def test_a_tap_on_a_message_that_is_gone_names_it_only(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """The client still shows it; the server has nothing left to tell."""
    _card(telegram, lan)
    (card,) = lan.received
    lan.chat.drop(card)
    await lan.presses("abc", on=card)
    query = _last(ear).callback_query
    assert query
    assert query.message
    assert not query.message.is_accessible


async def test_a_contact_says_whose_it_is(telegram: FakeTelegram, lan: TelegramPerson, ear: Ear) -> None:
    """One's own names one's own account; another's does not."""
    await lan.shares_contact()
    own = _last(ear).message
    assert own
    assert own.contact
    assert (own.contact.user_id, own.contact.phone_number) == (lan.user_id, "84909123456")
    await lan.shares_contact(telegram.person("Tí", phone="84909000222"))
    other = _last(ear).message
    assert other
    assert other.contact
    assert other.contact.user_id != lan.user_id


async def test_blocking_and_coming_back_are_told(lan: TelegramPerson, ear: Ear) -> None:
    """As changes of the bot's place in the chat; starting again comes with a /start."""
    await lan.blocks()
    blocked = _last(ear).my_chat_member
    assert blocked
    assert blocked.new_chat_member.status == "kicked"
    await lan.starts()
    assert [next(iter(set(one.body) - {"update_id"})) for one in ear.arrivals] == [
        "my_chat_member",
        "my_chat_member",
        "message",
    ]


async def test_a_group_takes_the_bot_in_and_puts_it_out(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """The deep link's code follows as a command that names the bot; talk among people is not shown."""
    group = telegram.group("Bếp Lan", lan)
    await group.adds_bot(lan, code="482913")
    said = _last(ear).message
    assert said
    assert said.text == f"/start@{telegram.username} 482913"
    assert (said.chat.id, said.chat.type) == (group.chat.id, "group")
    heard = len(ear.arrivals)
    await lan.says("Trưa nay ai đi chợ?", where=group.chat)
    assert len(ear.arrivals) == heard
    await lan.says("/homnay", where=group.chat)
    assert len(ear.arrivals) == heard + 1
    await group.kicks_bot(lan)
    kicked = _last(ear).my_chat_member
    assert kicked
    assert kicked.new_chat_member.status == "kicked"


async def test_a_group_that_becomes_a_supergroup_tells_both_ids(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """Once from the old chat, once from the new one."""
    group = telegram.group("Bếp Lan", lan)
    await group.adds_bot(lan)
    old = group.chat.id
    new = await group.migrates()
    messages: list[Any] = [one.body["message"] for one in ear.arrivals[-2:]]
    assert messages[0]["migrate_to_chat_id"] == new.id
    assert messages[1]["migrate_from_chat_id"] == old
    assert str(new.id).startswith("-100")


async def test_an_update_comes_again_until_it_is_taken(clock: HandClock, ear: Ear) -> None:
    """The same number, the same body; numbers rise."""
    async with FakeTelegram(clock=clock, again_after=timedelta(milliseconds=20)) as telegram:
        telegram.webhook_url = ear.url
        ear.status = 503
        lan = telegram.person("Lan")
        delivery = await lan.starts()
        assert not delivery.accepted
        ear.status = 200
        while len(ear.arrivals) < 2:  # noqa: ASYNC110 - the fake tells nobody when it tries again
            await asyncio.sleep(0.01)
        await lan.says("HN")
    first, again, *_, last = ear.arrivals
    assert first.raw == again.raw
    assert last.body["update_id"] > first.body["update_id"]


async def test_updates_come_late_and_backwards_and_twice(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """Whatever a test asks for; nothing is lost."""
    telegram.postman.hold()
    await lan.says("một")
    await lan.says("hai")
    assert ear.arrivals == []
    await telegram.postman.release(backwards=True)
    assert [one.body["message"]["text"] for one in ear.arrivals] == ["hai", "một"]
    await telegram.redeliver()
    assert ear.arrivals[-1].raw == ear.arrivals[-2].raw


async def test_a_webhook_may_answer_with_a_method(
    telegram: FakeTelegram, lan: TelegramPerson, ear: Ear
) -> None:
    """It is called as if the bot had; what it is refused for nobody learns."""
    _card(telegram, lan)
    tap = await lan.taps("Xác nhận")
    answer = {"method": "answerCallbackQuery", "callback_query_id": tap.query_id, "text": "Xong"}
    await telegram.postman.reply(answer)
    await telegram.postman.reply(answer)
    assert tap.toast == "Xong"


async def test_chats_outlive_the_process(clock: HandClock, ear: Ear, tmp_path: Path) -> None:
    """Messages, who may be written to, and numbers that are never used twice."""
    kept = tmp_path / "telegram.json"
    async with FakeTelegram(clock=clock, limited=False, memory=kept) as telegram:
        telegram.webhook_url = ear.url
        lan = telegram.person("Lan")
        await lan.starts()
        group = telegram.group("Bếp Lan", lan)
        await group.adds_bot(lan)
        _card(telegram, lan)
        last = lan.received[-1]
    assert kept.stat().st_mode & 0o777 == 0o600
    async with FakeTelegram(clock=clock, limited=False, memory=kept) as telegram:
        lan = telegram.person("Lan")
        group = telegram.group("Bếp Lan", lan)
        assert lan.received == [last]
        assert not lan.chat.shut
        assert not group.chat.shut
        _card(telegram, lan)
        assert lan.received[-1].message_id > last.message_id


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        ("<b>Đơn 😀 1</b> & <i>x</i>", "<b>Đơn 😀 1</b> &amp; <i>x</i>"),
        ("<b>a <i>b</i></b> c", "<b>a </b><b><i>b</i></b> c"),
        (
            '<a href="https://x.example/?a=1&amp;b=2">đây</a>',
            '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener">đây</a>',
        ),
        ("a &lt;script&gt;", "a &lt;script&gt;"),
    ],
    ids=["wide letters", "nested", "link", "escaped"],
)
def test_marks_are_shown_on_the_wall(plain: str, html: str) -> None:
    """Counted as Telegram counts; nothing of what was sent is taken as it is."""
    read = read_text(plain, "HTML")
    assert str(marked(read.plain, read.entities)) == html
