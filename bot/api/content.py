"""The sorts of values that bodies and queries are made of: strict, bounded, and storable by PostgreSQL."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, LiteralString

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.channels import AddressKind
from core.errors import RuleError
from core.partners.addresses import normalised

MOST_ITEMS: Final = 200
LONGEST_TEXT: Final = 2_000
LONGEST_LINE: Final = 200
#: With these bounds the dearest order stays below 2**53 đồng: every JSON reader keeps it exact.
MOST_PORTIONS: Final = 10_000
DEAREST_PORTION: Final = 1_000_000_000
MOST_FEES: Final = 1_000_000_000_000
DEAREST_ORDER: Final = MOST_ITEMS * MOST_PORTIONS * DEAREST_PORTION + MOST_FEES

# docs/facts.md#rfc-3339: RFC 3339, 5.6: seconds and an offset are required.
_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_MAY_STAND_IN_TEXT: Final = frozenset("\n\r\t")


def moment(value: object) -> datetime:
    """Return a timestamp in UTC; raises PydanticCustomError for anything but RFC 3339 with offset."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise PydanticCustomError(
            "timestamp", "must be a timestamp with offset, like 2026-11-23T11:30:00+07:00"
        )
    try:
        at = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("timestamp", "is no date and time that exists") from None
    if not _EARLIEST <= at < _LATEST:
        raise PydanticCustomError("timestamp", "must lie between the years 2000 and 2100")
    return at


def day(value: object) -> date:
    """Return a day; raises PydanticCustomError for anything but one between 2000 and 2100."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "must be a day, like 2026-11-23")
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "is no day that exists") from None
    if not _EARLIEST.date() <= found < _LATEST.date():
        raise PydanticCustomError("day", "must lie between the years 2000 and 2100")
    return found


def day_or_moment(value: object) -> date:
    """Return a day, or a timestamp in UTC (which is a `date` to Python). For queries."""
    if isinstance(value, str) and len(value) > len("2026-11-23"):
        return moment(_with_plus(value))
    return day(value)


def _with_plus(value: str) -> str:
    """Mend an offset whose plus sign was not percent-encoded, and so arrived as a space."""
    return f"{value[:-6]}+{value[-5:]}" if value[-6:-5] == " " else value


def query_moment(value: object) -> datetime:
    """Return a timestamp of a query."""
    return moment(_with_plus(value) if isinstance(value, str) else value)


def _text(value: str) -> str:
    if any(unicodedata.category(sign) == "Cc" and sign not in _MAY_STAND_IN_TEXT for sign in value):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return value.strip()


def _line(value: str) -> str:
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in value):
        raise PydanticCustomError("control_character", "must be one line without control characters")
    return value.strip()


def _required(value: str) -> str:
    if not value:
        raise PydanticCustomError("blank", "must not be blank")
    return value


def _address_of(kind: AddressKind, message: LiteralString) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            return normalised(kind, value).value
        except RuleError:
            raise PydanticCustomError("address", message) from None

    return check


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_text)]
RequiredText = Annotated[Text, Field(min_length=1), AfterValidator(_required)]
Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_line)]
RequiredLine = Annotated[Line, Field(min_length=1), AfterValidator(_required)]
Phone = Annotated[
    Line,
    AfterValidator(
        _address_of(AddressKind.PHONE, "must be a phone number that can be called, like 0909123456")
    ),
]
Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(_line),
    AfterValidator(_address_of(AddressKind.EMAIL, "must be a mail address, like an@example.com")),
]
_TIMESTAMP_SCHEMA: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
Moment = Annotated[datetime, PlainValidator(moment), WithJsonSchema(_TIMESTAMP_SCHEMA)]
QueryMoment = Annotated[datetime, PlainValidator(query_moment), WithJsonSchema(_TIMESTAMP_SCHEMA)]
Day = Annotated[date, PlainValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
DayOrMoment = Annotated[
    date,
    PlainValidator(day_or_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, _TIMESTAMP_SCHEMA]}),
]
