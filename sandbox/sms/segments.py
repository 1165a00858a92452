"""How many messages a text takes on the air, and what is left of it where only GSM characters pass."""

from typing import Final

import smsutil  # type: ignore[import-untyped]

#: A character whose place is taken in a text that may not be Unicode.
LOST: Final = "?"


def count(text: str) -> int:
    """Return how many messages this text is paid as."""
    # docs/facts.md#sms-segments (3GPP TS 23.038: 160 or 153 septets, 70 or 67 UTF-16 units).
    return max(1, len(smsutil.split(text).parts))


def is_plain(text: str) -> bool:
    """Whether every character is in the alphabet of GSM 03.38."""
    return bool(smsutil.is_valid_gsm(text))


def garbled(text: str) -> str:
    """Return the text as it arrives when it is sent as GSM: what the alphabet lacks is lost."""
    return "".join(one if is_plain(one) else LOST for one in text)
