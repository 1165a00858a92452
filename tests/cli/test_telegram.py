"""The bot registers itself, opens by a link, and tells the doctor how it is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.commands import COMMANDS
from core.errors import Misconfigured
from sandbox.telegram import FakeTelegram
from tests.cli.conftest import Operator

URL = "https://chotdon.example/webhooks/telegram"


@pytest.fixture
async def telegram(operator: Operator) -> AsyncIterator[FakeTelegram]:
    """Yield a Bot API that our bot is known to."""
    async with FakeTelegram(again_after=None) as fake:
        told = {f"CHOTDON_{name.upper()}": value for name, value in fake.settings().items()}
        operator.settings.update(told, CHOTDON_BASE_URL="https://chotdon.example")
        yield fake


async def registered(operator: Operator) -> Any:
    """Register the webhook; return what was printed."""
    return await asyncio.to_thread(operator.reads, "telegram", "set-webhook")


async def finding(operator: Operator, *, exit_code: int = 0) -> tuple[str, str]:
    """Return how the doctor finds the bot."""
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=exit_code)
    return next((each["state"], each["words"]) for each in told["findings"] if each["part"] == "telegram")


async def test_the_webhook_is_registered_with_its_secret(operator: Operator, telegram: FakeTelegram) -> None:
    """And for the updates that we read; what waits is kept."""
    told = await registered(operator)
    assert told["url"] == telegram.webhook_url == URL
    assert told["bot"] == telegram.username
    assert telegram.postman.secret == operator.settings["CHOTDON_TELEGRAM_SECRET"]
    assert telegram.postman.allowed == ("message", "callback_query", "my_chat_member")
    printed = (await asyncio.to_thread(operator.types, "telegram", "set-webhook")).stdout
    assert f"@{telegram.username}" in printed
    assert telegram.postman.secret not in printed


async def test_the_menu_speaks_vietnamese_and_english(operator: Operator, telegram: FakeTelegram) -> None:
    """A phone in any other language reads Vietnamese."""
    told = await registered(operator)
    names = [command.name for command in COMMANDS]
    assert told["commands"] == [f"/{name}" for name in names]
    assert {"donhang", "homnay", "ngaymai", "tien", "danhgia", "trogiup", "ngonngu"} <= set(names)
    menus = telegram.api.commands
    assert set(menus) == {"default:", "default:vi", "default:en"}
    assert menus["default:"] == menus["default:vi"]
    first = {language: menu[0]["description"] for language, menu in menus.items()}
    assert first["default:vi"] == "Các đơn của quán"
    assert first["default:en"] != first["default:vi"]


async def test_an_address_without_https_is_not_registered(operator: Operator, telegram: FakeTelegram) -> None:
    """Telegram posts to nothing else; only a Bot API on this machine does."""
    operator.settings.update(
        CHOTDON_BASE_URL="http://chotdon.example", CHOTDON_TELEGRAM_API_URL="https://telegram.invalid"
    )
    with pytest.raises(Misconfigured, match="BASE_URL must be https"):
        await asyncio.to_thread(operator.types, "telegram", "set-webhook")
    assert telegram.webhook_url == ""


def test_without_a_token_nothing_is_registered(operator: Operator) -> None:
    """What is missing is named."""
    with pytest.raises(Misconfigured, match="CHOTDON_TELEGRAM_TOKEN is not set"):
        operator.types("telegram", "set-webhook")


async def test_a_wrong_token_is_told_and_not_printed(operator: Operator, telegram: FakeTelegram) -> None:
    """Whoever reads over a shoulder learns nothing."""
    operator.settings["CHOTDON_TELEGRAM_TOKEN"] = "999:wrong"
    refused = await asyncio.to_thread(operator.is_refused, "telegram", "set-webhook")
    assert "does not know this token" in refused
    assert "999:wrong" not in refused


async def test_a_telegram_that_is_away_is_told(operator: Operator, telegram: FakeTelegram) -> None:
    """In one line."""
    await telegram.refuse()
    assert "Telegram" in await asyncio.to_thread(operator.is_refused, "telegram", "set-webhook")


# --- links ------------------------------------------------------------------------------------


async def test_a_link_opens_the_bot_with_the_code(
    operator: Operator, telegram: FakeTelegram, kitchen: str
) -> None:
    """In private, or as a way into a group."""
    told = await asyncio.to_thread(operator.reads, "link", kitchen, "--channel", "telegram")
    assert told["url"] == f"https://t.me/{telegram.username}?start={told['code']}"
    assert told["text"] == f"LK {told['code']}"
    group = await asyncio.to_thread(operator.reads, "link", kitchen, "--channel", "telegram", "--group")
    assert group["url"] == f"https://t.me/{telegram.username}?startgroup={group['code']}"
    printed = (await asyncio.to_thread(operator.types, "link", kitchen, "--channel", "telegram")).stdout
    assert f"open  https://t.me/{telegram.username}?start=" in printed


async def test_a_code_is_made_without_telegram_too(
    operator: Operator, telegram: FakeTelegram, kitchen: str
) -> None:
    """It can be typed; there is no address, and it is said why."""
    await telegram.refuse()
    told = await asyncio.to_thread(operator.reads, "link", kitchen, "--channel", "telegram")
    assert told["text"] == f"LK {told['code']}"
    assert "url" not in told


def test_only_telegram_has_groups(operator: Operator, kitchen: str) -> None:
    """Another channel's link cannot be one."""
    operator.is_refused("link", kitchen, "--channel", "zalo", "--group", exit_code=2)


# --- the doctor -------------------------------------------------------------------------------


async def test_a_registered_bot_is_well(operator: Operator, telegram: FakeTelegram) -> None:
    """Its name is told."""
    await registered(operator)
    state, words = await finding(operator)
    assert state == "ok"
    assert f"@{telegram.username}" in words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Telegram posts nowhere: run `chotdon telegram set-webhook`"),
        ("https://elsewhere.example/hook", "Telegram posts to https://elsewhere.example/hook, not to"),
    ],
    ids=["nowhere", "elsewhere"],
)
async def test_a_bot_that_does_not_hear_is_a_fault(
    operator: Operator, telegram: FakeTelegram, url: str, words: str
) -> None:
    """And what to do about it."""
    telegram.webhook_url = url
    state, told = await finding(operator, exit_code=1)
    assert state == "fault"
    assert words in told


async def test_updates_that_cannot_be_handed_to_us_are_a_fault(
    operator: Operator, telegram: FakeTelegram
) -> None:
    """As long as they wait."""
    await registered(operator)
    telegram.postman.again_after = timedelta(hours=1)
    telegram.webhook_url = "http://127.0.0.1:9"
    await telegram.person("Lan").starts()
    telegram.webhook_url = URL
    assert telegram.postman.last_error
    state, told = await finding(operator, exit_code=1)
    assert state == "fault"
    assert "Telegram cannot hand 1 updates to us" in told


async def test_a_token_that_is_not_known_is_a_fault(operator: Operator, telegram: FakeTelegram) -> None:
    """It is not printed."""
    operator.settings["CHOTDON_TELEGRAM_TOKEN"] = "999:wrong"
    state, told = await finding(operator, exit_code=1)
    assert (state, told) == (
        "fault",
        "Telegram does not know this token: look at CHOTDON_TELEGRAM_TOKEN",
    )
