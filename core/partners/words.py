"""What people type as a name or a code, checked and brought into one spelling."""

import re
import unicodedata
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from core.errors import RuleError

_LONGEST_NAME: Final = 120
_LONGEST_CODE: Final = 40
_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LOCALES: Final = ("vi", "en")


def name_of(text: str) -> str:
    """Return a person's or a kitchen's name, composed (NFC), with single spaces.

    Raises RuleError("name_invalid") when nothing, too much or anything unprintable is left.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise RuleError("name_invalid", longest=_LONGEST_NAME)
    return name


def folded(name: str) -> str:
    """Return what two names share that differ in case only; accents count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def partner_code_of(text: str) -> str:
    """Return a partner's code, which stands in addresses and commands.

    Raises RuleError("partner_code_invalid") unless it is a slug like `com-nha-lan`.
    """
    if len(text) > _LONGEST_CODE or not _CODE.fullmatch(text):
        raise RuleError("partner_code_invalid", longest=_LONGEST_CODE)
    return text


def zone_of(text: str) -> ZoneInfo:
    """Return the time zone of this name; raises RuleError("timezone_unknown")."""
    if text not in _zones():
        raise RuleError("timezone_unknown", name=text)
    return ZoneInfo(text)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # asking reads folders of the disk


def locale_of(text: str) -> str:
    """Return a language we write in; raises RuleError("locale_unknown")."""
    if text not in LOCALES:
        raise RuleError("locale_unknown", name=text)
    return text
