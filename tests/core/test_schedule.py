"""When what an order owes later is due: calendar days of the partner, ladders, outages."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from core.actors import SYSTEM
from core.notices.kinds import NoticeKind
from core.orders.commands import FireTimer
from core.orders.decide import Decision, decide
from core.orders.order import Order
from core.orders.status import Status
from core.schedule import (
    Planned,
    Policy,
    Reach,
    TimerKind,
    completion_ladder,
    confirm_ladder,
    day_before,
    expiry,
    plan,
)
from tests.core.kitchens import SAIGON, sample_order, sample_terms

POLICY: Final = Policy()
NEW_YORK: Final = ZoneInfo("America/New_York")


def local(text: str, zone: ZoneInfo = SAIGON) -> datetime:
    """Return a moment of a partner's clock, in UTC as it is stored."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def order_between(ordered: str, delivered: str, zone: ZoneInfo = SAIGON) -> Order:
    """Return an order placed and asked for at `ordered`, to be delivered at `delivered`, partner's time."""
    at = local(ordered, zone)
    return sample_order(
        ordered_at=at, placed_at=at, asked_at=at, updated_at=at, deliver_at=local(delivered, zone)
    )


# --- the day before -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ordered", "delivered", "reminded"),
    [
        ("2022-05-21 10:00", "2022-05-24 11:30", "2022-05-23 09:00"),  # the example of the partner guide
        ("2022-05-22 00:00", "2022-05-24 11:30", None),  # two calendar days are not more than two
        ("2022-05-21 23:59", "2022-05-24 00:00", "2022-05-23 09:00"),  # 48 hours and a minute: three days
        ("2022-05-21 00:00", "2022-05-23 23:59", None),  # nearly 72 hours, two calendar days
        ("2022-05-24 08:00", "2022-05-24 18:00", None),  # the same day (TH1)
        ("2026-11-28 10:00", "2026-12-01 12:00", "2026-11-30 09:00"),  # the end of a month
        ("2026-12-29 10:00", "2027-01-01 12:00", "2026-12-31 09:00"),  # the end of a year
        ("2028-02-26 10:00", "2028-03-01 12:00", "2028-02-29 09:00"),  # a leap day
        ("2027-02-25 10:00", "2027-03-01 12:00", "2027-02-28 09:00"),  # and none
        ("2026-11-20 10:00", "2026-11-24 00:00", "2026-11-23 09:00"),  # midnight belongs to its day
    ],
)
def test_the_day_before_at_nine(ordered: str, delivered: str, reminded: str | None) -> None:
    """09:00 on the day before, only with more than two calendar days between order and delivery."""
    due = day_before(order_between(ordered, delivered), SAIGON, POLICY)
    assert due == (local(reminded) if reminded else None)


def test_the_days_are_the_partners() -> None:
    """What is the 24th in Hồ Chí Minh City is still the 23rd in UTC."""
    order = order_between("2026-11-20 01:00", "2026-11-23 01:00")
    assert order.ordered_at.date().day == 19
    assert day_before(order, SAIGON, POLICY) == local("2026-11-22 09:00")
    assert day_before(order, ZoneInfo("UTC"), POLICY) == datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ordered", "delivered", "reminded_utc"),
    [
        ("2026-03-04 12:00", "2026-03-09 12:00", "2026-03-08T13:00+00:00"),  # clocks go forward that night
        ("2026-03-03 12:00", "2026-03-08 12:00", "2026-03-07T14:00+00:00"),
        ("2026-10-28 12:00", "2026-11-02 12:00", "2026-11-01T14:00+00:00"),  # clocks go back that night
        ("2026-10-27 12:00", "2026-11-01 12:00", "2026-10-31T13:00+00:00"),
    ],
)
def test_nine_is_nine_when_clocks_change(ordered: str, delivered: str, reminded_utc: str) -> None:
    """A partner in New York hears at 09:00 of that day, summer or winter."""
    due = day_before(order_between(ordered, delivered, NEW_YORK), NEW_YORK, POLICY)
    assert due == datetime.fromisoformat(reminded_utc)


