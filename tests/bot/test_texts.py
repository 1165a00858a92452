"""Every sentence of the product exists in English, and how money, days and times are written."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from bot.cards.short import ONE, TWO, fitted, joined, listed, shortened, sms_length
from bot.texts import Texts, texts_in
from bot.texts.plain import unaccented

ROOT = Path(__file__).parents[2]
BOT = ROOT / "bot"
ENGLISH = BOT / "texts" / "locale" / "en" / "LC_MESSAGES" / "chotdon.po"
SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
VI, EN = Texts("vi"), Texts("en")
NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
BLANK = re.compile(r"\{(\w+)\}")


def sentences_in_code() -> Iterator[tuple[str, bool]]:
    """Yield each sentence that the code says ("button: …" for labels), and whether it counts something."""
    for path in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in {"t", "n", "msg", "titled", "label"} and isinstance(node.args[0].value, str):
                    yield ("button: " if name == "label" else "") + node.args[0].value, name == "n"


def sentences_in_templates() -> Iterator[str]:
    """Yield each sentence that pages and mails say."""
    parser = Environment(autoescape=True, extensions=["jinja2.ext.do"])
    for path in (path for ending in ("html", "mjml", "txt", "j2") for path in BOT.rglob(f"*.{ending}")):
        for call in parser.parse(path.read_text("utf-8")).find_all(nodes.Call):
            name = call.node.attr if isinstance(call.node, nodes.Getattr) else getattr(call.node, "name", "")
            if name in {"t", "n", "label"} and call.args and isinstance(call.args[0], nodes.Const):
                yield ("button: " if name == "label" else "") + str(call.args[0].value)


def english() -> Catalog:
    """Return the English catalogue."""
    with ENGLISH.open("rb") as file:
        return read_po(file)


def translated() -> dict[str, tuple[str, ...]]:
    """Return sentence → its English forms."""
    found: dict[str, tuple[str, ...]] = {}
    for message in english():
        if message.id:
            name = message.id if isinstance(message.id, str) else message.id[0]
            name = f"{message.context}: {name}" if message.context else name
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            found[name] = tuple(str(form) for form in forms)
    return found


def test_every_sentence_exists_in_english() -> None:
    """And nothing is left over in the catalogue that nobody says any more."""
    said = {sentence for sentence, _ in sentences_in_code()} | set(sentences_in_templates())

    assert sorted(said - translated().keys()) == []
    assert sorted(translated().keys() - said) == []


def test_every_translation_is_there_and_fills_the_same_blanks() -> None:
    """A blank that one language forgets would be a fact that its readers miss."""
    for sentence, forms in translated().items():
        for form in forms:
            assert form, sentence
            assert set(BLANK.findall(form)) == set(BLANK.findall(sentence)), sentence


def test_what_is_counted_has_two_forms_in_english() -> None:
    """One portion, two portions."""
    written = translated()
    for sentence, counts in sentences_in_code():
        assert (len(written[sentence]) == 2) == counts, sentence


def test_a_catalogue_that_nobody_compiled_is_read_all_the_same() -> None:
    """English speaks English whether or not there is a compiled file beside it."""
    assert EN.t("Hoàn thành") == "Completed"
    assert EN.label("Hoàn thành") == "Complete"
    assert texts_in("en").t("Chờ xác nhận") == "Awaiting confirmation"


def test_an_unknown_language_is_vietnamese() -> None:
    """Somebody's locale may be anything; what they read is not."""
    assert Texts("fr").locale == "vi"
    assert Texts("../../etc").t("Hoàn thành") == "Hoàn thành"


@pytest.mark.parametrize(
    ("amount", "written"), [(0, "0 đ"), (900, "900 đ"), (2_400_000, "2.400.000 đ"), (-5000, "-5.000 đ")]
)
def test_money(amount: int, written: str) -> None:
    """Dots between thousands, in both languages."""
    assert VI.money(amount) == EN.money(amount) == written


def test_a_decimal_has_the_mark_of_its_language() -> None:
    """Stars are read as everybody writes them there."""
    assert (VI.decimal(3.46), EN.decimal(3.46)) == ("3,5", "3.5")


def test_days_and_times() -> None:
    """As a Vietnamese writes them, in the kitchen's zone."""
    lunch = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)

    assert VI.moment(lunch, SAIGON, NOON) == "11:30 thứ Ba 24/11"
    assert EN.moment(lunch, SAIGON, NOON) == "11:30 Tue 24/11"
    assert VI.moment(lunch.replace(year=2027), SAIGON, NOON) == "11:30 thứ Tư 24/11/2027"
    assert VI.clock(lunch, SAIGON) == "11:30"
    assert VI.date(date(2026, 11, 24)) == "24/11/2026"
    assert VI.day(date(2026, 11, 29)) == "Chủ nhật 29/11"
    assert VI.happened(lunch, SAIGON, NOON) == "11:30"
    assert VI.happened(lunch - timedelta(days=1), SAIGON, NOON) == "11:30 ngày 23/11"


