"""What every command does to every order, whoever gives it and when: product.md as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

import pytest

from core import actors
from core.actors import SYSTEM, Actor, Role, Via, operator
from core.errors import NotAllowed, RuleError
from core.notices.kinds import NoticeKind
from core.orders.answers import AnswerKind
from core.orders.commands import (
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
from core.orders.decide import Decision, decide, reason_of
from core.orders.events import EventType
from core.orders.order import By, Item, Order, Reason
from core.orders.status import Status
from core.schedule import Planned, Policy, TimerKind, next_rung, plan
from tests.core.kitchens import (
    DELIVER,
    HOA_KITCHEN,
    LAN,
    PLACED,
    RIVAL,
    SAIGON,
    SHOP,
    placing,
    platform,
    sample_order,
    sample_terms,
    staff_member,
)

ACTORS: Final[Mapping[str, Actor]] = MappingProxyType(
    {
        "owner": staff_member(Role.OWNER),
        "manager": staff_member(Role.MANAGER),
        "kitchen": staff_member(Role.KITCHEN),
        "cashier": staff_member(Role.CASHIER),
        "neighbour": staff_member(Role.OWNER, partner_id=HOA_KITCHEN),
        "shop": platform(),
        "rival": platform(RIVAL, "Ăn Nhanh"),
        "operator": operator("Minh"),
        "system": SYSTEM,
        "customer": actors.CUSTOMER,
    }
)
ACTING: Final = ("owner", "manager", "kitchen")
MOMENTS: Final[Mapping[str, datetime]] = MappingProxyType(
    {
        "early": PLACED + timedelta(hours=1),
        "hour before": DELIVER - timedelta(minutes=60),
        "on time": DELIVER,
        "late": DELIVER + timedelta(microseconds=1),
    }
)
ORDER: Final = sample_order()
COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "confirm": ConfirmOrder(ORDER.id, revision=1),
        "cancel": CancelOrder(ORDER.id, reason_of(2), revision=1),
        "complete": CompleteOrder(ORDER.id, revision=1),
        "move": ChangeOrder(ORDER.id, deliver_at=DELIVER + timedelta(days=1)),
        "note": ChangeOrder(ORDER.id, note="Giao cổng trước"),
        "review": ReviewOrder(ORDER.id, 5, "Ngon", "An"),
        "thank": AnswerReview(ORDER.id, "Cảm ơn bạn"),
        "fire": FireTimer(ORDER.id, UUID(int=1)),
    }
)

# A status: carried out, the order is that now. "(expired)": not carried out, for the order was overdue.
TABLE: Final = """
command   moment       who        pending      confirmed     cancelled  expired    completed
confirm   early        acting     confirmed    state         state      state      state
confirm   on time      acting     confirmed    state         state      state      state
confirm   late         acting     (expired)    state         state      state      state
confirm   early        operator   confirmed    state         state      state      state
confirm   late         operator   (expired)    state         state      state      state
confirm   early        cashier    forbidden    forbidden     forbidden  forbidden  forbidden
confirm   late         cashier    (expired)    forbidden     forbidden  forbidden  forbidden
confirm   early        neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
confirm   late         neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
confirm   early        shop       forbidden    forbidden     forbidden  forbidden  forbidden
confirm   early        rival      forbidden    forbidden     forbidden  forbidden  forbidden
confirm   early        system     forbidden    forbidden     forbidden  forbidden  forbidden
cancel    early        acting     cancelled    ask_operator  state      state      state
cancel    late         acting     (expired)    ask_operator  state      state      state
cancel    early        operator   cancelled    cancelled     state      state      state
cancel    late         operator   (expired)    cancelled     state      state      state
cancel    early        shop       cancelled    cancelled     state      state      state
cancel    late         shop       (expired)    cancelled     state      state      state
cancel    early        cashier    forbidden    forbidden     forbidden  forbidden  forbidden
cancel    early        neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
cancel    early        rival      forbidden    forbidden     forbidden  forbidden  forbidden
cancel    early        system     forbidden    forbidden     forbidden  forbidden  forbidden
complete  early        acting     state        too_early     state      state      state
complete  hour before  acting     state        completed     state      state      state
complete  on time      acting     state        completed     state      state      state
complete  late         acting     (expired)    completed     state      state      state
complete  early        operator   state        too_early     state      state      state
complete  late         operator   (expired)    completed     state      state      state
complete  hour before  cashier    forbidden    forbidden     forbidden  forbidden  forbidden
complete  hour before  neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
complete  hour before  shop       forbidden    forbidden     forbidden  forbidden  forbidden
complete  hour before  rival      forbidden    forbidden     forbidden  forbidden  forbidden
complete  hour before  system     forbidden    forbidden     forbidden  forbidden  forbidden
move      early        shop       pending      pending       state      state      state
move      late         shop       (expired)    pending       state      state      state
move      early        operator   pending      pending       state      state      state
move      early        acting     forbidden    forbidden     forbidden  forbidden  forbidden
move      early        cashier    forbidden    forbidden     forbidden  forbidden  forbidden
move      early        neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
move      early        rival      forbidden    forbidden     forbidden  forbidden  forbidden
move      early        system     forbidden    forbidden     forbidden  forbidden  forbidden
note      early        shop       pending      confirmed     state      state      state
note      late         shop       (expired)    confirmed     state      state      state
note      early        operator   pending      confirmed     state      state      state
note      early        rival      forbidden    forbidden     forbidden  forbidden  forbidden
review    late         shop       (expired)    state         state      state      completed
review    early        operator   state        state         state      state      completed
review    early        acting     forbidden    forbidden     forbidden  forbidden  forbidden
review    early        rival      forbidden    forbidden     forbidden  forbidden  forbidden
review    early        system     forbidden    forbidden     forbidden  forbidden  forbidden
review    early        customer   state        state         state      state      completed
confirm   early        customer   forbidden    forbidden     forbidden  forbidden  forbidden
cancel    early        customer   forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        owner      nothing      nothing       nothing    nothing    nothing
thank     early        manager    nothing      nothing       nothing    nothing    nothing
thank     early        kitchen    forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        cashier    forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        neighbour  forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        shop       forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        operator   forbidden    forbidden     forbidden  forbidden  forbidden
thank     early        customer   forbidden    forbidden     forbidden  forbidden  forbidden
fire      early        system     nothing      nothing       nothing    nothing    nothing
fire      on time      system     nothing      nothing       nothing    nothing    nothing
fire      late         system     expired      nothing       nothing    nothing    nothing
fire      late         acting     forbidden    forbidden     forbidden  forbidden  forbidden
fire      late         operator   forbidden    forbidden     forbidden  forbidden  forbidden
fire      late         shop       forbidden    forbidden     forbidden  forbidden  forbidden
"""


def rows() -> Iterator[tuple[str, str, str, Status, str]]:
    """Yield command, moment, actor, status and what is expected, one for each cell of the table."""
    head, *lines = TABLE.strip().splitlines()
    columns = [head.index(name) for name in head.split()]
    for line in lines:
        cells = [
            line[start:end].strip() for start, end in zip(columns, [*columns[1:], len(line)], strict=True)
        ]
        command, moment, who, *expected = cells
        for name in ACTING if who == "acting" else (who,):
            for status, outcome in zip(head.split()[3:], expected, strict=True):
                yield command, moment, name, Status(status), outcome


def standing(status: Status) -> Order:
    """Return the sample order as it stands in this status."""
    final_at = PLACED if status.is_final else None
    return sample_order(
        status=status, version=3, final_at=final_at, status_changed_by=By(Via.ZALO, "Lan", LAN)
    )


def outcome_of(order: Order, command: Command, actor: Actor, now: datetime) -> str:
    """Return in the table's words what the command does."""
    try:
        decision = decide(order, command, actor=actor, terms=sample_terms(), now=now)
    except NotAllowed:
        return "forbidden"
    if decision.order is None:
        return decision.answer.kind.value
    status = decision.order.status.value
    return status if decision.answer.kind is AnswerKind.DONE else f"({status})"


