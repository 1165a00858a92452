"""Which event, and which rung of a ladder, owes whom a notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.actors import Actor, ActorKind
from core.notices.kinds import RULES, Audience, NoticeKind
from core.orders.events import Event, EventType, Json
from core.orders.order import Order
from core.schedule import Reach, Rung, TimerKind

#: So many steps at the end of the confirmation ladder are told in quiet hours too.
_LOUD = 2


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice to be written: once per order, kind and `occasion`, whatever happens again.

    `data` is what a card needs beyond the order: the rung, who acted, what changed.
    """

    kind: NoticeKind
    occasion: str
    data: Mapping[str, Json] = field(default_factory=dict)


def for_event(
    order: Order, event: Event, actor: Actor, *, tell_customer: bool, ask_review: bool = False
) -> tuple[Owed, ...]:
    """Return the notices that are owed because of one event."""
    kinds = [*_partner_kinds(event, actor)]
    if event.type in {EventType.CANCELLED, EventType.EXPIRED} and tell_customer:
        kinds.append(NoticeKind.CUSTOMER_CANCELLED)
    if event.type is EventType.COMPLETED and ask_review:
        kinds.append(NoticeKind.CUSTOMER_REVIEW)
    if event.type is EventType.REVIEWED and order.review and order.review.is_low:
        kinds.append(NoticeKind.LOW_REVIEW)
    data: dict[str, Json] = dict(event.data)
    data["by"] = {"name": actor.name, "via": actor.via.value, "id": str(actor.id) if actor.id else None}
    return tuple(Owed(kind, _occasion(kind, event), data) for kind in kinds)


def _occasion(kind: NoticeKind, event: Event) -> str:
    """Return what makes a notice one of its own: a customer is told a thing once in an order's life."""
    return "once" if RULES[kind].audience is Audience.CUSTOMER else f"v{event.version}"


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


def for_rungs(
    kind: TimerKind, order: Order, due: Sequence[Rung], *, ladder: Sequence[Rung]
) -> tuple[Owed, ...]:
    """Return what rungs that are due at once (in time order) owe: people the newest, operators any."""
    operators = any(rung.operators for rung in due)
    if kind is TimerKind.CONFIRM_LADDER:
        alarm = (Owed(NoticeKind.ORDER_AT_RISK, f"r{order.revision}:{due[-1].name}"),) if operators else ()
        loud = [rung for rung in ladder if rung.reach is not Reach.NOBODY][-_LOUD:]
        return _nudge(order, [rung for rung in due if rung.reach is not Reach.NOBODY], loud) + alarm
    rung = due[-1]
    occasion = f"{order.deliver_at.isoformat()}:{rung.name}"
    asked = NoticeKind.COMPLETE_REQUEST if rung.name == "request" else NoticeKind.COMPLETE_REMINDER
    alarm = (Owed(NoticeKind.NOT_COMPLETED, occasion),) if operators else ()
    return (Owed(asked, occasion), *alarm)


def _nudge(order: Order, due: Sequence[Rung], loud: Sequence[Rung]) -> tuple[Owed, ...]:
    """The newest rung's nudge; `otherwise` is whom the one before it would have reached."""
    if not due:
        return ()
    data: dict[str, Json] = {"reach": due[-1].reach.value, "loud": due[-1] in loud}
    if len(due) > 1:
        data["otherwise"] = due[-2].reach.value
    return (Owed(NoticeKind.CONFIRM_NUDGE, f"r{order.revision}:{due[-1].name}", data),)
