"""Settings: every fault is told at once, secrets are made where they may be, and none is shown."""

import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from core.channels import ChannelName
from core.errors import Misconfigured
from core.schedule import Policy
from core.settings import Settings

PRODUCTION: Final = {
    "env": "production",
    "database_url": "postgres://chotdon@db/chotdon",
    "redis_url": "redis://cache:6379/0",
    "base_url": "https://chotdon.example",
    "secret_key": "x" * 40,
}


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Reader":
    """Return who reads settings from an environment that holds nothing else."""
    monkeypatch.chdir(tmp_path)
    return Reader(tmp_path, monkeypatch)


class Reader:
    """Reads settings as a process does."""

    def __init__(self, directory: Path, environment: pytest.MonkeyPatch) -> None:
        self.var = directory / "var"
        self._environment = environment

    def __call__(self, given: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of this environment."""
        for name, value in (given or {}).items():
            self._environment.setenv(f"CHOTDON_{name.upper()}", value)
        return Settings.load(var=self.var)

    def faults(self, given: Mapping[str, str]) -> list[str]:
        """Return every fault of this environment."""
        with pytest.raises(Misconfigured) as error:
            self(given)
        return list(error.value.faults)


def test_nothing_needs_to_be_set(settings_of: Reader) -> None:
    """On a laptop the defaults are those of the rules."""
    settings = settings_of()
    assert settings.policy == Policy()
    assert settings.chat_order == (ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS)
    assert not settings.zalo_is_on
    assert not settings.email_is_on


def test_every_fault_is_told_at_once(settings_of: Reader) -> None:
    """Not one after the other, start after start; each by the name that was set."""
    faults = settings_of.faults(
        {
            "complete_early": "an hour",
            "chat_order": "zalo,pigeon",
            "timezone": "Asia/Sai_Gon",
            "base_url": "chotdon.example",
            "database_url": "mysql://db",
            "redis_url": "cache:6379",
            "smtp_url": "https://mail",
            "zalo_templates": "{",
            "sweep_every": "0",
            "reminder_hour": "24",
            "webhook_allow_private": "perhaps",
        }
    )
    assert {fault.partition(":")[0] for fault in faults} == {
        "CHOTDON_COMPLETE_EARLY",
        "CHOTDON_CHAT_ORDER",
        "CHOTDON_TIMEZONE",
        "CHOTDON_BASE_URL",
        "CHOTDON_DATABASE_URL",
        "CHOTDON_REDIS_URL",
        "CHOTDON_SMTP_URL",
        "CHOTDON_ZALO_TEMPLATES",
        "CHOTDON_SWEEP_EVERY",
        "CHOTDON_REMINDER_HOUR",
        "CHOTDON_WEBHOOK_ALLOW_PRIVATE",
    }


def test_production_names_everything_that_is_missing(settings_of: Reader) -> None:
    """One message, also beside what is malformed, and each thing once."""
    faults = settings_of.faults(
        {"env": "production", "database_url": "mysql://db", "smtp_url": "smtp://mail", "zalo_app_id": "1"}
    )
    assert faults == [
        "CHOTDON_DATABASE_URL: must be postgres://user:pass@host:port/db",
        "CHOTDON_REDIS_URL is required in production",
        "CHOTDON_SECRET_KEY is required in production",
        "CHOTDON_ZALO_APP_SECRET is required too",
        "CHOTDON_ZALO_OA_ID is required too",
        "CHOTDON_ZALO_OA_SECRET is required too",
        "CHOTDON_EMAIL_FROM is required too",
    ]
    assert not settings_of.var.exists()


@pytest.mark.parametrize("missing", ["database_url", "redis_url", "secret_key"])
def test_production_makes_nothing_up(settings_of: Reader, missing: str) -> None:
    """No secret, no start."""
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    assert settings_of.faults(given) == [f"CHOTDON_{missing.upper()} is required in production"]


@pytest.mark.parametrize(
    ("base_url", "is_fine"),
    [
        ("https://chotdon.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://chotdon.example", False),
        ("http://127.0.0.1.example", False),
    ],
)
def test_production_is_https(settings_of: Reader, base_url: str, is_fine: bool) -> None:
    """Unless its host is this machine."""
    given = {**PRODUCTION, "base_url": base_url}
    if is_fine:
        assert settings_of(given).base_url == base_url
    else:
        assert settings_of.faults(given) == ["CHOTDON_BASE_URL must be https in production"]


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT10M", timedelta(minutes=10)),
        ("P1D", timedelta(days=1)),
        ("PT1H30M", timedelta(minutes=90)),
        ("90", timedelta(seconds=90)),
        (" 90 ", timedelta(seconds=90)),
        ("0", timedelta()),
    ],
)
def test_durations(settings_of: Reader, text: str, duration: timedelta) -> None:
    """ISO 8601 or seconds."""
    assert settings_of({"complete_early": text}).complete_early == duration


@pytest.mark.parametrize("text", ["-PT1M", "ten", "PT", "1e9999", "9" * 30, "P1000D", "²"])
def test_what_is_no_duration(settings_of: Reader, text: str) -> None:
    """Each is a fault with the setting's name, never a stack trace."""
    (fault,) = settings_of.faults({"complete_early": text})
    assert fault.startswith("CHOTDON_COMPLETE_EARLY: ")


def test_lists_of_durations(settings_of: Reader) -> None:
    """Separated by commas; an empty one turns the ladder off."""
    settings = settings_of({"confirm_nudges_after": "PT5M, 600", "completion_reminders_after": ","})
    assert settings.confirm_nudges_after == (timedelta(minutes=5), timedelta(minutes=10))
    assert settings.policy.completion_reminders_after == ()


@pytest.mark.parametrize("text", ["PT5M,PT0S", "PT5M,-PT5M", "PT5M;PT6M", "P9999D"])
def test_what_is_no_list_of_durations(settings_of: Reader, text: str) -> None:
    """A step at once or in the past is no step."""
    (fault,) = settings_of.faults({"confirm_nudges_before": text})
    assert fault.startswith("CHOTDON_CONFIRM_NUDGES_BEFORE: ")


def test_a_generated_secret_is_kept(settings_of: Reader) -> None:
    """Made once, the same at the next start, readable by its owner alone."""
    first = settings_of().require("secret_key")
    assert len(first) > 40
    assert settings_of().require("secret_key") == first
    files = sorted(settings_of.var.iterdir())
    assert [file.name for file in files] == [
        "secret_key.secret",
        "telegram_secret.secret",
        "webhook_path_secret.secret",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_given_secret_is_not_written_down(settings_of: Reader) -> None:
    """What comes from the environment stays there."""
    given = {"secret_key": "my own", "webhook_path_secret": "my own path", "telegram_secret": "my_own"}
    assert settings_of(given).require("secret_key") == "my own"
    assert not settings_of.var.exists()


def test_secrets_are_not_shown(settings_of: Reader) -> None:
    """Neither when settings are printed nor in a fault."""
    settings = settings_of({"secret_key": "hunter2", "smtp_url": "smtp://me:hunter2@mail:587"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings_of.faults({"smtp_url": "http://me:hunter2@mail"}))


def test_what_is_required_is_named(settings_of: Reader) -> None:
    """Whoever needs what is not there says its name."""
    with pytest.raises(Misconfigured, match="CHOTDON_SMTP_URL is not set"):
        settings_of().require("smtp_url")


def test_an_env_file_is_read_and_the_environment_wins(settings_of: Reader) -> None:
    """`.env` of the working directory; empty lines in it mean not set."""
    Path(".env").write_text("CHOTDON_HOTLINE=1900 1234\nCHOTDON_LOCALE=en\nCHOTDON_SMTP_URL=\n", "utf-8")
    settings = settings_of({"locale": "vi"})
    assert (settings.hotline, settings.locale, settings.smtp_url) == ("1900 1234", "vi", None)


@pytest.mark.parametrize("text", ["zalo,zalo", "email", "zalo,email,sms"])
def test_the_chat_order_names_chats_once(settings_of: Reader, text: str) -> None:
    """Mail goes beside chat, not in its order."""
    assert len(settings_of.faults({"chat_order": text})) == 1


def test_operators_are_a_list(settings_of: Reader) -> None:
    """Separated by commas."""
    settings = settings_of({"operator_emails": "a@example.com, b@example.com,"})
    assert settings.operator_emails == ("a@example.com", "b@example.com")
