"""Kitchens, their people and their orders: a few made by the product itself, then multiplied by SQL.

The copies differ from what the product wrote in ids, external ids and codes only, so whatever an order
brings with it today (events, notices, webhooks, timers) each copy has too.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final
from uuid import UUID

import asyncpg

from core import ids
from core.actors import Actor, ActorKind, Role, Via
from core.channels import Address, AddressKind
from core.database import Connection, Database
from core.ledger import Ledger
from core.orders.commands import PlaceOrder
from core.orders.order import Customer, Item, OrderId
from core.partners import addresses, partners, staff
from core.partners.models import PlatformRow
from core.partners.partners import NewPartner
from core.partners.staff import Member, NewMember
from core.platforms import platforms

DELIVERY_IN: Final = timedelta(days=5)
_DISHES: Final = (
    Item("Cơm gà", 20, 45_000),
    Item("Canh chua cá", 20, 25_000, "ít cay"),
    Item("Trà đá", 20, 3_000),
)


class RowKind(IntEnum):
    """A part of a copied row's id, so that ids of different tables differ."""

    ORDER = 0
    EVENT = 1
    NOTICE = 2
    WEBHOOK = 3
    TIMER = 4
    PGBENCH_EVENT = 5


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A partner with an owner who is linked to Zalo."""

    partner_id: UUID
    code: str
    owner_id: UUID
    zalo_user: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Town:
    """Kitchens whose orders are copies of one each; order `n` is of kitchen `n` modulo their number."""

    name: str
    kitchens: Sequence[Kitchen]

    def kitchen(self, number: int) -> Kitchen:
        """Return whose order this is."""
        return self.kitchens[number % len(self.kitchens)]


@dataclass(frozen=True, slots=True)
class Shop:
    """The platform that places the orders."""

    id: UUID
    api_key: str


def row_id(kind: RowKind, number: int) -> UUID:
    """Return the id of a copied row; `bench_id` says the same in SQL."""
    return UUID(f"019a0000-{kind:04x}-7000-8000-{number * 8:012x}")


_ID: Final = """
CREATE FUNCTION bench_id(kind int, number bigint, part bigint DEFAULT 0) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('019a0000-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-'
         || lpad(to_hex(number * 8 + part), 12, '0'))::uuid
