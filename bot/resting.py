"""Taking no orders for a while: "NGHI 25/12", "NGHI 2 NGAY", "quán nghỉ hết hôm nay nha". Pure.

What is not one day, one end or one number of days is asked back: a kitchen is never closed by a guess.
"""

from itertools import pairwise
from typing import Final

from bot.intents import Day, Intent, Pause, Question, Unclear, Verb, Why
from bot.said import Utterance, each

_MOST_DAYS: Final = 60
#: Words that go with a pause and change nothing of it.
_AROUND: Final = each("QUAN BEP TIEM NGAY BAN HANG NHAN DON DEN TOI HET TU BAY GIO CUOI SE XIN DUOC LE")
_UNTIL: Final = each("DEN TOI")
_NUMBERS: Final = {"MOT": 1, "HAI": 2, "BA": 3, "BON": 4, "NAM": 5, "BAY": 7}
_ASKS: Final = Unclear(Why.HOW_LONG)


def rest(said: Utterance) -> Intent:
    """Return the pause that a text with its verb asks for, or what asks back."""
    kinds = {found.verb for found in said.verbs}
    if kinds - {Question.PAUSE, Question.TODAY, Question.TOMORROW}:
        return _ASKS
    words = said.words_outside(said.verbs)
    if set(words) - _AROUND - set(_NUMBERS) - {"THANG"}:  # a negation among them
        return _ASKS
    named = kinds - {Question.PAUSE}
    if named:
        return _by_name(said, words, named)
    return _by_numbers(said, words) if said.numbers else _in_words(words)


def _by_name(said: Utterance, words: list[str], named: set[Verb | Question]) -> Intent:
    """Read "hôm nay", "đến hết mai": tomorrow alone may mean tomorrow only."""
    if said.numbers or len(named) > 1 or set(words) & set(_NUMBERS):
        return _ASKS
    if Question.TODAY in named:
        return Pause(days=1, is_sure=True)
    return Pause(days=2, is_sure="HET" in words)


def _in_words(words: list[str]) -> Intent:
    """Read "nghỉ hai ngày"; without any word that counts it is asked how long."""
    counts = [word for word in words if word in _NUMBERS]
    if not counts:
        return Pause() if not set(words) - each("QUAN BEP TIEM BAN HANG NHAN DON") else _ASKS
    follows = words[words.index(counts[0]) + 1 :][:1]
    if len(counts) > 1 or follows != ["NGAY"] or _UNTIL & set(words):
        return _ASKS
    return Pause(days=_NUMBERS[counts[0]], is_sure=True)


def _by_numbers(said: Utterance, words: list[str]) -> Intent:
    if set(words) & set(_NUMBERS) - {"NAM"}:
        return _ASKS
    numbers = [int(number) if len(number) <= 4 else -1 for number in said.numbers]
    if len(numbers) == 1:
        return _days(said, numbers[0])
    day = _day(numbers)
    return Pause(until=day, is_sure="HET" in words) if day and _is_written_as_day(said) else _ASKS


def _days(said: Utterance, count: int) -> Intent:
    """Read "2 ngày": the number stands before the word, and an end is no number of days."""
    plain = [token.plain for token in said.tokens]
    at = next(place for place, token in enumerate(said.tokens) if token.is_number)
    is_count = plain[at + 1 : at + 2] == ["NGAY"] and not _UNTIL & set(plain)
    return Pause(days=count, is_sure=True) if is_count and 1 <= count <= _MOST_DAYS else _ASKS


def _day(numbers: list[int]) -> Day | None:
    match numbers:
        case [day, month] if 1 <= day <= 31 and 1 <= month <= 12:
            return Day(day, month)
        case [day, month, year] if 1 <= day <= 31 and 1 <= month <= 12 and 2000 <= year <= 2999:
            return Day(day, month, year)
    return None


def _is_written_as_day(said: Utterance) -> bool:
    """Whether the numbers are parts of one day: "25/12", "25-12-2026", "25 tháng 12 năm 2026"."""
    places = [token for token in said.tokens if token.is_number]
    between = [said.text[one.end : other.start].strip().casefold() for one, other in pairwise(places)]
    return all(sign in {"/", "-", ".", "tháng", "thang", "năm", "nam"} for sign in between)
