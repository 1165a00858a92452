"""Linking a chat to a staff member: a one-time code is told to the person, who sends it from that chat."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core import ids
from core.channels import Address, AddressKind, ChannelName
from core.database import Connection, Database
from core.errors import NotFound, RuleError
from core.keys import derive
from core.partners import addresses, wrong_tries
from core.partners.addresses import StaffAt
from core.partners.wrong_tries import Limit

LIFE: Final = timedelta(minutes=15)
#: Five wrong codes, however slowly within an hour, and that sender waits an hour.
LIMIT: Final = Limit("link_code", tries=5, within=timedelta(hours=1), locks_for=timedelta(hours=1))

#: What a code of this channel is sent from.
_SENT_FROM: Final[Mapping[ChannelName, AddressKind]] = MappingProxyType(
    {
        ChannelName.ZALO: AddressKind.ZALO_USER,
        ChannelName.TELEGRAM: AddressKind.TELEGRAM_CHAT,
        ChannelName.SMS: AddressKind.PHONE,
    }
)
_DIGITS: Final = 6
_DRAWS: Final = 20
_DRAWING: Final = 7_214_902_612  # the key of the advisory lock under which codes are drawn


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A code told to one person. `text` is what to send in the chat; `expires_at` is product time, UTC."""

    code: str
    expires_at: datetime

    @property
    def text(self) -> str:
        """What the person sends in Zalo or by SMS."""
        return f"LK {self.code}"


@dataclass(frozen=True, slots=True)
class Linked:
    """The chat belongs to this staff member from now on, or did already by the same code.

    `others` are the same person in other kitchens, where the code was for several.
    """

    staff: StaffAt
    others: tuple[StaffAt, ...] = ()


@dataclass(frozen=True, slots=True)
class WrongCode:
    """No such code lives for this channel; so many tries are left before the sender has to wait."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class Locked:
    """The sender has to wait. `just_now` is set on the try that locked it: the only one that is answered."""

    until: datetime
    just_now: bool


Redeemed = Linked | WrongCode | Locked


def code_key(secret_key: str) -> bytes:
    """Return the key that link codes are hashed with: a million codes are no secret without it."""
    return derive(secret_key, "link codes")


async def create_code(database: Database, staff_id: UUID, channel: ChannelName, *, key: bytes) -> LinkCode:
    """Return a new code by which this member links one chat of this channel, once, within 15 minutes.

    Only its keyed hash is stored. Raises RuleError("channel_not_linkable").
    """
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await issue_code(connection, [staff_id], channel, key=key, now=now)


async def issue_code(
    connection: Connection,
    staff_ids: Sequence[UUID],
    channel: ChannelName,
    *,
    key: bytes,
    now: datetime,
    invite_id: UUID | None = None,
) -> LinkCode:
    """Do so inside a transaction of the caller's, for one person who is staff of several kitchens.

    A code that was drawn for an invitation ends it when it links a chat.
    """
    if channel not in _SENT_FROM:
        raise RuleError("channel_not_linkable", channel=channel.value)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _DRAWING)
    await connection.execute("DELETE FROM link_codes WHERE expires_at <= $1", now - LIMIT.within)
    code = await _unused(connection, channel, key=key, now=now)
    hashed = _hash(key, channel, code)
    rows = [(ids.new(), staff_id, channel.value, hashed, now + LIFE, invite_id) for staff_id in staff_ids]
    await connection.executemany(_INSERT, rows)
    return LinkCode(code, now + LIFE)


async def redeem(
    connection: Connection,
    *,
    code: str,
    address: Address,
    key: bytes,
    now: datetime,
    sender: Address | None = None,
) -> Redeemed:
    """Link the chat at `address` to whom `code` was told; call it inside a transaction and commit.

    Tries are counted for the `sender`, where that is somebody else than the chat: a person in a group.

    Of two that send one code at the same moment one wins. The same chat may send its code again.
    A chat belongs to one member of a kitchen: a later code of a colleague takes it over; one
    person may have several chats, and work for several kitchens.
    """
    trying = sender or address
    counted = f"{trying.kind.value}:{trying.value}"
    tries = await wrong_tries.held(connection, LIMIT, counted, now=now)
    if tries.locked_until is not None:
        return Locked(tries.locked_until, just_now=False)
    staff_ids = await _taken(connection, code=code, address=address, key=key, now=now)
    if staff_ids:
        await wrong_tries.forget(connection, LIMIT, counted)
        linked = [await link(connection, staff_id, address, now=now) for staff_id in staff_ids]
        return Linked(linked[0], tuple(linked[1:]))
    tries = await wrong_tries.wrong(connection, LIMIT, counted, tries, now=now)
    if tries.locked_until is not None:
        return Locked(tries.locked_until, just_now=True)
    return WrongCode(LIMIT.tries - tries.count)


async def _unused(connection: Connection, channel: ChannelName, *, key: bytes, now: datetime) -> str:
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        hashed = _hash(key, channel, code)
        if not await connection.fetchval("SELECT 1 FROM link_codes WHERE code_hash = $1", hashed):
            return code
    raise RuleError("no_free_link_code")


async def _taken(
    connection: Connection, *, code: str, address: Address, key: bytes, now: datetime
) -> list[UUID]:
    """Use the code up and return whose it is; nobody's when it is wrong, or was used from elsewhere."""
    channel = next((channel for channel, kind in _SENT_FROM.items() if kind is address.kind), None)
    if channel is None:
        return []
    hashed = _hash(key, channel, code)
    rows = await connection.fetch(_USE, hashed, now)
    if not rows:
        rows = await connection.fetch(_USED_HERE, hashed, now, address.kind.value, address.value)
    return [row["staff_id"] for row in rows]


