"""From what somebody wrote to what they mean. Pure; the same words on every channel.

What is not quite clear is never acted upon: it becomes Unclear, and the answer asks.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.cancelling import cancel
from bot.intents import Act, Ask, Intent, Link, ListOrders, Money, Pause, Question, Unclear, Verb, Why
from bot.resting import rest
from bot.said import NEGATIONS, Utterance, each, own_words, tokens_of, visible
from bot.thanking import thanking
from core.orders.codes import LENGTH, is_valid
from core.orders.status import Status

_LONGEST: Final = 2000
_LINK_DIGITS: Final = 6
#: A question is no command. (A gateway writes "?" too for a sign that it does not know.)
_ASKING: Final = "?"
#: Crosses, thumbs down and stop signs.
_SAYING_NO: Final = re.compile(
    "[\u274c\u274e\u26d4\u2716\u2717\u2718\U0001f44e\U0001f645\U0001f6ab\U0001f6d1]"
)


#: What opens again.
_OF_A_KITCHEN: Final = each("QUAN BEP TIEM BAN HANG LAI NHAN DON")

_STATUSES: Final[Mapping[str, Status | None]] = MappingProxyType(
    {
        "": None,
        "CHO": Status.PENDING,
        "CHO XN": Status.PENDING,
        "CHO XAC NHAN": Status.PENDING,
        "XN": Status.CONFIRMED,
        "XAC NHAN": Status.CONFIRMED,
        "HT": Status.COMPLETED,
        "HOAN THANH": Status.COMPLETED,
        "HUY": Status.CANCELLED,
        "QH": Status.EXPIRED,
        "QUA HAN": Status.EXPIRED,
    }
)


def read(text: str, *, prefix: str = "") -> Intent:
    """Return what a text means. `prefix` is the routing word of a rented number; it may be missing."""
    if len(text) > _LONGEST:
        return Unclear(Why.NOT_UNDERSTOOD)
    if text.strip() in {"?", "/help"}:
        return Ask(Question.HELP)
    said = Utterance(own_words(text))
    meant = said.without_prefix(tokens_of(visible(prefix))).without_number()
    intent = _doubted(_meaning(meant), said.text)
    return thanking(said, tokens_of(visible(prefix)), otherwise=intent) or intent


def _doubted(intent: Intent, text: str) -> Intent:
    """Ask back instead of acting where a sign puts the whole in doubt."""
    if isinstance(intent, Pause):
        return Unclear(Why.HOW_LONG) if _SAYING_NO.search(text) or _ASKING in text else intent
    if not isinstance(intent, Act) or intent.verb is Verb.DETAILS:
        return intent
    says_no = intent.verb is not Verb.CANCEL and _SAYING_NO.search(text)
    return Unclear(Why.NEGATED, intent.verb, intent.code) if says_no or _ASKING in text else intent


def _meaning(said: Utterance) -> Intent:
    first = said.verbs[0].verb if said.verbs else None
    if first is None:
        return _without_verb(said)
    if first is Question.LINK:
        return _link(said)
    if first is Question.LIST:
        return _list(said)
    if any(found.verb is Verb.CANCEL for found in said.verbs):
        return cancel(said)
    if any(found.verb is Question.PAUSE for found in said.verbs) and not said.codes:
        return rest(said)
    if first is Question.LANGUAGE and len(said.verbs) == 2:
        return _language(said)
    if len({found.verb for found in said.verbs}) > 1:
        return Unclear(Why.TWO_VERBS)
    if isinstance(first, Verb):
        return _act(said, first)
    return _money(said) if first is Question.MONEY else _question(said, first)


def _without_verb(said: Utterance) -> Intent:
    """A code alone, or with words we do not know, shows its order; anything else is not understood."""
    codes = said.codes
    if len(codes) == 1 and is_valid(codes[0]):
        return Unclear(Why.NO_VERB, typed=codes[0])
    return Unclear(Why.NOT_UNDERSTOOD)


def _link(said: Utterance) -> Intent:
    digits = "".join(said.numbers)
    return Link(digits) if len(digits) == _LINK_DIGITS else Unclear(Why.NOT_UNDERSTOOD)


def _list(said: Utterance) -> Intent:
    words = said.tokens[said.verbs[0].end :]
    wanted = " ".join(word.plain for word in words if word.plain == "CHO" or not word.is_filler)
    return ListOrders(_STATUSES[wanted]) if wanted in _STATUSES else Unclear(Why.NOT_UNDERSTOOD)


def _language(said: Utterance) -> Intent:
    """Read "NGON NGU EN"; without a language it is asked for."""
    chosen = said.verbs[1].verb
    return (
        _question(said, chosen)
        if chosen in {Question.ENGLISH, Question.VIETNAMESE}
        else Unclear(Why.TWO_VERBS)
    )


def _question(said: Utterance, question: Question | Verb) -> Intent:
    words = set(said.words_outside(said.verbs))
    if question is Question.RESUME:
        words -= _OF_A_KITCHEN
    if said.numbers or words or not isinstance(question, Question):
        return Unclear(Why.NOT_UNDERSTOOD)
    return Ask(question)


def _money(said: Utterance) -> Intent:
    words = set(said.words_outside(said.verbs)) - {"THANG", "NAM", "NAY"}
    numbers = [int(number) for number in said.numbers if len(number) <= 4]
    if words or len(numbers) != len(said.numbers):
        return Unclear(Why.NOT_UNDERSTOOD)
    match numbers:
        case []:
            return Money()
        case [month] if 1 <= month <= 12:
            return Money(month)
        case [month, year] if 1 <= month <= 12 and 2000 <= year <= 2999:
            return Money(month, year)
    return Unclear(Why.NOT_UNDERSTOOD)


def _act(said: Utterance, verb: Verb) -> Intent:
    words = said.words_outside(said.verbs)
    code = _the_code(said.numbers, verb)
    if isinstance(code, Unclear):
        return code
    if NEGATIONS & set(words):
        return Unclear(Why.NEGATED, verb, code)
    if words:
        return Unclear(Why.EXTRA_WORDS, verb, code)
    return Act(verb, code)


def _the_code(numbers: Sequence[str], verb: Verb) -> str | Unclear | None:
    """Return the one code among these numbers, None where there are no numbers at all."""
    if not numbers:
        return None
    different = list(dict.fromkeys(numbers))
    whole = [number for number in different if len(number) == LENGTH]
    if len(whole) > 1:
        return Unclear(Why.TWO_CODES, verb)
    if len(different) > 1 or not whole:
        return Unclear(Why.HALF_CODE, verb, "".join(numbers)[: 2 * LENGTH])
    return whole[0] if is_valid(whole[0]) else Unclear(Why.WRONG_CODE, verb, whole[0])
