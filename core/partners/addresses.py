"""Where staff are reached: one spelling for each address, who is behind it, and whether it lives."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

from core import ids
from core.actors import Role
from core.channels import Address, AddressKind
from core.database import Connection, Pool
from core.errors import RuleError
from core.partners.phones import e164

#: A pool or one of its connections: reads run on either, inside a transaction or not.
Queryable: TypeAlias = Connection | Pool

#: When an address was heard that surely was not heard lately.
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_EMAIL: Final = 254  # docs/facts.md#email-length: RFC 5321, 4.5.3.1.3, less the two angle brackets
_LONGEST_LOCAL: Final = 64  # docs/facts.md#email-length: RFC 5321, 4.5.3.1.1
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"([A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]+)@({_LABEL}(?:\.{_LABEL})+)")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHAT: Final = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class StaffAt:
    """A staff member who is reached at an address, and the kitchen they work for."""

    staff_id: UUID
    partner_id: UUID
    partner_code: str
    name: str
    role: Role
    locale: str
    heard_at: datetime | None


def normalised(kind: AddressKind, text: str) -> Address:
    """Return the address in the one spelling it is stored and looked up by.

    Raises RuleError (`phone_invalid`, `email_invalid`, `address_invalid`).
    """
    match kind:
        case AddressKind.PHONE:
            return Address(kind, e164(text))
        case AddressKind.EMAIL:
            return Address(kind, _email(text))
        case AddressKind.TELEGRAM_CHAT:
            return Address(kind, _matching(_CHAT, text))
        case AddressKind.ZALO_USER:
            return Address(kind, _matching(_ID, text))


def masked(kind: AddressKind, value: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use (`09•••456`)."""
    if kind is AddressKind.EMAIL:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}•••@{domain}"
    if kind is AddressKind.PHONE:
        local = f"0{value[3:]}" if value.startswith("+84") else value
        return f"{local[:2]}•••{local[-3:]}"
    return f"•••{value[-3:]}"


async def staff_at(queryable: Queryable, address: Address) -> list[StaffAt]:
    """Return everybody who is reached at this address now: one person may work for two kitchens.

    Removed members and ended addresses do not count. A phone may be shared within a kitchen.
    """
    rows = await queryable.fetch(_STAFF_AT, address.kind.value, address.value)
    return [
        StaffAt(
            staff_id=row["staff_id"],
            partner_id=row["partner_id"],
            partner_code=row["partner_code"],
            name=row["name"],
            role=Role(row["role"]),
            locale=row["locale"],
            heard_at=row["heard_at"],
        )
        for row in rows
    ]


async def heard(
    queryable: Queryable, address: Address, *, now: datetime, kitchens: Collection[UUID] | None = None
) -> None:
    """Remember that this address wrote to us, which opens Zalo's window and revives a dead address.

    To be called before `staff_at`, which does not see dead ones. Known to ten minutes: the windows last days.
    What failed to reach this person on the channel it is of is tried again. With `kitchens` it lives for
    theirs only: in a group anybody may speak, and strangers do not overrule who put us out of it.
    """
    of = None if kitchens is None else list(kitchens)
    await queryable.execute(_HEARD, address.kind.value, address.value, now, of)
    await queryable.execute(_FORGET_FAILURES, address.kind.value, address.value)


async def unheard(queryable: Queryable, address: Address) -> None:
    """Correct what we thought: a gateway has not heard from this address within its window.

    Unless it has written since `address` was read.
    """
    await queryable.execute(_UNHEARD, address.kind.value, address.value, address.heard_at, LONG_AGO)


async def end(queryable: Queryable, address: Address, *, now: datetime) -> None:
    """Remember that this address is dead (unfollowed, blocked): nothing is sent there any more."""
    await queryable.execute(_END, address.kind.value, address.value, now)


async def move(queryable: Queryable, old: Address, new: str) -> None:
    """Give everybody behind an address another one, and whatever still waits for it (a group that moved).

    It lives there: the news that the old place has ended may have come before.
    """
    await queryable.execute(_MOVE, old.kind.value, old.value, new)
    await queryable.execute(_MOVE_MESSAGES, old.kind.value, old.value, new)


