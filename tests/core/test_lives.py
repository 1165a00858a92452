"""Whatever happens to an order, in whatever sequence: what always holds, found by property."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from core.actors import SYSTEM, Actor, Role, operator
from core.errors import RuleError
from core.notices.kinds import NoticeKind, is_obsolete
from core.notices.owed import Owed
from core.orders.answers import AnswerKind
from core.orders.commands import (
    CancelOrder,
    ChangeOrder,
    Command,
    CompleteOrder,
    ConfirmOrder,
    FireTimer,
    ReviewOrder,
)
from core.orders.decide import Decision, decide, reason_of
from core.orders.events import EventType
from core.orders.order import Item, Order, items_total
from core.orders.status import TRANSITIONS, Status
from core.schedule import Planned, TimerKind
from tests.core.kitchens import (
    DELIVER,
    HOA_KITCHEN,
    PLACED,
    RIVAL,
    placing,
    platform,
    sample_order,
    sample_terms,
    staff_member,
)

ID: Final = sample_order().id
WAYS: Final = {(before, after) for (before, _), after in TRANSITIONS.items()}

moments = st.datetimes(DELIVER.replace(tzinfo=None) - timedelta(days=4), DELIVER.replace(tzinfo=None)).map(
    lambda moment: moment.replace(tzinfo=DELIVER.tzinfo)
)
items = st.lists(
    st.builds(Item, st.sampled_from(["Cơm gà", "Phở"]), st.integers(1, 40), st.integers(0, 90_000)),
    min_size=1,
    max_size=3,
).map(tuple)
revisions = st.none() | st.integers(1, 4)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(ConfirmOrder, st.just(ID), revisions),
    st.builds(CancelOrder, st.just(ID), st.integers(1, 6).map(reason_of), revisions),
    st.builds(CompleteOrder, st.just(ID), revisions),
    st.builds(
        ChangeOrder,
        st.just(ID),
        deliver_at=st.none() | moments,
        items=st.none() | items,
        fees=st.none() | st.integers(0, 50_000),
        total=st.none() | st.integers(0, 2_000_000),
        note=st.none() | st.sampled_from(["", "Giao cổng sau"]),
    ),
    st.builds(ReviewOrder, st.just(ID), st.integers(1, 5), st.just("Ngon"), st.just("An")),
    st.just(FireTimer(ID, UUID(int=1))),
)
actors = st.sampled_from(
    [
        *(staff_member(role) for role in Role),
        staff_member(Role.OWNER, partner_id=HOA_KITCHEN),
        platform(),
        platform(RIVAL),
        operator("Minh"),
        SYSTEM,
    ]
)
jumps = st.timedeltas(timedelta(), timedelta(days=2))


@dataclass
class Life:
    """An order with its timers, moved by decisions and checked after each."""

    now: datetime = PLACED
    order: Order = field(default_factory=sample_order)
    timers: dict[TimerKind, Planned] = field(default_factory=dict)
    owed: set[tuple[NoticeKind, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        placed = decide(None, placing(order_id=ID), actor=platform(), terms=sample_terms(), now=PLACED)
        assert placed.order is not None
        self.order = placed.order
        self._keep(placed)

    def _keep(self, decision: Decision) -> None:
        if decision.timers is not None:
            self.timers = {timer.kind: timer for timer in decision.timers}
        if decision.next_timer:
            self.timers[decision.next_timer.kind] = decision.next_timer
        self.owed |= {(owed.kind, owed.occasion) for owed in decision.notices}

    def gives(self, command: Command, actor: Actor) -> None:
        """Decide, check what follows, and go on from there."""
        timer = self._next_timer() if isinstance(command, FireTimer) else None
        terms = sample_terms(timer=timer)
        try:
            decision = decide(self.order, command, actor=actor, terms=terms, now=self.now)
        except RuleError:
            return
        if timer and timer.due_at <= self.now:
            del self.timers[timer.kind]
        check(self.order, decision, self.now)
        check_notices(decision.notices, decision.order or self.order)
        self.order = decision.order or self.order
        self._keep(decision)
        self.check_plan()

    def _next_timer(self) -> Planned | None:
        return min(self.timers.values(), key=lambda timer: timer.due_at, default=None)

    def check_plan(self) -> None:
        """Only what the status calls for is planned, and every waiting order will expire."""
        planned = set(self.timers)
        if self.order.status is Status.PENDING:
            assert TimerKind.EXPIRY in planned
            assert planned <= {TimerKind.EXPIRY, TimerKind.CONFIRM_LADDER}
        elif self.order.status is Status.CONFIRMED:
            assert planned <= {TimerKind.DAY_BEFORE, TimerKind.COMPLETION_LADDER}
        else:
            assert not planned


def check(before: Order, decision: Decision, now: datetime) -> None:
    """What holds for every decision on this order."""
    after, event = decision.order, decision.event
    assert (after is None) == (event is None), "an order changes with an event, and only so"
    if after is None or event is None:
        return
    assert after.version == before.version + 1 == event.version
    assert after.updated_at == event.at == now
    assert (after.status == before.status) or (before.status, after.status) in WAYS
    assert (after.final_at is not None) == after.status.is_final
    assert after.total == items_total(after.items) + after.fees - after.discount
    assert not before.status.is_final or event.type is EventType.REVIEWED
    assert (after.revision == before.revision + 1) == (event.type is EventType.CHANGED)
    assert after.revision - before.revision in {0, 1}
    assert (content(before) != content(after)) == (event.type is EventType.CHANGED)
    assert (after.status is Status.EXPIRED) == (event.type is EventType.EXPIRED)
    if after.status is Status.EXPIRED:
        assert now > before.deliver_at
        assert event.by.name == SYSTEM.name
    if event.type is EventType.CONFIRMED:
        assert now <= before.deliver_at


def content(order: Order) -> tuple[object, ...]:
    """Return what a revision stands for."""
    return (order.deliver_at, order.items, order.fees, order.discount, order.address, order.note)


def check_notices(notices: tuple[Owed, ...], order: Order) -> None:
    """Nothing is owed that is obsolete at once: no "please confirm" after the order moved on."""
    for owed in notices:
        assert not is_obsolete(
            owed.kind, order.status, revision=order.revision, revision_now=order.revision
        ), owed.kind


@given(st.lists(st.tuples(jumps, commands, actors), max_size=30))
def test_every_life_keeps_the_rules(steps: list[tuple[timedelta, Command, Actor]]) -> None:
    """Random commands by anybody, late timers, leaps of time: each step is checked."""
    life = Life()
    for jump, command, actor in steps:
        life.now += jump
        life.gives(command, actor)


@given(st.lists(st.tuples(jumps, commands, actors), max_size=30))
def test_a_customer_hears_of_every_order_that_will_not_come(
    steps: list[tuple[timedelta, Command, Actor]],
) -> None:
    """Cancelled or expired: once the status is there, the notice is owed, and never otherwise."""
    life = Life()
    for jump, command, actor in steps:
        life.now += jump
        life.gives(command, actor)
    will_not_come = life.order.status in {Status.CANCELLED, Status.EXPIRED}
    assert ((NoticeKind.CUSTOMER_CANCELLED, "once") in life.owed) == will_not_come


@given(st.lists(st.tuples(commands, actors), max_size=10), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_the_timers_alone_bring_every_order_to_an_end_or_to_the_operators(
    steps: list[tuple[Command, Actor]], late: timedelta
) -> None:
    """In silence a waiting order expires, an uncompleted one is told to the operators."""
    life = Life()
    for command, actor in steps:
        life.gives(command, actor)
    while life.timers:
        due = min(timer.due_at for timer in life.timers.values())
        life.now = max(life.now, due + late)
        life.gives(FireTimer(ID, UUID(int=1)), SYSTEM)
    assert life.order.status is not Status.PENDING
    if life.order.status is Status.CONFIRMED:
        assert NoticeKind.NOT_COMPLETED in {kind for kind, _ in life.owed}


@given(commands, actors, st.sampled_from(Status), st.timedeltas(timedelta(), timedelta(days=5)))
def test_a_repeated_command_changes_nothing_more(
    command: Command, actor: Actor, status: Status, after: timedelta
) -> None:
    """Asked a second time at the same moment, confirm, cancel, complete and change find it done."""
    order = sample_order(status=status, final_at=PLACED if status.is_final else None)
    if isinstance(command, ReviewOrder):
        return
    try:
        first = decide(order, command, actor=actor, terms=sample_terms(), now=PLACED + after)
        second = decide(first.order or order, command, actor=actor, terms=sample_terms(), now=PLACED + after)
    except RuleError:
        return
    assert second.order is None
    assert second.event is None
    assert second.answer.kind is not AnswerKind.DONE
