import unicodedata
from typing import Final

import pytest
import smsutil  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from smsutil.codecs import GSM_CHARSET  # type: ignore[import-untyped]

from bot.sms import text as sms_text
from bot.sms.text import encoded, fitting, is_plain, parts, plain, segments, septets

#: smsutil counts the escape itself as a letter; nobody can type it.
ALPHABET: Final = GSM_CHARSET.replace("\x1b", "")
GSM: Final = st.one_of(
    st.text(st.sampled_from(ALPHABET), max_size=200),
    st.builds(
        lambda text, times: (text * times)[:700], st.text(st.sampled_from(ALPHABET)), st.integers(1, 60)
    ),
)
#: Much Vietnamese, some of everything else, lone surrogates too.
ANYTHING: Final = st.text(
    st.one_of(
        st.sampled_from(
            "aăâbcdđeêghiklmnoôơpqrstuưvxyÀẢÃÁẠắằẵẳặấầẫẩậ₫ “”‘’…–—·\u00a0\u200b🍚½`^{}[]~|\\€\t\r\n"
        ),
        st.characters(),
        st.characters(categories=["Cs"]),
    ),
    max_size=300,
)


@pytest.mark.parametrize(
    ("typed", "carried"),
    [
        ("Đơn 48273: 20 × Cơm gà, 900.000 ₫", "Don 48273: 20 x Com ga, 900.000 d"),
        ("ĐẶNG đường ưỡn ỷ ỵ ẵ ẫ ễ ỗ ỡ ữ ỹ", "DANG duong uon y y a a e o o u y"),
        (unicodedata.normalize("NFD", "Đã huỷ – quá tải…"), "Da huy - qua tai..."),
        ("“Bếp Lan” ‘ngon’ «quá» „ạ‟", '"Bep Lan" \'ngon\' "qua" "a"'),
        ("giao\u00a0lúc\u202f11:30\u2009nhé\u200b", "giao luc 11:30 nhe"),
        ("ngon 👌🏽 lắm 🇻🇳 !", "ngon lam !"),
        ("5½ kg, ¾ phần, 2⁄3", "5 1/2 kg, 3/4 phan, 2/3"),
        ("ＸＮ　４８２７３", "XN 48273"),
        ("10€ `a` ´b´ −5 \u2011 ‐", "10EUR 'a' b -5 - -"),
        ("một\r\nhai\tba\u2028bốn\n\n năm ", "mot\nhai ba\nbon\nnam"),
        ("à è é ì ò ù ñ ö ü Å ß æ ø", "a e e i o u n o u A ss ae o"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("[ok] {x} ~ ^ | \\ @ _ $", "[ok] {x} ~ ^ | \\ @ _ $"),
        ("№ 5 · ★★☆ ™", "No 5 - **- TM"),
        ("đ\u0301 ơ\u0309", "d o"),
        ("", ""),
    ],
    ids=[
        "an order",
        "letters",
        "composed",
        "quotes",
        "spaces",
        "emoji",
        "fractions",
        "full width",
        "signs",
        "lines",
        "latin",
        "control",
        "extension",
        "marks",
        "double",
        "empty",
    ],
)
def test_a_text_loses_its_accents_and_keeps_its_sense(typed: str, carried: str) -> None:
    """A reader of plain letters understands it."""
    assert plain(typed) == carried


@given(ANYTHING)
def test_whatever_comes_in_only_the_gsm_alphabet_leaves(typed: str) -> None:
    """One letter too many would more than double the price."""
    carried = plain(typed)

    assert is_plain(carried)
    assert not carried or smsutil.is_valid_gsm(carried)
    assert plain(carried) == carried


@given(GSM)
def test_a_text_is_as_long_and_cut_as_smsutil_says(text: str) -> None:
    """Somebody else's count and cut is the same."""
    if not text:
        assert segments(text) == ("",)
        return
    split = smsutil.split(text)

    assert segments(text) == tuple(part.content for part in split.parts)
    assert septets(text) == split.total_bytes
    assert parts(text) == len(split.parts)


@given(GSM)
def test_a_part_is_never_too_long_and_nothing_is_lost(text: str) -> None:
    """Joined again the parts are the text."""
    cut = segments(text)

    assert "".join(cut) == text
    assert all(septets(part) <= (160 if len(cut) == 1 else 153) for part in cut)


@given(GSM, st.integers(1, 3))
def test_what_fits_is_the_beginning(text: str, most: int) -> None:
    """At most so many parts, and never more than had to be left out."""
    kept = fitting(text, most)

    assert text.startswith(kept)
    assert parts(kept) <= most
    assert kept == text or parts(text[: len(kept) + 1]) > most


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("a" * 152 + "[" + "a" * 10, 2),
        ("a" * 307, 3),
    ],
    ids=["160", "161", "80 brackets", "81 brackets", "a bracket at the border", "307"],
)
def test_the_borders_of_a_part(text: str, count: int) -> None:
    """160 alone, 153 each when joined; a bracket takes two places."""
    assert parts(text) == count


def test_a_character_of_two_septets_is_never_cut() -> None:
    """The part before it stays one septet short."""
    text = "a" * 152 + "[" + "a" * 10

    assert segments(text) == ("a" * 152, "[" + "a" * 10)


def test_the_septets_are_those_of_the_standard() -> None:
    """The escape goes before those of the extension."""
    assert encoded("@Az{€\n") == b"\x00\x41\x7a\x1b\x28\x1b\x65\x0a"
    assert all(
        encoded(letter) == bytes([place]) for place, letter in enumerate(sms_text._DEFAULT) if place != 27
    )
    assert len(sms_text._DEFAULT) == 128


@pytest.mark.parametrize(
    "text", ["đ", "\x1b", "Đơn", "`", "\ud800"], ids=["d", "escape", "word", "tick", "half"]
)
def test_what_is_not_in_the_alphabet_has_no_length(text: str) -> None:
    """Nobody counts it as if it were cheap."""
    with pytest.raises(ValueError, match="outside"):
        septets(text)
