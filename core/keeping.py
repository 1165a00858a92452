"""How long things are kept: what is too old goes, some at a time, so that nobody waits for it.

Orders, their events, settlements and what operators did stay for good. Of messages and attempts a whole
month's part goes at once where it can; notices, webhooks, timers and what people signed in by go row by row.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.clock import real_now
from core.database import Connection, Database
from core.inbox import KEYS_LAST
from core.masking import mask_due
from core.partitions import PARTED, Month, drop, ended, first_id

_EVENTS, _MESSAGES, _ATTEMPTS, _INBOX = PARTED
_MOST: Final = 500
#: Of one call: as much as fits between two looks for what is due.
_BATCHES: Final = 20
#: Sessions, links and codes that are over, and wrong tries: as long as somebody may ask what happened.
_SIGNED_IN_BY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what is kept (product time)."""

    messages: timedelta
    customers: timedelta


@dataclass(frozen=True, slots=True)
class Kept:
    """What one call did: orders whose customer was forgotten, rows and months' parts that went."""

    masked: int
    rows: int
    parts: int


async def keep(database: Database, rules: Rules) -> Kept:
    """Let go of what is too old; when nothing is it costs a few looks. Can be cut short anywhere."""
    masked = 0
    for _ in range(_BATCHES):
        done = await mask_due(database, rules.customers)
        masked += done
        if not done:
            break
    rows = 0
    for statement in _FORGETS:
        rows += await _forget(database, statement, rules)
    return Kept(masked, rows, await _drop_parts(database, rules))


async def _forget(database: Database, statement: str, rules: Rules) -> int:
    """Delete what one statement finds, batch by batch; return how many rows it names."""
    now = database.clock.now()
    before = now - (_SIGNED_IN_BY if statement is _SIGN_IN else rules.messages)
    gone = 0
    for _ in range(_BATCHES):
        batch = await database.pool.fetchval(statement, before, first_id(before), _MOST)
        gone += batch
        if batch < _MOST:
            break
    return gone


async def _drop_parts(database: Database, rules: Rules) -> int:
    """Drop months of messages of which nothing waits and no order is open, and months of the inbox."""
    dropped = 0
    async with database.pool.acquire() as connection:
        for month in await ended(connection, _MESSAGES, real_now() - rules.messages):
            if not await _is_needed(connection, month):
                dropped += await drop(connection, _ATTEMPTS, month)
                dropped += await drop(connection, _MESSAGES, month)
        for month in await ended(connection, _INBOX, real_now() - KEYS_LAST):
            dropped += await drop(connection, _INBOX, month)
    return dropped


async def _is_needed(connection: Connection, month: Month) -> bool:
    part = month.part_of(_MESSAGES)
    return bool(await connection.fetchval(_NEEDED.format(part=part)))


_NEEDED: Final = """
SELECT EXISTS (SELECT 1 FROM {part} WHERE state IN ('waiting', 'unclear') AND next_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM {part} m JOIN orders o ON o.id = m.order_id WHERE o.final_at IS NULL)
"""

# Each takes a moment of product time, the first id from then on, and how many; and tells how many it took.
# Ids tell real time, which is never ahead of product time: they find where to look, the moment decides.
# What operators were owed a word about stays until somebody says that it is dealt with.
_NOTICES: Final = """
WITH old AS (
    SELECT n.id FROM notices n LEFT JOIN orders o ON o.id = n.order_id
    WHERE n.id < $2 AND n.owed_at < $1 AND n.state <> 'owed' AND (n.order_id IS NULL OR o.final_at < $1)
        AND (n.handled_at IS NOT NULL OR n.kind NOT IN (
            'order_at_risk', 'not_completed', 'low_review', 'undeliverable', 'webhook_dead', 'codes_used_up'))
        AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.notice_id = n.id AND m.next_at IS NOT NULL)
    ORDER BY n.id LIMIT $3 FOR UPDATE OF n SKIP LOCKED
), told AS (DELETE FROM messages WHERE notice_id IN (SELECT id FROM old) RETURNING id),
tried AS (DELETE FROM attempts WHERE message_id IN (SELECT id FROM told)),
gone AS (DELETE FROM notices WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_WEBHOOKS: Final = """
WITH old AS (
    SELECT id FROM webhooks
    WHERE id < $2 AND (state = 'delivered' AND delivered_at < $1 OR state = 'dead' AND next_at < $1)
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
), tried AS (DELETE FROM webhook_attempts WHERE webhook_id IN (SELECT id FROM old)),
gone AS (DELETE FROM webhooks WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_TIMERS: Final = """
WITH old AS (
    SELECT t.id FROM timers t JOIN orders o ON o.id = t.order_id
    WHERE t.id < $2 AND t.state <> 'live' AND o.final_at < $1
    ORDER BY t.id LIMIT $3 FOR UPDATE OF t SKIP LOCKED
), gone AS (DELETE FROM timers WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_ALARMS: Final = """
WITH gone AS (
    DELETE FROM alarms_over WHERE id IN (
        SELECT id FROM alarms_over WHERE over_at < $1 ORDER BY id LIMIT $3) RETURNING 1)
SELECT count(*) FROM gone WHERE $2::uuid IS NOT NULL
"""
_SIGN_IN: Final = """
WITH sessions_ AS (DELETE FROM sessions WHERE coalesce(ended_at, expires_at) < $1 RETURNING 1),
links AS (DELETE FROM one_time_links WHERE expires_at < $1 RETURNING 1),
invited AS (DELETE FROM link_codes WHERE expires_at < $1 RETURNING 1),
codes AS (DELETE FROM login_codes WHERE expires_at < $1 RETURNING 1),
tries AS (DELETE FROM wrong_tries WHERE since < $1 AND coalesce(locked_until < $1, true) RETURNING 1),
operators AS (DELETE FROM operator_sessions WHERE coalesce(ended_at, expires_at) < $1 RETURNING 1),
mailed AS (DELETE FROM operator_links WHERE expires_at < $1 RETURNING 1)
SELECT count(*) FROM (
    TABLE sessions_ UNION ALL TABLE links UNION ALL TABLE invited UNION ALL TABLE codes
    UNION ALL TABLE tries UNION ALL TABLE operators UNION ALL TABLE mailed
) gone WHERE $2::uuid IS NOT NULL AND $3::int > 0
"""
_FORGETS: Final = (_NOTICES, _WEBHOOKS, _TIMERS, _ALARMS, _SIGN_IN)
