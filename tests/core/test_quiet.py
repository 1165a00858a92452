"""A kitchen's quiet hours."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quiet import Quiet

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = Quiet(time(22), time(6), SAIGON)
NAP = Quiet(time(12, 30), time(14), SAIGON)


def at(text: str, zone: ZoneInfo = SAIGON) -> datetime:
    """Return a moment written in a zone's local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("quiet", "now", "over"),
    [
        (NIGHT, "2026-11-23T21:59", "2026-11-23T21:59"),
        (NIGHT, "2026-11-23T22:00", "2026-11-24T06:00"),
        (NIGHT, "2026-11-30T23:30", "2026-12-01T06:00"),
        (NIGHT, "2026-12-31T23:59", "2027-01-01T06:00"),
        (NIGHT, "2026-11-24T00:00", "2026-11-24T06:00"),
        (NIGHT, "2026-11-24T05:59", "2026-11-24T06:00"),
        (NIGHT, "2026-11-24T06:00", "2026-11-24T06:00"),
        (NAP, "2026-11-23T12:29", "2026-11-23T12:29"),
        (NAP, "2026-11-23T12:30", "2026-11-23T14:00"),
        (NAP, "2026-11-23T14:00", "2026-11-23T14:00"),
        (NAP, "2026-11-23T23:00", "2026-11-23T23:00"),
    ],
)
def test_when_it_is_loud_again(quiet: Quiet, now: str, over: str) -> None:
    """At once outside them, else at their end, over midnight, month and year too."""
    assert quiet.over_at(at(now)) == at(over)


def test_the_hours_are_the_kitchens_not_the_servers() -> None:
    """15:30 in London is 22:30 in Hồ Chí Minh City."""
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    assert NIGHT.over_at(now) == at("2026-11-24T06:00")


def test_an_hour_that_the_clocks_skip() -> None:
    """02:30 does not exist on the night when a zone's clocks go forward; it is loud again all the same."""
    berlin = ZoneInfo("Europe/Berlin")
    quiet = Quiet(time(22), time(2, 30), berlin)
    over = quiet.over_at(at("2026-03-28T23:00", berlin))
    assert over.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(st.times(), st.times(), st.datetimes(timezones=st.just(UTC)))
def test_it_is_never_over_before_now_nor_after_a_day(begins: time, ends: time, now: datetime) -> None:
    """And at that moment it is loud."""
    if not 1 < now.year < 9999:
        return
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    if begins == ends:
        return
    quiet = Quiet(begins, ends, SAIGON)
    over = quiet.over_at(now)
    assert now <= over
    assert (over - now).total_seconds() <= 24 * 3600
    assert quiet.over_at(over) == over