@pytest.mark.parametrize(
    ("confirmed", "planned"),
    [("2022-05-23 08:59", True), ("2022-05-23 09:00", True), ("2022-05-23 09:01", False)],
)
def test_no_reminder_when_its_hour_is_past(confirmed: str, planned: bool) -> None:
    """Confirmed after 09:00 of that day, nothing is said about tomorrow."""
    order = order_between("2022-05-20 10:00", "2022-05-24 11:30")
    order = sample_order(
        status=Status.CONFIRMED,
        ordered_at=order.ordered_at,
        asked_at=order.asked_at,
        deliver_at=order.deliver_at,
    )
    timers = plan(order, SAIGON, POLICY, now=local(confirmed))
    assert (TimerKind.DAY_BEFORE in {timer.kind for timer in timers}) == planned


def fired(order: Order, timer: Planned, now: datetime) -> Decision:
    """Return what a timer does when it rings at `now`."""
    return decide(
        order, FireTimer(order.id, UUID(int=1)), actor=SYSTEM, terms=sample_terms(timer=timer), now=now
    )


def test_the_reminder_is_one_for_each_delivery_day() -> None:
    """Its occasion is the day, so that the database keeps it to one."""
    order = sample_order(status=Status.CONFIRMED, deliver_at=local("2022-05-24 11:30"))
    timer = Planned(TimerKind.DAY_BEFORE, "remind", local("2022-05-23 09:00"))
    (notice,) = fired(order, timer, local("2022-05-23 09:00")).notices
    assert (notice.kind, notice.occasion) == (NoticeKind.DELIVERY_TOMORROW, "2022-05-24")


def test_nobody_hears_of_tomorrow_on_the_day_itself() -> None:
    """After an outage of a day the reminder would be wrong, so it is not sent."""
    order = sample_order(status=Status.CONFIRMED, deliver_at=local("2022-05-24 11:30"))
    timer = Planned(TimerKind.DAY_BEFORE, "remind", local("2022-05-23 09:00"))
    assert fired(order, timer, local("2022-05-23 23:59")).notices
    assert not fired(order, timer, local("2022-05-24 00:00")).notices


# --- expiry -------------------------------------------------------------------------------------


def test_an_order_is_overdue_the_moment_after_its_delivery_time() -> None:
    """Now must be later than the delivery time, not equal to it."""
    at = local("2026-11-23 11:30")
    assert expiry(at) == at + timedelta(microseconds=1)


# --- the confirmation ladder --------------------------------------------------------------------


def steps(order: Order, policy: Policy = POLICY) -> list[tuple[str, str, Reach, bool]]:
    """Return the ladder as name, time of the partner's clock, reach and whether operators hear."""
    return [
        (rung.name, f"{rung.due_at.astimezone(SAIGON):%d %H:%M}", rung.reach, rung.operators)
        for rung in confirm_ladder(order, policy)
    ]


def test_the_whole_ladder() -> None:
    """Placed three days ahead: two steps after, four before delivery, the last one with the operators."""
    assert steps(order_between("2026-11-20 10:00", "2026-11-23 11:30")) == [
        ("after:0", "20 10:15", Reach.NEXT_CHANNEL, False),
        ("after:1", "20 10:30", Reach.NEXT_STAFF, False),
        ("before:0", "22 11:30", Reach.ALL_WHO_ACT, False),
        ("before:1", "23 07:30", Reach.ALL_WHO_ACT, False),
        ("before:2", "23 09:30", Reach.ALL_WHO_ACT, False),
        ("before:3", "23 10:30", Reach.ALL_WHO_ACT, True),
    ]


def test_steps_that_are_past_when_placed_are_left_out() -> None:
    """Placed three hours ahead: the steps of 24 h and 4 h before lie behind."""
    assert steps(order_between("2026-11-23 08:30", "2026-11-23 11:30")) == [
        ("after:0", "23 08:45", Reach.NEXT_CHANNEL, False),
        ("after:1", "23 09:00", Reach.NEXT_STAFF, False),
        ("before:2", "23 09:30", Reach.ALL_WHO_ACT, False),
        ("before:3", "23 10:30", Reach.ALL_WHO_ACT, True),
    ]


