"""Links that work once: one signs in, another lets a new member link their chat.

Nothing secret is stored: a link is its id with our signature (`bot.tokens`). Times are product time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core import ids
from core.actors import Role
from core.channels import Address, AddressKind
from core.database import Connection, Row
from core.partners.addresses import Queryable, StaffAt


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    LOGIN = "login"
    INVITE = "invite"


#: How long each can be used.
LIFE: Final[Mapping[LinkPurpose, timedelta]] = MappingProxyType(
    {LinkPurpose.LOGIN: timedelta(minutes=15), LinkPurpose.INVITE: timedelta(days=7)}
)


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that still works: whose it is, and where it was sent to, if it was sent."""

    id: UUID
    staff: StaffAt
    partner_name: str
    via: str
    address: Address | None
    made_at: datetime
    expires_at: datetime


async def issue(
    connection: Queryable,
    staff_id: UUID,
    purpose: LinkPurpose,
    *,
    via: str,
    now: datetime,
    address: Address | None = None,
) -> UUID:
    """Make a link for this member and return its id.

    `address` is the chat or mailbox of that person alone that it is sent to: who opens it has proven it,
    and may go on to the other kitchens that know this address.
    """
    link_id = ids.new()
    proven = address if address and not address.is_group else None
    await connection.execute(
        _INSERT,
        link_id,
        purpose.value,
        staff_id,
        via,
        proven.kind.value if proven else None,
        proven.value if proven else None,
        now,
        now + LIFE[purpose],
    )
    return link_id


async def look(
    queryable: Queryable, link_id: UUID, purpose: LinkPurpose, *, now: datetime
) -> OneTimeLink | None:
    """Return a link that works now, or None; changes nothing."""
    row = await queryable.fetchrow(_LOOK, link_id, purpose.value, now)
    return _link(row) if row else None


async def take(
    connection: Connection, link_id: UUID, purpose: LinkPurpose, *, now: datetime
) -> OneTimeLink | None:
    """Use the link up and return it; None where it works no more. Of two at one moment one gets it."""
    taken = await connection.fetchval(_TAKE, link_id, purpose.value, now)
    row = await connection.fetchrow(_BY_ID, taken) if taken else None
    return _link(row) if row else None


async def use(
    connection: Connection, link_id: UUID, purpose: LinkPurpose, *, now: datetime
) -> StaffAt | None:
    """Use the link up and return whose it is; None where it works no more."""
    taken = await take(connection, link_id, purpose, now=now)
    return taken.staff if taken else None


async def is_of(queryable: Queryable, link_id: UUID, staff_id: UUID) -> bool:
    """Whether a link, used up or not, is this member's."""
    return bool(await queryable.fetchval(_IS_OF, link_id, staff_id))


def _link(row: Row) -> OneTimeLink:
    return OneTimeLink(
        id=row["id"],
        staff=StaffAt(
            staff_id=row["staff_id"],
            partner_id=row["partner_id"],
            partner_code=row["partner_code"],
            name=row["name"],
            role=Role(row["role"]),
            locale=row["locale"],
            heard_at=None,
        ),
        partner_name=row["partner_name"],
        via=row["via"],
        address=Address(AddressKind(row["address_kind"]), row["address"]) if row["address_kind"] else None,
        made_at=row["made_at"],
        expires_at=row["expires_at"],
    )


_INSERT: Final = """
INSERT INTO one_time_links (id, purpose, staff_id, via, address_kind, address, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_SELECT: Final = """
SELECT l.id, l.via, l.address_kind, l.address, l.made_at, l.expires_at, l.staff_id, s.partner_id,
       p.code AS partner_code, p.name AS partner_name, s.name, s.role, coalesce(s.locale, p.locale) AS locale
  FROM one_time_links l JOIN staff s ON s.id = l.staff_id AND s.removed_at IS NULL
  JOIN partners p ON p.id = s.partner_id
"""
_LOOK: Final = f"{_SELECT} WHERE l.id = $1 AND l.purpose = $2 AND l.used_at IS NULL AND l.expires_at > $3"
_BY_ID: Final = f"{_SELECT} WHERE l.id = $1"
_TAKE: Final = """
UPDATE one_time_links l SET used_at = $3 FROM staff s
 WHERE l.id = $1 AND l.purpose = $2 AND l.used_at IS NULL AND l.expires_at > $3
   AND s.id = l.staff_id AND s.removed_at IS NULL
RETURNING l.id
"""
_IS_OF: Final = "SELECT true FROM one_time_links WHERE id = $1 AND staff_id = $2"
