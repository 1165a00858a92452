"""From what somebody wrote to what they mean. Pure; the same words on every channel.

What is not quite clear is never acted upon: it becomes Unclear, and the answer asks.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.texts.plain import unaccented
from core.orders.codes import LENGTH, is_valid
from core.orders.commands import OTHER_REASON, REASONS
from core.orders.status import Status


class Verb(StrEnum):
    """What can be done with one order."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    COMPLETE = "complete"
    DETAILS = "details"


class Question(StrEnum):
    """What can be asked without naming an order."""

    LIST = "list"
    TODAY = "today"
    TOMORROW = "tomorrow"
    MONEY = "money"
    REVIEWS = "reviews"
    HELP = "help"
    WEB = "web"
    ENGLISH = "en"
    VIETNAMESE = "vi"
    LINK = "link"


class Why(StrEnum):
    """What keeps us from acting on some words."""

    NOT_UNDERSTOOD = "not_understood"
    TWO_VERBS = "two_verbs"
    TWO_CODES = "two_codes"
    NEGATED = "negated"
    EXTRA_WORDS = "extra_words"
    NO_VERB = "no_verb"
    HALF_CODE = "half_code"
    WRONG_CODE = "wrong_code"
    WHICH_ORDER = "which_order"


@dataclass(frozen=True, slots=True)
class GivenReason:
    """Why somebody cancels: a number of the short list, and for the last one their words."""

    code: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Do this with this order; without a code, with the only one it can mean."""

    verb: Verb
    code: str | None = None
    reason: GivenReason | None = None


@dataclass(frozen=True, slots=True)
class ListOrders:
    """The orders of one status, or all."""

    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """What was earned in a month; without a year the latest such month, without a month this one."""

    month: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of one word."""

    question: Question


@dataclass(frozen=True, slots=True)
class Link:
    """Link this address to a staff member, by a one-time code."""

    code: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing is done. `typed` is the code or piece of one that was meant, as far as it could be read."""

    why: Why
    verb: Verb | None = None
    typed: str | None = None


Intent = Act | ListOrders | Money | Ask | Link | Unclear


def read(text: str, *, prefix: str = "") -> Intent:
    """Return what a text means. `prefix` is the routing word of a rented number; it may be missing."""
    if len(text) > _LONGEST:
        return Unclear(Why.NOT_UNDERSTOOD)
    if text.strip() in {"?", "/help"}:
        return Ask(Question.HELP)
    said = _Said(_own_words(text))
    return _doubted(_meaning(said.without_prefix(_tokens(_visible(prefix))).without_number()), said.text)


# --- What is not theirs to say ---------------------------------------------------------------------

_SIGNED: Final = re.compile(
    r"(?:^|\s)(?:--+\s*)?(?:sent from(?: my)?|(?:(?:đã|da|được|duoc) )?(?:gửi|gui) (?:từ|tu))"
    r" (?:iphone|ipad|android|samsung|galaxy|oppo|vivo|xiaomi|redmi|nokia|huawei|điện thoại|dien thoai)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING: Final = re.compile(r"^--+\s*$.*", re.MULTILINE | re.DOTALL)
_QUOTED: Final = re.compile(r"^\s*>.*$", re.MULTILINE)
#: A question is no command. (A gateway writes "?" too for a sign that it does not know.)
_ASKING: Final = "?"
#: Crosses, thumbs down and stop signs.
_SAYING_NO: Final = re.compile(
    "[\u274c\u274e\u26d4\u2716\u2717\u2718\U0001f44e\U0001f645\U0001f6ab\U0001f6d1]"
)


def _own_words(text: str) -> str:
    """Return what somebody wrote themselves: no quoted message, no line that their phone signs with."""
    own = _QUOTED.sub("", _CLOSING.sub("", unicodedata.normalize("NFC", text)))
    return _visible(_SIGNED.sub("", own))


def _visible(text: str) -> str:
    """Return the text in one way of writing, without the marks that nobody sees."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in composed if unicodedata.category(letter) != "Cf")


def _doubted(intent: Intent, text: str) -> Intent:
    """Ask back instead of acting where a sign puts the whole in doubt."""
    if not isinstance(intent, Act) or intent.verb is Verb.DETAILS:
        return intent
    says_no = intent.verb is not Verb.CANCEL and _SAYING_NO.search(text)
    return Unclear(Why.NEGATED, intent.verb, intent.code) if says_no or _ASKING in text else intent


# --- Words ----------------------------------------------------------------------------------------

_LONGEST: Final = 2000
_LONGEST_REASON: Final = 200
_LINK_DIGITS: Final = 6
_SHORTEST_NUMBER: Final = 4

