"""What kitchens really write, and what we take it for. Whatever is not quite clear asks back."""

import re
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intents import Act, Pause, Thank, Unclear, Verb, Why
from bot.meaning import read
from core.orders.codes import is_valid
from tests.bot.replies_table import Row, rows, told

TABLE: Final = tuple(rows())
ACTING: Final = [row for row in TABLE if row.acts and not row.prefix]
#: Those that name their order, on one line.
WHOLE: Final = [
    row for row in ACTING if "48274" in row.text and "\n" not in row.text and "sent" not in row.text
]
JUMBLE: Final = (
    *("XN", "HUY", "HT", "CT", "OK", "nhận", "huỷ", "xong", "không", "chưa", "48274", "10019"),
    *("1", "6", "48", "274", "gui", "8041", "hết", "món", "mai", "ds", ">", "--", "?", "❌"),
)
NEGATIONS: Final = ["không", "ko", "khong", "k", "chưa", "đừng"]


def test_the_table_is_long_and_its_codes_are_valid() -> None:
    """Otherwise it would prove little, or nothing."""
    assert len(TABLE) > 850
    assert is_valid("48274")
    assert is_valid("10019")


def test_no_text_stands_in_the_table_twice() -> None:
    """Two meanings of one text would be a mistake of ours."""
    texts = [(row.text, row.prefix) for row in TABLE]

    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("row", TABLE, ids=[f"line {row.line}" for row in TABLE])
def test_a_reply_means_what_the_table_says(row: Row) -> None:
    """Polite or short, with or without accents, half, wrong, doubled, copied, signed or not meant for us."""
    assert told(read(row.text, prefix=row.prefix)) == row.means


@pytest.mark.parametrize("prefix", ["CHOTDON", "Cơm 8", "xn"])
def test_a_routing_word_is_passed_over(prefix: str) -> None:
    """A rented number wants its word first; many forget it."""
    for row in ACTING:
        if not row.text.startswith((">", "\ufeff")):
            assert told(read(f"{prefix} {row.text}", prefix=prefix)) == row.means, row
            assert told(read(row.text, prefix=prefix)) == row.means, row


@given(row=st.sampled_from(TABLE))
def test_letters_do_not_matter_however_they_are_made(row: Row) -> None:
    """Capitals, composed or decomposed: words of a reason alone are kept as they were written."""
    for way in (row.text.upper(), unicodedata.normalize("NFD", row.text), f"  {row.text}  "):
        assert _bare(told(read(way, prefix=row.prefix))) == _bare(row.means)


@given(row=st.sampled_from(ACTING), word=st.sampled_from(NEGATIONS))
def test_a_negation_around_a_command_never_acts(row: Row, word: str) -> None:
    """Before, after: `khong xn 48274`, `xn 48274 khong`."""
    assert not isinstance(read(f"{word} {row.text}"), Act)
    if "\n" not in row.text and "sent from" not in row.text:  # nothing is read below a signature
        assert not isinstance(read(f"{row.text} {word}"), Act)


@given(row=st.sampled_from(WHOLE), other=st.sampled_from(WHOLE))
def test_two_commands_at_once_act_only_when_they_are_the_same(row: Row, other: Row) -> None:
    """Which of them was meant is not ours to choose; a cancellation without a reason only asks."""
    meant = read(f"{row.text}. {other.text}")
    verbs = {row.means.partition(" ")[0], other.means.partition(" ")[0]}

    if isinstance(meant, Act) and (meant.verb is not Verb.CANCEL or meant.reason):
        assert verbs == {meant.verb.value}


@given(text=st.text(max_size=60))
def test_noise_never_acts_on_an_order(text: str) -> None:
    """Any text at all is read without an error; only one with five right digits names an order."""
    meant = read(text)

    if isinstance(meant, Act) and meant.code:
        assert is_valid(meant.code)


