"""What an order owes later, from its times and its status alone. Pure; days are the partner's."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from core.orders.order import Order
from core.orders.status import Status

#: An order expires when now > delivery time: the first moment that is later.
_JUST_AFTER = timedelta(microseconds=1)
_MIN_DAYS_FOR_REMINDER = 2

#: How long a webhook waits after each failed attempt (before jitter); after the last one it is given up.
WEBHOOK_RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The durations that the service runs by. `reminder_hour` is an hour of the partner's day."""

    complete_early: timedelta = timedelta(minutes=60)
    completion_notice_after: timedelta = timedelta(minutes=10)
    completion_reminders_after: tuple[timedelta, ...] = (
        timedelta(minutes=30),
        timedelta(hours=4),
        timedelta(days=1),
    )
    confirm_nudges_after: tuple[timedelta, ...] = (timedelta(minutes=15), timedelta(minutes=30))
    confirm_nudges_before: tuple[timedelta, ...] = (
        timedelta(days=1),
        timedelta(hours=4),
        timedelta(hours=2),
        timedelta(hours=1),
    )
    reminder_hour: int = 9


class TimerKind(StrEnum):
    """What a timer is for; an order has at most one live timer of each."""

    EXPIRY = "expiry"
    CONFIRM_LADDER = "confirm_ladder"
    DAY_BEFORE = "day_before"
    COMPLETION_LADDER = "completion_ladder"


@dataclass(frozen=True, slots=True)
class Planned:
    """A timer that an order should have: `step` names the rung of its ladder."""

    kind: TimerKind
    step: str
    due_at: datetime


class Reach(StrEnum):
    """Whom a rung of a ladder goes to."""

    NEXT_CHANNEL = "next_channel"
    NEXT_STAFF = "next_staff"
    ALL_WHO_ACT = "all_who_act"
    RECIPIENTS = "recipients"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder; `operators` says that they hear with it."""

    name: str
    due_at: datetime
    reach: Reach
    operators: bool = False


def expiry(deliver_at: datetime) -> datetime:
    """Return the first moment at which an order that still waits is overdue."""
    return deliver_at + _JUST_AFTER


def day_before(order: Order, zone: ZoneInfo, policy: Policy) -> datetime | None:
    """Return when the order's day-before reminder is due, or None when it gets none.

    09:00 (partner's time) on the day before the delivery day, only if there are more than two
    calendar days between the order day and the delivery day.
    """
    delivery_day = order.deliver_at.astimezone(zone).date()
    order_day = order.ordered_at.astimezone(zone).date()
    if (delivery_day - order_day).days <= _MIN_DAYS_FOR_REMINDER:
        return None
    return datetime.combine(delivery_day - timedelta(days=1), time(policy.reminder_hour), tzinfo=zone)


def confirm_ladder(order: Order, policy: Policy) -> tuple[Rung, ...]:
    """Return the steps by which an unconfirmed order is asked for again, in time order.

    Steps at or before `asked_at` and at or after delivery are left out. The operators hear with
    the last step before delivery; when none lies ahead, with the second step after or at half
    the time left, whichever is earlier.
    """
    asked, deliver = order.asked_at, order.deliver_at
    after = [
        Rung(f"after:{n}", asked + wait, Reach.NEXT_CHANNEL if n == 0 else Reach.NEXT_STAFF)
        for n, wait in enumerate(policy.confirm_nudges_after)
    ]
    before = [
        Rung(f"before:{n}", deliver - left, Reach.ALL_WHO_ACT)
        for n, left in enumerate(sorted(policy.confirm_nudges_before, reverse=True))
    ]
    ahead = [rung for rung in before if asked < rung.due_at < deliver]
    last = [Rung(ahead[-1].name, ahead[-1].due_at, Reach.ALL_WHO_ACT, operators=True)] if ahead else []
    alarm = [] if ahead else [_alarm_without_steps(order, policy)]
    early = [rung for rung in after if rung.due_at < deliver]
    return tuple(sorted([*early, *ahead[:-1], *last, *alarm], key=lambda rung: rung.due_at))


def _alarm_without_steps(order: Order, policy: Policy) -> Rung:
    half = order.asked_at + (order.deliver_at - order.asked_at) / 2
    steps = [order.asked_at + wait for wait in policy.confirm_nudges_after[1:2]]
    return Rung("operators", min([half, *steps]), Reach.NOBODY, operators=True)


def completion_ladder(order: Order, policy: Policy) -> tuple[Rung, ...]:
    """Return when the partner is asked to complete a delivered order, in time order."""
    first = order.deliver_at + policy.completion_notice_after
    waits = sorted(policy.completion_reminders_after)
    reminders = [
        Rung(f"reminder:{n}", first + wait, Reach.RECIPIENTS, operators=n == len(waits) - 1)
        for n, wait in enumerate(waits)
    ]
    return (Rung("request", first, Reach.RECIPIENTS, operators=not waits), *reminders)


def ladder(kind: TimerKind, order: Order, policy: Policy) -> tuple[Rung, ...]:
    """Return the ladder that a timer of this kind climbs; other kinds have none."""
    if kind is TimerKind.CONFIRM_LADDER:
        return confirm_ladder(order, policy)
    if kind is TimerKind.COMPLETION_LADDER:
        return completion_ladder(order, policy)
    return ()


def next_rung(kind: TimerKind, order: Order, policy: Policy, *, after: datetime) -> Planned | None:
    """Return the timer for the first rung that is due later than `after`."""
    for rung in ladder(kind, order, policy):
        if rung.due_at > after:
            return Planned(kind, rung.name, rung.due_at)
    return None


def plan(order: Order, zone: ZoneInfo, policy: Policy, *, now: datetime) -> tuple[Planned, ...]:
    """Return every timer that an order in this state should have, whatever it had before."""
    if order.status is Status.PENDING:
        wanted = [
            Planned(TimerKind.EXPIRY, "expire", expiry(order.deliver_at)),
            next_rung(TimerKind.CONFIRM_LADDER, order, policy, after=order.asked_at),
        ]
    elif order.status is Status.CONFIRMED:
        reminder = day_before(order, zone, policy)
        wanted = [
            Planned(TimerKind.DAY_BEFORE, "remind", reminder) if reminder and reminder >= now else None,
            next_rung(TimerKind.COMPLETION_LADDER, order, policy, after=order.asked_at),
        ]
    else:
        wanted = []
    return tuple(timer for timer in wanted if timer)
