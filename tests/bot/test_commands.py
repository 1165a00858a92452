"""The menu of a chat: each command is a word that everybody may write, too."""

import re

import pytest

from bot.commands import COMMANDS, ChatCommand, words_for
from bot.intents import Unclear
from bot.meaning import read
from bot.texts import texts_in

OURS = "ChotDonBot"


@pytest.mark.parametrize("name", ["donhang", "homnay", "ngaymai", "tien", "danhgia", "trogiup", "ngonngu"])
def test_what_was_promised_is_in_the_menu(name: str) -> None:
    """By these names."""
    assert name in {command.name for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_every_command_is_understood(command: ChatCommand) -> None:
    """Its word means something, its name and its description are what Telegram takes, in both languages."""
    assert re.fullmatch(r"[a-z0-9_]{1,32}", command.name)
    assert not isinstance(read(command.word), Unclear)
    for locale in ("vi", "en"):
        assert 1 <= len(texts_in(locale).t(command.description)) <= 256


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/donhang", "DS"),
        ("/DonHang", "DS"),
        ("/donhang@ChotDonBot", "DS"),
        ("/donhang@chotdonbot CHO", "DS CHO"),
        ("/tien 11/2026", "TIEN 11/2026"),
        ("/ngonngu en", "NGON NGU en"),
        ("/molai", "MO LAI"),
        ("/xyz", "/xyz"),
        ("/xyz@ChotDonBot", "TG"),
        ("/help", "TG"),
        ("/donhang@OtherBot", None),
        ("xn 48274", "xn 48274"),
        ("/ 5", "/ 5"),
    ],
)
def test_a_command_becomes_words(text: str, words: str | None) -> None:
    """One that only our name is on asks for help; what is said to another bot is not for us."""
    assert words_for(text, OURS) == words
