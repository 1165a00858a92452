"""What the operators are told of once, until it is over; once a day where nobody can say that it is."""

from core.alarms.ending import end_what_is_over
from core.alarms.raising import Proof, clear, raise_, seen_again
from core.alarms.standing import Standing

__all__ = ["Proof", "Standing", "clear", "end_what_is_over", "raise_", "seen_again"]
