"""Which channels there are. Adding one is one line here and one folder beside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.mail.channel import MailChannel
from bot.sms.channel import open_sms
from bot.telegram.channel import open_channel as open_telegram
from bot.tokens import Signer
from core.channels import Address, Channel, ChannelName
from core.database import Database
from core.notices.kinds import NoticeKind
from core.outbox import Ways
from core.secrets import Secrets
from core.settings import Settings
from zalo_oa.account import open_channel


@dataclass(frozen=True, slots=True)
class Entry:
    """How a channel is switched on and opened; `needs` names the settings it is off without."""

    is_on: Callable[[Settings], bool]
    needs: str
    open: Callable[[Settings, Database], Channel]


def _open_zalo(settings: Settings, database: Database) -> Channel:
    return open_channel(settings, Secrets(database, settings.require("secret_key")), database.clock)


def _open_mail(settings: Settings, _: Database) -> Channel:
    return MailChannel.from_settings(settings)


CHANNELS: Final[Mapping[ChannelName, Entry]] = {
    ChannelName.ZALO: Entry(
        lambda settings: settings.zalo_is_on, "ZALO_APP_ID, _APP_SECRET, _OA_ID, _OA_SECRET", _open_zalo
    ),
    ChannelName.TELEGRAM: Entry(
        lambda settings: settings.telegram_is_on,
        "TELEGRAM_TOKEN, TELEGRAM_SECRET",
        lambda settings, _: open_telegram(settings),
    ),
    ChannelName.SMS: Entry(
        lambda settings: settings.sms_is_on,
        "SMS_GATEWAY and the settings of that gateway",
        lambda settings, _: open_sms(settings),
    ),
    ChannelName.EMAIL: Entry(lambda settings: settings.email_is_on, "SMTP_URL, EMAIL_FROM", _open_mail),
}


def open_channels(settings: Settings, database: Database) -> dict[ChannelName, Channel]:
    """Return every channel whose settings are there, opened; needs a running event loop."""
    return {name: entry.open(settings, database) for name, entry in CHANNELS.items() if entry.is_on(settings)}


def switched_off(settings: Settings) -> dict[ChannelName, str]:
    """Return the channels that are off, each with the settings it would need."""
    return {name: entry.needs for name, entry in CHANNELS.items() if not entry.is_on(settings)}


def signer_of(settings: Settings) -> Signer:
    """Return what seals buttons and links with the service's secret key."""
    return Signer([settings.require("secret_key")])


def ways_of(settings: Settings, channels: Mapping[ChannelName, Channel]) -> Ways:
    """Return how messages can leave with these channels."""

    def reaches(name: ChannelName, address: Address, kind: str, now: datetime) -> bool:
        channel = channels.get(name)
        if name is ChannelName.SMS and kind == NoticeKind.CUSTOMER_REVIEW and not settings.sms_links:
            return False  # it is nothing but a link
        return channel is not None and channel.reaches(address, kind, now=now)

    chats = [settings.operator_telegram_chat] if settings.operator_telegram_chat else []
    return Ways(settings.chat_order, reaches, settings.operator_emails, chats, settings.operator_gather)