@pytest.mark.parametrize(("command", "moment", "who", "status", "expected"), list(rows()))
def test_the_table_of_commands(command: str, moment: str, who: str, status: Status, expected: str) -> None:
    """Each cell: this command at this moment by this actor on an order in this status."""
    assert outcome_of(standing(status), COMMANDS[command], ACTORS[who], MOMENTS[moment]) == expected


OUTDATED: Final = """
command   pending    confirmed  cancelled  expired    completed
confirm   outdated   state      state      state      state
cancel    outdated   outdated   state      state      state
complete  state      outdated   state      state      state
"""


@pytest.mark.parametrize("line", OUTDATED.strip().splitlines()[1:])
def test_an_old_card_shows_and_does_not_act(line: str) -> None:
    """A button made for content that has changed since says so, unless the order is settled anyway."""
    name, *expected = line.split()
    commands: dict[str, Command] = {
        "confirm": ConfirmOrder(ORDER.id, revision=1),
        "cancel": CancelOrder(ORDER.id, reason_of(1), revision=1),
        "complete": CompleteOrder(ORDER.id, revision=1),
    }
    for status, outcome in zip(Status, expected, strict=True):
        changed = replace(standing(status), revision=2)
        assert outcome_of(changed, commands[name], ACTORS["owner"], MOMENTS["hour before"]) == outcome