_SAID_AS: Final[Mapping[Verb | Question, str]] = MappingProxyType(
    {
        Verb.CONFIRM: "XN, XAC NHAN, XACNHAN, OK, OKE, OKAY, OKI, OKIE, NHAN, DONG Y, DONGY, CONFIRM",
        Verb.CANCEL: "HUY, TU CHOI, TUCHOI, CANCEL",
        Verb.COMPLETE: "HT, HOAN THANH, HOANTHANH, XONG, DA GIAO, DAGIAO, GIAO XONG, GIAO ROI, DONE",
        Verb.DETAILS: "CT, CHI TIET, CHITIET, XEM, XEM CHI TIET, DETAILS",
        Question.LIST: "DS, DANH SACH, DANHSACH, ORDERS",
        Question.TODAY: "HN, HOM NAY, HOMNAY, TODAY",
        Question.TOMORROW: "MAI, NGAY MAI, TOMORROW",
        Question.MONEY: "TIEN, MONEY",
        Question.REVIEWS: "DG, DANH GIA, DANHGIA, REVIEWS",
        Question.HELP: "TG, TRO GIUP, TROGIUP, HUONG DAN, HELP",
        Question.WEB: "WEB, TRANG WEB",
        Question.ENGLISH: "EN, ENGLISH, TIENG ANH",
        Question.VIETNAMESE: "VI, TIENG VIET",
        Question.LINK: "LK, LIEN KET, LIENKET, START",
    }
)


def _phrases(words: str) -> list[tuple[str, ...]]:
    return [tuple(phrase.split()) for phrase in words.split(", ")]


_VERBS: Final[Mapping[tuple[str, ...], Verb | Question]] = MappingProxyType(
    {phrase: verb for verb, words in _SAID_AS.items() for phrase in _phrases(words)}
)
_LONGEST_PHRASE: Final = max(map(len, _VERBS))


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: As they are written with accents. Typed without, they are known too; with others they are other words:
#: "chờ" and "bận" are not polite.
_POLITE_WORDS: Final = (
    "da dạ đã vâng nhé nhe nha nhá nhen nghen hen a à ạ á ah ạh e ê em anh chị bạn shop đơn mã số "
    "giúp giùm dùm cho với rồi cảm cám ơn on thanks hàng ơi ad admin hi hello alo chào mình tôi tui nè luôn "
    "thank you tks thx please pls uh um ừ ừm order soạn để báo"
)


def _as_said(word: str) -> str:
    """Return a word with its tone behind it: "hoàn" and "hòan" are one word."""
    parts = unicodedata.normalize("NFD", word.casefold())
    tones = "".join(mark for mark in parts if mark in _TONES)
    return "".join(letter for letter in parts if letter not in _TONES) + tones


_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_POLITE_SAID: Final = frozenset(map(_as_said, _POLITE_WORDS.split()))
_FILLER: Final = frozenset(unaccented(word).upper() for word in _POLITE_WORDS.split())
#: Verbs that are other words with other accents: "nhắn" is to write, "dạ giao" is a yes.
_ACCENTS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {("NHAN",): (_as_said("nhận"),), ("DA", "GIAO"): (_as_said("đã"), "giao")}
)
_NEGATIONS: Final = _each("KHONG KO K KHG HK CHUA DUNG NOT DONT NO")

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
        for phrase in _phrases(words)
    }
)
_AWAITED: Final = _each("XN XAC XACNHAN")
_OTHER_WORDS: Final = _each("KHAC OTHER")
#: No reason is written with these.
_COMMANDING: Final = _each("XN HT XACNHAN OK OKE OKAY OKI OKIE CONFIRM DONE")
#: What stands beside a negation that means the whole.
_TAKING_BACK: Final = _each("PHAI DUOC NUA DAU CAN MUON")
#: Words that only lead to a reason, besides "lý do": "vì", "là", "because".
_LEADING: Final = _each("VI LA BECAUSE")
#: Filler that may stand before and after a reason; "hết hàng" keeps its last word.
_POLITE: Final = _FILLER - _each("HANG DON MA SO SHOP CHO BAN CHI YOU ORDER BAO SOAN")


@dataclass(frozen=True, slots=True)
class _Token:
    """A word or number: in plain capitals, as it was said, and where it stands in the text."""

    plain: str
    said: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        return self.plain.isdigit()

    @property
    def is_number_to_text(self) -> bool:
        """Whether this can be a short code or a phone, and no order's code nor a reason."""
        return self.is_number and len(self.plain) >= _SHORTEST_NUMBER and len(self.plain) != LENGTH

    @property
    def is_filler(self) -> bool:
        return self.plain in _FILLER and (self.said.isascii() or self.said in _POLITE_SAID)


