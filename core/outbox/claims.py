"""Claiming: one worker at a time holds a message, for as long as a call to a gateway may take.

A claim is a lease in real time, longer than any gateway's timeout. A message whose claim was lost
twice (a worker died each time, perhaps after sending) is not tried again on that channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.actors import Role
from core.channels import Address, AddressKind, ChannelName
from core.clock import real_now
from core.database import Database, Row
from core.notices.kinds import LADDERS, RULES, Audience, NoticeKind, Way, is_obsolete
from core.notices.outgoing import Outgoing, PartnerFacts, StaffFacts
from core.orders import snapshot
from core.outbox import bundles, gathering
from core.outbox.kitchens import quiet_of
from core.outbox.messages import begins
from core.outbox.ways import Due
from core.quiet import Quiet, night

#: Longer than the 5 s that any call to a gateway may take, with room for our own writes.
LEASE: Final = timedelta(seconds=20)
LOST_AT_MOST: Final = 2


async def due(database: Database, *, most: int = 1_000) -> list[Due]:
    """Return messages that could be tried now, the earliest deadline first, `most` of each channel.

    Claims nothing. One channel's backlog does not hide what waits on another.
    """
    rows = await database.pool.fetch(_DUE, database.clock.now(), real_now(), most, list(ChannelName))
    return [Due(row["id"], ChannelName(row["channel"]), row["tries"]) for row in rows]


async def claim(database: Database, message_id: UUID) -> Outgoing | None:
    """Take a message for LEASE, or return None when it is not to be tried (any more, or by us).

    A message of an order that has moved on, or of a ladder that has, or to somebody who has left is
    dropped here; what was due before its kitchen's quiet hours began waits for their end. One that
    `must_give_way` is not to be sent: the caller hands it to `give_way`.
    """
    now = database.clock.now()
    row = await database.pool.fetchrow(_CLAIM, message_id, now, real_now(), real_now() + LEASE)
    if row is None:
        return None
    outgoing = _outgoing(row)
    why = await _why_not(database, outgoing, has_left=row["has_left"])
    if why:
        if gathering.is_gathered(outgoing.kind):
            await gathering.pass_on(database, outgoing.id)
        await drop(database, outgoing.id, why)
        return None
    if (wait := _quiet_for(outgoing, now)) and not must_give_way(outgoing):
        await postpone(database, outgoing.id, wait)
        return None
    return await _with_others(database, outgoing)


async def _with_others(database: Database, outgoing: Outgoing) -> Outgoing | None:
    """Return a nudge with all the orders that it tells of; None when another one has told of its order."""
    if gathering.is_gathered(outgoing.kind) and not must_give_way(outgoing):
        return await _with_other_alarms(database, outgoing)
    if outgoing.kind is not NoticeKind.CONFIRM_NUDGE or outgoing.staff is None or must_give_way(outgoing):
        return outgoing
    together = await bundles.gather(database, outgoing)
    return None if together is None else replace(outgoing, together=together)


async def _with_other_alarms(database: Database, outgoing: Outgoing) -> Outgoing:
    """Return an alarm with those that it tells of besides, the most urgent first."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        carried, left = await gathering.others(connection, outgoing.id)
        if not carried:
            return outgoing
        found = {row["id"]: _outgoing(row) for row in await connection.fetch(_SHOW, carried)}
    return replace(outgoing, others=tuple(found[each] for each in carried if each in found), others_left=left)


def _quiet_for(outgoing: Outgoing, now: datetime) -> timedelta:
    """Return how long its reader's quiet hours still last: it may have been due before they began."""
    return begins(outgoing.kind, outgoing.data, Way(outgoing.way), _quiet(outgoing), now) - now


def _quiet(outgoing: Outgoing) -> Quiet | None:
    if outgoing.partner is None:
        return None
    if RULES[outgoing.kind].audience is Audience.CUSTOMER:
        return night(outgoing.partner.zone)
    return outgoing.partner.quiet


async def answers_to(database: Database, key: str) -> list[UUID]:
    """Return the notices, owed or told, that answer what came in under `key` and were held for its taker."""
    rows = await database.pool.fetch(_ANSWERS, key)
    return [row["id"] for row in rows]


