"""What somebody said, word by word: their own words as tokens, and the verbs in them. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.intents import Question, Verb
from bot.telex import decoded, is_as_meant
from bot.texts.plain import unaccented
from core.orders.codes import LENGTH

_SHORTEST_NUMBER: Final = 4

_SIGNED: Final = re.compile(
    r"(?:^|\s)(?:--+\s*)?(?:sent from(?: my)?|(?:(?:đã|da|được|duoc) )?(?:gửi|gui) (?:từ|tu))"
    r" (?:iphone|ipad|android|samsung|galaxy|oppo|vivo|xiaomi|redmi|nokia|huawei|điện thoại|dien thoai)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING: Final = re.compile(r"^--+\s*$.*", re.MULTILINE | re.DOTALL)
_QUOTED: Final = re.compile(r"^\s*>.*$", re.MULTILINE)


def own_words(text: str) -> str:
    """Return what somebody wrote themselves: no quoted message, no line that their phone signs with."""
    own = _QUOTED.sub("", _CLOSING.sub("", unicodedata.normalize("NFC", text)))
    return visible(_SIGNED.sub("", own))


def visible(text: str) -> str:
    """Return the text in one way of writing, without the marks that nobody sees."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in composed if unicodedata.category(letter) != "Cf")


_SAID_AS: Final[Mapping[Verb | Question, str]] = MappingProxyType(
    {
        Verb.CONFIRM: "XN, XAC NHAN, XACNHAN, XACNHANDON, XNDON, NHANDON, OK, OKE, OKAY, OKI, OKIE, NHAN,"
        " DONG Y, DONGY, CONFIRM",
        Verb.CANCEL: "HUY, HUYDON, TU CHOI, TUCHOI, CANCEL",
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
        Question.LANGUAGE: "NGON NGU, NGONNGU, LANGUAGE",
        Question.PAUSE: "NGHI, PAUSE",
        Question.RESUME: "MO LAI, MOLAI, MO CUA, MO CUA LAI, MO BAN LAI, NHAN DON LAI,"
        " NHAN DON TRO LAI, RESUME",
    }
)


def phrases(words: str) -> list[tuple[str, ...]]:
    """Return phrases, parted by commas, as their words."""
    return [tuple(phrase.split()) for phrase in words.split(", ")]


_VERBS: Final[Mapping[tuple[str, ...], Verb | Question]] = MappingProxyType(
    {phrase: verb for verb, words in _SAID_AS.items() for phrase in phrases(words)}
)
_LONGEST_PHRASE: Final = max(map(len, _VERBS))


def each(words: str) -> frozenset[str]:
    """Return words as a set."""
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
FILLER: Final = frozenset(unaccented(word).upper() for word in _POLITE_WORDS.split())
#: Verbs that are other words with other accents: "nhắn" is to write, "dạ giao" is a yes, "nghĩ" is to think.
_ACCENTS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        ("NHAN",): (_as_said("nhận"),),
        ("DA", "GIAO"): (_as_said("đã"), "giao"),
        ("NGHI",): (_as_said("nghỉ"),),
    }
)
NEGATIONS: Final = each("KHONG KO K KHG HK CHUA DUNG NOT DONT NO")

#: Words of our own beside the verbs: reasons, statuses, days.
_FURTHER: Final = each(
    "HET MON HANG QUA TAI DONG KHACH CUA NGOAI VUNG XA SAI GIA THUC DON MENU KHAC VI LA LY DO CHO HAN"
    " QUAN BEP TIEM NGAY DEN TOI THANG NAM BUA BUOI TU CA NUA PHAI DUOC"
)
#: What a slip is taken for: one of these or nothing.
WORDS: Final = frozenset(word for phrase in _VERBS for word in phrase) | FILLER | NEGATIONS | _FURTHER
#: A letter that goes on.
_LENGTHENED: Final = re.compile(r"([a-z])\1+")

_AWAITED: Final = each("XN XAC XACNHAN")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number: in plain capitals, as it was said, and where it stands in the text.

    `is_slip`: its accents were typed as letters, and some of them may be missing.
    """

    plain: str
    said: str
    start: int
    end: int
    is_slip: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is digits alone."""
        return self.plain.isdigit()

    @property
    def is_number_to_text(self) -> bool:
        """Whether this can be a short code or a phone, and no order's code nor a reason."""
        return self.is_number and len(self.plain) >= _SHORTEST_NUMBER and len(self.plain) != LENGTH

    @property
    def is_filler(self) -> bool:
        """Whether it is only polite."""
        return self.plain in FILLER and any(self.is_said_as(polite) for polite in _POLITE_SAID)

    def is_said_as(self, wanted: str) -> bool:
        """Whether this is the word `wanted`, which has its accents; none at all are none too few."""
        if self.said.isascii():
            return self.plain == unaccented(wanted).upper()
        return self.said == wanted or (self.is_slip and is_as_meant(self.said, wanted))


