"""Operators who are signed in at the console: a secret in a browser's cookie, of which we keep the hash.

Times are product time. Whose mailbox is taken out of the settings is out at once: they are read at each use.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import ids
from core.database import Connection, Row
from core.operators.mailboxes import operator_at
from core.partners.addresses import Queryable

#: A session that is not used for so long is over, and every one is over after a week.
IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=7)
#: How exactly it is known when a session was last used.
SEEN_EVERY: Final = timedelta(minutes=5)
_SECRET_BYTES: Final = 32
_LONGEST_DEVICE: Final = 80


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one operator."""

    id: UUID
    email: str
    device: str
    created_at: datetime
    seen_at: datetime


async def begin(connection: Connection, email: str, *, device: str, now: datetime) -> str:
    """Sign an operator in and return the new secret for the cookie; it is not stored."""
    await connection.execute(_FORGET, now - LONGEST)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    await connection.execute(
        _INSERT, ids.new(), _hashed(secret), email, device[:_LONGEST_DEVICE], now, now + IDLE
    )
    return secret


async def of_secret(
    queryable: Queryable, secret: str, *, operators: Sequence[str], now: datetime
) -> Session | None:
    """Return the session of this cookie, or None; a use is remembered every five minutes."""
    row = await queryable.fetchrow(_OF_COOKIE, _hashed(secret), now)
    if row is None or operator_at(row["email"], operators) is None:
        return None
    if row["seen_at"] <= now - SEEN_EVERY:
        expires_at = min(now + IDLE, row["created_at"] + LONGEST)
        await queryable.execute(_SEEN, row["id"], now, expires_at)
    return _session(row)


async def of_operator(queryable: Queryable, email: str, *, now: datetime) -> list[Session]:
    """Return an operator's sessions that work now, the one used last first."""
    return [_session(row) for row in await queryable.fetch(_OF_OPERATOR, email, now)]


async def end(queryable: Queryable, session_id: UUID, email: str, *, now: datetime) -> str | None:
    """End one session of this operator; return its device if it was one that still worked."""
    device: str | None = await queryable.fetchval(_END, session_id, email, now)
    return device


async def living(
    queryable: Queryable, session_ids: Sequence[UUID], *, operators: Sequence[str], now: datetime
) -> set[UUID]:
    """Return which of these sessions work now."""
    rows = await queryable.fetch(_LIVING, list(session_ids), now)
    return {row["id"] for row in rows if operator_at(row["email"], operators)}


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _session(row: Row) -> Session:
    return Session(row["id"], row["email"], row["device"], row["created_at"], row["seen_at"])


_FORGET: Final = "DELETE FROM operator_sessions WHERE expires_at < $1"
_INSERT: Final = """
INSERT INTO operator_sessions (id, token_hash, email, device, created_at, seen_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6)
"""
_OF_COOKIE: Final = """
SELECT id, email, device, created_at, seen_at FROM operator_sessions
 WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2
"""
_SEEN: Final = "UPDATE operator_sessions SET seen_at = $2, expires_at = $3 WHERE id = $1"
_OF_OPERATOR: Final = """
SELECT id, email, device, created_at, seen_at FROM operator_sessions
 WHERE email = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY seen_at DESC, id DESC
"""
_END: Final = """
UPDATE operator_sessions SET ended_at = $3 WHERE id = $1 AND email = $2 AND ended_at IS NULL RETURNING device
"""
_LIVING: Final = """
SELECT id, email FROM operator_sessions
 WHERE id = ANY($1::uuid[]) AND ended_at IS NULL AND expires_at > $2
"""