def test_a_typed_code_needs_no_revision() -> None:
    """Whoever types XN 48273 means the order as it is."""
    changed = sample_order(revision=7)
    assert outcome_of(changed, ConfirmOrder(ORDER.id), ACTORS["owner"], PLACED) == "confirmed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"deliver_at": PLACED}, "deliver_at_past"),
        ({"ordered_at": PLACED + timedelta(seconds=1)}, "ordered_at_future"),
        ({"total": 1_220_001}, "total_wrong"),
        ({"fees": 0}, "total_wrong"),
        ({"items": (Item("Cơm gà", 1, 45_000),)}, "total_wrong"),
    ],
)
def test_what_cannot_be_placed(wrong: dict[str, object], code: str) -> None:
    """The rules name what is wrong."""
    with pytest.raises(RuleError) as refusal:
        decide(None, replace(placing(), **wrong), actor=platform(), terms=sample_terms(), now=PLACED)  # type: ignore[arg-type]
    assert refusal.value.code == code


@pytest.mark.parametrize("who", [name for name in ACTORS if name != "shop"])
def test_only_the_platform_itself_places_its_orders(who: str) -> None:
    """Neither staff, nor operators, nor another platform."""
    with pytest.raises(NotAllowed):
        decide(None, placing(), actor=ACTORS[who], terms=sample_terms(), now=PLACED)


def test_a_paused_kitchen_takes_no_orders() -> None:
    """Until the moment its pause ends."""
    terms = sample_terms(paused_until=PLACED + timedelta(hours=1))
    with pytest.raises(RuleError, match="partner_paused"):
        decide(None, placing(), actor=platform(), terms=terms, now=PLACED)
    later = decide(None, placing(), actor=platform(), terms=terms, now=PLACED + timedelta(hours=1))
    assert later.order is not None


def test_a_placed_order_waits_for_the_kitchen() -> None:
    """It is pending, in its first version and revision, and its order day is today."""
    command = placing()
    order = taken(decide(None, command, actor=platform(), terms=sample_terms(), now=PLACED))
    expected = replace(ORDER, id=command.order_id)
    assert order == expected


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "fire"])
def test_nobody_acts_on_what_is_not_there(command: str) -> None:
    """An unknown order is forbidden like somebody else's: nothing can be learned from the answer."""
    with pytest.raises(NotAllowed, match="no_such_order"):
        decide(None, COMMANDS[command], actor=operator("Minh"), terms=sample_terms(), now=PLACED)