async def read(database: Database, notice_ids: Sequence[UUID]) -> list[Outgoing]:
    """Return the messages of these notices as `claim` would, claiming nothing, oldest first."""
    return [_outgoing(row) for row in await database.pool.fetch(_READ, notice_ids)]


async def _why_not(database: Database, outgoing: Outgoing, *, has_left: bool) -> str | None:
    """Return why a message is not sent any more, if so."""
    order = outgoing.order
    if has_left:
        return "no longer staff"
    if outgoing.way == Way.EDIT:  # a card that is changed shows whatever is so by then
        return None
    if order and is_obsolete(
        outgoing.kind, order.status, revision=outgoing.revision, revision_now=order.revision
    ):
        return "moved on"
    return "a newer step of its ladder is told" if await _is_overtaken(database, outgoing) else None


async def _is_overtaken(database: Database, outgoing: Outgoing) -> bool:
    """Whether a gateway was away so long that the person is owed a newer step of the same ladder."""
    kinds = next((ladder for ladder in LADDERS if outgoing.kind in ladder), None)
    if kinds is None:
        return False
    return bool(
        await database.pool.fetchval(
            _NEWER_STEP, outgoing.notice_id, outgoing.person, outgoing.way, [kind.value for kind in kinds]
        )
    )


def _partner_facts(partner: Mapping[str, Any]) -> PartnerFacts:
    zone = ZoneInfo(partner["timezone"])
    return PartnerFacts(
        UUID(partner["id"]), partner["code"], partner["name"], partner["locale"], zone, quiet_of(partner)
    )


def _staff_facts(staff: Mapping[str, Any], partner: Mapping[str, Any]) -> StaffFacts:
    locale = staff["locale"] or partner["locale"]
    return StaffFacts(UUID(staff["id"]), staff["name"], Role(staff["role"]), locale)


def must_give_way(outgoing: Outgoing) -> bool:
    """Whether it may have reached its person already: no receipt came in time, or workers died over it."""
    return outgoing.was == "unclear" or outgoing.lost >= LOST_AT_MOST


async def postpone(database: Database, message_id: UUID, by: timedelta) -> None:
    """Give a claimed message back untried, until `by` from now; it does not count as a try."""
    await database.pool.execute(_POSTPONE, message_id, database.clock.now() + by)


async def let_go(database: Database, message_id: UUID) -> None:
    """Give a claim back: nothing is to be done about the message, as a receipt has just told."""
    await database.pool.execute("UPDATE messages SET leased_until = NULL WHERE id = $1", message_id)


async def drop(database: Database, message_id: UUID, why: str) -> None:
    """Put on record that a message is not sent any more, and why; what it carried goes by itself."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await bundles.alone(connection, message_id)
        await bundles.release(connection, message_id)
        await connection.execute(_DROP, message_id, why)


def _outgoing(row: Row) -> Outgoing:
    order = snapshot.load(row["the_order"]) if row["the_order"] else None
    partner, staff = row["partner"], row["staff"]
    return Outgoing(
        id=row["id"],
        notice_id=row["notice_id"],
        kind=NoticeKind(row["kind"]),
        occasion=row["occasion"],
        revision=row["revision"],
        data=row["data"],
        owed_at=row["owed_at"],
        channel=ChannelName(row["channel"]),
        address=Address(AddressKind(row["address_kind"]), row["address"], row["heard_at"]),
        order=order,
        partner=_partner_facts(partner) if partner["id"] else None,
        platform_name=row["platform_name"] or "",
        staff=_staff_facts(staff, partner) if staff["id"] else None,
        tries=row["tries"],
        way=row["leg"],
        person=row["person"],
        was=row["was"],
        lost=row["lost"],
        gateway_id=row["gateway_id"],
        receipt=row["receipt"],
        has_ended=row["has_ended"],
        edits=row["edits"],
        is_first=row["rung"] == 0,
    )


_DROP: Final = """
UPDATE messages SET state = 'dropped', why = $2, leased_until = NULL, next_at = NULL WHERE id = $1
"""

_POSTPONE: Final = """
UPDATE messages SET next_at = $2, leased_until = NULL, tries = tries - 1 WHERE id = $1
"""

_DUE: Final = """
SELECT m.id, m.channel, m.tries FROM unnest($4::text[]) AS c(channel) CROSS JOIN LATERAL (
    SELECT id, channel, tries, deadline FROM messages
    WHERE channel = c.channel AND state IN ('waiting', 'unclear') AND next_at <= $1
        AND (leased_until IS NULL OR leased_until < $2)
    ORDER BY deadline NULLS FIRST, next_at LIMIT $3
) m ORDER BY m.deadline NULLS FIRST
"""


_NEWER_STEP: Final = """
SELECT EXISTS (
    SELECT 1 FROM notices mine
    JOIN messages m ON m.order_id = mine.order_id AND m.person = $2 AND m.leg = $3
        AND m.state IN ('waiting', 'sent', 'unclear')
    JOIN notices n ON n.id = m.notice_id AND n.kind = ANY($4::text[]) AND n.owed_at > mine.owed_at
    WHERE mine.id = $1)