async def link(connection: Connection, staff_id: UUID, address: Address, *, now: datetime) -> StaffAt:
    """Give a member a chat that is proven to be theirs; a colleague loses it.

    Raises NotFound("no_such_staff") for who is none any more.
    """
    if address.kind is not AddressKind.PHONE:  # a kitchen may share a phone, not a chat
        await connection.execute(_TAKE_OVER, staff_id, address.kind.value, address.value)
    heard = Address(address.kind, address.value, heard_at=now)
    await addresses.add(connection, staff_id, heard, now=now)
    at = await addresses.staff_at(connection, address)
    found = next((each for each in at if each.staff_id == staff_id), None)
    if found is None:
        raise NotFound("no_such_staff")
    return found


def _hash(key: bytes, channel: ChannelName, code: str) -> bytes:
    return hmac.digest(key, f"{channel.value} {code}".encode(), "sha256")


_INSERT: Final = """
INSERT INTO link_codes (id, staff_id, channel, code_hash, expires_at, invite_id)
VALUES ($1, $2, $3, $4, $5, $6)
"""
# A code of several people is used up whole: its rows are taken in one order, whoever comes.
_USE: Final = """
WITH live AS (
    SELECT c.id, c.staff_id FROM link_codes c JOIN staff s ON s.id = c.staff_id AND s.removed_at IS NULL
     WHERE c.code_hash = $1 AND c.used_at IS NULL AND c.expires_at > $2
     ORDER BY c.id FOR UPDATE OF c
), used AS (
    UPDATE link_codes c SET used_at = $2 FROM live WHERE c.id = live.id AND c.used_at IS NULL
    RETURNING c.staff_id, c.invite_id
), over AS (
    UPDATE one_time_links l SET used_at = $2 FROM used WHERE l.id = used.invite_id AND l.used_at IS NULL
)
SELECT staff_id FROM used
"""
_USED_HERE: Final = """
SELECT c.staff_id FROM link_codes c
  JOIN staff s ON s.id = c.staff_id AND s.removed_at IS NULL
  JOIN addresses a ON a.staff_id = c.staff_id AND a.kind = $3 AND a.value = $4 AND a.ended_at IS NULL
 WHERE c.code_hash = $1 AND c.used_at IS NOT NULL AND c.expires_at > $2
"""
_TAKE_OVER: Final = """
DELETE FROM addresses a USING staff s, staff mine
 WHERE mine.id = $1 AND s.id = a.staff_id AND s.partner_id = mine.partner_id AND s.id <> mine.id
   AND s.removed_at IS NULL AND a.kind = $2 AND a.value = $3
"""
