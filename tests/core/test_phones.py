import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RuleError
from core.partners.phones import e164


@pytest.mark.parametrize(
    "written",
    [
        "0901234567",
        "84901234567",
        "+84901234567",
        "901234567",
        "0084901234567",
        "+84 (0)90 123 4567",
        "090.123.4567",
        "０９０１２３４５６７",
    ],
)
def test_a_vietnamese_number_has_one_spelling(written: str) -> None:
    """However Lan writes her number, it is stored once."""
    assert e164(written) == "+84901234567"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("01629876543", "+84329876543"),
        ("01699876543", "+84399876543"),
        ("01209876543", "+84709876543"),
        ("01219876543", "+84799876543"),
        ("01229876543", "+84779876543"),
        ("01269876543", "+84769876543"),
        ("01289876543", "+84789876543"),
        ("01239876543", "+84839876543"),
        ("01249876543", "+84849876543"),
        ("01259876543", "+84859876543"),
        ("01279876543", "+84819876543"),
        ("01299876543", "+84829876543"),
        ("01869876543", "+84569876543"),
        ("01889876543", "+84589876543"),
        ("01999876543", "+84599876543"),
        ("+841629876543", "+84329876543"),
    ],
)
def test_an_eleven_digit_number_is_read_as_what_it_became(old: str, new: str) -> None:
    """A number from before 2018 reaches its owner still."""
    assert e164(old) == new


def test_a_foreign_number_keeps_its_country() -> None:
    """A partner's manager may have a phone from elsewhere."""
    assert e164("+1 415 555 2671") == "+14155552671"


@pytest.mark.parametrize(
    "wrong", ["", "8041", "113", "0900", "abc", "0901234567 ext 3", "0" * 500, "\0", "\ud800"]
)
def test_what_cannot_be_called_is_refused(wrong: str) -> None:
    """Short codes, words and nonsense are no phone numbers."""
    with pytest.raises(RuleError, match="phone_invalid"):
        e164(wrong)


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    """Whatever is typed is a number or a RuleError; what comes out reads as itself."""
    try:
        number = e164(text)
    except RuleError:
        return
    assert e164(number) == number
