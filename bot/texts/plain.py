"""Vietnamese without its accents, as an SMS carries it and as a thumb types it. Pure."""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