def taken(decision: Decision) -> Order:
    """Return the new order of a decision that changed it."""
    assert decision.order is not None
    return decision.order


def kinds(decision: Decision) -> set[NoticeKind]:
    """Return the kinds of notices that are owed."""
    return {owed.kind for owed in decision.notices}


def carried_out(
    command: str, who: str, status: Status, moment: str = "early", *, tell: bool = True
) -> Decision:
    """Return the decision on an order in this status."""
    terms = sample_terms(tell_customer=tell)
    return decide(standing(status), COMMANDS[command], actor=ACTORS[who], terms=terms, now=MOMENTS[moment])


PENDING, CONFIRMED, COMPLETED = Status.PENDING, Status.CONFIRMED, Status.COMPLETED
COLLEAGUE, CUSTOMER = NoticeKind.COLLEAGUE_ACTED, NoticeKind.CUSTOMER_CANCELLED


@pytest.mark.parametrize(
    ("decision", "event", "owed"),
    [
        (carried_out("confirm", "owner", PENDING), EventType.CONFIRMED, {COLLEAGUE}),
        (carried_out("confirm", "operator", PENDING), EventType.CONFIRMED, {NoticeKind.ORDER_CONFIRMED}),
        (carried_out("cancel", "owner", PENDING), EventType.CANCELLED, {COLLEAGUE, CUSTOMER}),
        (carried_out("cancel", "owner", PENDING, tell=False), EventType.CANCELLED, {COLLEAGUE}),
        (
            carried_out("cancel", "shop", CONFIRMED),
            EventType.CANCELLED,
            {NoticeKind.ORDER_CANCELLED, CUSTOMER},
        ),
        (
            carried_out("cancel", "operator", CONFIRMED),
            EventType.CANCELLED,
            {NoticeKind.ORDER_CANCELLED, CUSTOMER},
        ),
        (
            carried_out("complete", "owner", CONFIRMED, "on time"),
            EventType.COMPLETED,
            {COLLEAGUE, NoticeKind.ORDER_COMPLETED},
        ),
        (
            carried_out("complete", "operator", CONFIRMED, "on time"),
            EventType.COMPLETED,
            {NoticeKind.OPERATOR_COMPLETED, NoticeKind.ORDER_COMPLETED},
        ),
        (carried_out("move", "shop", CONFIRMED), EventType.CHANGED, {NoticeKind.ORDER_CHANGED}),
        (carried_out("note", "shop", CONFIRMED), EventType.CHANGED, {NoticeKind.ORDER_CHANGED}),
        (carried_out("review", "shop", COMPLETED), EventType.REVIEWED, {NoticeKind.REVIEW_RECEIVED}),
        (
            carried_out("fire", "system", PENDING, "late"),
            EventType.EXPIRED,
            {NoticeKind.ORDER_EXPIRED, CUSTOMER},
        ),
        (
            carried_out("confirm", "owner", PENDING, "late"),
            EventType.EXPIRED,
            {NoticeKind.ORDER_EXPIRED, CUSTOMER},
        ),
        (
            carried_out("fire", "system", PENDING, "late", tell=False),
            EventType.EXPIRED,
            {NoticeKind.ORDER_EXPIRED},
        ),
    ],
)
def test_who_is_owed_a_word(decision: Decision, event: EventType, owed: set[NoticeKind]) -> None:
    """The table of notices, N1 to N9 and C1, by event and by who made it."""
    assert decision.event is not None
    assert decision.event.type is event
    assert kinds(decision) == owed


def test_a_new_order_owes_the_kitchen_one_notice() -> None:
    """N1, with both timers of an order that waits."""
    decision = decide(None, placing(), actor=platform(), terms=sample_terms(), now=PLACED)
    assert kinds(decision) == {NoticeKind.ORDER_NEW}
    assert {timer.kind for timer in decision.timers or ()} == {TimerKind.EXPIRY, TimerKind.CONFIRM_LADDER}


