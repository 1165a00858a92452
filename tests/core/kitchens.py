"""Cơm nhà Lan and its neighbours: the people, platforms and orders that tests of the core share."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core import ids
from core.actors import Actor, ActorKind, Role, Via
from core.channels import Address, AddressKind
from core.clock import real_now
from core.database import Database
from core.errors import Unavailable
from core.ledger import Ledger, StaffRef
from core.orders.answers import Answer
from core.orders.commands import PlaceOrder
from core.orders.decide import Terms
from core.orders.order import By, Customer, Item, Order, OrderId
from core.orders.status import Status
from core.platforms.webhook_outcomes import Tried, settle
from core.platforms.webhooks import OwedWebhook
from core.schedule import Policy

SAIGON: Final = ZoneInfo("Asia/Ho_Chi_Minh")
#: 20 November 2026, 10:00 in Hồ Chí Minh City: an order is placed for the 23rd at 11:30.
PLACED: Final = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
DELIVER: Final = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
CODE_KEY: Final = b"a key for the codes of tests"

LAN_KITCHEN: Final = UUID("0199a000-0000-7000-8000-00000000000a")
HOA_KITCHEN: Final = UUID("0199a000-0000-7000-8000-00000000000b")
SHOP: Final = UUID("0199a000-0000-7000-8000-00000000000c")
RIVAL: Final = UUID("0199a000-0000-7000-8000-00000000000d")
LAN: Final = UUID("0199a000-0000-7000-8000-000000000001")

RICE: Final = (Item("Cơm gà", 20, 45_000), Item("Canh chua", 20, 15_000, "ít cay"))
COMPANY: Final = Customer("Công ty ABC", "+84909123456", "an@example.com", "vi")


def staff_member(role: Role, *, partner_id: UUID = LAN_KITCHEN, name: str = "Lan") -> Actor:
    """Return somebody who taps in Zalo."""
    return Actor(ActorKind.STAFF, name, Via.ZALO, id=LAN, partner_id=partner_id, role=role)


def platform(platform_id: UUID = SHOP, name: str = "Cơm Ngon") -> Actor:
    """Return a platform that calls the API."""
    return Actor(ActorKind.PLATFORM, name, Via.API, id=platform_id)


def sample_order(**changes: Any) -> Order:
    """Return an order that waits for its confirmation, different as asked."""
    order = Order(
        id=OrderId(UUID("0199a000-0000-7000-8000-0000000000ff")),
        platform_id=SHOP,
        external_id="PX-2026-000123",
        partner_id=LAN_KITCHEN,
        code="48273",
        status=Status.PENDING,
        version=1,
        revision=1,
        deliver_at=DELIVER,
        ordered_at=PLACED,
        placed_at=PLACED,
        asked_at=PLACED,
        updated_at=PLACED,
        address="12 Lê Lợi, Quận 1, TP.HCM",
        note="Giao cổng sau",
        items=RICE,
        fees=30_000,
        discount=10_000,
        total=1_220_000,
        customer=COMPANY,
        status_changed_at=PLACED,
        status_changed_by=By(Via.API, "Cơm Ngon", SHOP),
    )
    return replace(order, **changes)


def sample_terms(**changes: Any) -> Terms:
    """Return the terms of a kitchen in Hồ Chí Minh City, different as asked."""
    return replace(Terms(zone=SAIGON, policy=Policy(), platform_name="Cơm Ngon", code="48273"), **changes)


def placing(
    *,
    partner_id: UUID = LAN_KITCHEN,
    platform_id: UUID = SHOP,
    external_id: str = "PX-2026-000123",
    deliver_at: datetime = DELIVER,
    **changes: Any,
) -> PlaceOrder:
    """Return the command that places the sample order, different as asked."""
    command = PlaceOrder(
        order_id=OrderId(ids.new()),
        platform_id=platform_id,
        external_id=external_id,
        partner_id=partner_id,
        deliver_at=deliver_at,
        ordered_at=None,
        customer=COMPANY,
        address="12 Lê Lợi, Quận 1, TP.HCM",
        note="Giao cổng sau",
        items=RICE,
        fees=30_000,
        discount=10_000,
        total=1_220_000,
    )
    return replace(command, **changes)


# --- in the database ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the staff, with the addresses they were added with."""

    id: UUID
    name: str
    addresses: tuple[Address, ...] = ()

    def taps(self, via: Via = Via.ZALO) -> StaffRef:
        """Return this person as a tap in Zalo names them: by id and the chat that it came from."""
        zalo = next(address for address in self.addresses if address.kind is AddressKind.ZALO_USER)
        return StaffRef(self.id, via, zalo)

    def on_the_web(self) -> StaffRef:
        """Return this person as a page of theirs names them."""
        return StaffRef(self.id, Via.WEB)


