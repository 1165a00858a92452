"""What commands take on the command line: durations, moments, times of day, wishes to take something away."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from core.partners.partners import NONE, Nothing

_T = TypeVar("_T")
_DURATION: Final = TypeAdapter(timedelta)
_ISO_DURATION: Final = re.compile(r"P(?=.)(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", flags=re.ASCII)


def read_duration(text: str) -> timedelta:
    """Return an ISO 8601 duration (`PT24H`, `P1D`) or so many seconds; raises ValueError."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) <= 12 else timedelta.max
    if not _ISO_DURATION.fullmatch(text):
        raise ValueError(text)
    try:
        return _DURATION.validate_python(text)
    except ValidationError:  # well written, and longer than Python can count
        return timedelta.max


def read_moment(text: str) -> datetime:
    """Return an RFC 3339 timestamp, which has an offset, as UTC; raises ValueError."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def read_day(text: str) -> date:
    """Return a day written as `2026-11-23`; raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_when(text: str) -> date | datetime:
    """Return a moment (UTC) or a whole day; raises ValueError."""
    return read_day(text) if _DATE.fullmatch(text) else read_moment(text)


def read_time(text: str) -> time:
    """Return a time of the day written as `06:00`; raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return time.fromisoformat(text)


def read_hours(text: str) -> tuple[time, time]:
    """Return start and end of hours written as `22:00-06:00`; raises ValueError."""
    start, _, end = text.partition("-")
    return read_time(start), read_time(end)


def or_none(read: Callable[[str], _T]) -> Callable[[str], _T | Nothing]:
    """Return what reads the same, and `none` as the wish to take it away."""
    return lambda text: NONE if text.lower() == "none" else read(text)


class Reads(click.ParamType[Any]):
    """An argument read by a function that raises ValueError for what is not `expected`."""

    def __init__(self, name: str, expected: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._expected = expected
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text means, or tell what was expected instead."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError:
            self.fail(f"{value!r} is not {self._expected}.", param, ctx)


_MOMENT: Final = "a timestamp with an offset like 2026-11-23T11:30:00+07:00"
DURATION: Final = Reads("duration", "a duration like PT24H, P1D or 90 (seconds)", read_duration)
WHEN: Final = Reads("when", f"{_MOMENT} or a day like 2026-11-23", read_when)
PAUSE: Final = Reads("when", f"{_MOMENT}, a day like 2026-11-23, or none", or_none(read_when))
TIME_OF_DAY: Final = Reads("time", "a time like 06:00, or none", or_none(read_time))
HOURS: Final = Reads("hours", "hours like 22:00-06:00, or none", or_none(read_hours))
