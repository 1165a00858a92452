"""Vietnamese without its accents, as an SMS carries it and as a thumb types it. Pure."""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# docs/facts.md#sms-segments: 160 characters of GSM 03.38 fit one SMS; those of its extension take two places.
MAX_SMS: Final = 160
_ENDS: Final = (".", "!", "?")
_EXTENSION: Final = frozenset("^{}\\[~]|€")

_SIGNS: Final[Mapping[int, str]] = MappingProxyType(
    str.maketrans(
        {
            "đ": "d",
            "Đ": "D",
            "·": "-",
            "•": "*",
            "×": "x",
            "→": "->",
            "…": "...",
            "★": "*",
            "☆": "-",
            "–": "-",
            "—": "-",
            "‘": "'",
            "’": "'",
            "“": '"',
            "”": '"',
            "₫": "d",
            "\u00a0": " ",
        }
    )
)


def unaccented(text: str) -> str:
    """Return the text in plain ASCII; what has no plain likeness is left out."""
    bare = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    return bare.encode("ascii", "ignore").decode()


def sms_length(text: str) -> int:
    """Return how many places of an SMS the text takes once it is without accents."""
    plain = unaccented(text)
    return len(plain) + sum(letter in _EXTENSION for letter in plain)


def one_sms(first: str, *more: str, words: str = "") -> str:
    """Return as much as fits one SMS: `first` and `words` always, then what of `more` has room, in turn."""
    said = first
    for piece in more:
        longer = f"{said} {piece}" if said.endswith(_ENDS) else f"{said}, {piece}"
        if piece and sms_length(_ended(longer, words)) <= MAX_SMS:
            said = longer
    while said and sms_length(_ended(said, words)) > MAX_SMS:
        said = said[:-1].rstrip()
    return _ended(said, words)


def _ended(said: str, words: str) -> str:
    ended = said if said.endswith(_ENDS) else f"{said}."
    return f"{ended} {words}" if words else ended
