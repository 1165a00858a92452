"""One transaction of the ledger: what a batch of commands reads, decides and writes."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from core import ids
from core.actors import Actor, ActorKind, Role
from core.channels import Address
from core.clock import Clock
from core.database import Connection, Row
from core.errors import ChotDonError, Conflict, NoFreeCode, NotAllowed, RuleError
from core.notices.kinds import NoticeKind
from core.notices.owed import Owed
from core.orders import answers, snapshot
from core.orders.answers import Answer, AnswerKind, about
from core.orders.codes import code_at
from core.orders.commands import FireTimer, PlaceOrder
from core.orders.decide import ASKED, Decision, Terms, decide
from core.orders.events import Json
from core.orders.order import Order, OrderId
from core.orders.status import Status
from core.schedule import Planned, Policy, TimerKind

if TYPE_CHECKING:
    from core.ledger import Request

#: How many codes a partner has; a code rests this long after its order's final status.
CODES: Final = 10_000
CODE_RESTS: Final = timedelta(days=30)
_CODES_A_LOOK: Final = 64
#: How often an address' `heard_at` is brought up to date at most: the windows it opens are days long.
_HEARD_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Staff:
    name: str
    role: Role
    partner_id: UUID
    addresses: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Partner:
    zone: ZoneInfo
    paused_until: datetime | None
    codes_drawn: int


@dataclass(frozen=True, slots=True)
class _Platform:
    name: str
    hears: bool
    all_orders: bool
    notify_customer: bool


@dataclass(frozen=True, slots=True)
class _Remembered:
    answer: Mapping[str, Json]
    fingerprint: bytes | None


@dataclass(slots=True)
class Known:
    """What a batch has read. `orders` and `inbox` change in memory as its commands are carried out."""

    orders: dict[OrderId, Order] = field(default_factory=dict)
    placed: dict[tuple[UUID, str], tuple[OrderId, bytes]] = field(default_factory=dict)
    inbox: dict[str, _Remembered] = field(default_factory=dict)
    timers: dict[UUID, tuple[OrderId, Planned]] = field(default_factory=dict)
    staff: dict[UUID, _Staff] = field(default_factory=dict)
    partners: dict[UUID, _Partner] = field(default_factory=dict)
    platforms: dict[UUID, _Platform] = field(default_factory=dict)
    codes: dict[UUID, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """The rows that a batch writes, and (after the write) which notices and webhooks are new."""

    inserted: list[dict[str, Json]] = field(default_factory=list)
    updated: dict[OrderId, dict[str, Json]] = field(default_factory=dict)
    events: list[dict[str, Json]] = field(default_factory=list)
    notices: list[dict[str, Json]] = field(default_factory=list)
    webhooks: list[dict[str, Json]] = field(default_factory=list)
    inbox: list[dict[str, Json]] = field(default_factory=list)
    timers: dict[OrderId, list[Planned]] = field(default_factory=lambda: defaultdict(list))
    skipped: list[tuple[OrderId, Planned]] = field(default_factory=list)
    fired: list[UUID] = field(default_factory=list)
    replanned: set[OrderId] = field(default_factory=set)
    drawn: dict[UUID, int] = field(default_factory=dict)
    heard: set[tuple[str, str]] = field(default_factory=set)
    written_notices: Sequence[UUID] = ()
    written_webhooks: Sequence[UUID] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.inbox or self.inserted or self.updated or self.notices or self.fired)


class Batch:
    """Carries out requests on one connection, inside one transaction that the caller opened."""

    def __init__(self, connection: Connection, clock: Clock, *, policy: Policy, code_key: bytes) -> None:
        self._connection = connection
        self._clock = clock
        self._policy = policy
        self._code_key = code_key
        self._known = Known()
        self._changes = Changes()

    async def carry_out(self, requests: Sequence["Request"]) -> tuple[list[Answer | ChotDonError], Changes]:
        """Lock, read, decide and write; return an answer or an error for each request, in order.

        Raises what asyncpg raises; the caller then rolls back.
        """
        await self._lock(requests)
        await self._read(requests)
        now = self._clock.now()
        await self._draw_codes(requests, now)
        outcomes = [self._one(request, now) for request in requests]
        await self._write(now)
        return outcomes, self._changes

    # --- reading ------------------------------------------------------------------------------

    async def _lock(self, requests: Sequence["Request"]) -> None:
        rows = await self._connection.fetch(
            "SELECT * FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            sorted({request.command.order_id for request in requests}),
        )
        self._known.orders = {OrderId(row["id"]): order_of(row) for row in rows}
        placing = sorted({r.command.partner_id for r in requests if isinstance(r.command, PlaceOrder)})
        if placing:
            await self._connection.execute(
                "SELECT 1 FROM partners WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE", placing
            )

    async def _read(self, requests: Sequence["Request"]) -> None:
        places = [r.command for r in requests if isinstance(r.command, PlaceOrder)]
        rows = await self._connection.fetch(
            _READ,
            sorted({r.key for r in requests if r.key}),
            [r.command.timer_id for r in requests if isinstance(r.command, FireTimer)],
            [r.actor.staff_id for r in requests if not isinstance(r.actor, Actor)],
            list({o.partner_id for o in self._known.orders.values()} | {p.partner_id for p in places}),
            [place.platform_id for place in places],
            [place.external_id for place in places],
        )
        for row in rows:
            _KEEP[row["what"]](self._known, row["name"], row["data"])

    async def _draw_codes(self, requests: Sequence["Request"], now: datetime) -> None:
        """Set aside a free code for every order to be placed; the partners are locked."""
        wanted: dict[UUID, int] = defaultdict(int)
        for request in requests:
            if isinstance(request.command, PlaceOrder) and request.command.partner_id in self._known.partners:
                wanted[request.command.partner_id] += 1
        for partner_id, count in wanted.items():
            self._known.codes[partner_id] = await self._free_codes(partner_id, count, now)

    async def _free_codes(self, partner_id: UUID, count: int, now: datetime) -> list[str]:
        drawn = self._known.partners[partner_id].codes_drawn
        free: list[str] = []
        looked = 0
        while len(free) < count and looked < CODES:
            step = min(max(_CODES_A_LOOK, count), CODES - looked)
            codes = [
                code_at((drawn + looked + n) % CODES, key=self._code_key, partner_id=partner_id)
                for n in range(step)
            ]
            taken = await self._connection.fetchval(
                "SELECT array_agg(code) FROM orders WHERE partner_id = $1 AND code = ANY($2::text[])"
                " AND (final_at IS NULL OR final_at > $3)",
                partner_id,
                codes,
                now - CODE_RESTS,
            )
            for n, code in enumerate(codes):
                if code not in (taken or ()) and len(free) < count:
                    free.append(code)
                    self._changes.drawn[partner_id] = (drawn + looked + n + 1) % CODES
            looked += step
        return free[::-1]

    # --- deciding -----------------------------------------------------------------------------

    def _one(self, request: "Request", now: datetime) -> Answer | ChotDonError:
        try:
            remembered = self._replay(request)
            return remembered or self._decide(request, now)
        except ChotDonError as error:
            return error

    def _replay(self, request: "Request") -> Answer | None:
        remembered = self._known.inbox.get(request.key) if request.key else None
        if remembered is None:
            return None
        if remembered.fingerprint != request.fingerprint:
            raise Conflict("idempotency_key_reused")
        return answers.load(remembered.answer, replayed=True)

    def _decide(self, request: "Request", now: datetime) -> Answer:
        command = request.command
        if isinstance(command, PlaceOrder):
            repeated = self._placed_before(command)
            if repeated:
                return self._remember(request, repeated, now)
        order = self._known.orders.get(command.order_id)
        now = max(now, order.updated_at) if order else now
        try:
            actor = self._actor(request)
            decision = decide(order, command, actor=actor, terms=self._terms(request, order), now=now)
        except NotAllowed as refusal:
            return self._remember(request, self._forbidden(request, order, refusal), now)
        self._apply(request, decision, actor, order, now)
        return self._remember(request, decision.answer, now)

    def _placed_before(self, command: PlaceOrder) -> Answer | None:
        """Return the answer to a repeat; raises Conflict where the content is not the same."""
        found = self._known.placed.get((command.platform_id, command.external_id))
        if found is None:
            return None
        order_id, fingerprint = found
        if fingerprint != fingerprint_of(command):
            raise Conflict("external_id")
        order = self._known.orders.get(order_id)
        if order is None:
            return Answer(AnswerKind.STATE, order_id, "place")
        return about(order, AnswerKind.STATE, "place")

    def _actor(self, request: "Request") -> Actor:
        if isinstance(request.actor, Actor):
            return request.actor
        reference = request.actor
        staff = self._known.staff.get(reference.staff_id)
        if staff is None:
            raise NotAllowed("not_staff")
        address = reference.address
        if address and (address.kind.value, address.value) not in staff.addresses:
            raise NotAllowed("not_linked")
        if address:
            self._changes.heard.add((address.kind.value, address.value))
        return Actor(
            ActorKind.STAFF,
            staff.name,
            reference.via,
            id=reference.staff_id,
            partner_id=staff.partner_id,
            role=staff.role,
        )

    def _terms(self, request: "Request", order: Order | None) -> Terms:
        command = request.command
        partner_id = command.partner_id if isinstance(command, PlaceOrder) else order and order.partner_id
        platform_id = command.platform_id if isinstance(command, PlaceOrder) else order and order.platform_id
        partner = self._known.partners.get(partner_id) if partner_id else None
        if partner is None:
            raise NotAllowed("no_such_order") if order is None else RuleError("no_such_partner")
        platform = self._known.platforms[platform_id] if platform_id else _Platform("", False, False, False)
        return Terms(
            zone=partner.zone,
            policy=self._policy,
            platform_name=platform.name,
            tell_customer=platform.notify_customer,
            paused_until=partner.paused_until,
            code=self._code_for(command) if isinstance(command, PlaceOrder) else "",
            timer=self._timer(command) if isinstance(command, FireTimer) else None,
        )

    def _code_for(self, command: PlaceOrder) -> str:
        codes = self._known.codes.get(command.partner_id)
        if not codes:
            raise NoFreeCode
        return codes[-1]

    def _timer(self, command: FireTimer) -> Planned | None:
        found = self._known.timers.get(command.timer_id)
        return found[1] if found and found[0] == command.order_id else None

    def _forbidden(self, request: "Request", order: Order | None, refusal: NotAllowed) -> Answer:
        asked = ASKED[type(request.command)]
        if order is None or refusal.code in {"not_yours", "not_staff", "not_linked"}:
            return Answer(AnswerKind.FORBIDDEN, None, asked, why=refusal.code)
        return about(order, AnswerKind.FORBIDDEN, asked, why=refusal.code)

    # --- taking down what is to be written ----------------------------------------------------

    def _apply(
        self, request: "Request", decision: Decision, actor: Actor, before: Order | None, now: datetime
    ) -> None:
        order = decision.order or before
        if isinstance(request.command, FireTimer):
            self._spend(request.command, now)
        if order is None:
            return
        if decision.order:
            self._take_down_order(request, decision.order, before)
        if decision.event:
            self._take_down_event(order, decision, now)
        for owed in decision.notices:
            self._owe(owed, order.id, order.revision, now)
        self._replan(order.id, decision)

    def _spend(self, command: FireTimer, now: datetime) -> None:
        timer = self._timer(command)
        if timer and timer.due_at <= now:  # else product time went back since the sweep saw it
            del self._known.timers[command.timer_id]
            self._changes.fired.append(command.timer_id)

    def _take_down_order(self, request: "Request", order: Order, before: Order | None) -> None:
        self._known.orders[order.id] = order
        row = snapshot.dump(order)
        command = request.command
        if before is None and isinstance(command, PlaceOrder):
            self._known.codes[command.partner_id].pop()
            fingerprint = fingerprint_of(command)
            self._known.placed[order.platform_id, order.external_id] = (order.id, fingerprint)
            self._changes.inserted.append({**row, "fingerprint": "\\x" + fingerprint.hex()})
            return
        for place, inserted in enumerate(self._changes.inserted):
            if inserted["id"] == row["id"]:
                self._changes.inserted[place] = {**inserted, **row}
                return
        self._changes.updated[order.id] = row

    def _take_down_event(self, order: Order, decision: Decision, now: datetime) -> None:
        event = decision.event
        if event is None:
            return
        event_id = ids.new()
        self._changes.events.append(
            {
                "id": str(event_id),
                "order_id": str(order.id),
                "version": event.version,
                "type": event.type.value,
                "at": event.at.isoformat(),
                "by": snapshot.dump_by(event.by),
                "data": dict(event.data),
                "snapshot": snapshot.dump(order),
            }
        )
        for platform_id, platform in self._known.platforms.items():
            if platform.hears and (platform.all_orders or platform_id == order.platform_id):
                self._changes.webhooks.append(
                    {
                        "id": str(ids.new()),
                        "event_id": str(event_id),
                        "order_id": str(order.id),
                        "version": event.version,
                        "platform_id": str(platform_id),
                        "next_at": now.isoformat(),
                    }
                )

    def _owe(self, owed: Owed, order_id: OrderId | None, revision: int, now: datetime) -> None:
        self._changes.notices.append(
            {
                "id": str(ids.new()),
                "order_id": str(order_id) if order_id else None,
                "kind": owed.kind.value,
                "occasion": owed.occasion,
                "revision": revision,
                "data": dict(owed.data),
                "owed_at": now.isoformat(),
            }
        )

    def _replan(self, order_id: OrderId, decision: Decision) -> None:
        self._changes.skipped += [(order_id, planned) for planned in decision.skipped]
        if decision.timers is not None:
            self._changes.replanned.add(order_id)
            self._changes.timers[order_id] = list(decision.timers)
            self._known.timers = {
                timer_id: (owner, planned)
                for timer_id, (owner, planned) in self._known.timers.items()
                if owner != order_id
            }
        if decision.next_timer:
            self._changes.timers[order_id].append(decision.next_timer)

    def _remember(self, request: "Request", answer: Answer, now: datetime) -> Answer:
        """Take down the answer under its key, and owe it to whoever waits for it in a chat."""
        if request.key:
            stored = answers.dump(answer)
            self._known.inbox[request.key] = _Remembered(stored, request.fingerprint)
            fingerprint = "\\x" + request.fingerprint.hex() if request.fingerprint else None
            self._changes.inbox.append(
                {
                    "key": request.key,
                    "received_at": now.isoformat(),
                    "fingerprint": fingerprint,
                    "answer": stored,
                }
            )
            if request.reply_to:
                self._owe(_reply(request, request.key, request.reply_to, stored), answer.order_id, 0, now)
        return answer

    # --- writing ------------------------------------------------------------------------------

    async def _write(self, now: datetime) -> None:
        """Two statements: what makes room (inbox, timers), then everything else."""
        changes = self._changes
        if changes.is_empty:
            return
        keys = await self._connection.fetch(
            _MAKE_ROOM,
            sorted(changes.inbox, key=lambda row: str(row["key"])),
            changes.fired,
            sorted(changes.replanned),
        )
        if len(keys) != len(changes.inbox):  # a twin of one of these commands has just committed elsewhere
            msg = "inbox key taken meanwhile"
            raise asyncpg.UniqueViolationError(msg)
        rows = await self._connection.fetch(
            _WRITE,
            changes.inserted,
            list(changes.updated.values()),
            changes.events,
            sorted(changes.notices, key=lambda row: (str(row["order_id"]), str(row["kind"]))),
            changes.webhooks,
            [*self._timer_rows("live"), *self._timer_rows("skipped")],
            [{"id": str(partner), "codes_drawn": drawn} for partner, drawn in sorted(changes.drawn.items())],
            [{"kind": kind, "value": value} for kind, value in sorted(changes.heard)],
            now,
            now - _HEARD_EVERY,
        )
        changes.written_notices = [row["id"] for row in rows if row["what"] == "notice"]
        changes.written_webhooks = [row["id"] for row in rows if row["what"] == "webhook"]

    def _timer_rows(self, state: str) -> list[dict[str, Json]]:
        live = [(order_id, plan) for order_id, plans in self._changes.timers.items() for plan in plans]
        return [
            {
                "id": str(ids.new()),
                "order_id": str(order_id),
                "kind": planned.kind.value,
                "step": planned.step,
                "due_at": planned.due_at.isoformat(),
                "state": state,
            }
            for order_id, planned in (live if state == "live" else self._changes.skipped)
        ]


def _reply(request: "Request", key: str, to: Address, stored: dict[str, Json]) -> Owed:
    staff_id = None if isinstance(request.actor, Actor) else str(request.actor.staff_id)
    data: dict[str, Json] = {
        "answer": stored,
        "to": {"kind": to.kind.value, "value": to.value},
        "staff_id": staff_id,
    }
    return Owed(NoticeKind.ANSWER, key, data)


def fingerprint_of(command: PlaceOrder) -> bytes:
    """Return what tells one content of an order from another, whatever its id here."""
    content = replace(command, order_id=OrderId(UUID(int=0)))
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def order_of(row: Row) -> Order:
    """Return an order from its row."""
    return Order(
        id=OrderId(row["id"]),
        platform_id=row["platform_id"],
        external_id=row["external_id"],
        partner_id=row["partner_id"],
        code=row["code"],
        status=Status(row["status"]),
        version=row["version"],
        revision=row["revision"],
        deliver_at=row["deliver_at"],
        ordered_at=row["ordered_at"],
        placed_at=row["placed_at"],
        asked_at=row["asked_at"],
        updated_at=row["updated_at"],
        address=row["address"],
        note=row["note"],
        items=tuple(snapshot.load_item(item) for item in row["items"]),
        fees=row["fees"],
        discount=row["discount"],
        total=row["total"],
        customer=snapshot.load_customer(row["customer"]),
        status_changed_at=row["status_changed_at"],
        status_changed_by=snapshot.load_by(row["status_changed_by"]),
        reason=snapshot.load_reason(row["reason"]) if row["reason"] else None,
        review=snapshot.load_review(row["review"]) if row["review"] else None,
        final_at=row["final_at"],
        currency=row["currency"],
    )


# --- what is read beside the orders: one statement, a kind and a name and the rest as JSON ------

_READ: Final = """
SELECT 'inbox' AS what, key AS name,
       jsonb_build_object('answer', answer, 'fingerprint', encode(fingerprint, 'hex')) AS data
