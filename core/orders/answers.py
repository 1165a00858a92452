"""What whoever gave a command is told: stored as data, rendered when it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.orders.events import Json
from core.orders.order import By, Order, OrderId
from core.orders.snapshot import dump_by, load_by
from core.orders.status import Status


class AnswerKind(StrEnum):
    """How a command ended."""

    DONE = "done"  # it was carried out by this command
    STATE = "state"  # it was settled before: the present state, and who made it so
    TOO_EARLY = "too_early"  # complete is taken from `not_before` on
    ASK_OPERATOR = "ask_operator"  # a confirmed order is cancelled by the operators only
    OUTDATED = "outdated"  # the order has changed since that card
    FORBIDDEN = "forbidden"  # not this actor's to do; `why` says which rule
    NOTHING = "nothing"  # nothing was there to do (a dead timer, a change without a difference)


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one command. `version` is the order's after it; `at` and `by` tell the last status change.

    `order_id` is None only where there is no such order to be seen by the actor. `seen` is the revision
    that an actor went by who was outdated.
    """

    kind: AnswerKind
    order_id: OrderId | None
    asked: str
    status: Status | None = None
    version: int | None = None
    by: By | None = None
    at: datetime | None = None
    why: str | None = None
    not_before: datetime | None = None
    seen: int | None = None
    replayed: bool = field(default=False, compare=False)


def about(
    order: Order,
    kind: AnswerKind,
    asked: str,
    *,
    why: str | None = None,
    not_before: datetime | None = None,
    seen: int | None = None,
) -> Answer:
    """Return an answer that tells this state of the order."""
    return Answer(
        kind,
        order.id,
        asked,
        status=order.status,
        version=order.version,
        by=order.status_changed_by,
        at=order.status_changed_at,
        why=why,
        not_before=not_before,
        seen=seen,
    )


def dump(answer: Answer) -> dict[str, Json]:
    """Return the answer as it is stored."""
    return {
        "kind": answer.kind.value,
        "order_id": str(answer.order_id) if answer.order_id else None,
        "asked": answer.asked,
        "status": answer.status.value if answer.status else None,
        "version": answer.version,
        "by": dump_by(answer.by) if answer.by else None,
        "at": answer.at.isoformat() if answer.at else None,
        "why": answer.why,
        "not_before": answer.not_before.isoformat() if answer.not_before else None,
        "seen": answer.seen,
    }


def load(data: Mapping[str, Json], *, replayed: bool) -> Answer:
    """Return a stored answer; `replayed` tells whether it is given once more."""

    def text(name: str) -> str | None:
        value = data.get(name)
        return value if isinstance(value, str) else None

    def moment(name: str) -> datetime | None:
        value = text(name)
        return datetime.fromisoformat(value) if value else None

    order_id, status, version, by = text("order_id"), text("status"), data.get("version"), data.get("by")
    seen = data.get("seen")
    return Answer(
        AnswerKind(str(data["kind"])),
        OrderId(UUID(order_id)) if order_id else None,
        str(data["asked"]),
        status=Status(status) if status else None,
        version=version if isinstance(version, int) else None,
        by=load_by(by) if isinstance(by, dict) else None,
        at=moment("at"),
        why=text("why"),
        not_before=moment("not_before"),
        seen=seen if isinstance(seen, int) else None,
        replayed=replayed,
    )
