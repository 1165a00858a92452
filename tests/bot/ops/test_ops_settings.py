"""The settings in force on the operators' console: all of them, and not one secret."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.ops.settings_view import channel_lines, groups_of, rules_of
from bot.texts import Texts
from core import alarms
from core.clock import real_now
from core.secrets import Secrets
from core.settings import PREFIX, Settings
from tests.bot.ops.console import HA, sign_in, site
from tests.bot.web.conftest import SECRET, Site, settings_for
from zalo_oa.client import ACCESS_LIFE, TokenPair
from zalo_oa.credentials import TOKEN_ALARM
from zalo_oa.token_store import SealedTokens

__all__ = ["site"]

#: Stands in every secret that a test sets, and in passwords of addresses.
MARK = "Sieu-Bi-Mat"
TOLD = {
    "database_url": f"postgres://chotdon:{MARK}@db.chotdon.example:5432/chotdon?password={MARK}",
    "redis_url": f"redis://:{MARK}@redis.chotdon.example:6379/0",
    "smtp_url": f"smtp://post:{MARK}@mail.chotdon.example:587?tls=starttls",
    "smpp_url": f"smpp://chotdon:{MARK}@smpp.chotdon.example:2775",
    "telegram_token": f"123456:{MARK}",
    "telegram_secret": MARK,
    "heartbeat_url": f"https://monitor.example/{MARK}",
    "zalo_app_id": "1111",
    "zalo_oa_id": "4567",
    "email_from": "don@chotdon.example",
}
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "email_from": "don@chotdon.example"}
VI = Texts("vi")


def secret_fields() -> list[str]:
    """Return the names of the settings that are secrets."""
    return [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]


@pytest.fixture
def settings() -> Settings:
    """Return settings with every secret set, to what must not be seen."""
    secrets = {name: f"{MARK}-{name}" for name in secret_fields()}
    return settings_for(**{**secrets, **TOLD, "secret_key": SECRET, "operator_emails": HA})


async def test_no_secret_and_no_part_of_one_is_shown(site: Site) -> None:
    """Not of settings, not of addresses that hold a password; that they are set is."""
    await sign_in(site)
    page = await site.opens("/ops/settings")
    assert page.status == 200
    assert MARK not in page.html
    assert SECRET not in page.html
    assert "CHOTDON_TELEGRAM_TOKEN đã đặt" in page.text
    assert "CHOTDON_DATABASE_URL postgres://•••@db.chotdon.example:5432/chotdon?•••" in page.text
    assert "CHOTDON_REDIS_URL redis://•••@redis.chotdon.example:6379/0" in page.text


@pytest.mark.parametrize("locale", ["vi", "en"])
def test_every_setting_stands_there_once(locale: str) -> None:
    """Those of tomorrow too: what no heading is known for is of the service."""
    shown = [line.name for _, lines in groups_of(Texts(locale), settings_for()) for line in lines]
    assert sorted(shown) == sorted(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)


def test_what_is_not_set_is_said_so() -> None:
    """A secret that is missing is not called set; what is as it comes is said to be."""
    lines = {
        line.name: line for _, lines in groups_of(VI, settings_for(twilio_auth_token=None)) for line in lines
    }
    assert lines["CHOTDON_TWILIO_AUTH_TOKEN"].value == "chưa đặt"
    assert lines["CHOTDON_SECRET_KEY"].value == "đã đặt"
    assert (lines["CHOTDON_SWEEP_EVERY"].value, lines["CHOTDON_SWEEP_EVERY"].is_usual) == ("10 giây", True)
    assert (lines["CHOTDON_HOTLINE"].value, lines["CHOTDON_HOTLINE"].is_usual) == ("19001234", False)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        (f"redis://{MARK}@host/0", "redis://•••@host/0"),
        (f"redis://a:{MARK}@[::1]:1/0", "redis://•••@[::1]:1/0"),
        (f"redis://a:{MARK}@host:port/0", "•••"),
        (f"unix://a:{MARK}@/run/redis.sock?password={MARK}", "unix://•••@/run/redis.sock?•••"),
    ],
    ids=["plain", "name", "literal", "odd", "socket"],
)
def test_what_an_address_hides_stays_hidden(address: str, shown: str) -> None:
    """Whatever its form."""
    unchecked = settings_for().model_copy(update={"redis_url": address})
    (line,) = [
        line for _, lines in groups_of(VI, unchecked) for line in lines if line.name == "CHOTDON_REDIS_URL"
    ]
    assert line.value == shown


def test_a_secret_is_a_secret_by_its_type() -> None:
    """So a new one is hidden without anybody thinking of it."""
    assert {"secret_key", "telegram_token", "smtp_url"} <= set(secret_fields())
    unset = settings_for().model_copy(update={"hotline": SecretStr(MARK)})
    assert MARK not in str(groups_of(VI, unset))


def test_the_rules_are_said_in_words() -> None:
    """With the spans that are set."""
    rules = rules_of(VI, settings_for(confirm_nudges_after="PT90S,PT20M", confirm_nudges_before=""))
    assert rules[0] == "Đơn chưa xác nhận được nhắc lại sau 1 phút, 20 phút kể từ lúc báo."
    assert rules[1] == "Rồi nhắc tất cả người được xác nhận trước giờ giao (không)."
    assert "Bấm Hoàn thành được từ 1 giờ trước giờ giao." in rules


async def test_channels_that_are_off_say_what_they_need(site: Site) -> None:
    """No SMS gateway was chosen."""
    await sign_in(site)
    text = (await site.opens("/ops/settings")).text
    assert "Telegram đang bật" in text
    assert "SMS đang tắt cần: SMS_GATEWAY (esms, speedsms, twilio, smpp)" in text


def test_a_gateway_that_was_set_up_in_part_says_what_is_its_own() -> None:
    """Of the chosen one only; what is on needs nothing."""
    half = {line.name: line.needs for line in channel_lines(settings_for(sms_gateway="speedsms", **MAIL))}
    assert (half["SMS"], half["Email"]) == ("SPEEDSMS_TOKEN", "")


async def test_the_token_of_zalo_tells_how_it_stands(site: Site) -> None:
    """None yet, then valid with its end, then in trouble and over."""
    await sign_in(site)
    assert "Chưa có mã truy cập" in (await site.opens("/ops/settings")).text
    store = SealedTokens(Secrets(site.database, SECRET), "4567")
    async with store.locked() as row:
        await row.save(TokenPair(f"{MARK}-access", f"{MARK}-refresh", real_now(), ACCESS_LIFE))
    page = await site.opens("/ops/settings")
    assert "Dùng được đến" in page.text
    assert MARK not in page.html
    async with store.locked() as row:
        long_ago = real_now() - timedelta(days=3)
        await row.save(TokenPair(f"{MARK}-access", f"{MARK}-refresh", long_ago, ACCESS_LIFE))
    async with site.database.pool.acquire() as connection:
        await alarms.raise_(connection, TOKEN_ALARM, "-14014: invalid refresh token", now=site.now)
    page = await site.opens("/ops/settings")
    assert "Đã hết hạn lúc" in page.text
    assert "-14014: invalid refresh token" in page.text
    assert 'href="https://oauth.zaloapp.com/' in page.html


async def test_an_hour_without_a_call_says_so(site: Site) -> None:
    """Of gateways that nobody called nothing is known."""
    await sign_in(site)
    assert "Chưa gửi tin nào trong một giờ qua" in (await site.opens("/ops/settings")).text
