"""Which channels can carry something, by the settings alone."""

from core.channels import ChannelName
from core.settings import Settings


def channels_on(settings: Settings) -> frozenset[ChannelName]:
    """Return the channels that are on."""
    ways = {
        ChannelName.ZALO: settings.zalo_is_on,
        ChannelName.TELEGRAM: settings.telegram_is_on,
        ChannelName.SMS: settings.sms_is_on,
        ChannelName.EMAIL: settings.email_is_on,
    }
    return frozenset(name for name, is_on in ways.items() if is_on)