@dataclass(frozen=True, slots=True)
class Found:
    """A verb and the tokens it takes, from `start` up to `end`."""

    verb: Verb | Question
    start: int
    end: int


class Utterance:
    """A text as tokens, with the verbs in it."""

    def __init__(self, text: str, tokens: Sequence[Token] | None = None) -> None:
        self.text = text
        self.tokens = tokens_of(text) if tokens is None else tokens
        self.verbs = _verbs(self.tokens)

    def without_prefix(self, prefix: Sequence[Token]) -> "Utterance":
        """Return the text without the routing word, where it begins with it and still says something."""
        if not prefix or not self.tokens:
            return self
        tokens = _unglued(self.tokens, prefix)
        head = [token.plain for token in tokens[: len(prefix)]]
        if head != [token.plain for token in prefix]:
            return self
        rest = Utterance(self.text, tokens[len(prefix) :])
        return rest if rest.verbs else self

    def without_number(self) -> "Utterance":
        """Return the text without "gửi 8041": our own instruction is copied whole by some."""
        for at, token in enumerate(self.tokens[:-1]):
            if token.plain == "GUI" and self.tokens[at + 1].is_number_to_text:
                return Utterance(self.text, [*self.tokens[:at], *self.tokens[at + 2 :]])
        return self

    @property
    def codes(self) -> list[str]:
        """The different numbers as long as an order's code."""
        return list(dict.fromkeys(t.plain for t in self.tokens if t.is_number and len(t.plain) == LENGTH))

    @property
    def numbers(self) -> list[str]:
        """Every number, in turn."""
        return [token.plain for token in self.tokens if token.is_number]

    def words_outside(self, found: Iterable[Found], among: Iterable[int] | None = None) -> list[str]:
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


def tokens_of(text: str) -> list[Token]:
    """Return the words and numbers of a text."""
    return [_token(match) for match in re.finditer(r"[^\W\d_]+|\d+", text)]


def _token(match: re.Match[str]) -> Token:
    word, (start, end) = match[0], match.span()
    plain = _plainly(word)
    if plain in WORDS or not (word.isascii() and word.isalpha()):
        return Token(plain, _as_said(word), start, end)
    for once in dict.fromkeys((word.lower(), _once(word.lower()))):
        for meant, is_slip in ((decoded(once), True), (once, False)):
            if meant and _plainly(meant) in WORDS:
                return Token(_plainly(meant), _as_said(meant), start, end, is_slip=is_slip)
    return Token(plain, _as_said(word), start, end)


def _once(word: str) -> str:
    """Return "nha" for "nhaaa"; a word without a vowel stands for others, and a slip in it for what not."""
    return _LENGTHENED.sub(r"\1", word) if re.search(r"[aeiouy]", word) else word


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


def _unglued(tokens: Sequence[Token], prefix: Sequence[Token]) -> Sequence[Token]:
    """Return the tokens with the routing word apart from the verb that was written onto it."""
    first, key = tokens[0], prefix[0].plain
    rest = first.plain.removeprefix(key)
    if len(prefix) > 1 or rest == first.plain or (rest,) not in _VERBS:
        return tokens
    border = first.start + len(key)
    return [Token(key, key, first.start, border), Token(rest, rest, border, first.end), *tokens[1:]]


def _verbs(tokens: Sequence[Token]) -> list[Found]:
    """Return the verbs in turn, each the longest phrase that begins where it begins."""
    found: list[Found] = []
    at = 0
    while at < len(tokens):
        verb = _verb_at(tokens, at)
        if verb:
            found.append(verb)
        at = verb.end if verb else at + 1
    return found


def _verb_at(tokens: Sequence[Token], at: int) -> Found | None:
    for length in range(_LONGEST_PHRASE, 0, -1):
        phrase = tuple(token.plain for token in tokens[at : at + length])
        if len(phrase) == length and phrase in _VERBS and _is_so_accented(tokens[at : at + length], phrase):
            return Found(_VERBS[phrase], at, at + length)
    return None


def _is_so_accented(tokens: Sequence[Token], phrase: tuple[str, ...]) -> bool:
    """Whether words that were typed with accents have those of the verb."""
    wanted = _ACCENTS.get(phrase, phrase)
    return phrase not in _ACCENTS or all(
        token.said.isascii() or token.is_said_as(said) for token, said in zip(tokens, wanted, strict=True)
    )
