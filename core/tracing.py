"""Traces, where a collector is set: everything that is done about one order is one trace, whoever does it.

A trace bears the order's own id, so that nothing has to be carried from the web process to the worker,
through Redis or the database: whoever knows the order knows its trace. Spans tell ids, kinds and outcomes, of
people nothing.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, Protocol, TypeAlias
from uuid import UUID

Facts: TypeAlias = Mapping[str, str | int]

#: The orders that the request at hand has had to do with; None where nobody asks.
TOUCHED: Final[ContextVar[list[UUID] | None]] = ContextVar("touched", default=None)


class Tracer(Protocol):
    """Takes down what was done about an order. Where there is no collector, there is none of it either."""

    def record(self, name: str, order_id: UUID, began: int, facts: Facts) -> None:
        """Take down a deed that has just ended; `began` is real time in nanoseconds. Waits for nobody."""


def touch(order_id: UUID | None) -> None:
    """Note that the request at hand has to do with an order."""
    touched = TOUCHED.get()
    if touched is not None and order_id is not None:
        touched.append(order_id)
