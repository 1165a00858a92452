"""Kitchens: added, changed, found by code."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from core import ids
from core.actors import Role, Via
from core.database import Connection, Database
from core.errors import Conflict, NotFound, RuleError
from core.orders.order import By
from core.partners import pauses, staff
from core.partners.addresses import Queryable
from core.partners.staff import Member, new_member
from core.partners.words import locale_of, name_of, partner_code_of, zone_of

#: Whoever has the command line.
OPERATORS: Final = By(Via.OPERATOR, "Tổng đài")


@dataclass(frozen=True, slots=True)
class Partner:
    """A kitchen. `quiet` and `sheet_at` are times of its day; `paused_until` is aware and UTC."""

    id: UUID
    code: str
    name: str
    locale: str
    zone: ZoneInfo
    quiet: tuple[time, time] | None
    sheet_at: time | None
    paused_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewPartner:
    """A kitchen to be added. `owner` is the first member's name, the kitchen's own when None."""

    code: str
    name: str
    locale: str
    timezone: str
    owner: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerChange:
    """What is to be different. None leaves a part as it is; `NONE` takes it away.

    A pause until a day ends where that day begins for the partner.
    """

    locale: str | None = None
    timezone: str | None = None
    quiet: "tuple[time, time] | Nothing | None" = None
    sheet_at: "time | Nothing | None" = None
    paused_until: "date | datetime | Nothing | None" = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Takes away what was set."""


NONE: Final = Nothing()


async def add(database: Database, new: NewPartner) -> tuple[Partner, Member]:
    """Add a kitchen and its owner, at whose phone and email it is reached.

    Raises Conflict("partner_exists") when the code is taken, RuleError for what cannot be read.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await insert(connection, new, now=database.clock.now())


async def insert(connection: Connection, new: NewPartner, *, now: datetime) -> tuple[Partner, Member]:
    """Do so inside a transaction of the caller's."""
    code, zone, locale = partner_code_of(new.code), zone_of(new.timezone), locale_of(new.locale)
    name = name_of(new.name)
    owner = new_member(new.owner or name, Role.OWNER, phone=new.phone, email=new.email)
    partner_id = ids.new()
    try:
        await connection.execute(_INSERT, partner_id, code, name, locale, zone.key, now)
    except asyncpg.UniqueViolationError:
        raise Conflict("partner_exists", partner=code) from None
    member = await staff.insert(connection, partner_id, owner, now=now)
    return await by_code(connection, code), member


async def change(database: Database, code: str, wanted: PartnerChange, *, by: By = OPERATORS) -> Partner:
    """Change a kitchen's settings; raises NotFound("no_such_partner"), RuleError for what cannot be.

    A pause is told to platforms and to the kitchen's people, as done `by` somebody.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await alter(connection, code, wanted, by=by, now=database.clock.now())


async def alter(
    connection: Connection, code: str, wanted: PartnerChange, *, by: By = OPERATORS, now: datetime
) -> Partner:
    """Do so inside a transaction of the caller's."""
    partner = await by_code(connection, code)
    columns = _columns(partner, wanted)
    await _pause(connection, partner, wanted, by=by, now=now)
    assignments = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
    await connection.execute(
        f"UPDATE partners SET {assignments} WHERE id = $1",  # noqa: S608  (names of columns)
        partner.id,
        *columns.values(),
    )
    return await by_code(connection, code)


async def by_code(queryable: Queryable, code: str) -> Partner:
    """Return the kitchen of this code; raises NotFound("no_such_partner")."""
    row = await queryable.fetchrow("SELECT * FROM partners WHERE code = $1", _searchable(code))
    if row is None:
        raise NotFound("no_such_partner", partner=code)
    return _partner(row)


async def by_id(queryable: Queryable, partner_id: UUID) -> Partner:
    """Return the kitchen of this id; raises NotFound("no_such_partner")."""
    row = await queryable.fetchrow("SELECT * FROM partners WHERE id = $1", partner_id)
    if row is None:
        raise NotFound("no_such_partner", partner=str(partner_id))
    return _partner(row)


def _searchable(code: str) -> str:
    """Return the code, or what no code is when PostgreSQL could not even take it as text."""
    return code if code.isascii() and "\0" not in code else ""


def _columns(partner: Partner, wanted: PartnerChange) -> dict[str, object]:
    zone = partner.zone if wanted.timezone is None else zone_of(wanted.timezone)
    columns: dict[str, object] = {"timezone": zone.key}
    if wanted.locale is not None:
        columns["locale"] = locale_of(wanted.locale)
    if wanted.quiet is not None:
        columns["quiet_from"], columns["quiet_to"] = _span(wanted.quiet)
    if wanted.sheet_at is not None:
        columns["sheet_at"] = None if isinstance(wanted.sheet_at, Nothing) else wanted.sheet_at
    if wanted.sheet_at is not None or wanted.timezone is not None:
        columns["next_sheet_at"] = None  # it is worked out anew
    return columns


async def _pause(
    connection: Connection, partner: Partner, wanted: PartnerChange, *, by: By, now: datetime
) -> None:
    until = wanted.paused_until
    if isinstance(until, Nothing):
        await pauses.finish(connection, partner.id, by=by, now=now)
    elif until is not None:
        zone = partner.zone if wanted.timezone is None else zone_of(wanted.timezone)
        await pauses.begin(connection, partner.id, _moment(until, zone, now), by=by, now=now)


def _moment(until: date | datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when a pause ends, in UTC: a day is where it begins for the kitchen."""
    if not isinstance(until, datetime):
        until = datetime.combine(until, time(), tzinfo=zone)
    if until <= now:
        raise RuleError("paused_until_past")
    try:
        return until.astimezone(UTC)
    except OverflowError:
        raise RuleError("paused_until_too_far") from None


def _span(quiet: tuple[time, time] | Nothing) -> tuple[time | None, time | None]:
    if isinstance(quiet, Nothing):
        return None, None
    if quiet[0] == quiet[1]:
        raise RuleError("quiet_hours_empty")
    return quiet


def _partner(row: asyncpg.Record) -> Partner:
    return Partner(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        locale=row["locale"],
        zone=ZoneInfo(row["timezone"]),
        quiet=(row["quiet_from"], row["quiet_to"]) if row["quiet_from"] is not None else None,
        sheet_at=row["sheet_at"],
        paused_until=row["paused_until"],
        created_at=row["created_at"],
    )


_INSERT: Final = """
INSERT INTO partners (id, code, name, locale, timezone, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
