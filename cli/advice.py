"""What the settings leave undone: faults between two of them, and halves that something works without."""

from collections.abc import Iterator
from typing import Final

from bot.quick_replies import deeds_of
from core.channels import ChannelName
from core.errors import Misconfigured
from core.notices.kinds import NoticeKind
from core.settings import PREFIX, SMS_NEEDS, Settings
from zalo_oa.channel import Template, templates

#: SpeedSMS' types that go out from a number that nobody chooses.
_WITHOUT_SENDER: Final = frozenset({2, 4})


def faults_between(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong with the settings of Zalo that only their readers can tell."""
    found: list[str] = []
    known = _read_templates(settings, found)
    try:
        labels = deeds_of(settings.zalo_quick_replies)
    except Misconfigured as error:
        found.extend(error.faults)
        return tuple(found)
    if not labels and any(template.quick_reply for template in known.values()):
        found.append(
            f"{PREFIX}ZALO_QUICK_REPLIES is missing: a tap on the buttons of a template would do nothing"
        )
    return tuple(found)


def _read_templates(settings: Settings, found: list[str]) -> dict[str, Template]:
    kinds = {kind.value for kind in NoticeKind}
    found += [
        f"{PREFIX}ZALO_TEMPLATES: {kind} is no kind of notice"
        for kind in settings.zalo_templates
        if kind not in kinds
    ]
    try:
        return templates(settings.zalo_templates)
    except Misconfigured as error:
        found.extend(error.faults)
        return {}


def advice(settings: Settings) -> tuple[str, ...]:
    """Return what works less well than it could, each with the setting that is missing."""
    return (*_of_zalo(settings), *_of_sms(settings), *_of_chats(settings))


def _of_zalo(settings: Settings) -> Iterator[str]:
    if settings.zalo_is_on and not settings.zalo_templates:
        yield f"{PREFIX}ZALO_TEMPLATES is missing: who has not written for 7 days is not reached on Zalo"


def _of_sms(settings: Settings) -> Iterator[str]:
    if settings.sms_gateway is None:
        named = [name for name, needs in SMS_NEEDS.items() if any(getattr(settings, need) for need in needs)]
        yield from (f"{PREFIX}SMS_GATEWAY is missing: the settings of {name} are not used" for name in named)
        return
    if not settings.sms_reply_number:
        yield f"{PREFIX}SMS_REPLY_NUMBER is missing: an SMS cannot say where to answer"
    if settings.sms_gateway == "esms" and not settings.esms_private_key:
        yield f"{PREFIX}ESMS_PRIVATE_KEY is missing: answers to the short code are not taken in"
    if (
        settings.sms_gateway == "speedsms"
        and settings.speedsms_type not in _WITHOUT_SENDER
        and not settings.speedsms_sender
    ):
        yield (
            f"{PREFIX}SPEEDSMS_SENDER is missing: SpeedSMS wants one for messages of type "
            f"{settings.speedsms_type}"
        )


def _of_chats(settings: Settings) -> Iterator[str]:
    on = (
        (ChannelName.ZALO, settings.zalo_is_on),
        (ChannelName.TELEGRAM, settings.telegram_is_on),
        (ChannelName.SMS, settings.sms_is_on),
    )
    for name, is_on in on:
        if is_on and name not in settings.chat_order:
            yield f"{PREFIX}CHAT_ORDER leaves out {name.value}: kitchens are not told by it"