FROM inbox WHERE key = ANY($1::text[])
UNION ALL
SELECT 'timer', id::text,
       jsonb_build_object('order_id', order_id, 'kind', kind, 'step', step, 'due_at', due_at)
FROM timers WHERE id = ANY($2::uuid[]) AND state = 'live'
UNION ALL
SELECT 'staff', s.id::text,
       jsonb_build_object('name', s.name, 'role', s.role, 'partner_id', s.partner_id, 'addresses',
           (SELECT jsonb_agg(jsonb_build_array(a.kind, a.value))
            FROM addresses a WHERE a.staff_id = s.id AND a.ended_at IS NULL))
FROM staff s WHERE s.id = ANY($3::uuid[]) AND s.removed_at IS NULL
UNION ALL
SELECT 'partner', id::text,
       jsonb_build_object('zone', timezone, 'paused_until', paused_until, 'codes_drawn', codes_drawn)
FROM partners WHERE id = ANY($4::uuid[])
UNION ALL
SELECT 'platform', id::text,
       jsonb_build_object('name', name, 'hears', webhook_url IS NOT NULL, 'all', scope = 'all',
           'notify_customer', notify_customer)
FROM platforms
UNION ALL
SELECT 'placed', o.platform_id::text,
       jsonb_build_object('external_id', o.external_id, 'id', o.id, 'fingerprint', encode(o.fingerprint, 'hex'))
