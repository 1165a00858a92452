"""What a command does to an order. Pure: reads no clock and no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from core import schedule
from core.actors import SYSTEM, Actor, ActorKind
from core.errors import NotAllowed, RuleError
from core.notices import owed
from core.notices.kinds import NoticeKind
from core.notices.owed import Owed
from core.orders.answers import Answer, AnswerKind, about
from core.orders.commands import (
    LONGEST_ANSWER,
    OTHER_REASON,
    REASONS,
    THANKS,
    AnswerReview,
    CancelOrder,
    ChangeOrder,
    Command,
    CompleteOrder,
    ConfirmOrder,
    FireTimer,
    PlaceOrder,
    ReviewOrder,
)
from core.orders.events import Event, EventType, Json
from core.orders.order import By, Item, Order, Reason, Review, ReviewAnswer, items_total
from core.orders.snapshot import dump_answer, dump_item, dump_reason, dump_review
from core.orders.status import TRANSITIONS, Action, Status
from core.schedule import Planned, Policy, TimerKind


@dataclass(frozen=True, slots=True)
class Terms:
    """What a decision is made by, besides the order: the partner's zone, the platform's switches.

    `code` is the code set aside for an order that is being placed; `timer` the live timer that fires.
    """

    zone: ZoneInfo
    policy: Policy
    platform_name: str
    tell_customer: bool = True
    ask_review: bool = False
    paused_until: datetime | None = None
    code: str = ""
    timer: Planned | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command did: the new order, what happened, and what is owed because of it.

    `order` is None when nothing changed. `timers` is the whole new plan, None to leave the timers
    as they are. `skipped` are rungs that an outage made pointless, to be put on record;
    `next_timer` follows the one that fired.
    """

    answer: Answer
    order: Order | None = None
    event: Event | None = None
    notices: tuple[Owed, ...] = ()
    timers: tuple[Planned, ...] | None = None
    next_timer: Planned | None = None
    skipped: tuple[Planned, ...] = ()


ASKED: Final[Mapping[type[Command], str]] = MappingProxyType(
    {
        PlaceOrder: "place",
        ChangeOrder: "change",
        ConfirmOrder: "confirm",
        CancelOrder: "cancel",
        CompleteOrder: "complete",
        ReviewOrder: "review",
        AnswerReview: "answer_review",
        FireTimer: "fire",
    }
)


def decide(order: Order | None, command: Command, *, actor: Actor, terms: Terms, now: datetime) -> Decision:
    """Return what `command` does to `order`, and everything owed because of it.

    A command that was carried out before is answered with who did it and when; it changes nothing.
    An order that still waits after its delivery time expires first, whatever was asked.

    Raises NotAllowed if `actor` may not give this command at all; RuleError if the rules forbid it
    to everybody (a delivery in the past, a paused partner, an order that is not as they saw it).
    """
    _check_is_theirs(command, actor)
    if isinstance(command, PlaceOrder):
        return _place(command, actor, terms, now)
    if order is None:
        raise NotAllowed("no_such_order")
    _check_belongs(order, actor)
    if order.status is Status.PENDING and now > order.deliver_at:
        return _expire(order, ASKED[type(command)], terms, now)
    _check_is_current(order, command)
    match command:
        case ConfirmOrder():
            return _confirm(order, command, actor, terms, now)
        case CancelOrder():
            return _cancel(order, command, actor, terms, now)
        case CompleteOrder():
            return _complete(order, command, actor, terms, now)
        case ChangeOrder():
            return _change(order, command, actor, terms, now)
        case ReviewOrder() | AnswerReview():
            return _afterwards(order, command, actor, terms, now)
        case FireTimer():
            return _fire(order, terms, now)


def _check_is_theirs(command: Command, actor: Actor) -> None:
    """Timers are the system's alone; placing is a platform's, changes and reviews are not a kitchen's.

    A customer leaves a review and nothing else.
    """
    if (actor.kind is ActorKind.SYSTEM) is not isinstance(command, FireTimer):
        raise NotAllowed("not_theirs")
    if isinstance(command, PlaceOrder):
        _check_places_its_own(command, actor)
    if isinstance(command, ChangeOrder | ReviewOrder) and actor.kind is ActorKind.STAFF:
        raise NotAllowed("only_platforms")
    if actor.kind is ActorKind.CUSTOMER and not isinstance(command, ReviewOrder):
        raise NotAllowed("not_theirs")


