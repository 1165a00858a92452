"""What a batch of commands writes: rows gathered in memory, then two statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from core import audit, ids
from core.audit import Signed
from core.batch.known import Platform
from core.batch.request import Request
from core.clock import real_now
from core.database import Connection
from core.notices.owed import Owed
from core.orders.events import Event, EventType, Json
from core.orders.order import Order, OrderId
from core.orders.status import Status
from core.schedule import Planned

#: A row on its way into the database. msgspec writes ids, moments and whole orders as JSON by itself; an
#: order becomes what `core.orders.snapshot` reads.
Written: TypeAlias = dict[str, object]
#: How often an address' `heard_at` is brought up to date at most: the windows it opens are days long.
_HEARD_EVERY: Final = timedelta(minutes=10)
#: A platform that does not know by then that there will be no food is the operators' matter (product time).
OVERDUE_AFTER: Final = timedelta(minutes=5)
_PRESSING: Final = frozenset({EventType.CANCELLED, EventType.EXPIRED})


@dataclass(slots=True)
class Changes:
    """The rows that a batch writes, and (after the write) which notices and webhooks are new."""

    inserted: dict[OrderId, Order] = field(default_factory=dict)
    fingerprints: dict[OrderId, bytes] = field(default_factory=dict)
    updated: dict[OrderId, Order] = field(default_factory=dict)
    reworded: dict[OrderId, Order] = field(default_factory=dict)
    events: list[Written] = field(default_factory=list)
    notices: list[Written] = field(default_factory=list)
    webhooks: list[Written] = field(default_factory=list)
    inbox: list[Written] = field(default_factory=list)
    timers: dict[OrderId, list[Planned]] = field(default_factory=lambda: defaultdict(list))
    skipped: list[tuple[OrderId, Planned]] = field(default_factory=list)
    fired: list[UUID] = field(default_factory=list)
    replanned: set[OrderId] = field(default_factory=set)
    drawn: dict[UUID, int] = field(default_factory=dict)
    heard: set[tuple[str, str]] = field(default_factory=set)
    signed: list[tuple[Signed, Order, Event, str]] = field(default_factory=list)
    entered: list[Status] = field(default_factory=list)
    written_notices: Sequence[UUID] = ()
    written_webhooks: Sequence[UUID] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.inbox or self.inserted or self.updated or self.notices or self.fired)

    def place(self, order: Order, fingerprint: bytes) -> None:
        """A new order."""
        self.inserted[order.id] = order
        self.fingerprints[order.id] = fingerprint

    def move(self, order: Order) -> None:
        """An order as it is now; one that was placed in this batch is inserted as it is now."""
        orders = self.inserted if order.id in self.inserted else self.updated
        orders[order.id] = order

    def happen(self, order: Order, event: Event) -> UUID:
        """An event, with the whole order as of it; returns the event's id."""
        event_id = ids.new()
        if event.data.get("from") != event.data.get("to"):
            self.entered.append(order.status)
        if event.type is EventType.CHANGED:
            self.reworded[order.id] = order
        self.events.append(
            {
                "id": event_id,
                "order_id": order.id,
                "version": event.version,
                "type": event.type,
                "at": event.at,
                "by": event.by,
                "data": dict(event.data),
                "snapshot": order,
            }
        )
        return event_id

    def tell(
        self, platforms: dict[UUID, Platform], order: Order, event: Event, event_id: UUID, now: datetime
    ) -> None:
        """A webhook for every platform that hears of this order."""
        for platform_id, platform in platforms.items():
            if platform.hears and (platform.all_orders or platform_id == order.platform_id):
                self.webhooks.append(
                    {
                        "id": ids.new(),
                        "event_id": event_id,
                        "order_id": order.id,
                        "version": event.version,
                        "platform_id": platform_id,
                        "next_at": now,
                        "overdue_at": now + OVERDUE_AFTER if event.type in _PRESSING else None,
                    }
                )

    def sign(self, signed: Signed, order: Order, event: Event, *, about: str) -> None:
        """An operator's deed, for the record."""
        self.signed.append((signed, order, event, about))

    def owe(
        self,
        owed: Owed,
        order_id: OrderId | None,
        revision: int,
        now: datetime,
        *,
        hold: timedelta | None = None,
    ) -> None:
        """A notice; while on `hold` it is not routed."""
        self.notices.append(
            {
                "id": ids.new(),
                "order_id": order_id,
                "kind": owed.kind,
                "occasion": owed.occasion,
                "revision": revision,
                "data": dict(owed.data),
                "owed_at": now,
                "held_until": real_now() + hold if hold else None,
            }
        )

    def replan(self, order_id: OrderId, timers: Sequence[Planned]) -> None:
        """An order's whole new plan: its live timers die."""
        self.replanned.add(order_id)
        self.timers[order_id] = list(timers)

    def remember(self, request: Request, answer: dict[str, Json], now: datetime) -> None:
        """The answer to a request that has a key."""
        self.inbox.append(
            {
                "key": request.key,
                "received_at": now,
                "fingerprint": _bytea(request.fingerprint) if request.fingerprint else None,
                "answer": answer,
            }
        )

    async def write(self, connection: Connection, now: datetime) -> None:
        """Write everything in two statements: what makes room (inbox, timers), then the rest.

        Raises UniqueViolationError when a twin of one of these commands has just committed elsewhere.
        """
        if self.is_empty:
            return
        await self._make_room(connection)
        rows = await connection.fetch(
            _WRITE,
            [self._placed(order) for order in self.inserted.values()],
            list(self.updated.values()),
            self.events,
            sorted(self.notices, key=lambda row: (str(row["order_id"]), str(row["kind"]))),
            self.webhooks,
            [*self._timer_rows("live"), *self._timer_rows("skipped")],
            [{"id": partner, "codes_drawn": drawn} for partner, drawn in sorted(self.drawn.items())],
            [{"kind": kind, "value": value} for kind, value in sorted(self.heard)],
            now,
            now - _HEARD_EVERY,
            list(self.reworded.values()),
        )
        self.written_notices = [row["id"] for row in rows if row["what"] == "notice"]
        self.written_webhooks = [row["id"] for row in rows if row["what"] == "webhook"]
        await self._record(connection)

    async def _record(self, connection: Connection) -> None:
        for signed, order, event, about in self.signed:
            reason = event.data.get("reason")
            await audit.record(
                connection,
                who=signed.who,
                via=signed.via,
                deed=event.type.value,
                about=about,
                now=event.at,
                about_id=order.id,
                reason=str(reason.get("text", "")) if isinstance(reason, dict) else "",
            )

    async def _make_room(self, connection: Connection) -> None:
        inbox = sorted(self.inbox, key=lambda row: str(row["key"]))
        keys = await connection.fetch(_MAKE_ROOM, inbox, self.fired, sorted(self.replanned))
        if len(keys) != len(inbox):
            msg = "inbox key taken meanwhile"
            raise asyncpg.UniqueViolationError(msg)

    def _placed(self, order: Order) -> Written:
        return {**msgspec.to_builtins(order), "fingerprint": _bytea(self.fingerprints[order.id])}

    def _timer_rows(self, state: str) -> list[Written]:
        live = [(order_id, plan) for order_id, plans in self.timers.items() for plan in plans]
        return [
            {
                "id": ids.new(),
                "order_id": order_id,
                "kind": planned.kind,
                "step": planned.step,
                "due_at": planned.due_at,
                "state": state,
            }
            for order_id, planned in (live if state == "live" else self.skipped)
        ]


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()