@dataclass(frozen=True, slots=True)
class _Found:
    """A verb and the tokens it takes, from `start` up to `end`."""

    verb: Verb | Question
    start: int
    end: int


class _Said:
    """A text as tokens, with the verbs in it."""

    def __init__(self, text: str, tokens: Sequence[_Token] | None = None) -> None:
        self.text = text
        self.tokens = _tokens(text) if tokens is None else tokens
        self.verbs = _verbs(self.tokens)

    def without_prefix(self, prefix: Sequence[_Token]) -> "_Said":
        """Return the text without the routing word, where it begins with it and still says something."""
        if not prefix or not self.tokens:
            return self
        tokens = _unglued(self.tokens, prefix)
        head = [token.plain for token in tokens[: len(prefix)]]
        if head != [token.plain for token in prefix]:
            return self
        rest = _Said(self.text, tokens[len(prefix) :])
        return rest if rest.verbs else self

    def without_number(self) -> "_Said":
        """Return the text without "gửi 8041": our own instruction is copied whole by some."""
        for at, token in enumerate(self.tokens[:-1]):
            if token.plain == "GUI" and self.tokens[at + 1].is_number_to_text:
                return _Said(self.text, [*self.tokens[:at], *self.tokens[at + 2 :]])
        return self

    @property
    def numbers(self) -> list[str]:
        return [token.plain for token in self.tokens if token.is_number]

    def words_outside(self, found: Iterable[_Found], among: Iterable[int] | None = None) -> list[str]:
        """Return the words that no verb takes, without filler; of these places, or of all."""
        taken = {at for verb in found for at in range(verb.start, verb.end)}
        places = range(len(self.tokens)) if among is None else among
        left = [at for at in places if at not in taken and not self.tokens[at].is_number]
        return [self.tokens[at].plain for at in left if not self.tokens[at].is_filler or self._awaits(at)]

    def _awaits(self, at: int) -> bool:
        """Whether this is "chờ xác nhận" without its accents, which asks for nothing."""
        return self.tokens[at].plain == "CHO" and any(
            found.start == at + 1 and found.verb is Verb.CONFIRM and self.tokens[at + 1].plain in _AWAITED
            for found in self.verbs
        )


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(_plainly(match[0]), _as_said(match[0]), match.start(), match.end())
        for match in re.finditer(r"[^\W\d_]+|\d+", text)
    ]


def _plainly(word: str) -> str:
    """Return a word in plain capitals, a number in our digits; a word of another script as it is.

    Nothing is dropped: a word that we cannot read may change the sense.
    """
    if word.isdecimal():
        return "".join(str(unicodedata.decimal(digit)) for digit in word)
    plain = unaccented(word).upper()
    letters = [
        letter for letter in unicodedata.normalize("NFD", word) if unicodedata.category(letter)[0] == "L"
    ]
    return plain if len(plain) == len(letters) else word.upper()


def _unglued(tokens: Sequence[_Token], prefix: Sequence[_Token]) -> Sequence[_Token]:
    """Return the tokens with the routing word apart from the verb that was written onto it."""
    first, key = tokens[0], prefix[0].plain
    rest = first.plain.removeprefix(key)
    if len(prefix) > 1 or rest == first.plain or (rest,) not in _VERBS:
        return tokens
    border = first.start + len(key)
    return [_Token(key, key, first.start, border), _Token(rest, rest, border, first.end), *tokens[1:]]


def _verbs(tokens: Sequence[_Token]) -> list[_Found]:
    """Return the verbs in turn, each the longest phrase that begins where it begins."""
    found: list[_Found] = []
    at = 0
    while at < len(tokens):
        verb = _verb_at(tokens, at)
        if verb:
            found.append(verb)
        at = verb.end if verb else at + 1
    return found


def _verb_at(tokens: Sequence[_Token], at: int) -> _Found | None:
    for length in range(_LONGEST_PHRASE, 0, -1):
        phrase = tuple(token.plain for token in tokens[at : at + length])
        if len(phrase) == length and phrase in _VERBS and _is_so_accented(tokens[at : at + length], phrase):
            return _Found(_VERBS[phrase], at, at + length)
    return None


def _is_so_accented(tokens: Sequence[_Token], phrase: tuple[str, ...]) -> bool:
    """Whether words that were typed with accents have those of the verb."""
    wanted = _ACCENTS.get(phrase, phrase)
    return phrase not in _ACCENTS or all(
        token.said.isascii() or token.said == said for token, said in zip(tokens, wanted, strict=True)
    )


