"""Settings from the environment or `.env`, prefix `CHOTDON_`. Every fault is told at once."""

import ipaddress
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.channels import ChannelName
from core.errors import Misconfigured
from core.schedule import WEBHOOK_RETRIES, Policy

PREFIX: Final = "CHOTDON_"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_TIMEDELTA: Final = TypeAdapter(timedelta)
#: What each SMS gateway cannot do without.
SMS_NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "esms": ("esms_api_key", "esms_secret_key", "esms_brandname"),
        "speedsms": ("speedsms_token",),
        "twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from"),
        "smpp": ("smpp_url",),
    }
)
#: Added to any date there is, such a duration leads to another one.
_LONGEST: Final = timedelta(days=366)
_BEYOND: Final = 10**9


def _duration(value: object) -> object:
    if isinstance(value, str) and value.strip().isdecimal():
        return timedelta(seconds=min(int(value), _BEYOND))
    return value


def _bounded(value: timedelta) -> timedelta:
    if abs(value) > _LONGEST:
        msg = f"must not be longer than {_LONGEST.days} days"
        raise ValueError(msg)
    return value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        msg = "must be longer than nothing"
        raise ValueError(msg)
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_bounded)]


def _durations(value: object) -> object:
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(_positive(_bounded(_TIMEDELTA.validate_python(_duration(part)))) for part in parts)
    return value


