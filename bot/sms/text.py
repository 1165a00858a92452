"""What an SMS can carry: the alphabet of GSM 03.38, its length, and where it is cut. Pure.

docs/facts.md#gsm-alphabet: one letter outside the alphabet would turn the whole message into UCS-2, at
70 characters a part instead of 160. So nothing leaves here that is not in it.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.texts.plain import unaccented

# docs/facts.md#sms-segments: so much fits one SMS, and so much each part of a longer one.
SINGLE: Final = 160
JOINED: Final = 153

_DEFAULT: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE: Final = 0x1B
_EXTENSION: Final[Mapping[str, int]] = MappingProxyType(
    {
        "\f": 0x0A,
        "^": 0x14,
        "{": 0x28,
        "}": 0x29,
        "\\": 0x2F,
        "[": 0x3C,
        "~": 0x3D,
        "]": 0x3E,
        "|": 0x40,
        "€": 0x65,
    }
)
#: What each character is on the air: one septet, or the escape and another one.
_SEPTETS: Final[Mapping[str, bytes]] = MappingProxyType(
    {letter: bytes([place]) for place, letter in enumerate(_DEFAULT) if place != _ESCAPE}
    | {letter: bytes([_ESCAPE, place]) for letter, place in _EXTENSION.items()}
)

#: Signs that have a plain likeness which taking an accent away does not find.
_LIKE: Final[Mapping[int, str]] = MappingProxyType(
    str.maketrans(
        {
            "`": "'",
            "´": "'",
            "ˋ": "'",
            "‚": "'",
            "‛": "'",
            "′": "'",
            "‹": "'",
            "›": "'",
            "„": '"',
            "‟": '"',
            "″": '"',
            "«": '"',
            "»": '"',
            "‐": "-",
            "\u2011": "-",
            "‒": "-",
            "―": "-",
            "−": "-",
            "÷": "/",
            "⁄": "/",
            "←": "<-",
            "⇒": "=>",
            "●": "*",
            "▪": "*",
            "◦": "*",
            "✓": "v",
            "✔": "v",
            "✕": "x",
            "✗": "x",
            "€": "EUR",
            "ð": "d",
            "Ð": "D",
            "ø": "o",
            "Ø": "O",
            "ł": "l",
            "Ł": "L",
            "ß": "ss",
            "æ": "ae",
            "Æ": "AE",
            "œ": "oe",
            "Œ": "OE",
            "ı": "i",
            "\t": " ",
            "\v": "\n",
            "\f": "\n",
            "\r": "\n",
            "\u0085": "\n",
            "\u2028": "\n",
            "\u2029": "\n",
        }
    )
)
_UNPRINTED: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f`]")
#: Composed, a fraction falls apart into digits: what stands before it must not become part of them.
_FRACTION: Final = re.compile(r"(?<=[0-9])(?=[¼-¾⅐-⅞])")


def plain(text: str) -> str:
    """Return the text as an SMS carries it: without accents, every sign by its likeness or left out.

    Whatever comes in, each character of the answer is in the GSM alphabet. A second time changes nothing.
    """
    composed = unicodedata.normalize("NFKC", _FRACTION.sub(" ", text))
    bare = _UNPRINTED.sub("", unaccented(composed.translate(_LIKE)))
    lines = (re.sub(" {2,}", " ", line).strip(" ") for line in bare.split("\n"))
    return "\n".join(line for line in lines if line)


def is_plain(text: str) -> bool:
    """Whether every character is in the GSM alphabet."""
    return all(letter in _SEPTETS for letter in text)


def encoded(text: str) -> bytes:
    """Return a text of the GSM alphabet as its septets, one in each byte (unpacked, as SMPP wants them).

    Raises ValueError for any other character: it would change what the message costs.
    """
    try:
        return b"".join(_SEPTETS[letter] for letter in text)
    except KeyError:
        raise ValueError("a character outside the GSM alphabet") from None


def septets(text: str) -> int:
    """Return how long a text of the GSM alphabet is. Raises ValueError for any other."""
    return len(encoded(text))


def segments(text: str) -> tuple[str, ...]:
    """Return the text as the parts that it is sent in; a character of two septets is never cut.

    Raises ValueError for a character outside the GSM alphabet.
    """
    if septets(text) <= SINGLE:
        return (text,)
    cut, begun, room = [], 0, JOINED
    for place, letter in enumerate(text):
        size = len(_SEPTETS[letter])
        if size > room:
            cut.append(text[begun:place])
            begun, room = place, JOINED
        room -= size
    return (*cut, text[begun:])


def parts(text: str) -> int:
    """Return in how many parts the text is sent, and so paid for."""
    return len(segments(text))


def fitting(text: str, most: int) -> str:
    """Return as much of the text, from its beginning, as is sent in at most so many parts."""
    sent = segments(text)
    if len(sent) <= most:
        return text
    return "".join(sent[:most]) if most > 1 else _single(text)


def _single(text: str) -> str:
    """Return what of a longer text fits one SMS: it has more room than one of several parts."""
    room = SINGLE
    for place, letter in enumerate(text):
        room -= len(_SEPTETS[letter])
        if room < 0:
            return text[:place]
    return text