# --- What they mean together ----------------------------------------------------------------------


def _meaning(said: _Said) -> Intent:
    first = said.verbs[0].verb if said.verbs else None
    if first is None:
        return _without_verb(said)
    if first is Question.LINK:
        return _link(said)
    if first is Question.LIST:
        return _list(said)
    if any(found.verb is Verb.CANCEL for found in said.verbs):
        return _cancel(said)
    if len({found.verb for found in said.verbs}) > 1:
        return Unclear(Why.TWO_VERBS)
    if isinstance(first, Verb):
        return _act(said, first)
    return _money(said) if first is Question.MONEY else _question(said, first)


def _without_verb(said: _Said) -> Intent:
    """A code alone, or with words we do not know, shows its order; anything else is not understood."""
    codes = _codes(said.tokens)
    if len(codes) == 1 and is_valid(codes[0]):
        return Unclear(Why.NO_VERB, typed=codes[0])
    return Unclear(Why.NOT_UNDERSTOOD)


def _link(said: _Said) -> Intent:
    digits = "".join(said.numbers)
    return Link(digits) if len(digits) == _LINK_DIGITS else Unclear(Why.NOT_UNDERSTOOD)


def _list(said: _Said) -> Intent:
    words = said.tokens[said.verbs[0].end :]
    wanted = " ".join(word.plain for word in words if word.plain == "CHO" or not word.is_filler)
    return ListOrders(_STATUSES[wanted]) if wanted in _STATUSES else Unclear(Why.NOT_UNDERSTOOD)


def _question(said: _Said, question: Question | Verb) -> Intent:
    if said.numbers or said.words_outside(said.verbs) or not isinstance(question, Question):
        return Unclear(Why.NOT_UNDERSTOOD)
    return Ask(question)


def _money(said: _Said) -> Intent:
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


def _act(said: _Said, verb: Verb) -> Intent:
    words = said.words_outside(said.verbs)
    code = _the_code(said.numbers, verb)
    if isinstance(code, Unclear):
        return code
    if _NEGATIONS & set(words):
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


def _codes(tokens: Sequence[_Token]) -> list[str]:
    return list(dict.fromkeys(t.plain for t in tokens if t.is_number and len(t.plain) == LENGTH))


# --- Cancelling, which takes a reason -------------------------------------------------------------


def _cancel(said: _Said) -> Intent:
    """Read `HUY code reason`, the first two in either order: what follows both is the reason."""
    verb = next(found for found in said.verbs if found.verb is Verb.CANCEL)
    codes = _codes(said.tokens)
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


def _cancel_without_code(said: _Said, verb: _Found) -> Intent:
    if any(isinstance(found.verb, Verb) and found.verb is not Verb.CANCEL for found in said.verbs):
        return Unclear(Why.TWO_VERBS, Verb.CANCEL)
    if any(len(number) > 1 for number in said.numbers) or len(said.numbers) > 1:
        return Unclear(Why.HALF_CODE, Verb.CANCEL, "".join(said.numbers)[: 2 * LENGTH])
    if _NEGATIONS & set(said.words_outside(said.verbs)):
        return Unclear(Why.NEGATED, Verb.CANCEL)
    cancels = [found for found in said.verbs if found.verb is Verb.CANCEL]
    if said.numbers or said.words_outside(cancels):
        return Unclear(Why.WHICH_ORDER, Verb.CANCEL)
    return Act(Verb.CANCEL)


def _around(said: _Said, verb: _Found, place: int) -> tuple[list[int], list[int]]:
    """Return the places of the tokens up to verb and code, and of those after both."""
    border = max(verb.end, place + 1)
    while border < len(said.tokens) and _repeats(said, border, said.tokens[place].plain):
        border += 1
    return list(range(border)), list(range(border, len(said.tokens)))


def _repeats(said: _Said, at: int, code: str) -> bool:
    """Whether this token only says verb or code once more."""
    token = said.tokens[at]
    return token.plain == code or any(
        found.start <= at < found.end and found.verb is Verb.CANCEL for found in said.verbs
    )


def _doubt_before(said: _Said, head: list[int], verb: _Found, place: int) -> Why | None:
    """Return what is unclear in verb, code and what stands before and between them."""
    inside = [found for found in said.verbs if found.start < len(head)]
    if any(found.verb is not Verb.CANCEL for found in inside):
        return Why.TWO_VERBS
    words = set(said.words_outside(inside, head))
    if _NEGATIONS & words:
        return Why.NEGATED
    numbers = [at for at in head if said.tokens[at].is_number and len(said.tokens[at].plain) != LENGTH]
    first = min(verb.start, place)
    if any(at < first or not _is_reason_digit(said.tokens[at].plain) for at in numbers):
        return Why.HALF_CODE
    return Why.EXTRA_WORDS if words else None


