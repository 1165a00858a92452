"""Which SMS gateways there are. Adding one is one line here and one file beside.

The word is that of the setting SMS_GATEWAY; `core.settings.SMS_NEEDS` says what each needs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.sms import esms, speedsms, twilio
from bot.sms.esms import open_esms
from bot.sms.gateway import SmsGateway
from bot.sms.smpp import open_smpp
from bot.sms.speedsms import open_speedsms
from bot.sms.twilio import open_twilio
from core.settings import Settings

GATEWAYS: Final[Mapping[str, Callable[[Settings], SmsGateway]]] = MappingProxyType(
    {
        esms.NAME: open_esms,
        speedsms.NAME: open_speedsms,
        twilio.NAME: open_twilio,
        "smpp": open_smpp,
    }
)
