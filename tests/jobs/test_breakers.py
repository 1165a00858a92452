"""A gateway that fails again and again is left alone for a while; the first answer ends that."""

from datetime import timedelta

import pytest

from core.channels import NoSuchRecipient, Outcome, Refused, Scope, Sent, TryLater, Unclear
from jobs.breaker import Breakers

REST = timedelta(seconds=30)


class Watch:
    """Real time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def _down(breakers: Breakers, failure: Outcome, *, times: int = 5) -> list[bool | None]:
    return [breakers.note("zalo", failure) for _ in range(times)]


@pytest.mark.parametrize("failure", [TryLater("HTTP 500"), Unclear("silence")], ids=["fails", "is silent"])
def test_five_failures_in_a_row_open_it(failure: Outcome) -> None:
    """Four do not; the fifth says so, once."""
    breakers = Breakers(REST, clock=Watch())
    assert _down(breakers, failure, times=4) == [None] * 4
    assert breakers.may_call("zalo")
    assert breakers.note("zalo", failure) is True
    assert not breakers.may_call("zalo")
    assert breakers.note("zalo", failure) is None


@pytest.mark.parametrize(
    "answer", [Sent("1"), NoSuchRecipient("-118"), Refused("-210")], ids=["sent", "nobody", "refused"]
)
def test_an_answer_of_any_kind_ends_the_row(answer: Outcome) -> None:
    """A gateway that says no is there."""
    breakers = Breakers(REST, clock=Watch())
    _down(breakers, TryLater("HTTP 500"), times=4)
    assert breakers.note("zalo", answer) is None
    assert _down(breakers, TryLater("HTTP 500"), times=4) == [None] * 4
    assert breakers.may_call("zalo")


def test_somebody_who_has_had_enough_says_nothing_of_the_gateway() -> None:
    """A group whose minute is full neither opens it for everybody, nor ends the row of failures."""
    breakers = Breakers(REST, clock=Watch())
    full = TryLater("a group is full", timedelta(seconds=9), Scope.RECIPIENT)
    assert _down(breakers, full, times=20) == [None] * 20
    assert breakers.may_call("zalo")
    _down(breakers, TryLater("HTTP 500"), times=4)
    assert breakers.note("zalo", full) is None
    assert breakers.note("zalo", TryLater("HTTP 500")) is True


def test_after_its_rest_one_call_tries_it() -> None:
    """Everybody else waits for what becomes of that one; when it fails the rest begins anew."""
    watch = Watch()
    breakers = Breakers(REST, clock=watch)
    _down(breakers, Unclear("silence"))
    watch.seconds += 29
    assert not breakers.may_call("zalo")
    watch.seconds += 1
    assert breakers.may_call("zalo")
    assert not breakers.may_call("zalo")
    breakers.note("zalo", Unclear("silence"))
    watch.seconds += 29
    assert not breakers.may_call("zalo")
    watch.seconds += 1
    assert breakers.may_call("zalo")
    assert breakers.note("zalo", Sent("1")) is False
    assert breakers.may_call("zalo")


def test_one_gateways_trouble_is_its_own() -> None:
    """An SMS leaves while Zalo is down."""
    breakers = Breakers(REST, clock=Watch())
    _down(breakers, TryLater("refused"))
    assert not breakers.may_call("zalo")
    assert breakers.may_call("esms")
