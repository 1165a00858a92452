import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.database import Database
from sandbox.mailbox import Mailbox
from sandbox.zalo import FakeZalo
from tests.cli.conftest import Operator


def by_part(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return state and words of each part that was found."""
    return {found["part"]: (found["state"], found["words"]) for found in told["findings"]}


async def examined(operator: Operator, *, exit_code: int = 0) -> dict[str, tuple[str, str]]:
    """Run the doctor beside this test's servers."""
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=exit_code)
    return by_part(told)


@pytest.fixture
async def zalo(operator: Operator) -> AsyncIterator[FakeZalo]:
    """Yield a Zalo that our Official Account belongs to."""
    async with FakeZalo() as zalo:
        pair = zalo.issue_tokens()
        operator.settings.update(
            CHOTDON_ZALO_APP_ID=zalo.app_id,
            CHOTDON_ZALO_APP_SECRET=zalo.app_secret,
            CHOTDON_ZALO_OA_ID=zalo.oa_id,
            CHOTDON_ZALO_OA_SECRET=zalo.oa_secret,
            CHOTDON_ZALO_ACCESS_TOKEN=pair.access_token,
            CHOTDON_ZALO_REFRESH_TOKEN=pair.refresh_token,
            CHOTDON_ZALO_OPENAPI_URL=zalo.url,
            CHOTDON_ZALO_BUSINESS_URL=zalo.url,
            CHOTDON_ZALO_OAUTH_URL=zalo.url,
        )
        yield zalo


async def test_a_healthy_service_has_no_fault(operator: Operator, zalo: FakeZalo) -> None:
    """Everything answers; what is not set up is said to be off."""
    async with Mailbox() as mailbox:
        operator.settings.update(CHOTDON_SMTP_URL=mailbox.smtp_url, CHOTDON_EMAIL_FROM="don@example.com")
        found = await examined(operator)
    states = {part: state for part, (state, _) in found.items()}
    assert states == {
        "settings": "ok",
        "database": "ok",
        "zalo": "ok",
        "redis": "ok",
        "email": "ok",
        "telegram": "off",
        "sms": "off",
    }
    assert zalo.office.oa_name in found["zalo"][1]


async def test_a_channel_without_settings_is_off_not_faulty(operator: Operator) -> None:
    """It says what it would need."""
    found = await examined(operator)
    assert found["email"] == ("off", "needs CHOTDON_SMTP_URL, CHOTDON_EMAIL_FROM")
    assert found["zalo"][0] == "off"


async def test_every_fault_is_told_at_once(operator: Operator) -> None:
    """Bad settings, no Redis, no mail server, no database: one run names them all."""
    operator.redis_url = "redis://:secret@127.0.0.1:1/0"
    operator.database_url = "postgres://chotdon:secret@127.0.0.1:1/chotdon"
    operator.settings.update(
        CHOTDON_REMINDER_HOUR="99",
        CHOTDON_BASE_URL="nowhere",
        CHOTDON_SMTP_URL="smtp://user:secret@127.0.0.1:1?tls=none",
        CHOTDON_EMAIL_FROM="don@example.com",
        CHOTDON_ZALO_APP_ID="1",
    )
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=1)
    faulty = [found for found in told["findings"] if found["state"] == "fault"]
    assert sorted(found["part"] for found in faulty) == [
        "database",
        "email",
        "redis",
        "settings",
        "settings",
        "zalo",
    ]
    assert "secret" not in str(told)
    assert told["ok"] is False


async def test_production_s_missing_settings_are_faults(operator: Operator) -> None:
    """What would stop a start is named, and the rest is looked at all the same."""
    operator.settings.update(
        CHOTDON_ENV="production", CHOTDON_SECRET_KEY="", CHOTDON_BASE_URL="http://don.vn"
    )
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=1)
    words = [found["words"] for found in told["findings"] if found["state"] == "fault"]
    assert words == [
        "CHOTDON_SECRET_KEY is required in production",
        "CHOTDON_BASE_URL must be https in production",
    ]
    assert by_part(told)["database"][0] == "ok"


async def test_a_schema_that_is_behind_is_a_fault(operator: Operator) -> None:
    """The doctor names the command that mends it."""

    async def empty(database: Database) -> None:
        await database.pool.execute("DROP SCHEMA public CASCADE")
        await database.pool.execute("CREATE SCHEMA public")

    await asyncio.to_thread(operator.with_database, empty)
    state, words = (await examined(operator, exit_code=1))["database"]
    assert state == "fault"
    assert "chotdon migrate" in words


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"CHOTDON_ZALO_OA_ID": "1"}, "names another"),
        ({"CHOTDON_ZALO_APP_SECRET": "wrong", "CHOTDON_ZALO_ACCESS_TOKEN": "stale"}, "-14014"),
        ({"CHOTDON_ZALO_ACCESS_TOKEN": ""}, "no token pair"),
        ({"CHOTDON_ZALO_OPENAPI_URL": "http://127.0.0.1:1"}, "no answer that can be used"),
        ({"CHOTDON_ZALO_OA_SECRET": ""}, "set up in part: CHOTDON_ZALO_OA_SECRET is missing"),
    ],
)
async def test_what_is_wrong_with_zalo_is_told(
    operator: Operator, zalo: FakeZalo, changed: dict[str, str], told: str
) -> None:
    """Another account's token, a burned token, no token, no Zalo, half a setting."""
    operator.settings.update(changed)
    state, words = (await examined(operator, exit_code=1))["zalo"]
    assert state == "fault"
    assert told in words


async def test_an_unreadable_sender_is_a_fault(operator: Operator) -> None:
    """A mail server alone does not make mails."""
    async with Mailbox() as mailbox:
        operator.settings.update(CHOTDON_SMTP_URL=mailbox.smtp_url, CHOTDON_EMAIL_FROM="nobody")
        found = await examined(operator, exit_code=1)
    assert found["email"][0] == "fault"
    assert "CHOTDON_EMAIL_FROM" in found["email"][1]
