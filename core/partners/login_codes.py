"""Codes that are sent to a phone, a mailbox or a chat which somebody says is theirs, to sign in by.

Whoever asks gets the same answer, whether we know the address or not, and a code of a stranger's address
ends as one of ours does. The code is made of its id and our key: it is stored nowhere. Product time.
"""

import hmac
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core import ids
from core.channels import Address, AddressKind, ChannelName
from core.database import Connection, Row
from core.keys import derive
from core.notices.kinds import NoticeKind
from core.partners import addresses, wrong_tries
from core.partners.addresses import StaffAt
from core.partners.wrong_tries import Limit

LIFE: Final = timedelta(minutes=15)
TRIES: Final = 5
DIGITS: Final = 6

#: An address gets three codes in a quarter of an hour, whoever asks for them.
PER_ADDRESS: Final = Limit("login_code", 3, LIFE, LIFE)
#: One place on the net asks for twenty, and types twenty wrong ones.
PER_CLIENT: Final = Limit("login_codes_asked", 20, LIFE, LIFE)
WRONG_PER_CLIENT: Final = Limit("login_codes_wrong", 20, LIFE, LIFE)

_KEPT_FOR: Final = timedelta(days=1)
#: Where a code for a phone goes when no SMS can leave: to the same person's chat.
_CHATS: Final[Mapping[AddressKind, ChannelName]] = MappingProxyType(
    {AddressKind.ZALO_USER: ChannelName.ZALO, AddressKind.TELEGRAM_CHAT: ChannelName.TELEGRAM}
)
_DIRECT: Final[Mapping[AddressKind, ChannelName]] = MappingProxyType(
    {AddressKind.PHONE: ChannelName.SMS, AddressKind.EMAIL: ChannelName.EMAIL}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that may be typed now; `notice_id` is what is owed because of it, if anybody is."""

    id: UUID
    notice_id: UUID | None


@dataclass(frozen=True, slots=True)
class Granted:
    """The code was right: the address is this person's, who has these seats."""

    address: Address
    seats: tuple[StaffAt, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code was wrong; it can be tried so many times more."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class Dead:
    """The code was used, is too old, or was tried too often: a new one has to be asked for."""


@dataclass(frozen=True, slots=True)
class TooOften:
    """Too much was asked or tried from one place; a quarter of an hour has to pass."""


def code_key(secret_key: str) -> bytes:
    """Return the key that codes are made with."""
    return derive(secret_key, "login codes")


def code_of(key: bytes, code_id: UUID) -> str:
    """Return the six digits of a code."""
    number = int.from_bytes(hmac.digest(key, code_id.bytes, "sha256")[:8])
    return f"{number % 10**DIGITS:0{DIGITS}}"


async def ask(
    connection: Connection, asked: Address, *, client: str, on: Container[ChannelName], now: datetime
) -> Asked | TooOften:
    """Make a code and owe it to whoever is staff at this address; call it inside a transaction.

    `client` is the place on the net that asks, `on` the channels that can carry a code now. Of a fourth
    code for one address nothing is sent, and it opens nothing.
    """
    if not await wrong_tries.is_one_more(connection, PER_CLIENT, client, now=now):
        return TooOften()
    await _forget_old(connection, now - _KEPT_FOR)
    counted = f"{asked.kind.value}:{asked.value}"
    is_allowed = await wrong_tries.is_one_more(connection, PER_ADDRESS, counted, now=now)
    seats = await addresses.staff_at(connection, asked)
    to = await _outlet(connection, asked, seats, on)
    code_id, at = ids.new(), to or asked
    used_at = None if is_allowed else now
    await connection.execute(_INSERT, code_id, at.kind.value, at.value, now, now + LIFE, used_at)
    if not (seats and to and is_allowed):
        return Asked(code_id, None)
    return Asked(code_id, await _owe(connection, code_id, to, seats[0].staff_id, now=now))


async def redeem(
    connection: Connection, code_id: UUID, typed: str, *, key: bytes, client: str, now: datetime
) -> Granted | Wrong | Dead | TooOften:
    """Try a code; call it inside a transaction and commit, also where it was wrong.

    A right one is used up: of two at one moment one gets in.
    """
    row = await connection.fetchrow(_HOLD, code_id, now, TRIES)
    if row is None:
        return Dead()
    wrong = await wrong_tries.held(connection, WRONG_PER_CLIENT, client, now=now)
    if wrong.locked_until is not None:
        return TooOften()
    granted = await _granted(connection, row) if _is_right(key, code_id, typed) else None
    if granted is None:
        await wrong_tries.wrong(connection, WRONG_PER_CLIENT, client, wrong, now=now)
        await connection.execute("UPDATE login_codes SET tries = tries + 1 WHERE id = $1", code_id)
        left = TRIES - row["tries"] - 1
        return Wrong(left) if left else Dead()
    await connection.execute("UPDATE login_codes SET used_at = $2 WHERE id = $1", code_id, now)
    return granted


def _is_right(key: bytes, code_id: UUID, typed: str) -> bool:
    return hmac.compare_digest(code_of(key, code_id).encode(), typed.encode())


async def _granted(connection: Connection, row: Row) -> Granted | None:
    address = Address(AddressKind(row["address_kind"]), row["address"])
    seats = await addresses.staff_at(connection, address)
    return Granted(address, tuple(seats)) if seats else None


async def _forget_old(connection: Connection, before: datetime) -> None:
    """Let go of codes that are over, and of where they were asked for."""
    await connection.execute(_FORGET_CODES, before)
    limits = [limit.what for limit in (PER_ADDRESS, PER_CLIENT, WRONG_PER_CLIENT)]
    await connection.execute(_FORGET_TRIES, limits, before)


async def _outlet(
    connection: Connection, asked: Address, seats: Sequence[StaffAt], on: Container[ChannelName]
) -> Address | None:
    """Return where the code goes: to the address itself, or to a chat of the person whose phone it is."""
    if _DIRECT.get(asked.kind) in on:
        return asked
    if asked.kind is not AddressKind.PHONE:
        return None
    rows = await connection.fetch(_CHATS_OF, [seat.staff_id for seat in seats], list(_CHATS))
    chats = [Address(AddressKind(row["kind"]), row["value"]) for row in rows]
    return next((chat for chat in chats if _CHATS[chat.kind] in on and not chat.is_group), None)


async def _owe(connection: Connection, code_id: UUID, to: Address, staff_id: UUID, *, now: datetime) -> UUID:
    notice_id = ids.new()
    data = {
        "to": {"kind": to.kind.value, "value": to.value},
        "staff_id": str(staff_id),
        "login_code": str(code_id),
    }
    await connection.execute(_OWE, notice_id, NoticeKind.LOGIN_CODE.value, str(code_id), data, now)
    return notice_id


_INSERT: Final = """
INSERT INTO login_codes (id, address_kind, address, made_at, expires_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_FORGET_CODES: Final = """
DELETE FROM login_codes WHERE id IN (
    SELECT id FROM login_codes WHERE expires_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)
"""
_FORGET_TRIES: Final = """
DELETE FROM wrong_tries WHERE (what, sender) IN (
    SELECT what, sender FROM wrong_tries WHERE what = ANY($1::text[]) AND since < $2
     LIMIT 100 FOR UPDATE SKIP LOCKED)
"""
_OWE: Final = "INSERT INTO notices (id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5)"
_HOLD: Final = """
SELECT address_kind, address, tries FROM login_codes
 WHERE id = $1 AND used_at IS NULL AND expires_at > $2 AND tries < $3 FOR UPDATE
"""
_CHATS_OF: Final = """
SELECT a.kind, a.value FROM addresses a JOIN staff s ON s.id = a.staff_id
 WHERE a.staff_id = ANY($1::uuid[]) AND a.kind = ANY($2::text[]) AND a.ended_at IS NULL
 ORDER BY s.position, a.kind DESC, a.added_at
"""