@dataclass
class SilentWake:
    """Takes down which rows the worker would be woken for."""

    notices: list[UUID] = field(default_factory=list)
    webhooks: list[UUID] = field(default_factory=list)

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Take them down."""
        self.notices += notices
        self.webhooks += webhooks


def ledger_of(database: Database, *, patience: timedelta = timedelta(seconds=10)) -> Ledger:
    """Return a ledger that is not running yet; patient, so that a busy machine is no fault."""
    return Ledger(database, policy=Policy(), code_key=CODE_KEY, wake=SilentWake(), patience=patience)


async def add_partner(
    database: Database, partner_id: UUID = LAN_KITCHEN, *, code: str = "com-nha-lan"
) -> UUID:
    """Add a kitchen without staff."""
    await database.pool.execute(
        "INSERT INTO partners (id, code, name, created_at) VALUES ($1, $2, $3, $4)",
        partner_id,
        code,
        "Cơm nhà Lan" if partner_id == LAN_KITCHEN else "Bếp Hoa",
        real_now(),
    )
    return partner_id


async def add_platform(
    database: Database,
    platform_id: UUID = SHOP,
    *,
    name: str = "Cơm Ngon",
    url: str | None = "https://shop.example/hook",
    scope: str = "all",
    notify_customer: bool = True,
) -> Actor:
    """Add a platform and return it as who calls the API."""
    await database.pool.execute(
        "INSERT INTO platforms (id, name, api_key_hash, webhook_url, webhook_secret, scope, notify_customer,"
        " created_at) VALUES ($1, $2, $3, $4, 'whsec_c2VjcmV0', $5, $6, $7)",
        platform_id,
        name,
        platform_id.bytes,
        url,
        scope,
        notify_customer,
        real_now(),
    )
    return platform(platform_id, name)


async def add_person(
    database: Database,
    name: str,
    role: Role = Role.OWNER,
    *,
    partner_id: UUID = LAN_KITCHEN,
    notify: bool = False,
    zalo: str | None = None,
    telegram: str | None = None,
    phone: str | None = None,
    email: str | None = None,
) -> Person:
    """Add somebody to a kitchen, reached as given."""
    given = (
        (AddressKind.ZALO_USER, zalo),
        (AddressKind.TELEGRAM_CHAT, telegram),
        (AddressKind.PHONE, phone),
        (AddressKind.EMAIL, email),
    )
    addresses = tuple(Address(kind, value) for kind, value in given if value)
    staff_id = ids.new()
    await database.pool.execute(
        "INSERT INTO staff (id, partner_id, name, role, notify, added_at) VALUES ($1, $2, $3, $4, $5, $6)",
        staff_id,
        partner_id,
        name,
        role.value,
        notify,
        real_now(),
    )
    await _add_addresses(database, staff_id, addresses)
    return Person(staff_id, name, addresses)


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Cơm nhà Lan with its people, all in Zalo, and two platforms that hear of everything."""

    lan: Person
    hung: Person
    mai: Person
    tam: Person
    shop: Actor
    rival: Actor

    @property
    def acting(self) -> tuple[Person, Person, Person]:
        """Who may confirm, cancel and complete."""
        return self.lan, self.hung, self.mai


async def open_kitchen(database: Database) -> Kitchen:
    """Add the kitchen: Lan owns it, Hùng manages, Mai cooks, Tâm keeps the till."""
    shop = await add_platform(database)
    rival = await add_platform(database, RIVAL, name="Ăn Nhanh", notify_customer=False)
    await add_partner(database)
    return Kitchen(
        lan=await add_person(database, "Lan", Role.OWNER, zalo="zalo-lan", email="lan@example.com"),
        hung=await add_person(database, "Hùng", Role.MANAGER, zalo="zalo-hung"),
        mai=await add_person(database, "Mai", Role.KITCHEN, zalo="zalo-mai"),
        tam=await add_person(database, "Tâm", Role.CASHIER, zalo="zalo-tam"),
        shop=shop,
        rival=rival,
    )


async def _add_addresses(database: Database, staff_id: UUID, addresses: Iterable[Address]) -> None:
    for address in addresses:
        await database.pool.execute(
            "INSERT INTO addresses (id, staff_id, kind, value, added_at) VALUES ($1, $2, $3, $4, $5)",
            ids.new(),
            staff_id,
            address.kind.value,
            address.value,
            real_now(),
        )


def soon(database: Database, after: timedelta = timedelta(days=2)) -> datetime:
    """Return a delivery time ahead, to the second."""
    return (database.clock.now() + after).replace(microsecond=0)


async def place(database: Database, ledger: Ledger, **changes: Any) -> OrderId:
    """Place one more order with Cơm nhà Lan, for the day after tomorrow unless told otherwise."""
    changes = {"external_id": f"PX-{ids.new()}", "deliver_at": soon(database), **changes}
    command = placing(**changes)
    answer = await _placed(ledger, command)
    assert answer.order_id is not None
    return answer.order_id


async def _placed(ledger: Ledger, command: PlaceOrder) -> Answer:
    """Place it, once more where a busy machine took too long: the same order is placed once."""
    for _ in range(3):
        with suppress(Unavailable):
            return await ledger.submit(command, actor=platform(command.platform_id))
    return await ledger.submit(command, actor=platform(command.platform_id))


async def travel_to(database: Database, moment: datetime) -> None:
    """Move product time to this moment."""
    ahead = database.clock.offset + (moment - database.clock.now())
    await database.pool.execute("UPDATE clock SET ahead = $1", ahead)
    await database.set_clock()


async def answers(
    database: Database,
    webhook: OwedWebhook,
    status: int | None,
    *,
    why: str | None = None,
    jitter: float = 0.0,
    retry_after: timedelta | None = None,
) -> timedelta | None:
    """Let a platform answer a webhook; return how long until the next try."""
    is_good = status is not None and status < 300
    reason = why or ("" if is_good else f"HTTP {status}")
    tried = Tried(webhook, status, reason, timedelta(milliseconds=12), retry_after, jitter)
    (wait,) = await settle(database, [tried])
    return wait


async def count(database: Database, table: str, where: str = "true", *parameters: object) -> int:
    """Return how many rows of a table are so."""
    found = await database.pool.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *parameters)  # noqa: S608
    assert isinstance(found, int)
    return found


async def everything_written(database: Database) -> dict[str, int]:
    """Return how many rows each table of consequences has, and the sum of all versions."""
    tables = ("orders", "events", "notices", "webhooks", "timers", "messages")
    counts = {table: await count(database, table) for table in tables}
    versions = await database.pool.fetchval("SELECT coalesce(sum(version), 0) FROM orders")
    return {**counts, "versions": int(versions)}
