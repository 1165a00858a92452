"""What somebody means by what they wrote: types only. `bot.meaning.read` finds it out."""

from dataclasses import dataclass
from enum import StrEnum

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
    LANGUAGE = "language"
    PAUSE = "pause"
    RESUME = "resume"


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
    HOW_LONG = "how_long"


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
class Day:
    """A day as it is written, "25/12": without a year the next such day."""

    day: int
    month: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Take no new orders for so many `days`, today among them, or until the end of a day.

    `is_sure`: it was said that this begins now; a day alone may mean that day only. With neither it asks.
    """

    days: int | None = None
    until: Day | None = None
    is_sure: bool = False


@dataclass(frozen=True, slots=True)
class Thank:
    """Answer the customer's review of this order with these words, or say thanks without any.

    Where the order has no review, these were other words: what they mean then is `otherwise`.
    """

    code: str
    words: str
    otherwise: "Intent"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing is done. `typed` is the code or piece of one that was meant, as far as it could be read."""

    why: Why
    verb: Verb | None = None
    typed: str | None = None


Intent = Act | ListOrders | Money | Ask | Link | Pause | Thank | Unclear
