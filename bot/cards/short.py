"""A card in few letters: as much as one SMS carries, or two, cut where nothing is torn. Pure.

What is measured is the text as it leaves, without accents.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bot.sms.text import JOINED, SINGLE, plain, septets

#: How many letters one SMS carries, and how many two: a letter of two septets may leave a place empty.
ONE: Final = SINGLE
TWO: Final = 2 * JOINED - 1
_ENDS: Final = (".", "!", "?", ":", "…")


def sms_length(text: str) -> int:
    """Return how many places of an SMS the text takes once it is without accents."""
    return septets(plain(text))


def fitted(first: str, *more: str, words: Sequence[str] = (), most: int = ONE) -> str:
    """Return `first`, then what of `more` has room, in turn, then what to write.

    `words` are ways to say what to write, the fullest first: it is said by the first one that leaves room
    for the whole of `first`. `first` is cut only where none of them does.
    """
    way = next((way for way in words if _has_room(first, way, most)), words[-1] if words else "")
    said = first
    for piece in filter(None, more):
        longer = joined(said, piece)
        said = longer if _has_room(longer, way, most) else said
    return _ended(_cut(said, way, most), way)


def told(first: str, *pieces: str, more: Sequence[str] = (), words: Sequence[str] = ()) -> str:
    """Return `first` and `pieces` in one SMS where they fit, else in two, and what of `more` has room."""
    way = words[0] if words else ""
    most = ONE if _has_room(joined(first, *pieces), way, ONE) else TWO
    return fitted(first, *pieces, *more, words=words, most=most)


def listed(
    first: str,
    entries: Sequence[str],
    rest: Callable[[int], str],
    *,
    words: str = "",
    most: int = TWO,
    has_more: bool = False,
) -> str:
    """Return `first` and as many whole entries as have room.

    `rest` says that so many were left out, and how to see them; it is said too where there are more
    than these entries (`has_more`).
    """
    for count in range(len(entries), 0, -1):
        left = len(entries) - count
        ending = [rest(left)] if left or has_more else []
        said = f"{first}: {', '.join([*entries[:count], *ending])}"
        if _has_room(said, words, most):
            return _ended(said, words)
    return fitted(first, rest(len(entries)) if entries else "", words=[words], most=most)


def joined(first: str, *more: str) -> str:
    """Return pieces one after the other: those that begin with a capital as sentences, others by commas."""
    said = first
    for piece in filter(None, more):
        sign = "" if said.endswith(_ENDS) else "." if piece[0].isupper() else ","
        said = f"{said}{sign} {piece}" if said else piece
    return said


def shortened(text: str, longest: int) -> str:
    """Return the text on one line, cut between words where it is longer."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    kept = line[: longest - 1]
    return f"{(kept.rpartition(' ')[0] or kept).rstrip(' ,.;:-')}…"


def _has_room(said: str, words: str, most: int) -> bool:
    return sms_length(_ended(said, words)) <= most


def _cut(said: str, words: str, most: int) -> str:
    while said and not _has_room(said, words, most):
        said = said[:-1].rstrip()
    return said


def _ended(said: str, words: str) -> str:
    ended = said if said.endswith(_ENDS) or not said else f"{said}."
    return f"{ended} {words}".strip() if words else ended