async def add(queryable: Queryable, staff_id: UUID, address: Address, *, now: datetime) -> None:
    """Give a staff member one more address; one that had ended lives again."""
    await queryable.execute(
        _ADD, ids.new(), staff_id, address.kind.value, address.value, address.heard_at, now
    )


async def take_away(queryable: Queryable, staff_id: UUID, kind: AddressKind, value: str) -> None:
    """Take an address from a member: it is not theirs, whoever writes from it. Sessions it has proven end."""
    await queryable.execute(_TAKE_AWAY, staff_id, kind.value, value)


def _email(text: str) -> str:
    found = _EMAIL.fullmatch(text.strip())
    if not found or len(found[0]) > _LONGEST_EMAIL or len(found[1]) > _LONGEST_LOCAL:
        raise RuleError("email_invalid")
    if found[1].startswith(".") or found[1].endswith(".") or ".." in found[1]:
        raise RuleError("email_invalid")
    return f"{found[1]}@{found[2].lower()}"


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise RuleError("address_invalid")
    return text


_STAFF_AT: Final = """
SELECT s.id AS staff_id, s.partner_id, p.code AS partner_code, s.name, s.role,
       coalesce(s.locale, p.locale) AS locale, a.heard_at
  FROM addresses a JOIN staff s ON s.id = a.staff_id JOIN partners p ON p.id = s.partner_id
 WHERE a.kind = $1 AND a.value = $2 AND a.ended_at IS NULL AND s.removed_at IS NULL
 ORDER BY s.position
"""
_HEARD: Final = """
UPDATE addresses SET heard_at = greatest(heard_at, $3), ended_at = NULL
 WHERE id IN (SELECT id FROM addresses
               WHERE kind = $1 AND value = $2
                 AND ($4::uuid[] IS NULL
                      OR staff_id IN (SELECT s.id FROM staff s WHERE s.partner_id = ANY($4)))
                 AND (ended_at IS NOT NULL OR heard_at IS NULL
                      OR heard_at < $3::timestamptz - interval '10 min')
               ORDER BY id FOR NO KEY UPDATE)
"""
# Of the address itself, and of the same people's phones: who follows on Zalo has a Zalo account.
_FORGET_FAILURES: Final = """
UPDATE reach r SET failed_at = NULL, out_until = NULL, why = NULL
  FROM addresses a JOIN addresses mine ON mine.staff_id = a.staff_id
 WHERE mine.kind = $1 AND mine.value = $2 AND r.address = a.value AND r.failed_at IS NOT NULL
   AND r.channel = CASE $1 WHEN 'zalo_user' THEN 'zalo' WHEN 'telegram_chat' THEN 'telegram'
                           WHEN 'phone' THEN 'sms' ELSE 'email' END
"""
_UNHEARD: Final = """
UPDATE addresses SET heard_at = $4
 WHERE id IN (SELECT id FROM addresses
               WHERE kind = $1 AND value = $2 AND (heard_at IS NULL OR heard_at <= $3 OR $3 IS NULL)
               ORDER BY id FOR NO KEY UPDATE)
"""
_END: Final = """
UPDATE addresses SET ended_at = $3
 WHERE id IN (SELECT id FROM addresses
               WHERE kind = $1 AND value = $2 AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE)
"""
# Who has the new address already keeps it; the old one ends with nobody behind it.
_MOVE: Final = """
UPDATE addresses SET value = $3, ended_at = NULL
 WHERE id IN (SELECT a.id FROM addresses a
               WHERE a.kind = $1 AND a.value = $2 AND NOT EXISTS (
                   SELECT 1 FROM addresses b WHERE b.staff_id = a.staff_id AND b.kind = $1 AND b.value = $3)
               ORDER BY a.id FOR NO KEY UPDATE)
"""
_MOVE_MESSAGES: Final = """
UPDATE messages SET address = $3
 WHERE address_kind = $1 AND address = $2 AND channel = 'telegram' AND state IN ('waiting', 'unclear')
"""
_TAKE_AWAY: Final = "DELETE FROM addresses WHERE staff_id = $1 AND kind = $2 AND value = $3"
_ADD: Final = """
INSERT INTO addresses (id, staff_id, kind, value, heard_at, added_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (staff_id, kind, value) DO UPDATE
   SET ended_at = NULL, heard_at = greatest(addresses.heard_at, excluded.heard_at)
"""