@pytest.mark.parametrize(
    "decision",
    [
        carried_out("cancel", "owner", PENDING),
        carried_out("complete", "owner", CONFIRMED, "on time"),
        carried_out("fire", "system", PENDING, "late"),
    ],
)
def test_a_final_status_kills_every_timer(decision: Decision) -> None:
    """The new plan is empty, and the moment is on record."""
    order = taken(decision)
    assert decision.timers == ()
    assert order.final_at == order.status_changed_at == order.updated_at


def test_the_event_tells_who_when_and_why() -> None:
    """The audit trail: who by which way, from what to what, with the reason."""
    decision = carried_out("cancel", "owner", PENDING)
    assert decision.event is not None
    assert decision.event.by == By(Via.ZALO, "Lan", LAN)
    assert decision.event.at == MOMENTS["early"]
    assert decision.event.version == 4
    assert decision.event.data == {
        "from": "pending",
        "to": "cancelled",
        "reason": {"code": 2, "text": "Quá tải"},
    }
    assert taken(decision).reason == Reason(2, "Quá tải")


def test_the_loser_hears_who_won() -> None:
    """Whoever comes second is told the state, who made it so, when and by which way."""
    confirmed = taken(carried_out("confirm", "owner", PENDING))
    answer = decide(
        confirmed, COMMANDS["cancel"], actor=operator("Minh"), terms=sample_terms(), now=MOMENTS["late"]
    ).answer
    assert answer.kind is AnswerKind.DONE
    again = decide(
        confirmed, COMMANDS["confirm"], actor=ACTORS["manager"], terms=sample_terms(), now=MOMENTS["late"]
    ).answer
    assert (again.kind, again.by, again.at) == (
        AnswerKind.STATE,
        By(Via.ZALO, "Lan", LAN),
        MOMENTS["early"],
    )


def test_too_early_says_from_when() -> None:
    """An hour before delivery."""
    answer = carried_out("complete", "owner", CONFIRMED).answer
    assert answer.not_before == DELIVER - timedelta(minutes=60)


@pytest.mark.parametrize(
    ("change", "asks_again"),
    [
        ({"deliver_at": DELIVER + timedelta(minutes=1)}, True),
        ({"items": (Item("Cơm gà", 20, 45_000),)}, True),
        ({"fees": 0}, True),
        ({"address": "5 Nguyễn Huệ"}, False),
        ({"note": ""}, False),
    ],
)
def test_only_time_and_items_must_be_confirmed_again(change: dict[str, object], asks_again: bool) -> None:
    """A new address leaves a confirmed order confirmed, and its timers alone."""
    command = ChangeOrder(ORDER.id, **change)  # type: ignore[arg-type]
    decision = decide(standing(CONFIRMED), command, actor=platform(), terms=sample_terms(), now=PLACED)
    assert taken(decision).status is (PENDING if asks_again else CONFIRMED)
    assert taken(decision).revision == 2
    assert (decision.timers is not None) == asks_again


@pytest.mark.parametrize(
    ("status", "command", "asks_again"),
    [(PENDING, "note", True), (PENDING, "move", True), (CONFIRMED, "note", False), (CONFIRMED, "move", True)],
)
def test_what_is_asked_again_is_asked_from_then_on(status: Status, command: str, asks_again: bool) -> None:
    """The ladder is climbed anew from the change; where nothing is asked it stays as it was."""
    order = standing(status)
    now = MOMENTS["early"]
    decision = decide(order, COMMANDS[command], actor=platform(), terms=sample_terms(), now=now)
    assert taken(decision).asked_at == (now if asks_again else order.asked_at)
    assert (decision.timers is not None) is asks_again


