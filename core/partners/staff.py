"""Who works in a kitchen: added, removed, listed, found by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from core import ids
from core.actors import Role
from core.channels import Address, AddressKind
from core.database import Connection, Database
from core.errors import Conflict, NotFound, RuleError
from core.partners import addresses, sessions
from core.partners.addresses import Queryable
from core.partners.words import folded, locale_of, name_of


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One way to reach a member; `ended_at` is since when it is dead."""

    kind: AddressKind
    value: str
    added_at: datetime
    heard_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works in a kitchen now. `notify` is the wish of `--notify`."""

    id: UUID
    partner_id: UUID
    name: str
    role: Role
    notify: bool
    locale: str | None
    added_at: datetime
    addresses: tuple[KnownAddress, ...] = ()

    @property
    def is_recipient(self) -> bool:
        """Whether the kitchen's notices go to this member."""
        return is_recipient(self.role, notify=self.notify)

    def live(self, kind: AddressKind) -> tuple[KnownAddress, ...]:
        """Return the member's living addresses of this kind, oldest first."""
        return tuple(known for known in self.addresses if known.kind is kind and known.ended_at is None)


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody to be added, with every word checked."""

    name: str
    role: Role
    addresses: tuple[Address, ...]
    notify: bool = False


def is_recipient(role: Role, *, notify: bool) -> bool:
    """Whether somebody is told what concerns the kitchen: the owner, managers, and whoever asked to be."""
    return role.is_told or notify


def new_member(
    name: str, role: Role, *, phone: str | None = None, email: str | None = None, notify: bool = False
) -> NewMember:
    """Return a member to be added; raises RuleError for a name, phone or email that cannot be one."""
    given = ((AddressKind.PHONE, phone), (AddressKind.EMAIL, email))
    known = tuple(addresses.normalised(kind, text) for kind, text in given if text is not None)
    return NewMember(name_of(name), role, known, notify)


async def add(database: Database, partner_id: UUID, member: NewMember) -> Member:
    """Add somebody to a kitchen.

    Raises Conflict("staff_exists") when the kitchen has somebody of this name already, whatever its case.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await insert(connection, partner_id, member, now=database.clock.now())


async def insert(connection: Connection, partner_id: UUID, member: NewMember, *, now: datetime) -> Member:
    """Add somebody to a kitchen inside a transaction, which holds the partner's row until it ends."""
    await _hold(connection, partner_id)
    if _named(await staff_of(connection, partner_id), member.name):
        raise Conflict("staff_exists", name=member.name)
    staff_id = ids.new()
    await connection.execute(
        _INSERT, staff_id, partner_id, member.name, member.role.value, member.notify, now
    )
    for address in member.addresses:
        await addresses.add(connection, staff_id, address, now=now)
    return await _one(connection, staff_id)


async def remove(database: Database, partner_id: UUID, name: str) -> Member:
    """Let somebody go; from now on their buttons, links, codes and sessions do nothing.

    Addresses stay as history. Raises NotFound("no_such_staff"), RuleError("last_owner").
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await _hold(connection, partner_id)
        member = await by_name(connection, partner_id, name)
        return await _let_go(connection, member, now=database.clock.now())


async def remove_by_id(database: Database, partner_id: UUID, staff_id: UUID) -> Member:
    """Do so with the member of this id."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await let_go(connection, partner_id, staff_id, now=database.clock.now())


async def let_go(connection: Connection, partner_id: UUID, staff_id: UUID, *, now: datetime) -> Member:
    """Do so inside a transaction of the caller's."""
    await _hold(connection, partner_id)
    return await _let_go(connection, await by_id(connection, partner_id, staff_id), now=now)


async def change(database: Database, partner_id: UUID, staff_id: UUID, *, role: Role, notify: bool) -> Member:
    """Give somebody another role or other news; raises NotFound("no_such_staff"), RuleError("last_owner")."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await alter(connection, partner_id, staff_id, role=role, notify=notify)


async def alter(
    connection: Connection, partner_id: UUID, staff_id: UUID, *, role: Role, notify: bool
) -> Member:
    """Do so inside a transaction of the caller's."""
    await _hold(connection, partner_id)
    member = await by_id(connection, partner_id, staff_id)
    if role is not Role.OWNER:
        await _check_another_owner(connection, member)
    await connection.execute(
        "UPDATE staff SET role = $2, notify = $3 WHERE id = $1", staff_id, role.value, notify
    )
    return await _one(connection, staff_id)


async def speak(queryable: Queryable, staff_id: UUID, locale: str) -> None:
    """Speak this language with somebody from now on. Raises RuleError("locale_unknown")."""
    await queryable.execute("UPDATE staff SET locale = $2 WHERE id = $1", staff_id, locale_of(locale))


def may_manage(manager: Role, other: Role) -> bool:
    """Whether somebody of one role may add, change and remove somebody of the other."""
    return manager is Role.OWNER or (manager is Role.MANAGER and other is not Role.OWNER)


