"""Codes are drawn once each, and a slip of the finger never makes another order's code."""

import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.orders.codes import CODES, check_digit, code_at, is_valid, suggest

LAN = UUID("0199a000-0000-7000-8000-000000000001")
HOA = UUID("0199a000-0000-7000-8000-000000000002")

four_digits = st.from_regex(r"[0-9]{4}", fullmatch=True)


@pytest.mark.parametrize("key", [b"", b"a", b"another key of thirty-two bytes!!"])
def test_every_code_comes_once_before_the_first_comes_again(key: bytes) -> None:
    """Ten thousand orders of one kitchen have ten thousand codes."""
    codes = {code_at(counter, key=key, partner_id=LAN) for counter in range(CODES)}

    assert len(codes) == CODES
    assert all(map(is_valid, codes))
    assert code_at(CODES, key=key, partner_id=LAN) == code_at(0, key=key, partner_id=LAN)


def test_codes_cannot_be_told_from_their_counter() -> None:
    """Neither a neighbour's codes nor another key's tell anything of one's own; nor does the last."""
    own = [code_at(n, key=b"k", partner_id=LAN) for n in range(200)]

    assert own != [code_at(n, key=b"k", partner_id=HOA) for n in range(200)]
    assert own != [code_at(n, key=b"other", partner_id=LAN) for n in range(200)]
    steps = {int(after[:4]) - int(before[:4]) for before, after in itertools.pairwise(own)}
    assert len(steps) > 180


def test_the_check_digit_is_damms() -> None:
    """572 gets a 4: the example in Damm's own paper."""
    assert check_digit("572") == "4"


@given(digits=four_digits, at=st.integers(0, 4), other=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_noticed(digits: str, at: int, other: str) -> None:
    """Whichever of the five digits is mistyped."""
    code = digits + check_digit(digits)
    typed = code[:at] + other + code[at + 1 :]

    assert is_valid(typed) == (typed == code)


@given(digits=four_digits, at=st.integers(0, 3))
def test_swapped_neighbours_are_noticed(digits: str, at: int) -> None:
    """Whichever two neighbours change places."""
    code = digits + check_digit(digits)
    typed = code[:at] + code[at + 1] + code[at] + code[at + 2 :]

    assert is_valid(typed) == (typed == code)


@pytest.mark.parametrize("text", ["", "4827", "482730", "4827a", "４８２７３", "٤٨٢٧٣", "48 73", "48273\n"])
def test_what_is_not_five_plain_digits_is_no_code(text: str) -> None:
    """Half a code, a longer one, letters, and digits of other scripts."""
    assert not is_valid(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("48279", "48273"), ("84273", "48273"), ("4827", "48273"), ("448273", "48273"), ("99999", None)],
)
def test_a_slip_is_answered_with_what_was_meant(typed: str, meant: str | None) -> None:
    """One digit wrong, two swapped, one missing, one too many; nothing where nothing is near."""
    assert suggest(typed, ["48273", "10016"]) == meant


def test_a_slip_that_may_mean_two_orders_suggests_neither() -> None:
    """A guess would be ours, not theirs."""
    assert suggest("48270", ["48273", "48276"]) is None


def test_a_code_is_no_slip_of_itself() -> None:
    """What was typed right needs no suggestion."""
    assert suggest("48273", ["48273"]) is None