def _check_places_its_own(command: PlaceOrder, actor: Actor) -> None:
    if actor.kind is not ActorKind.PLATFORM:
        raise NotAllowed("only_platforms")
    if actor.id != command.platform_id:
        raise NotAllowed("not_yours")


def _check_belongs(order: Order, actor: Actor) -> None:
    if actor.kind is ActorKind.STAFF and actor.partner_id != order.partner_id:
        raise NotAllowed("not_yours")
    if actor.kind is ActorKind.PLATFORM and actor.id != order.platform_id:
        raise NotAllowed("not_yours")


def _check_is_current(order: Order, command: Command) -> None:
    """An error, not an answer: whoever reads the order anew may ask again under the same key."""
    if not isinstance(command, ChangeOrder | CancelOrder | ReviewOrder) or command.versions is None:
        return
    if order.version not in command.versions:
        raise RuleError("version_mismatch", version=order.version)


def _check_may_act(actor: Actor) -> None:
    if actor.kind is ActorKind.STAFF and not (actor.role and actor.role.may_act):
        raise NotAllowed("role")
    if actor.kind is ActorKind.PLATFORM:
        raise NotAllowed("not_a_platforms")


def _check_placed(command: PlaceOrder, terms: Terms, now: datetime) -> None:
    if terms.paused_until and terms.paused_until > now:
        raise RuleError("partner_paused", until=terms.paused_until.astimezone(terms.zone))
    if command.deliver_at <= now:
        raise RuleError("deliver_at_past")
    if command.ordered_at and command.ordered_at > now:
        raise RuleError("ordered_at_future")
    if command.total != items_total(command.items) + command.fees - command.discount:
        raise RuleError("total_wrong")


