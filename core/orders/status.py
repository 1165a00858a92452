"""The statuses of an order, and the only ways from one to another."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Status(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    COMPLETED = "completed"

    @property
    def is_final(self) -> bool:
        """Nothing changes such an order any more."""
        return self in FINAL


class Action(StrEnum):
    """What moves an order."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    CHANGE = "change"
    EXPIRE = "expire"
    COMPLETE = "complete"


FINAL: Final = frozenset({Status.CANCELLED, Status.EXPIRED, Status.COMPLETED})

TRANSITIONS: Final[Mapping[tuple[Status, Action], Status]] = MappingProxyType(
    {
        (Status.PENDING, Action.CONFIRM): Status.CONFIRMED,
        (Status.PENDING, Action.CANCEL): Status.CANCELLED,
        (Status.PENDING, Action.WITHDRAW): Status.CANCELLED,
        (Status.PENDING, Action.CHANGE): Status.PENDING,
        (Status.PENDING, Action.EXPIRE): Status.EXPIRED,
        (Status.CONFIRMED, Action.COMPLETE): Status.COMPLETED,
        (Status.CONFIRMED, Action.WITHDRAW): Status.CANCELLED,  # platform or operator only
        (Status.CONFIRMED, Action.CHANGE): Status.PENDING,  # time or items; else it stays confirmed
    }
)