async def _hold(connection: Connection, partner_id: UUID) -> None:
    """Keep others from changing who works there until this transaction ends."""
    await connection.execute("SELECT 1 FROM partners WHERE id = $1 FOR NO KEY UPDATE", partner_id)


async def _let_go(connection: Connection, member: Member, *, now: datetime) -> Member:
    await _check_another_owner(connection, member)
    await connection.execute("UPDATE staff SET removed_at = $2 WHERE id = $1", member.id, now)
    await sessions.end_all(connection, member.id, now=now)
    await _hand_groups_on(connection, member, now=now)
    return member


async def _check_another_owner(connection: Connection, member: Member) -> None:
    """A kitchen without an owner could not be run by anybody."""
    others = await staff_of(connection, member.partner_id)
    owners = [each for each in others if each.role is Role.OWNER and each.id != member.id]
    if member.role is Role.OWNER and not owners:
        raise RuleError("last_owner", name=member.name)


async def _hand_groups_on(connection: Connection, member: Member, *, now: datetime) -> None:
    """Give the kitchen's groups to who is left: a group does not fall silent with who linked it."""
    left = await staff_of(connection, member.partner_id)
    known = [Address(each.kind, each.value, each.heard_at) for each in member.live(AddressKind.TELEGRAM_CHAT)]
    for group in (address for address in known if address.is_group and left):
        await addresses.add(connection, min(left, key=_succession).id, group, now=now)


def _succession(member: Member) -> tuple[bool, bool, bool]:
    """Order who takes over: owners, managers, who is told, anybody."""
    return member.role is not Role.OWNER, member.role is not Role.MANAGER, not member.is_recipient


async def by_name(queryable: Queryable, partner_id: UUID, name: str) -> Member:
    """Return the member of this name, whatever its case; raises NotFound("no_such_staff")."""
    members = await staff_of(queryable, partner_id)
    found = _named(members, name_of(name))
    if found is None:
        raise NotFound("no_such_staff", name=name_of(name), names=[member.name for member in members])
    return found


async def by_id(queryable: Queryable, partner_id: UUID, staff_id: UUID) -> Member:
    """Return this kitchen's member of this id; raises NotFound("no_such_staff")."""
    members = await staff_of(queryable, partner_id)
    found = next((member for member in members if member.id == staff_id), None)
    if found is None:
        raise NotFound("no_such_staff", name=str(staff_id), names=[member.name for member in members])
    return found


async def first_of(queryable: Queryable, partner_id: UUID) -> Member:
    """Return the owner who was added first, or else the first member; raises NotFound("no_staff")."""
    members = await staff_of(queryable, partner_id)
    owners = [member for member in members if member.role is Role.OWNER]
    if not members:
        raise NotFound("no_staff")
    return (owners or members)[0]


async def staff_of(queryable: Queryable, partner_id: UUID) -> list[Member]:
    """Return who works in a kitchen now, in the order they were added."""
    return _members(await queryable.fetch(f"{_SELECT} WHERE s.partner_id = $1 {_LIVE}", partner_id))


async def _one(queryable: Queryable, staff_id: UUID) -> Member:
    (member,) = _members(await queryable.fetch(f"{_SELECT} WHERE s.id = $1 {_LIVE}", staff_id))
    return member


def _named(members: Iterable[Member], name: str) -> Member | None:
    return next((member for member in members if folded(member.name) == folded(name)), None)


def _members(rows: Sequence[asyncpg.Record]) -> list[Member]:
    """Gather one member of its rows, one per address."""
    of: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        of.setdefault(row["id"], []).append(row)
    return [_member(group) for group in of.values()]


def _member(rows: Sequence[asyncpg.Record]) -> Member:
    row = rows[0]
    return Member(
        id=row["id"],
        partner_id=row["partner_id"],
        name=row["name"],
        role=Role(row["role"]),
        notify=row["notify"],
        locale=row["locale"],
        added_at=row["added_at"],
        addresses=tuple(_known(each) for each in rows if each["kind"] is not None),
    )


def _known(row: asyncpg.Record) -> KnownAddress:
    return KnownAddress(
        AddressKind(row["kind"]), row["value"], row["linked_at"], row["heard_at"], row["ended_at"]
    )


_INSERT: Final = """
INSERT INTO staff (id, partner_id, name, role, notify, added_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_SELECT: Final = """
SELECT s.id, s.partner_id, s.name, s.role, s.notify, s.locale, s.added_at,
       a.kind, a.value, a.added_at AS linked_at, a.heard_at, a.ended_at
  FROM staff s LEFT JOIN addresses a ON a.staff_id = s.id
"""
_LIVE: Final = "AND s.removed_at IS NULL ORDER BY s.position, a.added_at, a.kind DESC, a.id"