FROM unnest($5::uuid[], $6::text[]) AS w(platform_id, external_id) JOIN orders o USING (platform_id, external_id)
"""


def _keep_inbox(known: Known, name: str, data: Mapping[str, Any]) -> None:
    fingerprint = bytes.fromhex(data["fingerprint"]) if data["fingerprint"] else None
    known.inbox[name] = _Remembered(data["answer"], fingerprint)


def _keep_timer(known: Known, name: str, data: Mapping[str, Any]) -> None:
    planned = Planned(TimerKind(data["kind"]), data["step"], datetime.fromisoformat(data["due_at"]))
    known.timers[UUID(name)] = (OrderId(UUID(data["order_id"])), planned)


def _keep_staff(known: Known, name: str, data: Mapping[str, Any]) -> None:
    addresses = frozenset((kind, value) for kind, value in data["addresses"] or ())
    known.staff[UUID(name)] = _Staff(
        data["name"], Role(data["role"]), UUID(data["partner_id"]), addresses
    )


def _keep_partner(known: Known, name: str, data: Mapping[str, Any]) -> None:
    paused = data["paused_until"]
    known.partners[UUID(name)] = _Partner(
        ZoneInfo(data["zone"]), datetime.fromisoformat(paused) if paused else None, data["codes_drawn"]
    )


def _keep_platform(known: Known, name: str, data: Mapping[str, Any]) -> None:
    known.platforms[UUID(name)] = _Platform(
        data["name"], data["hears"], data["all"], data["notify_customer"]
    )


def _keep_placed(known: Known, name: str, data: Mapping[str, Any]) -> None:
    key = (UUID(name), data["external_id"])
    known.placed[key] = (OrderId(UUID(data["id"])), bytes.fromhex(data["fingerprint"]))


_KEEP: Final = {
    "inbox": _keep_inbox,
    "timer": _keep_timer,
    "staff": _keep_staff,
    "partner": _keep_partner,
    "platform": _keep_platform,
    "placed": _keep_placed,
}

# --- what is written ----------------------------------------------------------------------------

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
), happened AS (
    INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)
    SELECT id, order_id, version, type, at, by, data, snapshot
    FROM jsonb_populate_recordset(NULL::events, $3::jsonb)
), owed AS (
    INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)
    SELECT id, order_id, kind, occasion, revision, data, owed_at
    FROM jsonb_populate_recordset(NULL::notices, $4::jsonb)
    ON CONFLICT DO NOTHING RETURNING id
), told AS (
    INSERT INTO webhooks (id, event_id, order_id, version, platform_id, next_at)
    SELECT id, event_id, order_id, version, platform_id, next_at
    FROM jsonb_populate_recordset(NULL::webhooks, $5::jsonb)
    RETURNING id
), planned AS (
    INSERT INTO timers (id, order_id, kind, step, due_at, state)
    SELECT id, order_id, kind, step, due_at, state FROM jsonb_populate_recordset(NULL::timers, $6::jsonb)
), drawn AS (
    UPDATE partners p SET codes_drawn = n.codes_drawn
    FROM jsonb_populate_recordset(NULL::partners, $7::jsonb) n WHERE p.id = n.id
), heard AS (
    UPDATE addresses a SET heard_at = $9
    FROM jsonb_populate_recordset(NULL::addresses, $8::jsonb) n
    WHERE a.kind = n.kind AND a.value = n.value AND (a.heard_at IS NULL OR a.heard_at < $10)
)
SELECT 'notice' AS what, id FROM owed UNION ALL SELECT 'webhook', id FROM told
"""
