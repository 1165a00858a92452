"""The guide: whole, in both languages, the same on the page and in the document, open to everybody."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.intents import Act, Ask, Intent, Link, ListOrders, Money, Pause, Question, Verb
from bot.meaning import read
from bot.texts.catalogue import texts_in
from bot.web import guide
from bot.web.nav import role_word
from core.actors import Role
from core.schedule import Policy
from core.settings import Settings
from tests.bot.web.conftest import Site, settings_for

DOCUMENT = Path(__file__).parents[3] / "docs" / "huong-dan-doi-tac.md"


@pytest.fixture
def settings() -> Settings:
    """Return settings with a number to text to."""
    return settings_for(sms_reply_number="8041", sms_reply_prefix="COM")


def meant(intent: Intent) -> Verb | Question | None:
    """Return what an intent is about."""
    kinds = {
        ListOrders: Question.LIST,
        Money: Question.MONEY,
        Link: Question.LINK,
        Pause: Question.PAUSE,
    }
    if isinstance(intent, Act):
        return intent.verb
    return intent.question if isinstance(intent, Ask) else kinds.get(type(intent))


def test_everything_that_is_understood_is_in_the_guide() -> None:
    """A new word of the chats needs its line."""
    assert guide.SAYINGS.keys() == {*Verb, *Question}


@pytest.mark.parametrize("asked", [*Verb, *Question], ids=lambda asked: str(asked.value))
def test_a_word_of_the_guide_does_what_it_says(asked: Verb | Question) -> None:
    """As it stands there."""
    word, _ = guide.SAYINGS[asked]
    assert meant(read(word)) is asked


@pytest.mark.parametrize(
    "word",
    ["DS CHO", "DS XN", "DS HT", "DS HUY", "DS QH", "TIEN 11/2026", "NGHI DEN HET 25/12"],
)
def test_the_examples_inside_the_lines_are_understood(word: str) -> None:
    """They stand in the words of a line, and mean what the line is about."""
    line = {"DS": Question.LIST, "TIEN": Question.MONEY, "NGHI": Question.PAUSE}[word.split(maxsplit=1)[0]]
    assert word.removeprefix("DS ") in guide.SAYINGS[line][1]
    assert meant(read(word)) is line


def test_every_role_is_in_the_guide() -> None:
    """With what it may do."""
    assert guide.ROLES.keys() == set(Role)


def test_the_document_says_what_the_page_says() -> None:
    """Line by line, with the usual times."""
    text, vi = DOCUMENT.read_text("utf-8"), texts_in("vi")
    for line in guide.arrivals(vi, Policy()):
        assert f"| {line.what} | {line.means} |" in text
    for word, means in guide.SAYINGS.values():
        assert f"| `{word}` | {means} |" in text
    for label, means in guide.BUTTONS:
        assert f"| **{label}** | {means.format(early=vi.span(Policy().complete_early))} |" in text
    for role, may in guide.ROLES.items():
        assert f"| {role_word(role)} | {may} |" in text
    for line_of_text in guide.MASKED:
        assert f"- {line_of_text}" in text
    for asked, answer in guide.QUESTIONS:
        assert f"**{asked}** {answer}" in text


def test_the_pictures_of_the_document_exist() -> None:
    """Where it says."""
    found = [part.partition(")")[0] for part in DOCUMENT.read_text("utf-8").split("](")[1:]]
    assert len(found) == 2
    for path in found:
        assert (DOCUMENT.parent / path).is_file()


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_guide_is_open_to_everybody(site: Site, language: str) -> None:
    """Whole, in the language of the browser or the one that is asked for."""
    page = await site.opens("/help", **{"Accept-Language": language})
    asked = await site.opens(f"/help?lang={language}")
    texts = texts_in(language)
    assert page.status == 200
    for shown in (page, asked):
        for _, means in guide.SAYINGS.values():
            assert texts.t(means) in shown.text
        for role, may in guide.ROLES.items():
            assert texts.t(role_word(role)) in shown.text
            assert texts.t(may) in shown.text
    assert "8041" in page.text
    assert "COM" in page.text
    assert "19001234" in page.text


async def test_no_english_page_speaks_vietnamese(site: Site) -> None:
    """But for the names of languages and the example of a masked name."""
    text = (await site.opens("/help?lang=en")).text
    left = text.replace("Tiếng Việt", "").replace("Chốt Đơn", "").replace("N••• V•• A•", "")
    assert not [letter for letter in left if letter in "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđĐươƯƠ"]


async def test_who_is_signed_in_has_the_way_about(site: Site) -> None:
    """In their own language, unless they ask for another."""
    await site.signs_in(Role.KITCHEN)
    page = await site.opens("/help", **{"Accept-Language": "en"})
    assert "Nhân viên" in page.text
    assert 'aria-current="page"' in page.html
    assert "Staff" not in page.text
    page = await site.opens("/help?lang=en")
    assert "What you can write" in page.text
    assert "/orders" in page.html


async def test_the_pictures_are_kept_by_the_browser(site: Site) -> None:
    """And come only when they are scrolled to."""
    page = await site.opens("/help")
    address = page.html.partition('<img src="')[2].partition('"')[0]
    assert 'loading="lazy"' in page.html
    async with site.client.get(address) as picture:
        assert picture.headers["Content-Type"] == "image/png"
        assert "immutable" in picture.headers["Cache-Control"]
    assert (await site.opens("/static/guide-none.png")).status == 404


async def test_times_are_those_of_this_service(site: Site) -> None:
    """Where the operators have set others than usual."""
    lines = guide.arrivals(texts_in("vi"), Policy(completion_notice_after=timedelta(minutes=25)))
    assert "25 phút sau giờ giao" in [line.what for line in lines]
    lines = guide.arrivals(texts_in("vi"), Policy(confirm_nudges_before=(), confirm_nudges_after=()))
    assert not [line for line in lines if "chưa ai xác nhận" in line.what and "phút" in line.what]
