"""An order's five digits: hard to guess, never drawn twice, and a slip of the finger is noticed. Pure."""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final
from uuid import UUID

#: So many codes a partner has; the fifth digit follows from the other four.
CODES: Final = 10_000
LENGTH: Final = 5

# H. Michael Damm's quasigroup of order 10: notices every wrong digit and every swap of neighbours.
_DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_HALF: Final = 100
# Four rounds are the least that mix two halves well; halves of only a hundred values get twice that.
_ROUNDS: Final = 8


def check_digit(digits: str) -> str:
    """Return the digit that makes `digits` a valid code when it is written after them."""
    return str(_walk(digits))


def is_valid(code: str) -> bool:
    """Return whether `code` has five digits of which the last fits the others."""
    return re.fullmatch(r"[0-9]{5}", code) is not None and _walk(code) == 0


def code_at(counter: int, *, key: bytes, partner_id: UUID) -> str:
    """Return the `counter`-th code of a partner: all 10,000 come once before the first comes again."""
    drawn = f"{_shuffled(counter % CODES, key, partner_id.bytes):04d}"
    return drawn + check_digit(drawn)


def suggest(code: str, among: Iterable[str]) -> str | None:
    """Return the one code of `among` that is a single slip away from `code`, or None.

    A slip is a wrong, missing or extra digit, or two neighbours swapped. Two such codes are none:
    a guess between them would be ours, not theirs.
    """
    near = {known for known in among if known != code and _is_one_slip(code, known)}
    return near.pop() if len(near) == 1 else None


def _walk(digits: str) -> int:
    state = 0
    for digit in digits:
        state = _DAMM[state][int(digit)]
    return state


def _shuffled(number: int, key: bytes, salt: bytes) -> int:
    """Permute 0…9999 by a Feistel network over two halves of 0…99."""
    left, right = divmod(number, _HALF)
    for turn in range(_ROUNDS):
        mixed = hmac.digest(key, b"order code" + salt + bytes((turn, right)), sha256)
        left, right = right, (left + int.from_bytes(mixed[:8], "big")) % _HALF
    return left * _HALF + right


def _is_one_slip(typed: str, meant: str) -> bool:
    if len(typed) == len(meant):
        return _is_one_wrong(typed, meant) or _is_swap(typed, meant)
    short, long = sorted((typed, meant), key=len)
    return len(long) - len(short) == 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _is_one_wrong(typed: str, meant: str) -> bool:
    return sum(a != b for a, b in zip(typed, meant, strict=True)) == 1


def _is_swap(typed: str, meant: str) -> bool:
    return any(
        typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] == meant for at in range(len(typed) - 1)
    )