"""


_FACTS: Final = """
SELECT c.id, c.notice_id, n.kind, n.occasion, n.revision, n.data, n.owed_at, c.channel, c.leg, c.person,
    c.address_kind, c.address, c.tries, c.was, c.lost, c.gateway_id, c.receipt, c.edits, c.rung, a.heard_at,
    a.ended_at IS NOT NULL AS has_ended,
    to_jsonb(o) - 'fingerprint' - 'changed_in' AS the_order, pl.name AS platform_name,
    jsonb_build_object('id', p.id, 'code', p.code, 'name', p.name, 'locale', p.locale,
        'timezone', p.timezone, 'quiet_from', p.quiet_from, 'quiet_to', p.quiet_to) AS partner,
    jsonb_build_object('id', s.id, 'name', s.name, 'role', s.role, 'locale', s.locale) AS staff,
    s.removed_at IS NOT NULL AS has_left
FROM claimed c JOIN notices n ON n.id = c.notice_id
LEFT JOIN orders o ON o.id = c.order_id
LEFT JOIN platforms pl ON pl.id = o.platform_id
LEFT JOIN staff s ON s.id = c.staff_id
LEFT JOIN partners p ON p.id = coalesce(o.partner_id, s.partner_id)
LEFT JOIN addresses a ON a.staff_id = c.staff_id AND a.kind = c.address_kind AND a.value = c.address
"""

# The id stands in a SELECT so that PostgreSQL keeps one plan: to look up which month's part it is in, it
# would else plan the whole statement anew each time, which takes longer than the statement.
_CLAIM: Final = f"""
WITH mine AS (
    SELECT id, state AS was FROM messages
    WHERE id = (SELECT $1::uuid) AND state IN ('waiting', 'unclear') AND next_at <= $2
        AND (leased_until IS NULL OR leased_until < $3)
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE messages m SET leased_until = $4, tries = m.tries + 1,
        lost = m.lost + (m.leased_until IS NOT NULL)::int
    FROM mine WHERE m.id = mine.id
    RETURNING m.*, mine.was
)
{_FACTS}"""  # noqa: S608  (two statements of ours)

_READ: Final = f"""
WITH claimed AS (SELECT *, state AS was FROM messages WHERE notice_id = ANY($1::uuid[]))
{_FACTS} ORDER BY c.created_at, c.id"""  # noqa: S608  (the same)

_SHOW: Final = f"""
WITH claimed AS (SELECT *, state AS was FROM messages WHERE id = ANY($1::uuid[]))
{_FACTS}"""  # noqa: S608  (the same)

# A command's answer has its key; others have it with a number or a word behind.
_ANSWERS: Final = """
SELECT id FROM notices
WHERE held_until IS NOT NULL AND kind = 'answer' AND (
    occasion COLLATE "C" = $1
    OR (occasion COLLATE "C" > $1 || '#' AND occasion COLLATE "C" < $1 || '$')
    OR (occasion COLLATE "C" > $1 || ':' AND occasion COLLATE "C" < $1 || ';'))
ORDER BY owed_at, id
"""
