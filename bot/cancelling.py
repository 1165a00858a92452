"""Cancelling, which takes a reason: `HUY code reason`, in the words of whoever cancels. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.intents import Act, GivenReason, Intent, Unclear, Verb, Why
from bot.said import FILLER, NEGATIONS, Found, Token, Utterance, each, phrases
from core.orders.codes import LENGTH, is_valid
from core.orders.commands import OTHER_REASON, REASONS

_LONGEST_REASON: Final = 200
_REASON_PHRASES: Final[Mapping[tuple[str, ...], int]] = MappingProxyType(
    {
        phrase: code
        for code, words in {
            1: "HET MON, HET HANG, SOLD OUT",
            2: "QUA TAI, DONG KHACH, TOO BUSY",
            3: "DONG CUA, QUAN NGHI, NGHI BAN, CLOSED",
            4: "NGOAI VUNG, XA QUA, QUA XA, OUT OF AREA",
            5: "SAI GIA, SAI THUC DON, SAI MENU, WRONG PRICE",
        }.items()
        for phrase in phrases(words)
    }
)
_OTHER_WORDS: Final = each("KHAC OTHER")
#: No reason is written with these.
_COMMANDING: Final = each("XN HT XACNHAN OK OKE OKAY OKI OKIE CONFIRM DONE")
#: What stands beside a negation that means the whole.
_TAKING_BACK: Final = each("PHAI DUOC NUA DAU CAN MUON")
#: Words that only lead to a reason, besides "lý do": "vì", "là", "because".
_LEADING: Final = each("VI LA BECAUSE")
#: Filler that may stand before and after a reason; "hết hàng" keeps its last word.
_POLITE: Final = FILLER - each("HANG DON MA SO SHOP CHO BAN CHI YOU ORDER BAO SOAN")


def cancel(said: Utterance) -> Intent:
    """Read `HUY code reason`, the first two in either order: what follows both is the reason."""
    verb = next(found for found in said.verbs if found.verb is Verb.CANCEL)
    codes = said.codes
    if len(codes) > 1:
        return Unclear(Why.TWO_CODES, Verb.CANCEL)
    if not codes:
        return _cancel_without_code(said, verb)
    place = next(at for at, token in enumerate(said.tokens) if token.plain == codes[0])
    head, tail = _around(said, verb, place)
    tail = _spoken(said, tail)
    doubt = _doubt_before(said, head, verb, place) or _doubt_after(said, tail)
    if doubt:
        return Unclear(doubt, Verb.CANCEL, codes[0] if doubt is not Why.HALF_CODE else None)
    if not is_valid(codes[0]):
        return Unclear(Why.WRONG_CODE, Verb.CANCEL, codes[0])
    between = [said.tokens[at].plain for at in head if _is_reason_digit(said.tokens[at].plain)]
    return Act(Verb.CANCEL, codes[0], _reason(said, between, tail))


def _cancel_without_code(said: Utterance, verb: Found) -> Intent:
    if any(isinstance(found.verb, Verb) and found.verb is not Verb.CANCEL for found in said.verbs):
        return Unclear(Why.TWO_VERBS, Verb.CANCEL)
    if any(len(number) > 1 for number in said.numbers) or len(said.numbers) > 1:
        return Unclear(Why.HALF_CODE, Verb.CANCEL, "".join(said.numbers)[: 2 * LENGTH])
    if NEGATIONS & set(said.words_outside(said.verbs)):
        return Unclear(Why.NEGATED, Verb.CANCEL)
    cancels = [found for found in said.verbs if found.verb is Verb.CANCEL]
    if said.numbers or said.words_outside(cancels):
        return Unclear(Why.WHICH_ORDER, Verb.CANCEL)
    return Act(Verb.CANCEL)


def _around(said: Utterance, verb: Found, place: int) -> tuple[list[int], list[int]]:
    """Return the places of the tokens up to verb and code, and of those after both."""
    border = max(verb.end, place + 1)
    while border < len(said.tokens) and _repeats(said, border, said.tokens[place].plain):
        border += 1
    return list(range(border)), list(range(border, len(said.tokens)))


def _repeats(said: Utterance, at: int, code: str) -> bool:
    """Whether this token only says verb or code once more."""
    token = said.tokens[at]
    return token.plain == code or any(
        found.start <= at < found.end and found.verb is Verb.CANCEL for found in said.verbs
    )


def _doubt_before(said: Utterance, head: list[int], verb: Found, place: int) -> Why | None:
    """Return what is unclear in verb, code and what stands before and between them."""
    inside = [found for found in said.verbs if found.start < len(head)]
    if any(found.verb is not Verb.CANCEL for found in inside):
        return Why.TWO_VERBS
    words = set(said.words_outside(inside, head))
    if NEGATIONS & words:
        return Why.NEGATED
    numbers = [at for at in head if said.tokens[at].is_number and len(said.tokens[at].plain) != LENGTH]
    first = min(verb.start, place)
    if any(at < first or not _is_reason_digit(said.tokens[at].plain) for at in numbers):
        return Why.HALF_CODE
    return Why.EXTRA_WORDS if words else None


def _doubt_after(said: Utterance, tail: list[int]) -> Why | None:
    """Return what is unclear in the words after verb and code: another command, or that they take it back."""
    if not tail:
        return None
    if _commands(said, tail) or any(said.tokens[at].plain in _COMMANDING for at in tail):
        return Why.TWO_VERBS
    return Why.NEGATED if _takes_back(said, tail) else None


def _commands(said: Utterance, tail: list[int]) -> bool:
    """Whether a verb in these words is no part of a reason: it begins or ends them, or has a code.

    "Khách không nhận" is a reason.
    """
    others = [found for found in said.verbs if isinstance(found.verb, Verb) and found.start in tail]
    others = [found for found in others if found.verb is not Verb.CANCEL]
    begins = tail[1] if said.tokens[tail[0]].is_number and len(tail) > 1 else tail[0]
    with_code = any(len(said.tokens[at].plain) == LENGTH and said.tokens[at].is_number for at in tail)
    return any(
        with_code
        or found.start == begins
        or (found.end == tail[-1] + 1 and found.end - found.start > 1 and not _is_negated(said, found))
        for found in others
    )


def _is_negated(said: Utterance, found: Found) -> bool:
    return said.tokens[found.start - 1].plain in NEGATIONS


def _takes_back(said: Utterance, tail: list[int]) -> bool:
    """Whether the words after the code doubt it: "không", "được không", "hết món chưa", "không huỷ nữa".

    A negation inside of a reason ("không còn gà") doubts nothing.
    """
    plain = _plain(said, tail)
    if not NEGATIONS & set(plain):
        return False
    cancelled = any(found.verb is Verb.CANCEL and found.start in tail for found in said.verbs)
    return cancelled or plain[-1] in NEGATIONS or set(plain) <= NEGATIONS | _TAKING_BACK


def _spoken(said: Utterance, tail: list[int]) -> list[int]:
    """Return the places that say something: without politeness around it and "vì", "lý do" before it.

    "Đã" is polite, but in "đã giao" it begins another command.
    """
    start, end = 0, len(tail)
    commands = {found.start for found in said.verbs if isinstance(found.verb, Verb)}
    while (
        start < end
        and tail[start] not in commands
        and (lead := _leading([said.tokens[at] for at in tail[start:end]]))
    ):
        start += lead
    while end > start and _is_polite(said.tokens[tail[end - 1]]):
        end -= 1
    return [] if _plain(said, tail[start:end]) == ["HUY"] else tail[start:end]


def _leading(tokens: Sequence[Token]) -> int:
    """Return how many words at the beginning only lead to a reason."""
    if [token.plain for token in tokens[:2]] == ["LY", "DO"]:
        return 2
    if tokens[0].plain == "SO" and len(tokens) > 1 and tokens[1].is_number:
        return 1
    return 1 if _is_polite(tokens[0]) or tokens[0].plain in _LEADING else 0


def _is_polite(token: Token) -> bool:
    return token.is_filler and token.plain in _POLITE


def _is_reason_digit(number: str) -> bool:
    return number.isdigit() and int(number) in REASONS and len(number) == 1


def _reason(said: Utterance, between: list[str], tail: list[int]) -> GivenReason | None:
    """Return the reason given by a digit or in words; None where there is none, or no such digit."""
    if between:
        return GivenReason(int(between[0]))
    if not tail:
        return None
    first = said.tokens[tail[0]]
    if first.is_number:
        return _numbered(said, first, tail) if _is_reason_digit(first.plain) else None
    return _worded(said, tail)


def _numbered(said: Utterance, first: Token, spoken: list[int]) -> GivenReason | None:
    number = int(first.plain)
    if number != OTHER_REASON:
        others = {said.tokens[at].plain for at in spoken[1:] if said.tokens[at].is_number}
        follows = said.tokens[spoken[1]].plain if len(spoken) > 1 else ""
        is_a_choice = any(_is_reason_digit(other) for other in others - {first.plain})
        return None if is_a_choice or (follows.isdigit() and follows != first.plain) else GivenReason(number)
    return GivenReason(OTHER_REASON, _words(said, spoken[1:]))


def _worded(said: Utterance, spoken: list[int]) -> GivenReason:
    plain = _plain(said, spoken)
    if len(plain) == 1 and plain[0] in _OTHER_WORDS:
        return GivenReason(OTHER_REASON)
    known = None if NEGATIONS & set(plain) else _known_reason(plain)
    return GivenReason(known) if known else GivenReason(OTHER_REASON, _words(said, spoken))


def _known_reason(plain: Sequence[str]) -> int | None:
    for at in range(len(plain)):
        for phrase, number in _REASON_PHRASES.items():
            if tuple(plain[at : at + len(phrase)]) == phrase:
                return number
    return None


def _words(said: Utterance, places: Sequence[int]) -> str:
    """Return the text between the first and the last of these tokens, as it was written."""
    if not places:
        return ""
    written = said.text[said.tokens[places[0]].start : said.tokens[places[-1]].end]
    return " ".join(written.split())[:_LONGEST_REASON]


def _plain(said: Utterance, places: Sequence[int]) -> list[str]:
    return [said.tokens[at].plain for at in places]
