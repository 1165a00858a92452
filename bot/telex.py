"""Vietnamese as it is typed in telex, when the phone's keyboard did not turn it into accents. Pure.

"huyr" is "huỷ", "hoanf thanhf" lacks an accent that nobody misses: what is decoded is only compared.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# docs/facts.md#telex: which letter stands for which accent.
TONES: Final[Mapping[str, str]] = MappingProxyType(
    {"s": "\u0301", "f": "\u0300", "r": "\u0309", "x": "\u0303", "j": "\u0323"}
)
_HATS: Final[Mapping[str, str]] = MappingProxyType({"a": "â", "e": "ê", "o": "ô", "d": "đ"})
_HORNS: Final[Mapping[str, str]] = MappingProxyType({"a": "ă", "o": "ơ", "u": "ư"})
_VOWEL: Final = re.compile(r"[aeiouy]")


def decoded(word: str) -> str | None:
    """Return a word of plain letters with the accents that its extra letters stand for, tone last.

    None where there are none. The letter of an accent may stand right behind its vowel or at the end.
    """
    letters, tone = _without_tone(word.lower())
    marked = _horned(_hatted(letters))
    return f"{marked}{tone}" if tone or marked != word.lower() else None


def _without_tone(word: str) -> tuple[str, str]:
    """Take the last letter that can only be a tone: behind a vowel, none that begins the word."""
    vowel = _VOWEL.search(word)
    if vowel is None:
        return word, ""
    for at in range(len(word) - 1, vowel.start(), -1):
        if word[at] in TONES:
            return word[:at] + word[at + 1 :], TONES[word[at]]
    return word, ""


def _hatted(word: str) -> str:
    """Turn two of a letter into one with a hat: "aa", also around other letters ("nhana")."""
    for plain, hat in _HATS.items():
        first, last = word.find(plain), word.rfind(plain)
        if 0 <= first < last and (last == first + 1 or last == len(word) - 1):
            word = f"{word[:first]}{hat}{word[first + 1 : last]}{word[last + 1 :]}"
    return word


def _horned(word: str) -> str:
    """Let "w" put its horn on the vowel before it, also from the end ("huongw"); alone it is "ư"."""
    word = word.replace("uaw", "ưa")
    word = re.sub(r"([aou])w", lambda pair: _HORNS[pair[1]], re.sub(r"u(?=w?ow|o.*w)", "ư", word))
    before, found, behind = word.partition("w")
    if not found:
        return word
    horned = re.sub(r"ua$|[aou](?!.*[aou])", lambda vowels: _horn(vowels[0]), before, count=1)
    return f"{horned}{behind}" if re.search(r"[aouươă]", before) else f"{before}ư{behind}"


def _horn(vowels: str) -> str:
    return "ưa" if vowels == "ua" else _HORNS[vowels]


def is_as_meant(typed: str, wanted: str) -> bool:
    """Whether a decoded word can be the wanted one: the same tone, and no accent that is another.

    Hats and horns that were not typed are not missed.
    """
    (letters, tone), (wished, sought) = _parted(typed), _parted(wanted)
    if tone != sought or len(letters) != len(wished):
        return False
    return all(one in {other, _bare(other)} for one, other in zip(letters, wished, strict=True))


def _parted(word: str) -> tuple[str, str]:
    """Return a word without its tone, each letter one sign, and the tone."""
    signs = unicodedata.normalize("NFD", word.casefold())
    letters = "".join(sign for sign in signs if sign not in TONES.values())
    return unicodedata.normalize("NFC", letters), "".join(sign for sign in signs if sign in TONES.values())


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter.replace("đ", "d"))[:1]
