"""Phone numbers as one spelling: E.164, read as a Vietnamese would write them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import phonenumbers

from core.errors import RuleError

_REGION: Final = "VN"
_COUNTRY_CODE: Final = 84
_LONGEST: Final = 40  # an E.164 number has 15 digits; the rest is room for signs between them

# docs/facts.md#phone-prefixes-2018: eleven digits became ten, the last seven of them kept.
_NEW_PREFIX: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Viettel
        "162": "32",
        "163": "33",
        "164": "34",
        "165": "35",
        "166": "36",
        "167": "37",
        "168": "38",
        "169": "39",
        # MobiFone
        "120": "70",
        "121": "79",
        "122": "77",
        "126": "76",
        "128": "78",
        # VinaPhone
        "123": "83",
        "124": "84",
        "125": "85",
        "127": "81",
        "129": "82",
        # Vietnamobile
        "186": "56",
        "188": "58",
        # Gmobile
        "199": "59",
    }
)
_OLD_LENGTH: Final = 10  # without the leading zero


def e164(text: str) -> str:
    """Return the number as `+84901234567`; without a country code it is Vietnamese.

    Raises RuleError("phone_invalid") for what is no number that can be called.
    """
    number = _parsed(text)
    if not phonenumbers.is_valid_number(number):
        raise RuleError("phone_invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str) -> phonenumbers.PhoneNumber:
    if len(text) > _LONGEST:
        raise RuleError("phone_invalid")
    try:
        number = phonenumbers.parse(text, _REGION)
    except phonenumbers.NumberParseException:
        raise RuleError("phone_invalid") from None
    if number.extension:
        raise RuleError("phone_invalid")
    return _of_today(number)


def _of_today(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    national = str(number.national_number)
    prefix = _NEW_PREFIX.get(national[:3])
    if number.country_code != _COUNTRY_CODE or len(national) != _OLD_LENGTH or prefix is None:
        return number
    return phonenumbers.parse(f"+{_COUNTRY_CODE}{prefix}{national[3:]}")
