"""Days that a page is asked for: a known span, or two days of a calendar. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from bot.texts.catalogue import Texts, msg

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
#: Every span of days that is read at once.
LONGEST: Final = timedelta(days=366)
_WEEK: Final = timedelta(days=6)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Some days of a kitchen, both included. `key` names a known span; empty for days that were chosen."""

    key: str
    first: date
    last: date

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when they begin and when they are over, in the kitchen's zone."""
        return midnight(self.first, zone), midnight(self.last + _DAY, zone)

    @property
    def query(self) -> Mapping[str, str]:
        """Return what an address says to ask for them."""
        if self.key:
            return {"days": self.key}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in a zone."""
    return datetime.combine(day, time(), tzinfo=zone)


def known(key: str, today: date) -> Period | None:
    """Return the span of this name as of today, or None for a name that is none of ours."""
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    spans = {
        "today": (today, today),
        "tomorrow": (today + _DAY, today + _DAY),
        "next7": (today, today + _WEEK),
        "week": (monday, monday + _WEEK),
        "month": (month, _last_of(month)),
        "lastmonth": ((month - _DAY).replace(day=1), month - _DAY),
    }
    return Period(key, *spans[key]) if key in spans else None


def chosen(first: str, last: str) -> Period | None:
    """Return the days between two of a calendar's fields; one alone is a single day. None for what is none.

    They are turned round where the later one came first, and cut to a year.
    """
    days = sorted(day for day in (_day(first), _day(last)) if day)
    return Period("", days[0], min(days[-1], days[0] + LONGEST)) if days else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-11-24") else None
    except ValueError:
        return None
    return day if day and _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _last_of(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1) - _DAY


def asked(query: Mapping[str, str], today: date) -> Period | None:
    """Return the days that an address asks for, or None where it names none that there are."""
    return known(query.get("days", ""), today) or chosen(query.get("from", ""), query.get("to", ""))


def words(texts: Texts, period: Period) -> str:
    """Return what a span is called: "Tháng này", or its days."""
    if period.key:
        return texts.t(WORDS[period.key])
    if period.first == period.last:
        return texts.date(period.first)
    return f"{texts.date(period.first)} – {texts.date(period.last)}"


WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "today": msg("Hôm nay"),
        "tomorrow": msg("Ngày mai"),
        "next7": msg("7 ngày tới"),
        "week": msg("Tuần này"),
        "month": msg("Tháng này"),
        "lastmonth": msg("Tháng trước"),
    }
)
