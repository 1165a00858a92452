"""One-time links that sign an operator in at the console. Times are product time.

Whoever asks is answered the same, whether the mailbox is an operator's or nobody's. Nothing secret is stored:
a link is its id with our signature (`bot.tokens`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import ids
from core.channels import AddressKind
from core.database import Connection
from core.notices.kinds import NoticeKind
from core.operators.mailboxes import operator_at
from core.partners import wrong_tries
from core.partners.addresses import Queryable
from core.partners.wrong_tries import Limit

LIFE: Final = timedelta(minutes=15)
#: A mailbox gets three links in a quarter of an hour, whoever asks; one place on the net asks for ten.
PER_MAILBOX: Final = Limit("operator_link", 3, LIFE, LIFE)
PER_CLIENT: Final = Limit("operator_links_asked", 10, LIFE, LIFE)
_KEPT_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked for a link; `notice_id` is what is owed because of it, if anything is."""

    notice_id: UUID | None


@dataclass(frozen=True, slots=True)
class TooOften:
    """One place on the net asked too often; a quarter of an hour has to pass."""


async def ask(
    connection: Connection, typed: str, *, operators: Sequence[str], client: str, now: datetime
) -> Asked | TooOften:
    """Owe a link to the mailbox if it is an operator's; call it inside a transaction.

    `client` is the place on the net that asks. Strangers' mailboxes are counted as operators' are.
    """
    if not await wrong_tries.is_one_more(connection, PER_CLIENT, client, now=now):
        return TooOften()
    await _forget_old(connection, now - _KEPT_FOR)
    is_allowed = await wrong_tries.is_one_more(connection, PER_MAILBOX, typed.strip().lower(), now=now)
    email = operator_at(typed, operators)
    if email is None or not is_allowed:
        return Asked(None)
    link_id = await issue(connection, email, now=now)
    return Asked(await _owe(connection, link_id, email, now=now))


async def issue(queryable: Queryable, email: str, *, now: datetime) -> UUID:
    """Make a link for this operator and return its id."""
    link_id = ids.new()
    await queryable.execute(_INSERT, link_id, email, now, now + LIFE)
    return link_id


async def look(queryable: Queryable, link_id: UUID, *, operators: Sequence[str], now: datetime) -> str | None:
    """Return whose link it is, if it works now; changes nothing."""
    email = await queryable.fetchval(_LOOK, link_id, now)
    return operator_at(email, operators) if email else None


async def take(
    connection: Connection, link_id: UUID, *, operators: Sequence[str], now: datetime
) -> str | None:
    """Use the link up and return whose it is, None where it works no more; of two at once one gets it."""
    email = await connection.fetchval(_TAKE, link_id, now)
    return operator_at(email, operators) if email else None


async def was_of(queryable: Queryable, link_id: UUID, email: str) -> bool:
    """Whether a link, used up or not, is this operator's."""
    return bool(await queryable.fetchval(_WAS_OF, link_id, email))


async def _owe(connection: Connection, link_id: UUID, email: str, *, now: datetime) -> UUID:
    notice_id = ids.new()
    data = {"to": {"kind": AddressKind.EMAIL.value, "value": email}, "link": str(link_id)}
    await connection.execute(_OWE, notice_id, NoticeKind.OPERATOR_LOGIN.value, str(link_id), data, now)
    return notice_id


async def _forget_old(connection: Connection, before: datetime) -> None:
    """Let go of links that are over, and of where they were asked for."""
    await connection.execute(_FORGET_LINKS, before)
    limits = [limit.what for limit in (PER_MAILBOX, PER_CLIENT)]
    await connection.execute(_FORGET_TRIES, limits, before)


_INSERT: Final = "INSERT INTO operator_links (id, email, made_at, expires_at) VALUES ($1, $2, $3, $4)"
_LOOK: Final = "SELECT email FROM operator_links WHERE id = $1 AND used_at IS NULL AND expires_at > $2"
_TAKE: Final = """
UPDATE operator_links SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2 RETURNING email
"""
_WAS_OF: Final = "SELECT true FROM operator_links WHERE id = $1 AND email = $2"
_OWE: Final = "INSERT INTO notices (id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5)"
_FORGET_LINKS: Final = "DELETE FROM operator_links WHERE expires_at < $1"
_FORGET_TRIES: Final = """
DELETE FROM wrong_tries WHERE (what, sender) IN (
    SELECT what, sender FROM wrong_tries WHERE what = ANY($1::text[]) AND since < $2
     LIMIT 100 FOR UPDATE SKIP LOCKED)
"""
