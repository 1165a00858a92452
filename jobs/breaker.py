"""A breaker for each gateway: after failures in a row nobody calls it for a while. Real time, in memory."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.channels import Outcome, Scope, TryLater, Unclear

#: So many calls in a row that failed or stayed unanswered open the breaker.
_FAILURES: Final = 5


@dataclass(slots=True)
class _State:
    failures: int = 0
    rests_until: float = 0.0


class Breakers:
    """Knows which gateways are left alone. Each worker learns for itself; the first answer ends it."""

    def __init__(self, rest: timedelta, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest.total_seconds()
        self._clock = clock
        self._states: defaultdict[str, _State] = defaultdict(_State)

    def may_call(self, gateway: str) -> bool:
        """Whether to call it now. After its rest one call tries it; others wait for what becomes of that."""
        state = self._states[gateway]
        if state.failures < _FAILURES:
            return True
        if self._clock() < state.rests_until:
            return False
        state.rests_until = self._clock() + self._rest
        return True

    def note(self, gateway: str, outcome: Outcome) -> bool | None:
        """Learn from a call. Returns True when the breaker opened by it, False when it closed, else None."""
        state = self._states[gateway]
        was_open = state.failures >= _FAILURES
        if isinstance(outcome, TryLater) and outcome.scope is Scope.RECIPIENT:
            return None  # somebody has had enough for now: that tells nothing of the gateway
        if not isinstance(outcome, TryLater | Unclear):  # whatever else it says, it answers
            state.failures = 0
            return False if was_open else None
        state.failures += 1
        if state.failures >= _FAILURES:
            state.rests_until = self._clock() + self._rest
        return None if was_open or state.failures < _FAILURES else True
