"""The sweep: looks for what is due and was not woken, and fires the timers of orders in deadline order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from core import metrics
from core.actors import SYSTEM
from core.database import Database
from core.errors import ChotDonError
from core.ledger import Ledger
from core.orders.answers import AnswerKind
from core.orders.commands import FireTimer
from core.orders.order import OrderId

_log: Final = structlog.get_logger()
_AT_ONCE: Final = 500

_DUE: Final = """
SELECT id, order_id, due_at FROM timers WHERE state = 'live' AND due_at <= $1 ORDER BY due_at, id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A live timer whose time has come."""

    id: UUID
    order_id: OrderId
    due_at: datetime


async def due_timers(database: Database, *, most: int = _AT_ONCE) -> list[DueTimer]:
    """Return the live timers that are due, earliest first. Holds no lock: the ledger checks each again."""
    rows = await database.pool.fetch(_DUE, database.clock.now(), most)
    return [DueTimer(row["id"], OrderId(row["order_id"]), row["due_at"]) for row in rows]


async def fire_due(database: Database, ledger: Ledger) -> int:
    """Fire every timer that is due now, in deadline order; return how many did something.

    One that fails harms only itself. Stops early when a round fires nothing, so that what fails is
    left to the next sweep.
    """
    fired = 0
    while timers := await due_timers(database):
        done = await _fire(database, ledger, timers)
        fired += done
        if not done:
            break
    return fired


async def _fire(database: Database, ledger: Ledger, timers: Sequence[DueTimer]) -> int:
    now = database.clock.now()
    outcomes = await asyncio.gather(
        *(ledger.submit(FireTimer(timer.order_id, timer.id), actor=SYSTEM) for timer in timers),
        return_exceptions=True,
    )
    done = 0
    for timer, outcome in zip(timers, outcomes, strict=True):
        if isinstance(outcome, ChotDonError):
            _log.warning("timer not fired", timer=str(timer.id), order=str(timer.order_id), why=repr(outcome))
        elif isinstance(outcome, Exception):
            _log.error("timer failed", timer=str(timer.id), order=str(timer.order_id), exc_info=outcome)
        elif isinstance(outcome, BaseException):  # told to end
            raise outcome
        else:
            metrics.TIMER_LATENESS.observe((now - timer.due_at).total_seconds())
            done += outcome.kind is not AnswerKind.NOTHING
    return done
