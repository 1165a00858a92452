"""Accents that were typed as letters."""

import pytest

from bot.telex import decoded, is_as_meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("huyr", "huỷ"),
        ("nhaanj", "nhận"),
        ("nhanaj", "nhận"),
        ("ddax", "đã"),
        ("giuwowngf", "giường"),
        ("huongw", "hương"),
        ("chuaw", "chưa"),
        ("khoong", "không"),
        ("heets", "hết"),
    ],
)
def test_letters_become_accents(typed: str, meant: str) -> None:
    """Behind their vowel, or at the end of the word."""
    word = decoded(typed)

    assert word is not None
    assert is_as_meant(word, meant)


@pytest.mark.parametrize("word", ["xn", "thanh", "mai", "com", "s", "trx", ""])
def test_what_has_no_such_letter_is_left_alone(word: str) -> None:
    """A tone stands behind a vowel."""
    assert decoded(word) is None


@pytest.mark.parametrize(
    ("typed", "wanted", "fits"),
    [
        ("nhanj", "nhận", True),
        ("nhans", "nhận", False),
        ("nhawnj", "nhận", False),
        ("nhawns", "nhận", False),
        ("dax", "đã", True),
        ("daj", "đã", False),
        ("nghix", "nghỉ", False),
        ("nghir", "nghỉ", True),
    ],
)
def test_a_hat_may_be_missing_but_no_tone_be_another(typed: str, wanted: str, fits: bool) -> None:
    """What was not typed is not missed; "nhắn" is to write, and "nghĩ" to think."""
    word = decoded(typed)

    assert word is not None
    assert is_as_meant(word, wanted) is fits
