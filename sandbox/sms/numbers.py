"""Phone numbers as the gateways write them; a phone of the sandbox has its number in E.164."""

import re
from typing import Final

import phonenumbers

_DOMESTIC: Final = re.compile(r"(?:84|0)([35789][0-9]{8})")
_WORLDWIDE: Final = re.compile(r"\+[1-9][0-9]{6,14}")

# docs/facts.md#esms-statuses (callback page). A number that moved to another network keeps its prefix.
_NETWORKS: Final = (
    (1, "Viettel", ("032", "033", "034", "035", "036", "037", "038", "039", "086", "096", "097", "098")),
    (2, "Mobifone", ("070", "076", "077", "078", "079", "089", "090", "093")),
    (3, "Vinaphone", ("081", "082", "083", "084", "085", "088", "091", "094")),
    (4, "Vietnamobile", ("052", "056", "058", "092")),
    (5, "Gtel", ("059", "099")),
    (6, "Itel", ("087",)),
    (7, "Reddi", ("055",)),
)


def domestic(text: str) -> str | None:
    """Return the E.164 of a Vietnamese mobile number written 0… or 84…, None for anything else."""
    found = _DOMESTIC.fullmatch(text)
    return f"+84{found[1]}" if found else None


def worldwide(text: str) -> str | None:
    """Return the number if it is E.164 and somebody can have it, None for anything else."""
    if not _WORLDWIDE.fullmatch(text):
        return None
    return text if phonenumbers.is_valid_number(phonenumbers.parse(text)) else None


def with_zero(number: str) -> str:
    """Return 0909123456 for +84909123456."""
    return "0" + number.removeprefix("+84")


def with_84(number: str) -> str:
    """Return 84909123456 for +84909123456."""
    return number.removeprefix("+")


def network(number: str) -> tuple[int, str]:
    """Return eSMS's number and name of the network that this prefix was given to; 0 for none."""
    prefix = with_zero(number)[:3]
    return next(((key, name) for key, name, mine in _NETWORKS if prefix in mine), (0, ""))