def _doubt_after(said: _Said, tail: list[int]) -> Why | None:
    """Return what is unclear in the words after verb and code: another command, or that they take it back."""
    if not tail:
        return None
    if _commands(said, tail) or any(said.tokens[at].plain in _COMMANDING for at in tail):
        return Why.TWO_VERBS
    return Why.NEGATED if _takes_back(said, tail) else None


def _commands(said: _Said, tail: list[int]) -> bool:
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


def _is_negated(said: _Said, found: _Found) -> bool:
    return said.tokens[found.start - 1].plain in _NEGATIONS


def _takes_back(said: _Said, tail: list[int]) -> bool:
    """Whether the words after the code doubt it: "không", "được không", "hết món chưa", "không huỷ nữa".

    A negation inside of a reason ("không còn gà") doubts nothing.
    """
    plain = _plain(said, tail)
    if not _NEGATIONS & set(plain):
        return False
    cancelled = any(found.verb is Verb.CANCEL and found.start in tail for found in said.verbs)
    return cancelled or plain[-1] in _NEGATIONS or set(plain) <= _NEGATIONS | _TAKING_BACK


def _spoken(said: _Said, tail: list[int]) -> list[int]:
    """Return the places that say something: without politeness around it and "vì", "lý do" before it."""
    start, end = 0, len(tail)
    while start < end and (lead := _leading([said.tokens[at] for at in tail[start:end]])):
        start += lead
    while end > start and _is_polite(said.tokens[tail[end - 1]]):
        end -= 1
    return [] if _plain(said, tail[start:end]) == ["HUY"] else tail[start:end]


def _leading(tokens: Sequence[_Token]) -> int:
    """Return how many words at the beginning only lead to a reason."""
    if [token.plain for token in tokens[:2]] == ["LY", "DO"]:
        return 2
    if tokens[0].plain == "SO" and len(tokens) > 1 and tokens[1].is_number:
        return 1
    return 1 if _is_polite(tokens[0]) or tokens[0].plain in _LEADING else 0


def _is_polite(token: _Token) -> bool:
    return token.is_filler and token.plain in _POLITE


def _is_reason_digit(number: str) -> bool:
    return number.isdigit() and int(number) in REASONS and len(number) == 1


def _reason(said: _Said, between: list[str], tail: list[int]) -> GivenReason | None:
    """Return the reason given by a digit or in words; None where there is none, or no such digit."""
    if between:
        return GivenReason(int(between[0]))
    if not tail:
        return None
    first = said.tokens[tail[0]]
    if first.is_number:
        return _numbered(said, first, tail) if _is_reason_digit(first.plain) else None
    return _worded(said, tail)


def _numbered(said: _Said, first: _Token, spoken: list[int]) -> GivenReason | None:
    number = int(first.plain)
    if number != OTHER_REASON:
        others = {said.tokens[at].plain for at in spoken[1:] if said.tokens[at].is_number}
        follows = said.tokens[spoken[1]].plain if len(spoken) > 1 else ""
        is_a_choice = any(_is_reason_digit(other) for other in others - {first.plain})
        return None if is_a_choice or (follows.isdigit() and follows != first.plain) else GivenReason(number)
    return GivenReason(OTHER_REASON, _words(said, spoken[1:]))


def _worded(said: _Said, spoken: list[int]) -> GivenReason:
    plain = _plain(said, spoken)
    if len(plain) == 1 and plain[0] in _OTHER_WORDS:
        return GivenReason(OTHER_REASON)
    known = None if _NEGATIONS & set(plain) else _known_reason(plain)
    return GivenReason(known) if known else GivenReason(OTHER_REASON, _words(said, spoken))


def _known_reason(plain: Sequence[str]) -> int | None:
    for at in range(len(plain)):
        for phrase, number in _REASON_PHRASES.items():
            if tuple(plain[at : at + len(phrase)]) == phrase:
                return number
    return None


def _words(said: _Said, places: Sequence[int]) -> str:
    """Return the text between the first and the last of these tokens, as it was written."""
    if not places:
        return ""
    written = said.text[said.tokens[places[0]].start : said.tokens[places[-1]].end]
    return " ".join(written.split())[:_LONGEST_REASON]


def _plain(said: _Said, places: Sequence[int]) -> list[str]:
    return [said.tokens[at].plain for at in places]