@given(
    words=st.lists(
        st.sampled_from(JUMBLE),
        max_size=8,
    )
)
def test_jumbled_words_act_only_with_one_verb_and_one_code(words: list[str]) -> None:
    """Whatever order the words come in, two orders or a doubt never confirm or complete."""
    meant = read(" ".join(words))
    said = set(words)

    if isinstance(meant, Act) and meant.verb in {Verb.CONFIRM, Verb.COMPLETE}:
        assert not {"48274", "10019"} <= said
        assert not said & {"không", "chưa", "HUY", "huỷ", "?", "❌", "hết", "món"}
        assert not {"XN", "HT"} <= said


@given(
    words=st.lists(
        st.sampled_from((*JUMBLE, "hôm nay", "2 ngày", "25/12", "đến", "hết", "quán", "trưa", "nha")),
        max_size=5,
    ),
    at=st.integers(0, 5),
)
def test_a_kitchen_is_never_closed_by_a_guess(words: list[str], at: int) -> None:
    """Around `nghỉ` one end and nothing else: no doubt, no order, no second day."""
    meant = read(" ".join([*words[:at], "nghỉ", *words[at:]]))
    said = set(words)

    if isinstance(meant, Pause) and (meant.days or meant.until):
        assert not said & {"không", "chưa", "?", "❌", "trưa", "món", "48274", "10019", "XN", "HUY", "HT"}
        assert len(said & {"hôm nay", "mai", "2 ngày", "25/12"}) == 1


def test_words_of_another_script_are_not_overlooked() -> None:
    """What we cannot read may say the opposite."""
    for word in ("нет", "取消", "ยกเลิก", "ٌلا"):
        assert not isinstance(read(f"XN 48274 {word}"), Act)
        assert not isinstance(read(f"XN{word} 48274"), Act)


def test_a_novel_is_not_read() -> None:
    """Longer than any message of a kitchen."""
    assert read("xn 48274 " + "a " * 1500) == Unclear(Why.NOT_UNDERSTOOD)


def test_free_words_of_a_reason_are_bounded() -> None:
    """200 characters say enough."""
    meant = read("huỷ 48274 " + "bếp hỏng " * 60)

    assert isinstance(meant, Act)
    assert meant.reason is not None
    assert len(meant.reason.words) <= 200


def _bare(means: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", means)).strip().casefold()


@pytest.mark.parametrize(
    "said",
    [
        "HUY 48274 đã giao",
        "HUY 48274. ddax giao 48274",
        "huỷ 48274 vì đã giao rồi",
        "HUY 48274 da giao 48274",
    ],
    ids=["accents", "telex", "because", "code again"],
)
def test_what_was_delivered_is_not_cancelled(said: str) -> None:
    """Alone "đã" is polite; before "giao" it tells of another deed, so nothing is done."""
    assert read(said) == Unclear(Why.TWO_VERBS, Verb.CANCEL, "48274")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("CAM ON 48274", ""),
        ("Cảm ơn 48274 Hẹn gặp lại!", "Hẹn gặp lại!"),
        ("dạ cám ơn anh chị 48274: ủng hộ quán nhé", "ủng hộ quán nhé"),
        ("thank you 48274, see you", "see you"),
        ("Soan CAM ON 48274 gui 8041", ""),
        ("CHOT CAM ON 48274 vui qua", "vui qua"),
        ("CAM ON 48274 - HUY gui loi chao", "HUY gui loi chao"),
    ],
    ids=["alone", "words", "polite", "english", "copied", "routed", "another verb in it"],
)
def test_thanks_with_a_code_may_answer_a_review(said: str, words: str) -> None:
    """The words stay as they were written; what they mean without a review is kept beside."""
    intent = read(said, prefix="CHOT")
    assert isinstance(intent, Thank)
    assert (intent.code, intent.words) == ("48274", words)
    assert not isinstance(intent.otherwise, Thank)


@pytest.mark.parametrize(
    "said",
    [
        "cảm ơn",
        "cảm ơn shop",
        "XN 48274 cảm ơn",
        "cảm ơn XN 48274",
        "CAM ON 48275",
        "cảm ơn 4827",
        "cam 48274",
    ],
)
def test_thanks_are_polite_anywhere_else(said: str) -> None:
    """Without a right code straight after them they answer nothing."""
    assert not isinstance(read(said), Thank)