$$
"""


async def open_shop(database: Database, webhook_url: str) -> Shop:
    """Add a platform that hears of every order, and make the ids of copies known to the database."""
    await database.pool.execute(_ID)
    keys = await platforms.add(
        "Chợ Món",
        now=database.clock.now(),
        webhook_url=webhook_url,
        notify_customer=False,
        allow_private=True,
    )
    row = await PlatformRow.get(name=keys.name)
    return Shop(row.id, keys.api_key)


async def settle(
    database: Database, ledger: Ledger, shop: Shop, *, name: str, kitchens: int, mail: bool
) -> Town:
    """Add kitchens with three people each, and place the one order of each that is to be copied."""
    town = Town(name, [await _kitchen(database, f"{name}-{n}", mail=mail) for n in range(kitchens)])
    placed = [await _place(database, ledger, shop, kitchen) for kitchen in town.kitchens]
    for table in _COPIES:
        await _keep(database, town, table, placed)
    return town


async def _keep(database: Database, town: Town, table: str, placed: Sequence[UUID]) -> None:
    """Put the rows of the placed orders aside, by kitchen."""
    template, order = _template(town, table), "id" if table == "orders" else "order_id"
    await database.pool.execute(f"CREATE TABLE {template} (place int, part int, was {table})")
    await database.pool.execute(
        f"INSERT INTO {template}"  # noqa: S608  (names of tables)
        f" SELECT array_position($1::uuid[], t.{order}) - 1,"
        f" row_number() OVER (PARTITION BY t.{order} ORDER BY t.id) - 1, t"
        f" FROM {table} t WHERE t.{order} = ANY($1::uuid[])",
        list(placed),
    )


def _template(town: Town, table: str) -> str:
    return f'"{town.name} {table}"'


async def _kitchen(database: Database, code: str, *, mail: bool) -> Kitchen:
    email = f"{code}@example.com" if mail else None
    partner, owner = await partners.add(
        database, NewPartner(code, f"Bếp {code}", "vi", "Asia/Ho_Chi_Minh", owner="Lan", email=email)
    )
    for member in (NewMember("Minh", Role.KITCHEN, ()), NewMember("Hoa", Role.CASHIER, ())):
        await staff.add(database, partner.id, member)
    return Kitchen(partner.id, code, owner.id, await _linked(database, owner), email)


async def _linked(database: Database, owner: Member) -> str:
    now = database.clock.now()
    user = str(200_000_000_000_000_000 + owner.id.int % 99_999_999_999_999_999)
    address = Address(AddressKind.ZALO_USER, user, heard_at=now)
    await addresses.add(database.pool, owner.id, address, now=now)
    return user


async def _place(database: Database, ledger: Ledger, shop: Shop, kitchen: Kitchen) -> UUID:
    order_id = OrderId(ids.new())
    command = PlaceOrder(
        order_id=order_id,
        platform_id=shop.id,
        external_id=f"PX-2026-{kitchen.code}",
        partner_id=kitchen.partner_id,
        deliver_at=database.clock.now() + DELIVERY_IN,
        ordered_at=None,
        customer=Customer("Công ty ABC", "+84909123456", "an@example.com", "vi"),
        address="12 Lê Lợi, Quận 1, TP.HCM",
        note="Giao cổng sau",
        items=_DISHES,
        fees=0,
        discount=0,
        total=sum(dish.quantity * dish.unit_price for dish in _DISHES),
    )
    await ledger.submit(command, actor=Actor(ActorKind.PLATFORM, "Chợ Món", Via.API, id=shop.id))
    return order_id


async def copy_orders(
    connection: Connection, town: Town, first: int, count: int, *, notices: str = "routed"
) -> range:
    """Copy orders that wait to be confirmed; return their numbers, which must be free.

    `notices` is the state of the notices that they owe; their platform has heard of them already.
    """
    for table, differs in _COPIES.items():
        await connection.execute(
            f"INSERT INTO {table} SELECT copied.*"  # noqa: S608  (names of tables)
            f" FROM generate_series({first}, {first + count - 1}) n"
            f" JOIN {_template(town, table)} t ON t.place = n % {len(town.kitchens)},"
            f" LATERAL jsonb_populate_record(t.was, {differs.format(notices=notices)}) copied"
        )
    return range(first, first + count)


_NAMES: Final = f"""
'id', bench_id({RowKind.ORDER}, n), 'external_id', 'PX-2026-' || n, 'code', lpad((n % 100000)::text, 5, '0')
"""
#: By table, what a copy's row has of its own; `n` is the order's number.
_COPIES: Final = {
    "orders": f"jsonb_build_object({_NAMES})",
    "events": f"""jsonb_build_object(
        'id', bench_id({RowKind.EVENT}, n, t.part), 'order_id', bench_id({RowKind.ORDER}, n),
        'snapshot', (t.was).snapshot || jsonb_build_object({_NAMES}))""",
    "notices": f"""jsonb_build_object(
        'id', bench_id({RowKind.NOTICE}, n, t.part), 'order_id', bench_id({RowKind.ORDER}, n),
        'state', '{{notices}}')""",
    "webhooks": f"""jsonb_build_object(
        'id', bench_id({RowKind.WEBHOOK}, n, t.part), 'order_id', bench_id({RowKind.ORDER}, n),
        'event_id', bench_id({RowKind.EVENT}, n), 'state', 'delivered')""",
    "timers": f"""jsonb_build_object(
        'id', bench_id({RowKind.TIMER}, n, t.part), 'order_id', bench_id({RowKind.ORDER}, n))""",
}


@asynccontextmanager
async def at_leisure(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Yield a connection for work that takes its time; the product's own lose patience."""
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def quieten(connection: Connection) -> None:
    """Settle everything that is owed or planned, so that what comes next is measured alone."""
    for statement in (
        "UPDATE notices SET state = 'routed' WHERE state = 'owed'",
        "UPDATE messages SET state = 'sent', next_at = NULL WHERE state IN ('waiting', 'unclear')",
        "UPDATE webhooks SET state = 'delivered' WHERE state = 'waiting'",
    ):
        await connection.execute(statement)


async def tidy(connection: Connection) -> None:
    """Do now what PostgreSQL would do by itself in the middle of a measurement."""
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