def _names(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _json_object(value: object) -> object:
    if isinstance(value, str):
        return json.loads(value) if value.strip() else {}
    return value


Durations = Annotated[tuple[timedelta, ...], NoDecode, BeforeValidator(_durations)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
JsonObject = Annotated[dict[str, Any], NoDecode, BeforeValidator(_json_object)]


class Settings(BaseSettings):
    """Everything that can be set. Durations are ISO 8601 (`PT10M`) or seconds.

    `load` is how a process gets it: it names all faults in one Misconfigured.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    env: Literal["development", "production"] = "development"
    """development or production. In production missing secrets stop the start."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged."""
    database_url: str | None = None
    """postgres://user:pass@host:port/db. Unset outside production: an embedded PostgreSQL."""
    redis_url: str | None = None
    """redis://host:port/0 (Valkey or Redis 6 and later). Unset outside production: an embedded Valkey."""
    base_url: str = "http://127.0.0.1:8080"
    """The public address, used in links. https in production."""
    secret_key: SecretStr | None = None
    """Signs links and buttons, seals tokens. Made and kept in var/ outside production."""
    timezone: str = "Asia/Ho_Chi_Minh"
    """A new partner's time zone."""
    locale: Literal["vi", "en"] = "vi"
    """A new partner's language: vi or en."""
    chat_order: Annotated[tuple[ChannelName, ...], NoDecode, BeforeValidator(_names)] = (
        ChannelName.ZALO,
        ChannelName.TELEGRAM,
        ChannelName.SMS,
    )
    """The chat ladder: the first that works of these."""
    complete_early: Duration = timedelta(minutes=60)
    """How long before the delivery time an order can be completed."""
    completion_notice_after: Duration = timedelta(minutes=10)
    """How long after the delivery time the partner is asked to complete."""
    completion_reminders_after: Durations = (timedelta(minutes=30), timedelta(hours=4), timedelta(days=1))
    """Reminders, counted from that request."""
    confirm_nudges_after: Durations = (timedelta(minutes=15), timedelta(minutes=30))
    """Nudges for an unconfirmed order, counted from when it was placed: next channel, next person."""
    confirm_nudges_before: Durations = (
        timedelta(days=1),
        timedelta(hours=4),
        timedelta(hours=2),
        timedelta(hours=1),
    )
    """Nudges before the delivery time, to all who may confirm."""
    reminder_hour: int = Field(9, ge=0, le=23)
    """The hour of the partner's day at which tomorrow's deliveries are reminded of."""
    sweep_every: Annotated[Duration, Field(gt=timedelta(), le=timedelta(minutes=5))] = timedelta(seconds=10)
    """How often due timers and stale rows are looked for."""
    gateway_rest: Annotated[Duration, Field(gt=timedelta(), le=timedelta(hours=1))] = timedelta(seconds=30)
    """How long a gateway is left alone after five calls in a row that failed or stayed unanswered."""
    gateway_rates: JsonObject = {}
    """JSON: gateway to calls a minute, where its contract allows more or less than it documents."""
    hotline: str | None = None
    """The operators' phone, shown on cards."""

    zalo_app_id: str | None = None
    """The Official Account. The app secret is for OAuth, the OA secret for webhook signatures: two values."""
    zalo_app_secret: SecretStr | None = None
    zalo_oa_id: str | None = None
    zalo_oa_secret: SecretStr | None = None
    zalo_access_token: SecretStr | None = None
    """The first token pair; later ones live in the database."""
    zalo_refresh_token: SecretStr | None = None
    zalo_code_verifier: SecretStr | None = None
    """The PKCE verifier that belongs to the challenge stored in Zalo's console."""
    zalo_openapi_url: str = "https://openapi.zalo.me"
    """Zalo's three hosts."""
    zalo_business_url: str = "https://business.openapi.zalo.me"
    zalo_oauth_url: str = "https://oauth.zaloapp.com"
    zalo_templates: JsonObject = {}
    """JSON: notice kind to ZBS template id, e.g. {"order_new": "7895417a7d3f9461cd2e"}."""
    zalo_quick_replies: JsonObject = {}
    """JSON: label of a quick-reply template's button to confirm, cancel or complete."""
    zalo_verifier: str | None = None
    """The code that proves the domain to Zalo."""
    zalo_delivery_within: Duration = timedelta(minutes=3)
    """A ZBS message accepted but not delivered by then is followed by the next channel."""

    smtp_url: SecretStr | None = None
    """smtp://user:pass@host:587?tls=starttls (starttls, implicit or none)."""
    email_from: str | None = None
    """The sender of every mail."""
    prices: JsonObject = {}
    """JSON: what is paid for to đồng, for the cost record, e.g. {"zalo_zbs_phone": 200, "esms": 820}."""

    telegram_token: SecretStr | None = None
    """Telegram's bot token, from @BotFather."""
    telegram_secret: SecretStr | None = None
    """What Telegram's webhooks carry to show that they are its own. Made outside production."""
    telegram_api_url: str = "https://api.telegram.org"

    sms_gateway: Literal["esms", "speedsms", "twilio", "smpp"] | None = None
    """Who carries SMS: esms, speedsms, twilio or smpp."""
    sms_links: bool = False
    """Whether links may stand in SMS."""
    sms_reply_number: str | None = None
    """The number that partners text to."""
    sms_reply_prefix: str | None = None
    """The routing keyword of a rented short code, stripped before an SMS is read."""
    esms_api_key: SecretStr | None = None
    """eSMS. The private key signs what comes in on a short code."""
    esms_secret_key: SecretStr | None = None
    esms_brandname: str | None = None
    esms_private_key: SecretStr | None = None
    esms_url: str = "https://rest.esms.vn"
    speedsms_token: SecretStr | None = None
    """SpeedSMS. Type 8 is the two-way fixed number."""
    speedsms_sender: str | None = None
    speedsms_type: int = Field(8, ge=1, le=99)
    speedsms_url: str = "https://api.speedsms.vn"
    twilio_account_sid: str | None = None
    """Twilio, for numbers outside Vietnam."""
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_url: str = "https://api.twilio.com"
    smpp_url: SecretStr | None = None
    """smpp://system_id:password@host:2775, a direct bind."""
    webhook_path_secret: SecretStr | None = None
    """The last part of the path of gateways' webhooks that are not signed. Made outside production."""

    retain_messages: Annotated[Duration, Field(ge=timedelta(days=30))] = timedelta(days=180)
    """How long messages, attempts, webhooks and notices are kept; with them goes what is past of timers."""
    mask_customers_after: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=30)
    """How long after an order has ended its customer's name, phone, mail, address and note are forgotten."""

    operator_emails: Names = ()
    """Who is alarmed, separated by commas."""
    operator_telegram_chat: str | None = None
    """The Telegram chat or group that is alarmed beside, by its id."""
    operator_gather: Annotated[Duration, Field(ge=timedelta(), le=timedelta(minutes=5))] = timedelta(
        seconds=10
    )
    """How long an alarm waits for others, so that they are one message. 0: each is one of its own."""
    heartbeat_url: SecretStr | None = None
    """Called every minute while the worker sweeps: a monitor that hears nothing for longer alarms."""
    otel_url: str | None = None
    """Where traces go (OTLP over HTTP, e.g. http://127.0.0.1:4318/v1/traces). Unset: none are made."""
    trusted_proxies: Names = ("127.0.0.0/8", "::1/128")
    """Proxies in front of the pages, as networks: they are believed about whom they speak for."""
    api_rate: int = Field(3000, ge=1, le=1_000_000)
    """Calls a minute that one platform's key may make of one web process; an order in a batch is a tenth."""
    webhook_retries_after: Annotated[Durations, Field(min_length=1)] = WEBHOOK_RETRIES
    """How long a webhook waits after its first failed try, its second and so on; then it is given up."""
    webhook_allow_private: bool = False
    """Let platform webhooks go to http and private addresses (development)."""

    @field_validator(
        "base_url",
        "zalo_openapi_url",
        "zalo_business_url",
        "zalo_oauth_url",
        "esms_url",
        "speedsms_url",
        "twilio_url",
        "telegram_api_url",
    )
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = "must be an http or https address"
            raise ValueError(msg)
        return value.rstrip("/")

    @field_validator("heartbeat_url")
    @classmethod
    def _is_called_by_http(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(cls._is_http(value.get_secret_value())) if value else None

    @field_validator("otel_url")
    @classmethod
    def _is_collector(cls, value: str | None) -> str | None:
        return cls._is_http(value) if value else None

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value and urlsplit(value).scheme not in {"postgres", "postgresql"}:
            msg = "must be postgres://user:pass@host:port/db"
            raise ValueError(msg)
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str | None) -> str | None:
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            msg = "must be redis://host:port/0"
            raise ValueError(msg)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value else None
        if parts and (parts.scheme != "smtp" or not parts.hostname):
            msg = "must be smtp://user:pass@host:587?tls=starttls"
            raise ValueError(msg)
        return value

    @field_validator("smpp_url")
    @classmethod
    def _is_smpp(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value else None
        if parts and (parts.scheme != "smpp" or not parts.hostname or not parts.username):
            msg = "must be smpp://system_id:password@host:2775"
            raise ValueError(msg)
        return value

    @field_validator("prices")
    @classmethod
    def _are_amounts(cls, value: dict[str, Any]) -> dict[str, Any]:
        if any(type(price) is not int or price < 0 for price in value.values()):
            msg = "must be whole đồng by name"
            raise ValueError(msg)
        return value

    @field_validator("gateway_rates")
    @classmethod
    def _are_rates(cls, value: dict[str, Any]) -> dict[str, Any]:
        if any(type(rate) is not int or rate < 1 for rate in value.values()):
            msg = "must be whole calls a minute by gateway"
            raise ValueError(msg)
        return value

    @field_validator("telegram_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value.get_secret_value()):
            msg = "must be a bot token, 123456:ABC…"
            raise ValueError(msg)
        return value

    @field_validator("telegram_secret")
    @classmethod
    def _is_telegram_secret(cls, value: SecretStr | None) -> SecretStr | None:
        # docs/facts.md#telegram-secret: 1 to 256 characters of A-Z a-z 0-9 _ -
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            msg = "must be 1 to 256 letters, digits, _ or -"
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                msg = "must be networks like 10.0.0.0/8, separated by commas"
                raise ValueError(msg) from None
        return value

    @field_validator("operator_telegram_chat")
    @classmethod
    def _is_chat(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"-?[0-9]{1,20}", value):
            msg = "must be a chat's id, a whole number"
            raise ValueError(msg)
        return value

    @field_validator("chat_order")
    @classmethod
    def _are_chats(cls, value: tuple[ChannelName, ...]) -> tuple[ChannelName, ...]:
        if ChannelName.EMAIL in value or len(set(value)) != len(value):
            msg = "must name zalo, telegram or sms, each once"
            raise ValueError(msg)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, KeyError, OSError) as fault:
            msg = "is not a time zone name like Asia/Ho_Chi_Minh"
            raise ValueError(msg) from fault
        return value

    @field_validator("complete_early", "completion_notice_after", "zalo_delivery_within", mode="after")
    @classmethod
    def _is_not_negative(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < timedelta():
            msg = "must not be negative"
            raise ValueError(msg)
        return value

    @property
    def is_production(self) -> bool:
        """Whether this runs for real people."""
        return self.env == "production"

    @property
    def policy(self) -> Policy:
        """The durations that the rules run by."""
        return Policy(
            complete_early=self.complete_early,
            completion_notice_after=self.completion_notice_after,
            completion_reminders_after=self.completion_reminders_after,
            confirm_nudges_after=self.confirm_nudges_after,
            confirm_nudges_before=self.confirm_nudges_before,
            reminder_hour=self.reminder_hour,
        )

    @property
    def zalo_is_on(self) -> bool:
        """Whether the Official Account can be used at all."""
        return bool(self.zalo_app_id and self.zalo_app_secret and self.zalo_oa_id and self.zalo_oa_secret)

    @property
    def telegram_is_on(self) -> bool:
        """Whether the bot can be used; its webhook needs the secret too."""
        return bool(self.telegram_token and self.telegram_secret)

    @property
    def email_is_on(self) -> bool:
        """Whether mail can be sent."""
        return bool(self.smtp_url and self.email_from)

    @property
    def sms_is_on(self) -> bool:
        """Whether the chosen SMS gateway has what it needs."""
        return self.sms_gateway is not None and all(
            getattr(self, name) for name in SMS_NEEDS[self.sms_gateway]
        )

    def require(self, name: str) -> str:
        """Return a setting or a secret that must be there; raises Misconfigured without it."""
        value = getattr(self, name)
        if not value:
            raise Misconfigured(f"{PREFIX}{name.upper()} is not set")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    def faults_in_production(self) -> list[str]:
        """Return what keeps this from being started for real people."""
        if not self.is_production:
            return []
        faults = [
            f"{PREFIX}{name.upper()} is required in production"
            for name in ("database_url", "redis_url", "secret_key", *self._path_secret())
            if not getattr(self, name)
        ]
        base = urlsplit(self.base_url)
        if base.scheme != "https" and base.hostname not in _LOOPBACK:
            faults.append(f"{PREFIX}BASE_URL must be https in production")
        return faults + [f"{PREFIX}{name.upper()} is required too" for name in self._halves()]

    def _path_secret(self) -> tuple[str, ...]:
        unsigned = self.sms_gateway in {"esms", "speedsms"}
        return ("webhook_path_secret",) if unsigned else ()

    def _halves(self) -> list[str]:
        """Return what is missing of a channel that was set up in part."""
        groups = (
            ("zalo_app_id", "zalo_app_secret", "zalo_oa_id", "zalo_oa_secret"),
            ("smtp_url", "email_from"),
            ("telegram_token", "telegram_secret") if self.telegram_token else (),
            ("sms_gateway", *SMS_NEEDS[self.sms_gateway]) if self.sms_gateway else (),
        )
        return [
            name
            for group in groups
            if any(getattr(self, name) for name in group)
            for name in group
            if not getattr(self, name)
        ]

    @classmethod
    def load(cls, *, var: Path, env_file: Path | None = Path(".env"), **known: Any) -> Self:
        """Return the settings, with missing secrets made and kept in `var` outside production.

        `known` wins over the environment. Raises Misconfigured with every fault.
        """
        settings, faults = cls._read(env_file, known)
        if faults:
            raise Misconfigured(*faults)
        made = {
            name: SecretStr(_kept_secret(var / f"{name}.secret", secrets.token_urlsafe))
            for name in ("secret_key", "webhook_path_secret", "telegram_secret")
            if not getattr(settings, name)
        }
        return settings.model_copy(update=made)

    @classmethod
    def _read(cls, env_file: Path | None, known: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Return the settings and their faults; what cannot be read is looked at as if it were not set."""
        try:
            settings = cls(_env_file=env_file, **known)
        except ValidationError as error:
            wrong = {str(each["loc"][0]): _fault(each) for each in error.errors()}
            unset = {name: cls.model_fields[name].default for name in wrong}
            settings = cls(_env_file=env_file, **{**known, **unset})
            told = tuple(f"{PREFIX}{name.upper()} " for name in wrong)
            others = [fault for fault in settings.faults_in_production() if not fault.startswith(told)]
            return settings, [*wrong.values(), *others]
        return settings, settings.faults_in_production()


def _fault(error: Mapping[str, Any]) -> str:
    name = PREFIX + "_".join(str(part) for part in error["loc"][:1]).upper()
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"


def _kept_secret(path: Path, make: Callable[[int], str]) -> str:
    """Return the secret kept in this file, made at the first call; safe with several processes at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make(48))
        with suppress(FileExistsError):
            path.hardlink_to(draft)  # whole or not at all, and the first one wins
        draft.unlink()
    return path.read_text("utf-8").strip()
