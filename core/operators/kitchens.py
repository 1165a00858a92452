"""What operators do to a kitchen and its people: each deed in one transaction with its line in the record.

The record names people by id alone: whoever is erased is not found there either.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core import audit
from core.actors import Role, Via
from core.channels import Address
from core.database import Connection, Database
from core.errors import RuleError
from core.orders.events import Json
from core.orders.order import By
from core.partners import addresses, one_time_links, partners, pauses, sessions, staff
from core.partners.addresses import masked
from core.partners.one_time_links import LinkPurpose
from core.partners.partners import NewPartner, Partner, PartnerChange
from core.partners.pauses import Written
from core.partners.staff import KnownAddress, Member, NewMember

LONGEST_REASON: Final = 300
_NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does it, as the record has it (`who`, `via`) and as kitchens and platforms are told (`name`)."""

    who: str
    via: str
    name: str

    @property
    def by(self) -> By:
        """The same, as events name it."""
        return By(Via.OPERATOR, self.name)


def reason_of(text: str) -> str:
    """Return why an operator does something; raises RuleError("reason_missing"), RuleError("reason_long")."""
    reason = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not reason:
        raise RuleError("reason_missing")
    if len(reason) > LONGEST_REASON:
        raise RuleError("reason_long")
    return reason


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed under way: its connection, its moment, and what is written down of it."""

    connection: Connection
    now: datetime
    hand: Hand

    async def record(
        self,
        deed: str,
        about: str,
        about_id: UUID,
        *,
        reason: str = "",
        data: Mapping[str, Json] = _NOTHING,
    ) -> None:
        """Write the deed down, in its own transaction."""
        await audit.record(
            self.connection,
            who=self.hand.who,
            via=self.hand.via,
            deed=deed,
            about=about,
            about_id=about_id,
            reason=reason,
            data=data,
            now=self.now,
        )


@asynccontextmanager
async def deed_of(database: Database, hand: Hand) -> AsyncIterator[Deed]:
    """Open a transaction that an operator's deed and its record share."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        yield Deed(connection, database.clock.now(), hand)


# --- The kitchen ------------------------------------------------------------------------------------


async def add(database: Database, new: NewPartner, *, hand: Hand) -> tuple[Partner, Member]:
    """Add a kitchen and its owner; raises what `partners.add` does."""
    async with deed_of(database, hand) as deed:
        partner, owner = await partners.insert(deed.connection, new, now=deed.now)
        await deed.record("partner.added", partner.code, partner.id)
    return partner, owner


async def change(database: Database, code: str, wanted: PartnerChange, *, hand: Hand) -> Partner:
    """Change a kitchen's settings; raises what `partners.alter` does."""
    async with deed_of(database, hand) as deed:
        before = await partners.by_code(deed.connection, code)
        after = await partners.alter(deed.connection, code, wanted, by=hand.by, now=deed.now)
        changes = _differences(_set(before), _set(after))
        await deed.record("partner.changed", code, after.id, data=changes)
    return after


async def pause(database: Database, partner: Partner, until: datetime, *, reason: str, hand: Hand) -> Written:
    """Let a kitchen take no orders until a moment; returns what is owed because of it."""
    async with deed_of(database, hand) as deed:
        written = await pauses.begin(deed.connection, partner.id, until, by=hand.by, now=deed.now)
        told: dict[str, Json] = {"until": until.isoformat()}
        await deed.record("partner.paused", partner.code, partner.id, reason=reason, data=told)
    return written


async def resume(database: Database, partner: Partner, *, reason: str, hand: Hand) -> Written:
    """Let a kitchen take orders again; returns what is owed because of it."""
    async with deed_of(database, hand) as deed:
        written = await pauses.finish(deed.connection, partner.id, by=hand.by, now=deed.now)
        await deed.record("partner.resumed", partner.code, partner.id, reason=reason)
    return written


def _set(partner: Partner) -> dict[str, Json]:
    return {
        "locale": partner.locale,
        "timezone": partner.zone.key,
        "quiet": "-".join(f"{at:%H:%M}" for at in partner.quiet) if partner.quiet else None,
        "sheet_at": f"{partner.sheet_at:%H:%M}" if partner.sheet_at else None,
        "paused_until": partner.paused_until.isoformat() if partner.paused_until else None,
    }


def _differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


# --- Its people -------------------------------------------------------------------------------------


async def hire(database: Database, partner: Partner, new: NewMember, *, hand: Hand) -> Member:
    """Add somebody to a kitchen; raises what `staff.add` does."""
    async with deed_of(database, hand) as deed:
        member = await staff.insert(deed.connection, partner.id, new, now=deed.now)
        await deed.record("staff.added", partner.code, member.id, data={"role": member.role.value})
    return member


async def reassign(
    database: Database, partner: Partner, member: Member, *, role: Role, notify: bool, hand: Hand
) -> Member:
    """Give somebody another role or other news; raises what `staff.change` does."""
    async with deed_of(database, hand) as deed:
        after = await staff.alter(deed.connection, partner.id, member.id, role=role, notify=notify)
        changes = _differences(_told(member), _told(after))
        await deed.record("staff.changed", partner.code, member.id, data=changes)
    return after


async def fire(database: Database, partner: Partner, member: Member, *, reason: str, hand: Hand) -> None:
    """Let somebody go, at once; raises what `staff.remove` does."""
    async with deed_of(database, hand) as deed:
        await staff.let_go(deed.connection, partner.id, member.id, now=deed.now)
        await deed.record("staff.removed", partner.code, member.id, reason=reason)


async def add_address(
    database: Database, partner: Partner, member: Member, address: Address, *, hand: Hand
) -> None:
    """Give somebody one more address; the record has it masked."""
    async with deed_of(database, hand) as deed:
        await addresses.add(deed.connection, member.id, address, now=deed.now)
        told: dict[str, Json] = {"address": masked(address.kind, address.value)}
        await deed.record("staff.address_added", partner.code, member.id, data=told)


async def take_address(
    database: Database, partner: Partner, member: Member, known: KnownAddress, *, hand: Hand
) -> None:
    """Take an address from somebody; the record has it masked."""
    async with deed_of(database, hand) as deed:
        await addresses.take_away(deed.connection, member.id, known.kind, known.value)
        told: dict[str, Json] = {"address": masked(known.kind, known.value)}
        await deed.record("staff.address_taken", partner.code, member.id, data=told)


async def sign_out(database: Database, partner: Partner, member: Member, *, hand: Hand) -> None:
    """Sign somebody out everywhere."""
    async with deed_of(database, hand) as deed:
        await sessions.end_all(deed.connection, member.id, now=deed.now)
        await deed.record("staff.signed_out", partner.code, member.id)


async def make_link(
    database: Database, partner: Partner, member: Member, purpose: LinkPurpose, *, reason: str, hand: Hand
) -> UUID:
    """Make a one-time link of somebody's and return its id; whoever opens it is that person."""
    async with deed_of(database, hand) as deed:
        link_id = await one_time_links.issue(
            deed.connection, member.id, purpose, via="operator", now=deed.now
        )
        await deed.record(f"staff.{purpose.value}_link_made", partner.code, member.id, reason=reason)
    return link_id


async def record_codes(
    connection: Connection, partner: Partner, member: Member, *, hand: Hand, now: datetime
) -> None:
    """Write down that codes were drawn by which somebody links a chat."""
    deed = Deed(connection, now, hand)
    await deed.record("staff.link_codes_drawn", partner.code, member.id)


def _told(member: Member) -> dict[str, Json]:
    return {"role": member.role.value, "notify": member.notify}
