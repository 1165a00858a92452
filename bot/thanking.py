"""Answering a review: `CAM ON code words`. "Cảm ơn" is polite filler everywhere else. Pure."""

from collections.abc import Sequence
from typing import Final

from bot.intents import Intent, Thank
from bot.said import Token, Utterance
from core.orders.codes import LENGTH, is_valid

_THANKS: Final = (("CAM", "ON"), ("CAMON",), ("THANKS",), ("THANK", "YOU"))
#: Whom is thanked, besides the polite words for people.
_WHOM: Final = frozenset({"KHACH"})


def thanking(said: Utterance, prefix: Sequence[Token], *, otherwise: Intent) -> Thank | None:
    """Return the answer to a review that this may be: words of thanks first, then a code, then free words."""
    tokens = _unprefixed(said.tokens, prefix)
    start = _after_filler(tokens, 0)
    phrase = next((phrase for phrase in _THANKS if _begins(tokens, start, phrase)), None)
    if phrase is None:
        return None
    place = _after_filler(tokens, start + len(phrase))
    if place >= len(tokens) or not _is_code(tokens[place]):
        return None
    return Thank(tokens[place].plain, _words(said, tokens[place:]), otherwise)


def _unprefixed(tokens: Sequence[Token], prefix: Sequence[Token]) -> Sequence[Token]:
    head = [token.plain for token in tokens[: len(prefix)]]
    return tokens[len(prefix) :] if prefix and head == [token.plain for token in prefix] else tokens


def _after_filler(tokens: Sequence[Token], at: int) -> int:
    while at < len(tokens) and not _may_thank(tokens, at) and _is_polite(tokens[at]):
        at += 1
    return at


def _may_thank(tokens: Sequence[Token], at: int) -> bool:
    return any(_begins(tokens, at, phrase) for phrase in _THANKS)


def _begins(tokens: Sequence[Token], at: int, phrase: Sequence[str]) -> bool:
    return [token.plain for token in tokens[at : at + len(phrase)]] == list(phrase)


def _is_polite(token: Token) -> bool:
    return token.is_filler or token.plain in _WHOM


def _is_code(token: Token) -> bool:
    return token.is_number and len(token.plain) == LENGTH and is_valid(token.plain)


def _words(said: Utterance, tokens: Sequence[Token]) -> str:
    """Return what follows the code as it was written; "gửi 8041" at its end is our instruction, copied."""
    last = tokens[-1]
    if len(tokens) >= 3 and tokens[-2].plain == "GUI" and last.is_number_to_text:
        text = said.text[tokens[0].end : tokens[-2].start]
    else:
        text = said.text[tokens[0].end :]
    return " ".join(text.split()).lstrip(" ,.:;-–").strip()