_MAKE_ROOM: Final = """
WITH fired AS (UPDATE timers SET state = 'done' WHERE id = ANY($2::uuid[]) AND state = 'live'),
     killed AS (
         UPDATE timers SET state = 'dead'
         WHERE order_id = ANY($3::uuid[]) AND state = 'live' AND NOT (id = ANY($2::uuid[]))
     )
INSERT INTO inbox (key, received_at, fingerprint, answer)
SELECT key, received_at, fingerprint, answer FROM jsonb_populate_recordset(NULL::inbox, $1::jsonb)
ON CONFLICT DO NOTHING RETURNING key
"""

_WRITE: Final = """
WITH placed AS (
    INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
        ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
        customer, status_changed_at, status_changed_by, reason, review, final_at, fingerprint)
    SELECT id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
        ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
        customer, status_changed_at, status_changed_by, reason, review, final_at, fingerprint
    FROM jsonb_populate_recordset(NULL::orders, $1::jsonb)
), moved AS (
    UPDATE orders o SET status = n.status, version = n.version, revision = n.revision,
        deliver_at = n.deliver_at, asked_at = n.asked_at, updated_at = n.updated_at, address = n.address,
        note = n.note, items = n.items, fees = n.fees, discount = n.discount, total = n.total,
        status_changed_at = n.status_changed_at, status_changed_by = n.status_changed_by,
        reason = n.reason, review = n.review, final_at = n.final_at, changed_in = pg_current_xact_id()
    FROM jsonb_populate_recordset(NULL::orders, $2::jsonb) n WHERE o.id = n.id
), findable AS (
    INSERT INTO order_search (order_id, partner_id, deliver_at, words)
    SELECT id, partner_id, deliver_at, order_words(code, customer, items)
    FROM jsonb_populate_recordset(NULL::orders, $1::jsonb)
), reworded AS (
    UPDATE order_search s SET deliver_at = n.deliver_at, words = order_words(n.code, n.customer, n.items)
    FROM jsonb_populate_recordset(NULL::orders, $11::jsonb) n WHERE s.order_id = n.id
), happened AS (
    INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)
    SELECT id, order_id, version, type, at, by, data, snapshot
    FROM jsonb_populate_recordset(NULL::events, $3::jsonb)
), owed AS (
    INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at, held_until)
    SELECT id, order_id, kind, occasion, revision, data, owed_at, held_until
    FROM jsonb_populate_recordset(NULL::notices, $4::jsonb)
    ON CONFLICT DO NOTHING RETURNING id
), told AS (
    INSERT INTO webhooks (id, event_id, order_id, version, platform_id, next_at, overdue_at)
    SELECT id, event_id, order_id, version, platform_id, next_at, overdue_at
    FROM jsonb_populate_recordset(NULL::webhooks, $5::jsonb)
    RETURNING id
), planned AS (
    INSERT INTO timers (id, order_id, kind, step, due_at, state)
    SELECT id, order_id, kind, step, due_at, state FROM jsonb_populate_recordset(NULL::timers, $6::jsonb)
), drawn AS (
    UPDATE partners p SET codes_drawn = n.codes_drawn
    FROM jsonb_populate_recordset(NULL::partners, $7::jsonb) n WHERE p.id = n.id
), heard AS (
    UPDATE addresses SET heard_at = $9 WHERE id IN (
        SELECT a.id FROM addresses a
        JOIN jsonb_populate_recordset(NULL::addresses, $8::jsonb) n USING (kind, value)
        WHERE a.heard_at IS NULL OR a.heard_at < $10 ORDER BY a.id FOR NO KEY UPDATE OF a
    )
)
SELECT 'notice' AS what, id FROM owed UNION ALL SELECT 'webhook', id FROM told
"""
