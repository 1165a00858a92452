"""The settings in force as operators may read them: every one of them, and no secret of any. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.registry import CHANNELS
from bot.texts.catalogue import Texts, msg
from core.channels import ChannelName
from core.settings import PREFIX, SMS_NEEDS, Settings


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting; `is_usual` where nobody has set it to something else."""

    name: str
    value: str
    is_secret: bool
    is_usual: bool


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel; `needs` names the settings that it is off without, and is empty where it is on."""

    name: str
    needs: str


def groups_of(texts: Texts, settings: Settings) -> list[tuple[str, list[SettingLine]]]:
    """Return every setting under the heading it belongs to, in the order of `.env.example`."""
    found: dict[str, list[SettingLine]] = {}
    for name in type(settings).model_fields:
        found.setdefault(_heading(name), []).append(_line(texts, settings, name))
    return [(texts.t(heading), lines) for heading, lines in found.items()]


def channel_lines(settings: Settings) -> list[ChannelLine]:
    """Return each channel, and what it lacks."""
    return [
        ChannelLine(_NAMES[name], "" if entry.is_on(settings) else _needs(settings, name, entry.needs))
        for name, entry in CHANNELS.items()
    ]


def _needs(settings: Settings, name: ChannelName, usual: str) -> str:
    """Return the names of the settings that a channel is off without; a gateway of SMS has its own."""
    if name is not ChannelName.SMS:
        return usual
    if settings.sms_gateway is None:
        return f"SMS_GATEWAY ({', '.join(SMS_NEEDS)})"
    return ", ".join(need.upper() for need in SMS_NEEDS[settings.sms_gateway])


def rules_of(texts: Texts, settings: Settings) -> list[str]:
    """Return what the service does by itself, and when, in sentences."""
    t, policy = texts.t, settings.policy
    after, before = _spans(texts, policy.confirm_nudges_after), _spans(texts, policy.confirm_nudges_before)
    reminders = _spans(texts, policy.completion_reminders_after)
    return [
        t("Đơn chưa xác nhận được nhắc lại sau {spans} kể từ lúc báo.", spans=after or t("(không)")),
        t("Rồi nhắc tất cả người được xác nhận trước giờ giao {spans}.", spans=before or t("(không)")),
        t("Đơn đặt trước nhiều ngày được báo lại lúc {hour} giờ ngày hôm trước.", hour=policy.reminder_hour),
        t("Bấm Hoàn thành được từ {span} trước giờ giao.", span=length(texts, policy.complete_early)),
        t(
            "Quán được xin bấm Hoàn thành {span} sau giờ giao, nhắc lại sau {spans}.",
            span=length(texts, policy.completion_notice_after),
            spans=reminders or t("(không)"),
        ),
        t(
            "Tin Zalo (ZBS) chưa đến sau {span} thì gửi bằng cách kế tiếp.",
            span=length(texts, settings.zalo_delivery_within),
        ),
        t(
            "Tin đi theo thứ tự: {channels}.",
            channels=", ".join(_NAMES[name] for name in settings.chat_order),
        ),
    ]


def length(texts: Texts, span: timedelta) -> str:
    """Return "10 giây", "2 giờ"."""
    seconds = round(span.total_seconds())
    return texts.n("{count} giây", seconds) if abs(seconds) < 60 else texts.span(span)


def _spans(texts: Texts, spans: Sequence[timedelta]) -> str:
    return ", ".join(length(texts, span) for span in spans)


def _line(texts: Texts, settings: Settings, name: str) -> SettingLine:
    value, field = getattr(settings, name), type(settings).model_fields[name]
    is_secret = "SecretStr" in str(field.annotation) or isinstance(value, SecretStr)
    shown = texts.t("đã đặt") if is_secret and value else _shown(texts, value)
    return SettingLine(f"{PREFIX}{name.upper()}", shown, is_secret, value == field.default)


def _shown(texts: Texts, value: object) -> str:
    """Return a value; what lies behind an address's @ or ? may be a password, so neither is shown."""
    if value in (None, "", (), {}):
        return texts.t("chưa đặt")
    if isinstance(value, bool):
        return texts.t("có") if value else texts.t("không")
    if isinstance(value, timedelta):
        return length(texts, value)
    if isinstance(value, tuple):
        return ", ".join(_shown(texts, each) for each in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    text = str(value.value) if isinstance(value, Enum) else str(value)
    return _without_password(text) if "://" in text else text


def _without_password(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "•••"
    who = "•••@" if "@" in parts.netloc else ""
    end = f":{port}" if port else ""
    rest = f"{parts.path}{'?•••' if parts.query else ''}"
    return f"{parts.scheme}://{who}{f'[{host}]' if ':' in host else host}{end}{rest}"


def _heading(name: str) -> str:
    return _HEADINGS.get(name.split("_", maxsplit=1)[0], _SERVICE)


_SERVICE: Final = msg("Dịch vụ")
_RULES: Final = msg("Nhắc và gửi")
_DUTY: Final = msg("Người trực và theo dõi")
_DOORS: Final = msg("Cửa vào")
_HEADINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "chat",
                "complete",
                "completion",
                "confirm",
                "reminder",
                "sweep",
                "gateway",
                "hotline",
                "prices",
            ),
            _RULES,
        ),
        "zalo": "Zalo",
        "telegram": "Telegram",
        **dict.fromkeys(("smtp", "email"), msg("Thư (email)")),
        **dict.fromkeys(("sms", "esms", "speedsms", "twilio", "smpp"), "SMS"),
        **dict.fromkeys(("operator", "heartbeat", "otel"), _DUTY),
        **dict.fromkeys(("trusted", "api", "webhook"), _DOORS),
    }
)
_NAMES: Final[Mapping[ChannelName, str]] = MappingProxyType(
    {
        ChannelName.ZALO: "Zalo",
        ChannelName.TELEGRAM: "Telegram",
        ChannelName.SMS: "SMS",
        ChannelName.EMAIL: "Email",
    }
)
