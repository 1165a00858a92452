"""What a batch of commands reads before it decides: orders under their lock, and what surrounds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.actors import Actor, Role
from core.batch.request import Request
from core.database import Connection
from core.orders import snapshot
from core.orders.commands import FireTimer, PlaceOrder
from core.orders.events import Json
from core.orders.order import Order, OrderId
from core.orders.rows import order_of
from core.schedule import Planned, TimerKind


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff member who is still there; `addresses` are kind and value of the live ones."""

    name: str
    role: Role
    partner_id: UUID
    addresses: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Partner:
    """A kitchen, as far as a decision needs it."""

    code: str
    zone: ZoneInfo
    paused_until: datetime | None
    codes_drawn: int


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform; `hears` if it has a webhook, `all_orders` if also of other platforms' orders."""

    name: str
    hears: bool
    all_orders: bool
    notify_customer: bool
    ask_review: bool


@dataclass(frozen=True, slots=True)
class Remembered:
    """The stored answer to a key."""

    answer: Mapping[str, Json]
    fingerprint: bytes | None


@dataclass(slots=True)
class Known:
    """What a batch has read. `orders` and `inbox` change in memory as its commands are carried out."""

    orders: dict[OrderId, Order] = field(default_factory=dict)
    placed: dict[tuple[UUID, str], tuple[OrderId, bytes]] = field(default_factory=dict)
    inbox: dict[str, Remembered] = field(default_factory=dict)
    timers: dict[UUID, tuple[OrderId, Planned]] = field(default_factory=dict)
    staff: dict[UUID, Staff] = field(default_factory=dict)
    partners: dict[UUID, Partner] = field(default_factory=dict)
    platforms: dict[UUID, Platform] = field(default_factory=dict)
    codes: dict[UUID, list[str]] = field(default_factory=dict)

    def forget_timers(self, order_id: OrderId) -> None:
        """Its timers are dead: a request of this batch that fires one finds nothing."""
        self.timers = {key: timer for key, timer in self.timers.items() if timer[0] != order_id}


async def lock_and_read(connection: Connection, requests: Sequence[Request]) -> Known:
    """Lock the orders in id order, then the partners that get new ones, and read what the requests need.

    What is read comes by a later statement than the locks, so that it is at least as new as they are.
    """
    orders = await _locked_orders(connection, requests)
    places = [request.command for request in requests if isinstance(request.command, PlaceOrder)]
    if places:
        await connection.execute(_LOCK_PARTNERS, sorted({place.partner_id for place in places}))
    known = Known(orders=orders)
    rows = await connection.fetch(
        _READ,
        sorted({request.key for request in requests if request.key}),
        [request.command.timer_id for request in requests if isinstance(request.command, FireTimer)],
        [request.actor.staff_id for request in requests if not isinstance(request.actor, Actor)],
        list({order.partner_id for order in orders.values()} | {place.partner_id for place in places}),
        [place.platform_id for place in places],
        [place.external_id for place in places],
    )
    for row in rows:
        _KEEP[row["what"]](known, row["name"], row["data"])
    return known


async def _locked_orders(connection: Connection, requests: Sequence[Request]) -> dict[OrderId, Order]:
    rows = await connection.fetch(_LOCK_ORDERS, sorted({request.command.order_id for request in requests}))
    return {OrderId(row["id"]): order_of(row) for row in rows}


# FOR UPDATE would block every insert whose foreign key points at the order.
_LOCK_ORDERS: Final = "SELECT * FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_LOCK_PARTNERS: Final = "SELECT 1 FROM partners WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

#: Beside the orders: one statement, a kind and a name and the rest as JSON.
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
       jsonb_build_object('code', code, 'zone', timezone, 'paused_until', paused_until,
           'codes_drawn', codes_drawn)
FROM partners WHERE id = ANY($4::uuid[])
UNION ALL
SELECT 'platform', id::text,
       jsonb_build_object('name', name, 'hears', webhook_url IS NOT NULL, 'all', scope = 'all',
           'notify_customer', notify_customer, 'ask_review', ask_review)
FROM platforms
UNION ALL
SELECT 'placed', o.platform_id::text,
       jsonb_build_object('order', to_jsonb(o) - 'fingerprint' - 'changed_in',
           'fingerprint', encode(o.fingerprint, 'hex'))
FROM orders o WHERE o.platform_id = ANY($5::uuid[]) AND o.external_id = ANY($6::text[])
"""


def _keep_inbox(known: Known, name: str, data: Mapping[str, Any]) -> None:
    fingerprint = bytes.fromhex(data["fingerprint"]) if data["fingerprint"] else None
    known.inbox[name] = Remembered(data["answer"], fingerprint)


def _keep_timer(known: Known, name: str, data: Mapping[str, Any]) -> None:
    planned = Planned(TimerKind(data["kind"]), data["step"], datetime.fromisoformat(data["due_at"]))
    known.timers[UUID(name)] = (OrderId(UUID(data["order_id"])), planned)


def _keep_staff(known: Known, name: str, data: Mapping[str, Any]) -> None:
    addresses = frozenset((kind, value) for kind, value in data["addresses"] or ())
    known.staff[UUID(name)] = Staff(data["name"], Role(data["role"]), UUID(data["partner_id"]), addresses)


def _keep_partner(known: Known, name: str, data: Mapping[str, Any]) -> None:
    paused = data["paused_until"]
    known.partners[UUID(name)] = Partner(
        data["code"],
        ZoneInfo(data["zone"]),
        datetime.fromisoformat(paused) if paused else None,
        data["codes_drawn"],
    )


def _keep_platform(known: Known, name: str, data: Mapping[str, Any]) -> None:
    known.platforms[UUID(name)] = Platform(
        data["name"], data["hears"], data["all"], data["notify_customer"], data["ask_review"]
    )


def _keep_placed(known: Known, name: str, data: Mapping[str, Any]) -> None:
    order = snapshot.load(data["order"])
    known.placed[UUID(name), order.external_id] = (order.id, bytes.fromhex(data["fingerprint"]))
    known.orders.setdefault(order.id, order)  # one that a command of this batch names is locked already


_KEEP: Final = {
    "inbox": _keep_inbox,
    "timer": _keep_timer,
    "staff": _keep_staff,
    "partner": _keep_partner,
    "platform": _keep_platform,
    "placed": _keep_placed,
}