def test_a_step_at_the_moment_of_placing_is_past() -> None:
    """Placed exactly two hours ahead: only the step of one hour lies ahead."""
    names = [name for name, *_ in steps(order_between("2026-11-23 09:30", "2026-11-23 11:30"))]
    assert names == ["after:0", "after:1", "before:3"]


def test_without_a_step_before_delivery_the_operators_hear_at_thirty_minutes() -> None:
    """Placed an hour ahead: +30 min and half the time left are the same."""
    assert steps(order_between("2026-11-23 10:30", "2026-11-23 11:30")) == [
        ("after:0", "23 10:45", Reach.NEXT_CHANNEL, False),
        ("after:1", "23 11:00", Reach.NEXT_STAFF, False),
        ("operators", "23 11:00", Reach.NOBODY, True),
    ]


def test_or_at_half_the_time_left_where_that_is_earlier() -> None:
    """Placed forty minutes ahead: the operators hear after twenty."""
    assert steps(order_between("2026-11-23 10:50", "2026-11-23 11:30")) == [
        ("after:0", "23 11:05", Reach.NEXT_CHANNEL, False),
        ("operators", "23 11:10", Reach.NOBODY, True),
        ("after:1", "23 11:20", Reach.NEXT_STAFF, False),
    ]


def test_steps_at_or_after_delivery_are_left_out() -> None:
    """Placed fifteen minutes ahead: only the operators are told, halfway."""
    assert steps(order_between("2026-11-23 11:15", "2026-11-23 11:30")) == [
        ("operators", "23 11:22", Reach.NOBODY, True)
    ]


def test_the_steps_can_be_set() -> None:
    """Other durations make another ladder; without any step the operators still hear."""
    order = order_between("2026-11-20 10:00", "2026-11-23 11:30")
    few = Policy(confirm_nudges_after=(timedelta(hours=1),), confirm_nudges_before=(timedelta(hours=3),))
    assert [name for name, *_ in steps(order, few)] == ["after:0", "before:0"]
    none = Policy(confirm_nudges_after=(), confirm_nudges_before=())
    assert steps(order, none) == [("operators", "21 22:45", Reach.NOBODY, True)]


# --- the completion ladder ----------------------------------------------------------------------


def test_reminders_count_from_the_request() -> None:
    """N6 ten minutes after delivery; N7 half an hour, four hours and a day after N6."""
    order = sample_order(status=Status.CONFIRMED, deliver_at=local("2026-11-23 11:30"))
    assert [
        (rung.name, rung.due_at, rung.reach, rung.operators) for rung in completion_ladder(order, POLICY)
    ] == [
        ("request", local("2026-11-23 11:40"), Reach.RECIPIENTS, False),
        ("reminder:0", local("2026-11-23 12:10"), Reach.RECIPIENTS, False),
        ("reminder:1", local("2026-11-23 15:40"), Reach.RECIPIENTS, False),
        ("reminder:2", local("2026-11-24 11:40"), Reach.RECIPIENTS, True),
    ]


def test_without_reminders_the_operators_hear_with_the_request() -> None:
    """Somebody is told in any case."""
    order = sample_order(status=Status.CONFIRMED)
    (request,) = completion_ladder(order, Policy(completion_reminders_after=()))
    assert request.operators


# --- climbing, and after an outage ----------------------------------------------------------------


def first_timer(order: Order, kind: TimerKind) -> Planned:
    """Return the first timer of this kind that the order gets."""
    return next(timer for timer in plan(order, SAIGON, POLICY, now=order.asked_at) if timer.kind is kind)


