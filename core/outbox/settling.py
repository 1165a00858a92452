"""Settling: what an attempt's outcome makes of its message, and which channel takes over from it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import alarms
from core.channels import (
    NoSuchRecipient,
    Outcome,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.database import Connection, Database, Pool
from core.notices.kinds import NoticeKind, Way
from core.notices.outgoing import Outgoing
from core.outbox import bundles, edits, reach
from core.outbox.claims import LOST_AT_MOST, postpone
from core.outbox.failures import tell_undeliverable
from core.outbox.handing_over import following_leg, hand_over
from core.outbox.ways import Due, Ways
from core.partners import addresses

#: So many copies of a notice may reach one person.
_COPIES_AT_MOST: Final = 2
#: After an unclear outcome: how long a receipt may take before the next channel takes over.
RECEIPT_WITHIN: Final = timedelta(minutes=1)
#: Tries of one channel while another one could take over: all within the minute.
_WITHIN: Final = timedelta(minutes=1)
_SOON: Final = (timedelta(seconds=10), timedelta(seconds=30))
#: Where no other way is left: patience with a gateway that is down, a day in all.
_PATIENT: Final = (
    *_SOON,
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    *[timedelta(hours=1)] * 23,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to a gateway: when (real time, UTC), how long, how it ended, what it cost in đồng if known."""

    started_at: datetime
    took: timedelta
    outcome: Outcome
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """What a message becomes; `gives_way` hands its person to the next channel."""

    state: str
    next_at: datetime | None = None
    why: str | None = None
    gateway_id: str | None = None
    gives_way: bool = False


async def settle(database: Database, ways: Ways, outgoing: Outgoing, attempt: Attempt) -> list[Due]:
    """Put an attempt on record with what follows from it; return messages that can be tried now."""
    now, outcome = database.clock.now(), attempt.outcome
    if isinstance(outcome, NoSuchRecipient):
        return await _settle_unreached(database, ways, outgoing, attempt, outcome)
    if outgoing.way == Way.EDIT:
        return await _settle_edit(database, outgoing, attempt)
    if isinstance(outcome, Sent) and edits.can_be_outdated(outgoing) and not outgoing.together:
        return await _settle_card(database, outgoing, attempt)
    if isinstance(outcome, Sent | Unclear) and not outgoing.together:  # one statement does it
        await _record(database.pool, outgoing, attempt, _end(outgoing, outcome, now, has_next=False), now)
        return []
    async with _ending(database, outgoing) as connection:
        if isinstance(outcome, Refused) and outcome.alarm:
            name = f"{outgoing.channel.value}: {outcome.alarm}"
            await alarms.raise_(connection, name, outcome.why, now=now, over_with=_proof(outgoing, outcome))
        following = None
        if await _may_need_next(connection, outgoing, outcome):
            following = await following_leg(connection, outgoing, ways, now)
        end = _end(outgoing, outcome, now, has_next=following is not None)
        await _record(connection, outgoing, attempt, end, now)
        if not end.gives_way:
            return []
        return await hand_over(connection, outgoing, following, now)


def _proof(outgoing: Outgoing, refused: Refused) -> alarms.Proof:
    """Return the message that, when its gateway takes it, shows that this refusal is over."""
    what = refused.charge.what if refused.charge else None
    kind = outgoing.kind.value if refused.scope is Scope.MESSAGE else None
    return alarms.Proof(outgoing.channel.value, what, kind)


async def _settle_edit(database: Database, outgoing: Outgoing, attempt: Attempt) -> list[Due]:
    """Put a change of an earlier card on record; where it cannot be changed nobody is alarmed."""
    if isinstance(attempt.outcome, Sent):
        return await _settle_card(database, outgoing, attempt)
    now = database.clock.now()
    await _record(database.pool, outgoing, attempt, _end(outgoing, attempt.outcome, now, has_next=False), now)
    return []


async def _settle_card(database: Database, outgoing: Outgoing, attempt: Attempt) -> list[Due]:
    """Put a card that can be changed on record as sent, with one more change if its order has moved on."""
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        end = _end(outgoing, attempt.outcome, now, has_next=False)
        await _record(connection, outgoing, attempt, end, now)
        return await edits.if_outdated(connection, outgoing, now=now)


