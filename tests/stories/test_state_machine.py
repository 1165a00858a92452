"""Random lives of orders on the real database: whatever happens in whatever order, the promises hold."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import ids, outbox
from core.actors import Actor, Role, operator
from core.channels import ChannelName, Sent
from core.clock import real_now
from core.database import Database, connect
from core.errors import ChotDonError
from core.ledger import Ledger, StaffRef
from core.notices.kinds import NoticeKind
from core.orders.answers import Answer
from core.orders.commands import CancelOrder, ChangeOrder, Command, CompleteOrder, ConfirmOrder, ReviewOrder
from core.orders.order import Item, OrderId, Reason
from core.orders.status import FINAL, TRANSITIONS, Status
from core.outbox import Attempt, Ways
from jobs.timers import fire_due
from tests.core.kitchens import (
    RIVAL,
    SHOP,
    add_partner,
    add_person,
    add_platform,
    ledger_of,
    place,
)

WAYS: Final = Ways((ChannelName.ZALO,), lambda *_: True, ("truc-ca@chotdon.example",))
PAIRS: Final = {(before.value, after.value) for (before, _), after in TRANSITIONS.items()}
ASKS: Final = frozenset({NoticeKind.ORDER_NEW, NoticeKind.CONFIRM_NUDGE})
DEEDS: Final = ("confirm", "decline", "withdraw", "complete", "move", "note", "review")
WHO: Final = ("Lan", "Lan", "Minh", "shop", "shop", "operator", "Thu ngân", "rival")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Given:
    """A command as it was submitted, and how it ended."""

    command: Command
    actor: Actor | StaffRef
    key: str
    ended: Answer | str


class Lives(RuleBasedStateMachine):
    """Orders of one kitchen; for one platform we tell its customers, the other tells its own."""

    database_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.connection = connect(self.database_url)
        self.database: Database = self.does(self.connection.__aenter__())
        self.ledger: Ledger = self.does(ledger_of(self.database).__aenter__())
        self.orders: list[OrderId] = []
        self.given: list[Given] = []
        self.actors: dict[str, Actor | StaffRef] = {}

    def teardown(self) -> None:
        """Close everything that this life had open."""
        self.does(self.ledger.__aexit__(None, None, None))
        self.does(self.connection.__aexit__(None, None, None))
        self.runner.close()

    def does(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run to the end, on this life's own loop."""
        return self.runner.run(work)

    @initialize()
    def opens(self) -> None:
        """A kitchen with three people, and two platforms."""
        self.does(self._open())

    async def _open(self) -> None:
        await self.database.pool.execute("TRUNCATE partners, platforms, inbox, alarms CASCADE")
        await self.database.pool.execute("UPDATE clock SET ahead = '0'")
        await self.database.set_clock()
        await add_partner(self.database)
        shop = await add_platform(self.database, SHOP)
        rival = await add_platform(self.database, RIVAL, name="Ăn Vặt", notify_customer=False)
        self.actors = {"shop": shop, "rival": rival, "operator": operator("Hà")}
        for name, role in (("Lan", Role.OWNER), ("Minh", Role.KITCHEN), ("Thu ngân", Role.CASHIER)):
            person = await add_person(self.database, name, role, zalo=f"40{len(self.actors)}", notify=True)
            self.actors[name] = person.taps()

    # --- what happens --------------------------------------------------------------------------------

    @rule(hours=st.integers(1, 120), platform=st.sampled_from((SHOP, RIVAL)))
    def places(self, hours: int, platform: UUID) -> None:
        """One more order; the worker that was woken turns it into messages at once."""
        deliver_at = self.database.clock.now() + timedelta(hours=hours)
        self.orders.append(
            self.does(place(self.database, self.ledger, platform_id=platform, deliver_at=deliver_at))
        )
        self.routes()

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def gives(self, data: st.DataObject) -> None:
        """Somebody gives a command, theirs to give or not, having seen the present order or an old one."""
        self.does(self._submit(*self._draw(data)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), many=st.integers(2, 5))
    def gives_together(self, data: st.DataObject, many: int) -> None:
        """Several commands at the same moment."""
        drawn = [self._draw(data) for _ in range(many)]

        async def all_at_once() -> None:
            await asyncio.gather(*(self._submit(*one) for one in drawn))

        self.does(all_at_once())

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def repeats(self, data: st.DataObject) -> None:
        """A gateway sends something again, any time later: the same answer, and nothing more."""
        given = data.draw(st.sampled_from(self.given))
        before = self.does(self._everything())
        ended = self.does(self._end_of(given.command, given.actor, given.key))
        if isinstance(given.ended, Answer):
            assert isinstance(ended, Answer)
            assert ended == given.ended
            assert ended.replayed
            assert self.does(self._everything()) == before

    @rule(minutes=st.sampled_from((1, 16, 31, 90, 300, 1500, 4000)))
    def time_passes(self, minutes: int) -> None:
        """The clock leaps; nobody looks yet."""
        self.does(self._leap(timedelta(minutes=minutes)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def delivery_comes_near(self, data: st.DataObject) -> None:
        """The clock leaps to half an hour before a delivery, when it can be completed."""
        order_id = data.draw(st.sampled_from(self.orders))
        left: timedelta = self.does(self._left(order_id))
        if left > timedelta(minutes=30):
            self.does(self._leap(left - timedelta(minutes=30)))

    @rule()
    def sweeps(self) -> None:
        """The timers that are due fire; afterwards nothing waits beyond its delivery."""
        self.does(fire_due(self.database, self.ledger))
        late = self.does(self._count("orders WHERE status = 'pending' AND deliver_at < $1"))
        assert late == 0

    @rule()
    def routes(self) -> None:
        """A worker turns what is owed into messages; they wait for their turn."""
        self.does(outbox.route(self.database, WAYS))

    @rule()
    def sends(self) -> None:
        """A worker sends what waits: never a request to confirm what is settled."""
        self.does(self._send())

    async def _send(self) -> None:
        for due in await outbox.due(self.database):
            outgoing = await outbox.claim(self.database, due.id)
            if outgoing is None:
                continue
            if outgoing.kind in ASKS:
                status = await self.database.pool.fetchval(
                    "SELECT o.status FROM orders o JOIN messages m ON m.order_id = o.id WHERE m.id = $1",
                    due.id,
                )
                assert status == Status.PENDING.value, (outgoing.kind, status)
            attempt = Attempt(real_now(), timedelta(), Sent("1"))
            await outbox.settle(self.database, WAYS, outgoing, attempt)

    # --- what must be so, always ---------------------------------------------------------------------

    @invariant()
    def the_promises_hold(self) -> None:
        """Look at everything that was written."""
        if self.actors:
            self.does(self._check())

    async def _check(self) -> None:
        events = await self.database.pool.fetch("SELECT * FROM events ORDER BY order_id, version")
        for row in await self.database.pool.fetch(_ORDERS):
            history = [event for event in events if event["order_id"] == row["id"]]
            _check_history(row, history)
            final = Status(row["status"]) in FINAL
            will_not_come = row["status"] in {"cancelled", "expired"}
            assert row["told"] == (1 if will_not_come and row["notify_customer"] else 0), dict(row)
            assert row["webhooks"] == 2 * len(history), dict(row)
            assert row["timers"] == row["kinds"], "one live timer of a kind"
            assert not (final and row["timers"]), "a final order has no live timer"
            assert row["status"] != "pending" or row["expiring"] == 1, "what waits will expire"
            assert row["paid"] == (1 if row["status"] == "completed" else 0)

    # --- inside --------------------------------------------------------------------------------------

    def _draw(self, data: st.DataObject) -> tuple[Command, Actor | StaffRef]:
        order_id = data.draw(st.sampled_from(self.orders))
        seen = data.draw(st.sampled_from((None, 1, 2)))
        deed = data.draw(st.sampled_from(DEEDS))
        actor = self.actors[data.draw(st.sampled_from(WHO))]
        return self._command(deed, order_id, seen), actor

    def _command(self, deed: str, order_id: OrderId, seen: int | None) -> Command:
        match deed:
            case "confirm":
                return ConfirmOrder(order_id, seen)
            case "decline":
                return CancelOrder(order_id, Reason(2, "Quá tải"), seen)
            case "withdraw":
                return CancelOrder(order_id, Reason(None, "Khách đổi ý"))
            case "complete":
                return CompleteOrder(order_id, seen)
            case "move":
                later = self.database.clock.now() + timedelta(days=1)
                return ChangeOrder(order_id, deliver_at=later)
            case "note":
                rice = (Item("Cơm gà", 10, 45_000),)
                return ChangeOrder(order_id, items=rice, fees=0, discount=0, total=450_000, note=str(seen))
            case _:
                return ReviewOrder(order_id, 5, "Ngon", "An")

    async def _submit(self, command: Command, actor: Actor | StaffRef) -> None:
        key = f"zalo:{ids.new()}"
        self.given.append(Given(command, actor, key, await self._end_of(command, actor, key)))

    async def _end_of(self, command: Command, actor: Actor | StaffRef, key: str) -> Answer | str:
        try:
            return await self.ledger.submit(command, actor=actor, key=key)
        except ChotDonError as error:
            return repr(error)

    async def _leap(self, by: timedelta) -> None:
        await self.database.pool.execute("UPDATE clock SET ahead = ahead + $1", by)
        await self.database.set_clock()

    async def _left(self, order_id: OrderId) -> timedelta:
        deliver_at = await self.database.pool.fetchval(
            "SELECT deliver_at FROM orders WHERE id = $1", order_id
        )
        left = deliver_at - self.database.clock.now()
        return timedelta(seconds=left.total_seconds())

    async def _count(self, what: str) -> int:
        query = f"SELECT count(*) FROM {what}"  # noqa: S608
        return int(await self.database.pool.fetchval(query, self.database.clock.now()))

    async def _everything(self) -> list[int]:
        tables = ("orders", "events", "notices", "webhooks", "timers", "inbox")
        return [int(await self.database.pool.fetchval(f"SELECT count(*) FROM {t}")) for t in tables]  # noqa: S608


def _check_history(order: Any, history: Sequence[Any]) -> None:
    assert [event["version"] for event in history] == list(range(1, order["version"] + 1))
    assert [event["at"] for event in history] == sorted(event["at"] for event in history)
    status = "pending"
    for event in history[1:]:
        before, after = event["data"].get("from", status), event["data"].get("to", status)
        assert before == status, dict(event)
        assert before == after or (before, after) in PAIRS, dict(event)
        status = after
    assert order["status"] == status


_ORDERS: Final = """
SELECT o.id, o.status, o.version, p.notify_customer,
    (SELECT count(*) FROM notices n WHERE n.order_id = o.id AND n.kind = 'customer_cancelled') AS told,
    (SELECT count(*) FROM webhooks w WHERE w.order_id = o.id) AS webhooks,
    (SELECT count(*) FROM timers t WHERE t.order_id = o.id AND t.state = 'live') AS timers,
    (SELECT count(DISTINCT kind) FROM timers t WHERE t.order_id = o.id AND t.state = 'live') AS kinds,
    (SELECT count(*) FROM timers t WHERE t.order_id = o.id AND t.state = 'live' AND t.kind = 'expiry')
        AS expiring,
    (SELECT count(*) FROM events e WHERE e.order_id = o.id AND e.type = 'order.completed') AS paid
FROM orders o JOIN platforms p ON p.id = o.platform_id
"""


@pytest.mark.timeout(600)  # a life that breaks one is made as short as can be, which takes a while
def test_every_life_keeps_the_promises(database_url: str) -> None:
    """Commands by anybody, repeats, leaps of the clock, sweeps and workers, in any order."""

    class OnThisDatabase(Lives):
        pass

    OnThisDatabase.database_url = database_url
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
