"""Which event, and which rung of a ladder, owes whom a notice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.actors import Actor, ActorKind
from core.notices.kinds import NoticeKind
from core.orders.events import Event, EventType, Json
from core.orders.order import Order
from core.schedule import Reach, Rung, TimerKind


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice to be written: once per order, kind and `occasion`, whatever happens again.

    `data` is what a card needs beyond the order: the rung, who acted, what changed.
    """

    kind: NoticeKind
    occasion: str
    data: Mapping[str, Json] = field(default_factory=dict)


def for_event(order: Order, event: Event, actor: Actor, *, tell_customer: bool) -> tuple[Owed, ...]:
    """Return the notices that are owed because of one event."""
    occasion = f"v{event.version}"
    kinds = [*_partner_kinds(event, actor)]
    if event.type in {EventType.CANCELLED, EventType.EXPIRED} and tell_customer:
        kinds.append(NoticeKind.CUSTOMER_CANCELLED)
    data: dict[str, Json] = dict(event.data)
    data["by"] = {"name": actor.name, "via": actor.via.value, "id": str(actor.id) if actor.id else None}
    return tuple(
        Owed(kind, "once" if kind is NoticeKind.CUSTOMER_CANCELLED else occasion, data) for kind in kinds
    )


def _partner_kinds(event: Event, actor: Actor) -> tuple[NoticeKind, ...]:
    if actor.kind is ActorKind.STAFF:
        return _AFTER_STAFF.get(event.type, ())
    return _AFTER_OTHERS.get(event.type, ())


_AFTER_STAFF: Mapping[EventType, tuple[NoticeKind, ...]] = {
    EventType.CONFIRMED: (NoticeKind.COLLEAGUE_ACTED,),
    EventType.CANCELLED: (NoticeKind.COLLEAGUE_ACTED,),
    EventType.COMPLETED: (NoticeKind.COLLEAGUE_ACTED, NoticeKind.ORDER_COMPLETED),
}
_AFTER_OTHERS: Mapping[EventType, tuple[NoticeKind, ...]] = {
    EventType.PLACED: (NoticeKind.ORDER_NEW,),
    EventType.CHANGED: (NoticeKind.ORDER_CHANGED,),
    EventType.CONFIRMED: (NoticeKind.ORDER_CONFIRMED,),
    EventType.CANCELLED: (NoticeKind.ORDER_CANCELLED,),
    EventType.EXPIRED: (NoticeKind.ORDER_EXPIRED,),
    EventType.COMPLETED: (NoticeKind.OPERATOR_COMPLETED, NoticeKind.ORDER_COMPLETED),
    EventType.REVIEWED: (NoticeKind.REVIEW_RECEIVED,),
}


def for_rung(kind: TimerKind, order: Order, rung: Rung, *, operators: bool) -> tuple[Owed, ...]:
    """Return the notices that a rung of a ladder owes; `operators` when they hear with it."""
    if kind is TimerKind.CONFIRM_LADDER:
        occasion = f"r{order.revision}:{rung.name}"
        nudge = (Owed(NoticeKind.CONFIRM_NUDGE, occasion, {"reach": rung.reach.value}),)
        alarm = (Owed(NoticeKind.ORDER_AT_RISK, occasion),) if operators else ()
        return alarm if rung.reach is Reach.NOBODY else nudge + alarm
    occasion = f"{order.deliver_at.isoformat()}:{rung.name}"
    asked = NoticeKind.COMPLETE_REQUEST if rung.name == "request" else NoticeKind.COMPLETE_REMINDER
    alarm = (Owed(NoticeKind.NOT_COMPLETED, occasion),) if operators else ()
    return (Owed(asked, occasion), *alarm)