@pytest.mark.parametrize(
    ("away", "vi", "en"),
    [
        (timedelta(hours=3, minutes=20), "còn 3 giờ 20 phút", "in 3 h 20 min"),
        (timedelta(hours=2), "còn 2 giờ", "in 2 h"),
        (timedelta(minutes=45, seconds=59), "còn 45 phút", "in 45 min"),
        (timedelta(days=1, hours=5, minutes=40), "còn 1 ngày 5 giờ", "in 1 day 5 h"),
        (timedelta(days=3), "còn 3 ngày", "in 3 days"),
        (timedelta(seconds=30), "ngay bây giờ", "now"),
        (timedelta(minutes=-20), "đã qua 20 phút", "20 min ago"),
    ],
)
def test_how_long_until_then(away: timedelta, vi: str, en: str) -> None:
    """By its two biggest units."""
    assert VI.relative(NOON + away, NOON) == vi
    assert EN.relative(NOON + away, NOON) == en


def test_portions_are_counted() -> None:
    """English has a singular."""
    assert (VI.portions(1), VI.portions(1200)) == ("1 suất", "1.200 suất")
    assert (EN.portions(1), EN.portions(40)) == ("1 portion", "40 portions")


def test_braces_in_a_name_are_only_braces() -> None:
    """What people call themselves is never read as a blank."""
    assert "{code}" in VI.t("Đơn của {partner}", partner="{code}")


def test_text_without_accents_is_what_an_sms_can_carry() -> None:
    """Vietnamese, signs and signs that SMS does not know."""
    assert unaccented("Đặng Thị Ngọc Huyền: 2 × Phở · 50.000 đ → 60.000 ₫ 👍") == (
        "Dang Thi Ngoc Huyen: 2 x Pho - 50.000 d -> 60.000 d "
    )


def test_brackets_take_two_places_in_an_sms() -> None:
    """The extension table of GSM 03.38."""
    assert sms_length("[a]") == 5


@given(
    first=st.text(max_size=300),
    more=st.lists(st.text(max_size=200), max_size=4),
    words=st.lists(st.text(max_size=80), max_size=3),
    most=st.sampled_from([ONE, TWO]),
)
def test_what_is_fitted_fits(first: str, more: list[str], words: list[str], most: int) -> None:
    """Whatever is said, its words fit, and what can be answered stays."""
    said = fitted(first, *more, words=words, most=most)

    assert sms_length(said) <= most
    assert not words or any(said.endswith(way.strip()) for way in words)


@given(
    first=st.text(max_size=40),
    entries=st.lists(st.from_regex(r"[0-9]{5} [0-9]{2}:[0-9]{2}", fullmatch=True), max_size=40),
    has_more=st.booleans(),
)
def test_a_list_is_cut_between_its_entries(first: str, entries: list[str], has_more: bool) -> None:
    """Each entry stands whole or not at all, and what was left out is counted."""
    said = listed(first, entries, lambda left: f"{left} left", words="Text DS", has_more=has_more)
    shown = [entry for entry in entries if entry in said]

    assert sms_length(said) <= TWO
    assert said.endswith("Text DS")
    assert not re.search(r"[0-9]{5} [0-9]{0,2}(?![0-9:])", said.removeprefix(first))
    assert len(shown) == len(entries) or " left" in said


def test_words_are_shortened_only_where_the_beginning_would_be_cut() -> None:
    """What is wanted and when come before the last of the ways to answer."""
    ways = ["Text XN 48274, HUY 48274", "Text XN 48274"]

    assert fitted("a" * 120, words=ways).endswith("HUY 48274")
    assert fitted("a" * 140, words=ways).endswith("Text XN 48274")


def test_pieces_are_joined_as_they_are_spoken() -> None:
    """A capital begins a sentence, everything else goes on with a comma."""
    assert joined("Đơn 48274", "giao 11:30", "", "Hết món") == "Đơn 48274, giao 11:30. Hết món"
    assert joined("Xong chưa?", "40 suất") == "Xong chưa? 40 suất"


def test_long_words_are_cut_between_words() -> None:
    """On one line, with an ellipsis."""
    assert shortened("Cơm gà\n  xối mỡ", 20) == "Cơm gà xối mỡ"
    assert shortened("Cơm gà xối mỡ", 10) == "Cơm gà…"
    assert shortened("Cơmgàxốimỡ", 5) == "Cơmg…"