def _place(command: PlaceOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    _check_placed(command, terms, now)
    by = By(actor.via, actor.name, actor.id)
    order = Order(
        id=command.order_id,
        platform_id=command.platform_id,
        external_id=command.external_id,
        partner_id=command.partner_id,
        code=terms.code,
        status=Status.PENDING,
        version=0,
        revision=1,
        deliver_at=command.deliver_at,
        ordered_at=command.ordered_at or now,
        placed_at=now,
        asked_at=now,
        updated_at=now,
        address=command.address,
        note=command.note,
        items=command.items,
        fees=command.fees,
        discount=command.discount,
        total=command.total,
        customer=command.customer,
        status_changed_at=now,
        status_changed_by=by,
    )
    return _happened(
        order, EventType.PLACED, actor, terms, now, asked="place", data={"from": None, "to": "pending"}
    )


def _confirm(order: Order, command: ConfirmOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    _check_may_act(actor)
    if order.status is not Status.PENDING:
        return Decision(about(order, AnswerKind.STATE, "confirm"))
    if _is_outdated(order, command.revision):
        return Decision(about(order, AnswerKind.OUTDATED, "confirm", seen=command.revision))
    moved = _moved(order, Action.CONFIRM, actor, now)
    data = {**_from_to(order, moved), **_because(command.reason)}
    return _happened(moved, EventType.CONFIRMED, actor, terms, now, asked="confirm", data=data)


def _cancel(order: Order, command: CancelOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    if actor.kind is ActorKind.STAFF:
        _check_may_act(actor)
    if order.status.is_final:
        return Decision(about(order, AnswerKind.STATE, "cancel"))
    if _is_outdated(order, command.revision):
        return Decision(about(order, AnswerKind.OUTDATED, "cancel", seen=command.revision))
    action = Action.CANCEL if actor.kind is ActorKind.STAFF else Action.WITHDRAW
    if (order.status, action) not in TRANSITIONS:
        return Decision(about(order, AnswerKind.ASK_OPERATOR, "cancel"))
    moved = replace(_moved(order, action, actor, now), reason=command.reason)
    data = {**_from_to(order, moved), **_because(command.reason)}
    return _happened(moved, EventType.CANCELLED, actor, terms, now, asked="cancel", data=data)


def _complete(order: Order, command: CompleteOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    _check_may_act(actor)
    if order.status is not Status.CONFIRMED:
        return Decision(about(order, AnswerKind.STATE, "complete"))
    if _is_outdated(order, command.revision):
        return Decision(about(order, AnswerKind.OUTDATED, "complete", seen=command.revision))
    not_before = order.deliver_at - terms.policy.complete_early
    if now < not_before:
        return Decision(about(order, AnswerKind.TOO_EARLY, "complete", not_before=not_before))
    moved = _moved(order, Action.COMPLETE, actor, now)
    data = {**_from_to(order, moved), **_because(command.reason)}
    return _happened(moved, EventType.COMPLETED, actor, terms, now, asked="complete", data=data)


def _expire(order: Order, asked: str, terms: Terms, now: datetime) -> Decision:
    moved = _moved(order, Action.EXPIRE, SYSTEM, now)
    decision = _happened(
        moved, EventType.EXPIRED, SYSTEM, terms, now, asked=asked, data=_from_to(order, moved)
    )
    kind = AnswerKind.DONE if asked == "fire" else AnswerKind.STATE
    return replace(decision, answer=replace(decision.answer, kind=kind))


def _afterwards(
    order: Order, command: ReviewOrder | AnswerReview, actor: Actor, terms: Terms, now: datetime
) -> Decision:
    if isinstance(command, ReviewOrder):
        return _review(order, command, actor, terms, now)
    return _answer_review(order, command, actor, terms, now)


def _review(order: Order, command: ReviewOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    if order.status is not Status.COMPLETED:
        return Decision(about(order, AnswerKind.STATE, "review"))
    if order.review and actor.kind is ActorKind.CUSTOMER:
        return Decision(about(order, AnswerKind.STATE, "review"))
    review = Review(command.rating, command.comment, command.author, now)
    if order.review and replace(order.review, at=now, answer=None) == review:
        return Decision(about(order, AnswerKind.NOTHING, "review"))
    data: dict[str, Json] = {"review": dump_review(review), "replaced": order.review is not None}
    decision = _happened(
        replace(order, review=review), EventType.REVIEWED, actor, terms, now, asked="review", data=data
    )
    return replace(decision, timers=None)


def _answer_review(
    order: Order, command: AnswerReview, actor: Actor, terms: Terms, now: datetime
) -> Decision:
    if not (actor.role and actor.role.runs_kitchen):
        raise NotAllowed("role")
    refused = _why_not_answered(order, command)
    if refused:
        return Decision(refused)
    assert order.review  # noqa: S101  (else it was refused)
    by = By(actor.via, actor.name, actor.id)
    text = command.text or THANKS.get(order.customer.locale, THANKS["vi"])
    answer = ReviewAnswer(text, now, by)
    data: dict[str, Json] = {"answer": dump_answer(answer)}
    answered = replace(order, review=replace(order.review, answer=answer))
    kind = EventType.REVIEW_ANSWERED
    decision = _happened(answered, kind, actor, terms, now, asked="answer_review", data=data)
    return replace(decision, timers=None)


def _why_not_answered(order: Order, command: AnswerReview) -> Answer | None:
    asked, review = "answer_review", order.review
    if review is None:
        return about(order, AnswerKind.NOTHING, asked, why="no_review")
    if command.mark not in {None, review.mark}:
        return about(order, AnswerKind.OUTDATED, asked)
    if review.answer:
        return about(order, AnswerKind.STATE, asked)
    if len(command.text) > LONGEST_ANSWER:
        return about(order, AnswerKind.NOTHING, asked, why="length")
    return None


def _change(order: Order, command: ChangeOrder, actor: Actor, terms: Terms, now: datetime) -> Decision:
    if order.status.is_final:
        return Decision(about(order, AnswerKind.STATE, "change"))
    changed = _with_changes(order, command)
    changes = differences(order, changed)
    if not changes:
        return Decision(about(order, AnswerKind.NOTHING, "change"))
    asks_again = order.status is Status.PENDING or bool(_ASK_AGAIN & changes.keys())
    if asks_again and changed.deliver_at <= now:
        raise RuleError("deliver_at_past")
    if changed.total != items_total(changed.items) + changed.fees - changed.discount:
        raise RuleError("total_wrong")
    if changed.total < 0:
        raise RuleError("total_negative")
    changed = replace(changed, revision=order.revision + 1)
    if asks_again:
        changed = replace(changed, asked_at=now)
    if asks_again and order.status is Status.CONFIRMED:
        changed = _moved(changed, Action.CHANGE, actor, now)
    data: dict[str, Json] = {**_from_to(order, changed), "changes": changes}
    decision = _happened(changed, EventType.CHANGED, actor, terms, now, asked="change", data=data)
    return decision if asks_again else replace(decision, timers=None)


_ASK_AGAIN: Final = frozenset({"deliver_at", "items", "total"})


def _with_changes(order: Order, command: ChangeOrder) -> Order:
    items = command.items if command.items is not None else order.items
    fees = command.fees if command.fees is not None else order.fees
    discount = command.discount if command.discount is not None else order.discount
    due = items_total(items) + fees - discount
    return replace(
        order,
        deliver_at=command.deliver_at or order.deliver_at,
        items=items,
        fees=fees,
        discount=discount,
        total=command.total if command.total is not None else due,
        address=command.address if command.address is not None else order.address,
        note=command.note if command.note is not None else order.note,
    )


def differences(before: Order, after: Order) -> dict[str, Json]:
    """Return name → {before, after} of every part that differs."""
    parts: dict[str, tuple[Json, Json]] = {
        "deliver_at": (before.deliver_at.isoformat(), after.deliver_at.isoformat()),
        "items": (_dump_items(before.items), _dump_items(after.items)),
        "fees": (before.fees, after.fees),
        "discount": (before.discount, after.discount),
        "total": (before.total, after.total),
        "address": (before.address, after.address),
        "note": (before.note, after.note),
    }
    return {name: {"before": old, "after": new} for name, (old, new) in parts.items() if old != new}


def _dump_items(items: tuple[Item, ...]) -> Json:
    return [dump_item(item) for item in items]


def _fire(order: Order, terms: Terms, now: datetime) -> Decision:
    timer = terms.timer
    if timer is None or timer.due_at > now:
        return Decision(about(order, AnswerKind.NOTHING, "fire"))
    if timer.kind is TimerKind.DAY_BEFORE:
        return _remind_of_tomorrow(order, terms, now)
    if timer.kind is TimerKind.EXPIRY:  # due, yet not overdue: the clock went back since
        return Decision(about(order, AnswerKind.NOTHING, "fire"))
    return _climb(order, timer, terms, now)


def _remind_of_tomorrow(order: Order, terms: Terms, now: datetime) -> Decision:
    delivery_day = order.deliver_at.astimezone(terms.zone).date()
    due = order.status is Status.CONFIRMED and now.astimezone(terms.zone).date() < delivery_day
    notices = (Owed(NoticeKind.DELIVERY_TOMORROW, delivery_day.isoformat()),) if due else ()
    return Decision(about(order, AnswerKind.DONE, "fire"), notices=notices)


def _climb(order: Order, timer: Planned, terms: Terms, now: datetime) -> Decision:
    """Send the newest step that is due, put the older ones on record, and set the next.

    When the newest finds nobody new, the people of the step before it are told instead. Where the
    settings have changed since the timer was set, no step may be due: the ladder goes on all the same.
    """
    rungs = schedule.ladder(timer.kind, order, terms.policy)
    due = [rung for rung in rungs if timer.due_at <= rung.due_at <= now]
    return Decision(
        about(order, AnswerKind.DONE, "fire"),
        notices=owed.for_rungs(timer.kind, order, due, ladder=rungs) if due else (),
        next_timer=schedule.next_rung(timer.kind, order, terms.policy, after=now),
        skipped=tuple(Planned(timer.kind, rung.name, rung.due_at) for rung in due[:-1]),
    )


def _is_outdated(order: Order, seen: int | None) -> bool:
    return seen is not None and seen != order.revision


def _moved(order: Order, action: Action, actor: Actor, now: datetime) -> Order:
    status = TRANSITIONS[order.status, action]
    return replace(
        order,
        status=status,
        status_changed_at=now,
        status_changed_by=By(actor.via, actor.name, actor.id),
        final_at=now if status.is_final else None,
    )


def _from_to(before: Order, after: Order) -> dict[str, Json]:
    return {"from": before.status.value, "to": after.status.value}


def _because(reason: Reason | None) -> dict[str, Json]:
    return {"reason": dump_reason(reason)} if reason else {}


def _happened(
    order: Order,
    kind: EventType,
    actor: Actor,
    terms: Terms,
    now: datetime,
    *,
    asked: str,
    data: dict[str, Json],
) -> Decision:
    order = replace(order, version=order.version + 1, updated_at=now)
    event = Event(kind, order.version, now, By(actor.via, actor.name, actor.id), data)
    return Decision(
        about(order, AnswerKind.DONE, asked),
        order=order,
        event=event,
        notices=owed.for_event(
            order, event, actor, tell_customer=terms.tell_customer, ask_review=terms.ask_review
        ),
        timers=schedule.plan(order, terms.zone, terms.policy, now=now),
    )


def reason_of(code: int, words: str = "") -> Reason:
    """Return the reason of the short list with this number; 6 keeps the words given.

    Raises RuleError for a number that is not on the list.
    """
    if code not in REASONS:
        raise RuleError("no_such_reason")
    text = words.strip() if code == OTHER_REASON and words.strip() else REASONS[code]
    return Reason(code, text)
