"""What happened to an order, in the past tense; together they are its audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.orders.order import By

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class EventType(StrEnum):
    """The names that platforms hear."""

    PLACED = "order.placed"
    CHANGED = "order.changed"
    CONFIRMED = "order.confirmed"
    CANCELLED = "order.cancelled"
    EXPIRED = "order.expired"
    COMPLETED = "order.completed"
    REVIEWED = "order.reviewed"
    REVIEW_ANSWERED = "order.review_answered"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: who, by which way, when, and what differs since (`data`).

    `data` holds `from` and `to` (statuses) and, by type, `changes` (name → before, after),
    `reason`, `review` or `answer`. `at` is product time, UTC, never before the order's event before it.
    """

    type: EventType
    version: int
    at: datetime
    by: By
    data: Mapping[str, Json]
