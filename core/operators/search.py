"""Finding an order, a kitchen or somebody of a kitchen by what an operator has at hand, each by an index.

A phone or a mail address is looked up whole, in the one spelling that it is stored by.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.channels import Address, AddressKind
from core.database import Row
from core.errors import RuleError
from core.orders.status import Status
from core.partners import addresses
from core.partners.addresses import Queryable

LONGEST: Final = 120
_LEAST_LETTERS: Final = 2


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order that was found, without its customer."""

    id: UUID
    code: str
    status: Status
    deliver_at: datetime
    partner_name: str
    external_id: str
    platform_name: str


@dataclass(frozen=True, slots=True)
class FoundKitchen:
    """A kitchen that was found."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class FoundStaff:
    """Somebody of a kitchen who was found."""

    id: UUID
    name: str
    role: str
    partner_code: str
    partner_name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the newest orders first. `by_phone`: customers were looked up."""

    orders: tuple[FoundOrder, ...] = ()
    kitchens: tuple[FoundKitchen, ...] = ()
    staff: tuple[FoundStaff, ...] = ()
    by_phone: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing of that."""
        return not (self.orders or self.kitchens or self.staff)


async def search(queryable: Queryable, text: str, *, most: int) -> Found:
    """Return what this is the code, id, phone, mail address or name of; up to so many of each."""
    text = text.strip()[:LONGEST]
    if not text or "\0" in text:
        return Found()
    if (order_id := _uuid(text)) is not None:
        return Found(orders=await _orders(queryable, _BY_ID, order_id, most))
    if (phone := _address(AddressKind.PHONE, text)) is not None:
        by_phone = await _orders(queryable, _BY_PHONE, phone.value, most)
        return Found(  # a platform may number its orders so
            orders=by_phone + await _orders(queryable, _BY_EXTERNAL_ID, text, most),
            staff=await _staff_at(queryable, phone, most),
            by_phone=True,
        )
    if (email := _address(AddressKind.EMAIL, text)) is not None:
        return Found(staff=await _staff_at(queryable, email, most))
    return await _by_words(queryable, text, most)


async def _by_words(queryable: Queryable, text: str, most: int) -> Found:
    statement = _BY_CODE if _is_code(text) else _BY_EXTERNAL_ID
    orders = await _orders(queryable, statement, text, most)
    if statement is _BY_CODE:
        orders = (*orders, *await _orders(queryable, _BY_EXTERNAL_ID, text, most))
    if len(text) < _LEAST_LETTERS:
        return Found(orders=orders)
    kitchens = [
        FoundKitchen(row["code"], row["name"]) for row in await queryable.fetch(_KITCHENS, text, most)
    ]
    staff = [_staff(row) for row in await queryable.fetch(_STAFF, text, most)]
    return Found(orders, tuple(kitchens), tuple(staff))


async def _orders(queryable: Queryable, statement: str, wanted: object, most: int) -> tuple[FoundOrder, ...]:
    rows = await queryable.fetch(f"{_FOUND} {statement}", wanted, most)
    return tuple(_order(row) for row in rows)


async def _staff_at(queryable: Queryable, address: Address, most: int) -> tuple[FoundStaff, ...]:
    spellings = [address.value, address.value.lower()]
    rows = await queryable.fetch(_STAFF_AT, address.kind.value, spellings, most)
    return tuple(_staff(row) for row in rows)


def _order(row: Row) -> FoundOrder:
    return FoundOrder(
        row["id"],
        row["code"],
        Status(row["status"]),
        row["deliver_at"],
        row["partner_name"],
        row["external_id"],
        row["platform_name"],
    )


def _staff(row: Row) -> FoundStaff:
    return FoundStaff(row["id"], row["name"], row["role"], row["partner_code"], row["partner_name"])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def is_phone(text: str) -> bool:
    """Whether this is somebody's phone number; a code of five digits is not."""
    return _address(AddressKind.PHONE, text.strip()) is not None


def _is_code(text: str) -> bool:
    return len(text) == 5 and text.isascii() and text.isdigit()


def _address(kind: AddressKind, text: str) -> Address | None:
    try:
        return addresses.normalised(kind, text)
    except RuleError:
        return None


_FOUND: Final = """
SELECT o.id, o.code, o.status, o.deliver_at, o.external_id, p.name AS partner_name, f.name AS platform_name
  FROM orders o JOIN partners p ON p.id = o.partner_id JOIN platforms f ON f.id = o.platform_id
"""
_BY_ID: Final = "WHERE o.id = $1::uuid LIMIT $2"
_BY_PHONE: Final = "WHERE o.customer ->> 'phone' = $1::text ORDER BY o.placed_at DESC LIMIT $2"
# One look into `orders_code` for each kitchen, one into the platforms' own ids for each platform.
_BY_CODE: Final = """
 WHERE o.id IN (SELECT c.id FROM partners k, LATERAL (
           SELECT id FROM orders WHERE partner_id = k.id AND code = $1::text
            ORDER BY placed_at DESC LIMIT $2) c)
 ORDER BY o.placed_at DESC LIMIT $2
"""
_BY_EXTERNAL_ID: Final = """
 WHERE o.id IN (SELECT e.id FROM platforms k, LATERAL (
           SELECT id FROM orders WHERE platform_id = k.id AND external_id = $1::text) e)
 ORDER BY o.placed_at DESC LIMIT $2
"""
_KITCHENS: Final = """
SELECT code, name FROM partners
 WHERE code = lower($1::text) OR plain_words(name) LIKE '%' || replace(replace(replace(
     plain_words($1::text), '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'
 ORDER BY code = lower($1::text) DESC, name LIMIT $2
"""
_STAFF: Final = """
SELECT s.id, s.name, s.role, p.code AS partner_code, p.name AS partner_name
  FROM staff s JOIN partners p ON p.id = s.partner_id
 WHERE s.removed_at IS NULL AND plain_words(s.name) LIKE '%' || replace(replace(replace(
     plain_words($1::text), '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'
 ORDER BY p.name, s.name LIMIT $2
"""
_STAFF_AT: Final = """
SELECT DISTINCT s.id, s.name, s.role, p.code AS partner_code, p.name AS partner_name
  FROM addresses a JOIN staff s ON s.id = a.staff_id JOIN partners p ON p.id = s.partner_id
 WHERE a.kind = $1 AND a.value = ANY($2::text[]) AND s.removed_at IS NULL
 ORDER BY partner_name, s.name LIMIT $3
"""