@pytest.mark.parametrize(
    ("status", "command"),
    [
        (PENDING, ConfirmOrder(ORDER.id, reason=Reason(6, "Quán gọi điện nhận"))),
        (CONFIRMED, CompleteOrder(ORDER.id, reason=Reason(6, "Quán gọi điện nhận"))),
        (PENDING, CancelOrder(ORDER.id, Reason(6, "Quán gọi điện nhận"))),
    ],
    ids=["confirm", "complete", "cancel"],
)
def test_why_an_operator_acted_stands_in_the_event(status: Status, command: Command) -> None:
    """Whoever reads the order's history sees it."""
    decision = decide(
        standing(status), command, actor=operator("Minh"), terms=sample_terms(), now=MOMENTS["on time"]
    )
    assert decision.event
    assert decision.event.data["reason"] == {"code": 6, "text": "Quán gọi điện nhận"}


def test_a_change_without_a_difference_is_none() -> None:
    """Nothing happens, no version and no revision is used."""
    command = ChangeOrder(ORDER.id, deliver_at=DELIVER, note=ORDER.note)
    decision = decide(ORDER, command, actor=platform(), terms=sample_terms(), now=PLACED)
    assert decision.order is None
    assert decision.answer.kind is AnswerKind.NOTHING


@pytest.mark.parametrize(
    ("change", "code"),
    [({"deliver_at": PLACED}, "deliver_at_past"), ({"total": 1}, "total_wrong")],
)
def test_what_cannot_be_changed(change: dict[str, object], code: str) -> None:
    """The rules of placing hold for changing."""
    command = ChangeOrder(ORDER.id, **change)  # type: ignore[arg-type]
    with pytest.raises(RuleError) as refusal:
        decide(ORDER, command, actor=platform(), terms=sample_terms(), now=PLACED)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "command",
    [
        ChangeOrder(ORDER.id, note="Giao cổng trước", versions=frozenset({90})),
        CancelOrder(ORDER.id, reason_of(2), versions=frozenset()),
        ReviewOrder(ORDER.id, 5, "Ngon", "An", versions=frozenset({90, 91})),
    ],
    ids=["change", "cancel", "review"],
)
@pytest.mark.parametrize("status", [PENDING, CONFIRMED, Status.CANCELLED])
def test_a_platform_that_goes_by_another_version_is_told_so(command: Command, status: Status) -> None:
    """Before anything else, a final status too: it has not seen how the order is."""
    order = standing(status)
    with pytest.raises(RuleError, match="version_mismatch") as refusal:
        decide(order, command, actor=platform(), terms=sample_terms(), now=PLACED)
    assert refusal.value.facts == {"version": order.version}


def test_a_platform_that_goes_by_this_version_is_heard() -> None:
    """One of the versions it names is enough."""
    command = ChangeOrder(ORDER.id, note="Giao cổng trước", versions=frozenset({ORDER.version, 9}))
    decision = decide(ORDER, command, actor=platform(), terms=sample_terms(), now=PLACED)
    assert taken(decision).note == "Giao cổng trước"


@pytest.mark.parametrize("moment", ["on time", "late"])
def test_what_must_be_confirmed_again_needs_time_for_it(moment: str) -> None:
    """A confirmed order whose delivery has come keeps its dishes: asked again it would be overdue at once."""
    other_dishes = ChangeOrder(ORDER.id, items=(Item("Cơm gà", 10, 45_000),))
    with pytest.raises(RuleError, match="deliver_at_past"):
        decide(standing(CONFIRMED), other_dishes, actor=platform(), terms=sample_terms(), now=MOMENTS[moment])


def test_changed_items_bring_their_total() -> None:
    """Where no total is given it follows from items, fees and discount."""
    command = ChangeOrder(ORDER.id, items=(Item("Cơm gà", 10, 45_000),))
    order = taken(decide(ORDER, command, actor=platform(), terms=sample_terms(), now=PLACED))
    assert order.total == 450_000 + 30_000 - 10_000