@asynccontextmanager
async def _ending(database: Database, outgoing: Outgoing) -> AsyncIterator[Connection]:
    """Yield a transaction for the end of a message, and of whatever it carries by now."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        if outgoing.kind is NoticeKind.CONFIRM_NUDGE:
            await bundles.alone(connection, outgoing.id)
        yield connection


async def _settle_unreached(
    database: Database, ways: Ways, outgoing: Outgoing, attempt: Attempt, outcome: NoSuchRecipient
) -> list[Due]:
    """Remember what is known of the address now, then try it in another way, or hand over."""
    now = database.clock.now()
    async with _ending(database, outgoing) as connection:
        if outcome.unheard:
            await addresses.unheard(connection, outgoing.address)
        elif outcome.moved_to:
            await addresses.move(connection, outgoing.address, outcome.moved_to)
            await _record(connection, outgoing, attempt, _End("waiting", now, outcome.why), now)
            return [Due(outgoing.id, outgoing.channel, outgoing.tries)]
        elif outcome.gone:
            await addresses.end(connection, outgoing.address, now=now)
        elif outcome.scope is Scope.RECIPIENT:
            await reach.failed(
                connection,
                outgoing.channel,
                outgoing.address,
                outcome.why,
                now=now,
                out_for=outcome.out_for,
            )
        if outcome.unheard and _has_another_way(outgoing, ways, now):
            await _record(connection, outgoing, attempt, _End("waiting", now, outcome.why), now)
            return [Due(outgoing.id, outgoing.channel, outgoing.tries)]
        following = await following_leg(connection, outgoing, ways, now)
        await _record(connection, outgoing, attempt, _end(outgoing, outcome, now, has_next=False), now)
        return await hand_over(connection, outgoing, following, now)


def _has_another_way(outgoing: Outgoing, ways: Ways, now: datetime) -> bool:
    """Whether the channel reaches somebody there who has not written to it; once, whatever it answers."""
    silent = replace(outgoing.address, heard_at=addresses.LONG_AGO)
    known = outgoing.address.heard_at != addresses.LONG_AGO
    return known and ways.reaches(outgoing.channel, silent, outgoing.kind.value, now)


async def pass_over(
    database: Database, ways: Ways, outgoing: Outgoing, why: str, *, wait: timedelta
) -> list[Due]:
    """Let the next channel have a message that cannot be tried here now; without one it waits, untried."""
    now = database.clock.now()
    async with _ending(database, outgoing) as connection:
        following = await following_leg(connection, outgoing, ways, now)
        if following is not None:
            await _end_message(connection, outgoing.id, _End("failed", None, why), now)
            return await hand_over(connection, outgoing, following, now)
    await postpone(database, outgoing.id, wait)
    return []


async def give_way(database: Database, ways: Ways, outgoing: Outgoing) -> list[Due]:
    """Let the next channel take over from a message that may or may not have arrived.

    Where there is no next channel it is tried once more. Nobody gets more than two copies that may have
    arrived: the operators are told instead of a third channel. One of which the gateway told that it
    failed has failed.
    """
    now = database.clock.now()
    async with _ending(database, outgoing) as connection:
        if outgoing.was == "unclear" and outgoing.gateway_id:  # accepted, yet it did not arrive
            await reach.failed(connection, outgoing.channel, outgoing.address, "no receipt", now=now)
        following = await following_leg(connection, outgoing, ways, now, silent=outgoing.channel)
        if outgoing.receipt == ReceiptKind.FAILED:  # the gateway itself says that it did not arrive
            await _end_message(connection, outgoing.id, _End("failed", None, "told that it failed"), now)
            return await hand_over(connection, outgoing, following, now)
        if following is None and outgoing.tries <= LOST_AT_MOST and outgoing.lost < LOST_AT_MOST:
            await _end_message(connection, outgoing.id, _End("waiting", now, "no receipt"), now)
            return [Due(outgoing.id, outgoing.channel, outgoing.tries)]
        await _end_message(connection, outgoing.id, _End("unclear", None, "no receipt"), now)
        if following is None:
            return []
        if await _copies(connection, outgoing) >= _COPIES_AT_MOST:
            await tell_undeliverable(connection, outgoing.notice_id, outgoing.kind, outgoing.order, now)
            return []
        return await hand_over(connection, outgoing, following, now)


async def _copies(connection: Connection, outgoing: Outgoing) -> int:
    """Return how many copies may have reached the person of a message by chat."""
    return int(await connection.fetchval(_COPIES, outgoing.notice_id, outgoing.person))


async def _may_need_next(connection: Connection, outgoing: Outgoing, outcome: Outcome) -> bool:
    if isinstance(outcome, Refused):
        return True
    return isinstance(outcome, TryLater) and await _is_over_soon(connection, outgoing, outcome)


async def _is_over_soon(connection: Connection, outgoing: Outgoing, outcome: TryLater) -> bool:
    """Whether a channel has had its minute, or says itself that it needs longer.

    A phone and a user id are two addresses of Zalo: they share its minute.
    """
    if outgoing.tries > len(_SOON) or (outcome.after or timedelta()) > _WITHIN:
        return True
    before = await connection.fetchval(
        _TRIED_BEFORE, outgoing.notice_id, outgoing.person, outgoing.channel.value, outgoing.id
    )
    return bool(outgoing.tries + before > len(_SOON))


def _end(outgoing: Outgoing, outcome: Outcome, now: datetime, *, has_next: bool) -> _End:
    match outcome:
        case Sent() if outcome.receipt_within:
            return _End("unclear", now + outcome.receipt_within, gateway_id=outcome.id)
        case Sent():
            return _End("sent", gateway_id=outcome.id)
        case Unclear():
            return _End("unclear", now + RECEIPT_WITHIN, outcome.why)
        case TryLater():
            return _end_later(outgoing, outcome, now, has_next=has_next)
        case Refused(why, Scope.EVERYBODY):  # nothing is wrong with the message: somebody mends the gateway
            return _end_later(outgoing, TryLater(why), now, has_next=has_next)
        case NoSuchRecipient() | Refused():
            return _End("failed", None, outcome.why, gives_way=True)


def _end_later(outgoing: Outgoing, outcome: TryLater, now: datetime, *, has_next: bool) -> _End:
    if has_next or outgoing.tries > len(_PATIENT):
        return _End("failed", None, outcome.why, gives_way=True)
    wait = max(_PATIENT[outgoing.tries - 1], outcome.after or timedelta())
    return _End("waiting", now + wait, outcome.why)


async def _record(
    queryable: Connection | Pool, outgoing: Outgoing, attempt: Attempt, end: _End, now: datetime
) -> None:
    """Write the attempt, and what its message becomes."""
    outcome = attempt.outcome
    charge = outcome.charge if isinstance(outcome, Sent | Unclear) else None
    await queryable.execute(
        _RECORD,
        *_ended(outgoing.id, end, now),
        outgoing.tries,
        attempt.started_at,
        attempt.took,
        OUTCOME_NAMES[type(outcome)],
        None if isinstance(outcome, Sent) else outcome.why,
        attempt.cost,
        charge.what if charge else None,
        charge.parts if charge else None,
        now,
    )


OUTCOME_NAMES: Final[Mapping[type[Outcome], str]] = {
    Sent: "sent",
    NoSuchRecipient: "no_such_recipient",
    TryLater: "try_later",
    Refused: "refused",
    Unclear: "unclear",
}


async def _end_message(connection: Connection, message_id: UUID, end: _End, now: datetime) -> None:
    await connection.execute(_END_MESSAGE, *_ended(message_id, end, now))


def _ended(message_id: UUID, end: _End, now: datetime) -> tuple[object, ...]:
    """Return what `_END_MESSAGE` writes."""
    sent_at = now if end.gateway_id or end.state == "sent" else None
    return message_id, end.state, end.next_at, end.why, end.gateway_id, sent_at


# The state, unless a receipt has told meanwhile that it arrived. What is carried waits for its carrier.
_END_MESSAGE: Final = """
UPDATE messages SET
    state = CASE WHEN receipt IN ('delivered', 'seen') THEN 'sent' ELSE $2::text END,
    next_at = CASE WHEN receipt IN ('delivered', 'seen') OR carrier_id = $1 THEN NULL
        ELSE $3::timestamptz END,
    why = $4, gateway_id = coalesce($5::text, gateway_id), sent_at = coalesce($6::timestamptz, sent_at),
    leased_until = NULL
WHERE id = $1 OR carrier_id = $1
"""

_RECORD: Final = f"""
WITH tried AS (
    INSERT INTO attempts (message_id, try, started_at, took, outcome, why, cost, what, parts, at)
    VALUES ($1, $7, $8, $9, $10, $11, $12, $13, $14, $15)
)
{_END_MESSAGE}"""  # noqa: S608  (two statements of ours)


_COPIES: Final = """
SELECT count(*) FROM messages m JOIN attempts a ON a.message_id = coalesce(m.carrier_id, m.id)
WHERE m.notice_id = $1 AND m.person = $2 AND m.leg = 'chat' AND m.receipt IS DISTINCT FROM 'failed'
    AND a.outcome IN ('sent', 'unclear')
"""

# How often a channel could not take a notice at other addresses of the same person.
_TRIED_BEFORE: Final = """
SELECT count(*) FROM messages m JOIN attempts a ON a.message_id = m.id
WHERE m.notice_id = $1 AND m.person = $2 AND m.leg = 'chat' AND m.channel = $3 AND m.id <> $4
    AND a.outcome = 'try_later'
"""