def test_a_ladder_is_climbed_one_step_at_a_time() -> None:
    """Each step owes one notice, and plans the next."""
    order = order_between("2026-11-20 10:00", "2026-11-23 11:30")
    timer: Planned | None = first_timer(order, TimerKind.CONFIRM_LADDER)
    climbed = []
    while timer:
        decision = fired(order, timer, timer.due_at)
        climbed.append((timer.step, [owed.kind for owed in decision.notices]))
        assert not decision.skipped
        timer = decision.next_timer
    nudge, risk = NoticeKind.CONFIRM_NUDGE, NoticeKind.ORDER_AT_RISK
    assert climbed == [
        ("after:0", [nudge]),
        ("after:1", [nudge]),
        ("before:0", [nudge]),
        ("before:1", [nudge]),
        ("before:2", [nudge]),
        ("before:3", [nudge, risk]),
    ]


def test_after_an_outage_only_the_newest_step_is_sent() -> None:
    """The older ones are put on record as skipped, and the ladder goes on."""
    order = order_between("2026-11-20 10:00", "2026-11-23 11:30")
    timer = first_timer(order, TimerKind.CONFIRM_LADDER)
    decision = fired(order, timer, local("2026-11-23 08:00"))
    assert [owed.occasion for owed in decision.notices] == ["r1:before:1"]
    assert [planned.step for planned in decision.skipped] == ["after:0", "after:1", "before:0"]
    assert decision.next_timer is not None
    assert decision.next_timer.step == "before:2"


def test_operators_hear_of_a_step_that_an_outage_swallowed() -> None:
    """Their step is older than the newest, and they are told all the same."""
    order = order_between("2026-11-23 10:50", "2026-11-23 11:30")
    timer = first_timer(order, TimerKind.CONFIRM_LADDER)
    decision = fired(order, timer, local("2026-11-23 11:25"))
    kinds = [owed.kind for owed in decision.notices]
    assert kinds == [NoticeKind.CONFIRM_NUDGE, NoticeKind.ORDER_AT_RISK]
    assert [planned.step for planned in decision.skipped] == ["after:0", "operators"]


def test_completion_catches_up_with_one_reminder_too() -> None:
    """A day and a half late: the last reminder, the operators, and the end of the ladder."""
    order = sample_order(status=Status.CONFIRMED, deliver_at=local("2026-11-23 11:30"))
    timer = first_timer(order, TimerKind.COMPLETION_LADDER)
    decision = fired(order, timer, local("2026-11-25 00:00"))
    assert [owed.kind for owed in decision.notices] == [
        NoticeKind.COMPLETE_REMINDER,
        NoticeKind.NOT_COMPLETED,
    ]
    assert [planned.step for planned in decision.skipped] == ["request", "reminder:0", "reminder:1"]
    assert decision.next_timer is None


# --- wherever the machine stands --------------------------------------------------------------------

_PRINT: Final = """
from tests.core.test_schedule import every_schedule
print("\\n".join(every_schedule()))
"""


def every_schedule() -> list[str]:
    """Return the plans of many orders in many zones, as text."""
    lines = []
    for zone_name in ("Asia/Ho_Chi_Minh", "America/New_York", "Pacific/Apia", "UTC"):
        zone = ZoneInfo(zone_name)
        for hours in range(0, 24 * 400, 37):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
            for status in (Status.PENDING, Status.CONFIRMED):
                order = sample_order(
                    status=status,
                    ordered_at=at,
                    asked_at=at,
                    deliver_at=at + timedelta(hours=hours % 131 + 1),
                )
                timers = plan(order, zone, POLICY, now=at)
                told = [f"{timer.kind} {timer.step} {timer.due_at.astimezone(UTC)}" for timer in timers]
                lines.append(f"{zone_name} {at} {status}: {told}")
    return lines


@pytest.mark.parametrize("host", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_schedules_are_the_same_whatever_the_hosts_zone(host: str) -> None:
    """A fresh process under another TZ plans every order to the microsecond as this one does."""
    done = subprocess.run(
        [sys.executable, "-c", _PRINT],
        env={**os.environ, "TZ": host},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == every_schedule()