def test_a_second_review_replaces_the_first() -> None:
    """The order keeps one review, the trail keeps both."""
    first = taken(carried_out("review", "shop", COMPLETED))
    second = decide(
        first,
        ReviewOrder(ORDER.id, 2, "Nguội", "An"),
        actor=platform(),
        terms=sample_terms(),
        now=MOMENTS["late"],
    )
    assert taken(second).review is not None
    assert second.event is not None
    assert second.event.data["replaced"] is True
    assert second.timers is None


def test_the_same_review_again_changes_nothing() -> None:
    """A platform that repeats itself does not have the kitchen told twice."""
    first = taken(carried_out("review", "shop", COMPLETED))
    again = decide(
        first,
        ReviewOrder(ORDER.id, 5, "Ngon", "An"),
        actor=platform(),
        terms=sample_terms(),
        now=MOMENTS["late"],
    )
    assert (again.order, again.event, again.notices) == (None, None, ())
    assert again.answer.kind is AnswerKind.NOTHING


def test_a_customer_says_it_once() -> None:
    """A link replaces nothing, whoever spoke before: only the platform may."""
    first = taken(carried_out("review", "shop", COMPLETED))
    again = decide(
        first,
        ReviewOrder(ORDER.id, 1, "Nguội", "Bình"),
        actor=actors.CUSTOMER,
        terms=sample_terms(),
        now=MOMENTS["late"],
    )
    assert (again.order, again.event, again.notices) == (None, None, ())
    assert again.answer.kind is AnswerKind.STATE


@pytest.mark.parametrize("code", [0, 7, -1])
def test_a_reason_must_be_on_the_list(code: int) -> None:
    """There are six."""
    with pytest.raises(RuleError, match="no_such_reason"):
        reason_of(code)


def test_reason_six_keeps_the_words() -> None:
    """A bare 6 is taken as Khác; the other reasons have words of their own."""
    assert reason_of(6, "  Bếp hỏng ") == Reason(6, "Bếp hỏng")
    assert reason_of(6) == Reason(6, "Khác")
    assert reason_of(1, "gì đó") == Reason(1, "Hết món")


def test_an_expiry_timer_that_rings_too_early_does_nothing() -> None:
    """Now equal to the delivery time is not late; nor is a clock that was put back."""
    timer = Planned(TimerKind.EXPIRY, "expire", DELIVER)
    decision = decide(ORDER, COMMANDS["fire"], actor=SYSTEM, terms=sample_terms(timer=timer), now=DELIVER)
    assert decision.order is None


@pytest.mark.parametrize(
    ("order", "kind", "policy"),
    [
        (
            ORDER,
            TimerKind.CONFIRM_LADDER,
            Policy(confirm_nudges_after=(timedelta(minutes=20), timedelta(minutes=40))),
        ),
        (
            replace(ORDER, status=Status.CONFIRMED),
            TimerKind.COMPLETION_LADDER,
            Policy(completion_notice_after=timedelta(minutes=20)),
        ),
    ],
    ids=["confirm", "complete"],
)
def test_a_ladder_outlives_a_change_of_settings(order: Order, kind: TimerKind, policy: Policy) -> None:
    """Its live timer was set by the old settings: firing between two new steps, it sets the next one."""
    timer = next(timer for timer in plan(order, SAIGON, Policy(), now=PLACED) if timer.kind is kind)
    terms = sample_terms(policy=policy, timer=timer)
    decision = decide(order, FireTimer(order.id, UUID(int=1)), actor=SYSTEM, terms=terms, now=timer.due_at)
    assert decision.notices == ()
    assert decision.next_timer == next_rung(kind, order, policy, after=timer.due_at)
    assert decision.next_timer is not None


def test_every_command_and_actor_stands_in_the_table() -> None:
    """Nobody adds a command without saying who may give it."""
    written = {(command, who) for command, _, who, _, _ in rows()}
    assert {command for command, _ in written} == set(COMMANDS)
    assert {who for _, who in written} == set(ACTORS)
    assert {type(command) for command in COMMANDS.values()} | {PlaceOrder} == set(Command.__args__)
    assert platform().id == SHOP
