from datetime import UTC, datetime, timedelta

import pytest

from core.database import Database
from core.orders.commands import ConfirmOrder
from tests.cli.conftest import Operator, Placed, place, tap


def occasions(operator: Operator) -> list[str]:
    """Return what is owed because of timers, in the order it came to be owed."""

    async def work(database: Database) -> list[str]:
        rows = await database.pool.fetch(
            "SELECT kind FROM notices WHERE kind IN ('confirm_nudge', 'order_expired', 'delivery_tomorrow',"
            " 'complete_request', 'complete_reminder', 'not_completed') ORDER BY owed_at, kind"
        )
        return [row["kind"] for row in rows]

    return operator.with_database(work)


def test_the_clock_moves_and_comes_back(operator: Operator) -> None:
    """A day ahead, another hour ahead, and back to real time."""
    assert operator.reads("clock", "show")["ahead_seconds"] == 0
    assert operator.reads("clock", "advance", "PT24H")["ahead_seconds"] == 86_400
    moved = operator.reads("clock", "advance", "3600")
    assert moved["ahead_seconds"] == 90_000
    ahead = datetime.fromisoformat(moved["now"]) - datetime.now(UTC)
    assert abs(ahead - timedelta(seconds=90_000)) < timedelta(seconds=30)
    assert operator.reads("clock", "reset")["ahead_seconds"] == 0
    assert operator.reads("clock", "show")["ahead_seconds"] == 0


def test_what_became_due_is_owed_when_the_command_returns(operator: Operator, order: Placed) -> None:
    """An order nobody confirmed is overdue two days later, at once."""
    operator.reads("clock", "advance", "P2D")
    shown = operator.reads("order", "show", order.named)
    assert shown["status"] == "expired"
    assert "order_expired" in occasions(operator)


def test_one_leap_owes_the_newest_step_only(operator: Operator, kitchen: str) -> None:
    """A week past delivery Lan is reminded once, and the operators hear of it."""
    order = place(operator, after=timedelta(days=5))
    tap(operator, ConfirmOrder(order.id))
    operator.reads("clock", "advance", "P12D")
    assert occasions(operator) == ["complete_reminder", "not_completed"]


def test_a_reset_makes_nothing_happen_twice(operator: Operator, order: Placed) -> None:
    """Forward, back and forward again: the order is overdue once."""
    for words in (("advance", "P2D"), ("reset",), ("advance", "P2D")):
        operator.reads("clock", *words)
    assert occasions(operator).count("order_expired") == 1


@pytest.mark.parametrize("by", ["PT", "P", "-PT1H", "1 day", "24:00", "PT1.5H", "", "now", "P1Y", "٣"])
def test_a_bad_duration_is_told_at_once(operator: Operator, by: str) -> None:
    """Only ISO 8601 and seconds are durations."""
    assert "a duration like" in operator.is_refused("clock", "advance", "--", by, exit_code=2)


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("0", "Time moves forward only"),
        ("PT0S", "Time moves forward only"),
        ("P4000D", "at most 3650 days"),
        ("9" * 12, "at most 3650 days"),
        ("9" * 40, "at most 3650 days"),
        ("P99999999999D", "at most 3650 days"),
    ],
)
def test_time_goes_forward_and_not_too_far(operator: Operator, by: str, told: str) -> None:
    """A slip of the finger breaks no process."""
    assert told in operator.is_refused("clock", "advance", by)


@pytest.mark.parametrize("words", [("advance", "PT1H"), ("reset",)])
def test_production_has_real_time_only(operator: Operator, words: tuple[str, ...]) -> None:
    """Nobody moves the clock of real people; they may look at it."""
    operator.settings["CHOTDON_ENV"] = "production"
    assert "not moved in production" in operator.is_refused("clock", *words)
    assert operator.reads("clock", "show")["ahead_seconds"] == 0
