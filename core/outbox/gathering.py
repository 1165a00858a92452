"""What operators are owed is gathered: an alarm waits a moment for others, and one message tells of them all.

The first of them to be routed carries those routed until it leaves: they end as it ends and never leave by
themselves. Between two messages to one operator there is a minute. docs/decisions/0034 tells why.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.clock import real_now
from core.database import Connection, Database
from core.notices.kinds import RULES, Audience, NoticeKind
from core.notices.outgoing import Outgoing

#: An operator gets no two messages within this time (product time).
APART: Final = timedelta(minutes=1)
#: That orders are well again is not urgent: more of it may follow.
_CALM_FOR: Final = timedelta(minutes=5)
#: So many alarms are told of in one message; the others are counted.
MOST: Final = 10
#: What no gateway took for so long is left to itself.
_OPEN_FOR: Final = timedelta(hours=1)

_ALARMS: Final = frozenset(kind for kind, rule in RULES.items() if rule.audience is Audience.OPERATORS)


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """A message to an operator that has just been written. `calm`: it tells that an order is well again."""

    id: UUID
    person: str
    channel: str
    calm: bool


def is_gathered(kind: NoticeKind) -> bool:
    """Whether messages of this kind tell operators of something that they may want to know together."""
    return kind in _ALARMS


def urgency(outgoing: Outgoing) -> int:
    """Return what to sort alarms by: the most urgent first, all-clears last."""
    if outgoing.data.get("over") is True or outgoing.kind.value not in _BY_URGENCY:
        return len(_BY_URGENCY)
    return _BY_URGENCY.index(outgoing.kind.value)


def new_alarm(row: Mapping[str, Any], kind: NoticeKind, data: Mapping[str, Any]) -> NewAlarm | None:
    """Return a message's row as an alarm, if it is one."""
    if not is_gathered(kind):
        return None
    return NewAlarm(UUID(row["id"]), row["person"], row["channel"], "notice_over" in data)


async def gather(
    connection: Connection, alarms: Sequence[NewAlarm], *, wait: timedelta, now: datetime
) -> None:
    """Let these new messages wait for each other and join what waits already, in the caller's transaction."""
    # Of two workers that route at the same moment, the second one finds what the first has opened.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('operators', 0))")
    to: dict[tuple[str, str], list[NewAlarm]] = defaultdict(list)
    for alarm in alarms:
        to[alarm.person, alarm.channel].append(alarm)
    for (person, channel), new in sorted(to.items()):
        await _gather_for(connection, person, channel, new, wait=wait, now=now)


async def _gather_for(
    connection: Connection,
    person: str,
    channel: str,
    new: Sequence[NewAlarm],
    *,
    wait: timedelta,
    now: datetime,
) -> None:
    patience = _CALM_FOR if all(alarm.calm for alarm in new) else wait
    ids = [alarm.id for alarm in new]
    last = await connection.fetchval(_LAST, person, channel, ids, now, real_now(), now - _OPEN_FOR)
    leaves = max(now + patience, last + APART if last else now)
    carrier = await connection.fetchval(_OPEN, person, channel, ids, now + _OPEN_FOR, now - _OPEN_FOR)
    carrier = carrier or ids[0]
    await connection.execute(_WAIT, carrier, leaves)
    await connection.execute(_CARRY, carrier, [each for each in ids if each != carrier])


async def others(connection: Connection, message_id: UUID) -> tuple[list[UUID], int]:
    """Return what else a claimed message tells of, the most urgent first, and how many beyond those.

    What is carried about an order that has moved on is dropped here.
    """
    await connection.execute(_DROP_OBSOLETE, message_id, *_still_true())
    rows = await connection.fetch(_CARRIED, message_id, _BY_URGENCY)
    return [row["id"] for row in rows[: MOST - 1]], max(0, len(rows) - MOST + 1)


async def pass_on(database: Database, message_id: UUID) -> None:
    """Let another one carry what a message carries that is not sent: its own order has moved on."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await connection.execute(_DROP_OBSOLETE, message_id, *_still_true())
        await connection.execute(_HAND_ON, message_id)


def _still_true() -> tuple[list[str], list[str]]:
    """Return the pairs of an alarm's kind and its order's status in which it is still true."""
    pairs = [(kind.value, status.value) for kind in sorted(_ALARMS) for status in RULES[kind].while_status]
    return [kind for kind, _ in pairs], [status for _, status in pairs]


#: What comes first when there is more than one message has room for; all-clears come last.
_BY_URGENCY: Final = [
    NoticeKind.ORDER_AT_RISK.value,
    NoticeKind.UNDELIVERABLE.value,
    NoticeKind.WEBHOOK_DEAD.value,
    NoticeKind.TROUBLE.value,
    NoticeKind.CODES_USED_UP.value,
    NoticeKind.NOT_COMPLETED.value,
]

# When the operator got or is about to get the message before.
_LAST: Final = """
SELECT max(CASE WHEN leased_until > $5 THEN $4 ELSE sent_at END) FROM messages
WHERE person = $1 AND channel = $2 AND orders_told IS NOT NULL AND created_at >= $6 AND id <> ALL($3::uuid[])
    AND (leased_until > $5 OR sent_at <= $4)
"""

# One that may have arrived must stay as it was: a gateway that knows it would drop what it now tells besides.
_OPEN: Final = """
SELECT id FROM messages m
WHERE person = $1 AND channel = $2 AND orders_told IS NOT NULL AND created_at >= $5 AND id <> ALL($3::uuid[])
    AND state = 'waiting' AND carrier_id IS NULL AND leased_until IS NULL AND lost = 0 AND next_at <= $4
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.message_id = m.id AND a.outcome = 'unclear')
ORDER BY next_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""

# A message of a carrier's kind tells of no orders of its own: it is marked as one that others may join.
_WAIT: Final = """
UPDATE messages SET orders_told = '{}', next_at = CASE WHEN orders_told IS NULL THEN $2
    ELSE least(next_at, $2) END
WHERE id = $1
"""
_CARRY: Final = "UPDATE messages SET carrier_id = $1, next_at = NULL WHERE id = ANY($2::uuid[])"

_DROP_OBSOLETE: Final = """
UPDATE messages m SET state = 'dropped', why = 'moved on', carrier_id = NULL, next_at = NULL
FROM notices n, orders o
WHERE m.carrier_id = $1 AND n.id = m.notice_id AND o.id = n.order_id
    AND NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::text[]) t(kind, status)
        WHERE t.kind = n.kind AND t.status = o.status)
"""

_CARRIED: Final = """
SELECT m.id FROM messages m JOIN notices n ON n.id = m.notice_id WHERE m.carrier_id = $1
ORDER BY coalesce((n.data ->> 'over')::boolean, false), array_position($2::text[], n.kind) NULLS LAST,
    n.owed_at, m.id
"""

_HAND_ON: Final = """
WITH next AS (
    SELECT c.id, m.next_at FROM messages c JOIN messages m ON m.id = $1
    WHERE c.carrier_id = $1 ORDER BY c.created_at, c.id LIMIT 1
)
UPDATE messages c SET
    carrier_id = nullif(next.id, c.id),
    orders_told = CASE WHEN next.id = c.id THEN '{}'::uuid[] END,
    next_at = CASE WHEN next.id = c.id THEN next.next_at END
FROM next WHERE c.carrier_id = $1
"""
