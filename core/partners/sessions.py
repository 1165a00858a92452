"""Who is signed in on the pages: a session is a secret in a browser's cookie, of which we keep the hash.

Times are product time. A session ends at once when its member is removed, and when the address that was
proven by signing in is taken from them: both are looked at whenever it is used.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import ids
from core.actors import Role
from core.channels import Address, AddressKind
from core.database import Connection, Row
from core.notices.outgoing import StaffFacts
from core.partners.addresses import Queryable

#: A session that is used lives on; one that is not used for so long is over.
LIFE: Final = timedelta(days=30)
#: How exactly it is known when a session was last used.
SEEN_EVERY: Final = timedelta(minutes=10)
_SECRET_BYTES: Final = 32
_LONGEST_DEVICE: Final = 80


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one member. `address` is what was proven by signing in, where it was."""

    id: UUID
    staff_id: UUID
    via: str
    device: str
    address: Address | None
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that works now, whose it is and in which kitchen."""

    session: Session
    staff: StaffFacts
    partner_code: str


async def begin(
    queryable: Queryable, staff_id: UUID, *, via: str, device: str, address: Address | None, now: datetime
) -> str:
    """Sign a member in and return the new secret for the cookie; it is not stored.

    What this member's sessions and links left behind a month ago is forgotten with that.
    """
    for forget in (_FORGET_SESSIONS, _FORGET_LINKS):
        await queryable.execute(forget, staff_id, now - LIFE)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    await queryable.execute(
        _INSERT,
        ids.new(),
        _hashed(secret),
        staff_id,
        via,
        device[:_LONGEST_DEVICE],
        address.kind.value if address else None,
        address.value if address else None,
        now,
        now + LIFE,
    )
    return secret


async def of_secret(queryable: Queryable, secret: str, *, now: datetime) -> SignedIn | None:
    """Return who is signed in by this cookie, or None; a use is remembered every ten minutes."""
    row = await queryable.fetchrow(_BY_SECRET, _hashed(secret), now)
    if row is None:
        return None
    if row["seen_at"] <= now - SEEN_EVERY:
        await queryable.execute(_SEEN, row["id"], now, now + LIFE)
    staff = StaffFacts(row["staff_id"], row["name"], Role(row["role"]), row["locale"])
    return SignedIn(_session(row), staff, row["partner_code"])


async def of_staff(queryable: Queryable, staff_ids: Sequence[UUID], *, now: datetime) -> list[Session]:
    """Return the sessions of these members that work now, the one used last first."""
    return [_session(row) for row in await queryable.fetch(_OF_STAFF, list(staff_ids), now)]


async def end(queryable: Queryable, session_id: UUID, staff_id: UUID, *, now: datetime) -> bool:
    """End one session of this member; return whether it was one that still worked."""
    return bool(await queryable.fetchval(_END, session_id, staff_id, now))


async def end_others(queryable: Queryable, session: Session, *, now: datetime) -> None:
    """End every other session of the same member."""
    await queryable.execute(_END_OTHERS, session.staff_id, session.id, now)


async def end_all(connection: Connection, staff_id: UUID, *, now: datetime) -> None:
    """End every session of a member, and their links and codes that were not used."""
    await connection.execute(_END_ALL, staff_id, now)
    await connection.execute(_END_LINKS, staff_id, now)


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        staff_id=row["staff_id"],
        via=row["via"],
        device=row["device"],
        address=Address(AddressKind(row["address_kind"]), row["address"]) if row["address_kind"] else None,
        created_at=row["created_at"],
        seen_at=row["seen_at"],
    )


_INSERT: Final = """
INSERT INTO sessions
    (id, token_hash, staff_id, via, device, address_kind, address, created_at, seen_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
"""
_FORGET_SESSIONS: Final = "DELETE FROM sessions WHERE staff_id = $1 AND expires_at < $2"
_FORGET_LINKS: Final = "DELETE FROM one_time_links WHERE staff_id = $1 AND expires_at < $2"
_LIVE: Final = """
x.ended_at IS NULL AND x.expires_at > $2 AND s.removed_at IS NULL
   AND (x.address IS NULL OR EXISTS (
       SELECT 1 FROM addresses a
        WHERE a.staff_id = x.staff_id AND a.kind = x.address_kind AND a.value = x.address))
"""
_BY_SECRET: Final = f"""
SELECT x.id, x.staff_id, x.via, x.device, x.address_kind, x.address, x.created_at, x.seen_at,
       s.name, s.role, coalesce(s.locale, p.locale) AS locale, p.code AS partner_code
  FROM sessions x JOIN staff s ON s.id = x.staff_id JOIN partners p ON p.id = s.partner_id
 WHERE x.token_hash = $1 AND {_LIVE}
"""  # noqa: S608  (our own words)
_SEEN: Final = "UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1"
_OF_STAFF: Final = f"""
SELECT x.id, x.staff_id, x.via, x.device, x.address_kind, x.address, x.created_at, x.seen_at
  FROM sessions x JOIN staff s ON s.id = x.staff_id
 WHERE x.staff_id = ANY($1::uuid[]) AND {_LIVE}
 ORDER BY x.seen_at DESC, x.id DESC
"""  # noqa: S608  (our own words)
_END: Final = """
UPDATE sessions SET ended_at = $3 WHERE id = $1 AND staff_id = $2 AND ended_at IS NULL RETURNING true
"""
_END_OTHERS: Final = """
UPDATE sessions SET ended_at = $3 WHERE staff_id = $1 AND id <> $2 AND ended_at IS NULL
"""
_END_ALL: Final = "UPDATE sessions SET ended_at = $2 WHERE staff_id = $1 AND ended_at IS NULL"
_END_LINKS: Final = "UPDATE one_time_links SET used_at = $2 WHERE staff_id = $1 AND used_at IS NULL"
