"""Once in: an inbound thing that gives no order command, its effect and its answer commit together."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core import ids
from core.channels import Address
from core.clock import real_now
from core.database import Connection, Database
from core.notices.kinds import NoticeKind
from core.orders.events import Json

Effect = Callable[[Connection], Awaitable[Mapping[str, Json]]]

#: How long a platform's Idempotency-Key answers, and how long anything else that came in does.
PLATFORM_KEYS_LAST: Final = timedelta(hours=72)
KEYS_LAST: Final = timedelta(days=30)

# The inbox is kept in parts, and a conflict is found within a part: an older one is looked for by hand. Two
# at the same moment at the end of a month queue at a lock (schema_0005.sql).
_TAKE: Final = """
INSERT INTO inbox (key, received_at, answer) SELECT $1, $2, '{}'
WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE key = $1) ON CONFLICT DO NOTHING RETURNING key
"""


_KEEP: Final = """
INSERT INTO inbox (key, received_at, fingerprint, answer) VALUES ($1, $2, $3, '{}') ON CONFLICT DO NOTHING
"""


async def is_known(database: Database, key: str) -> bool:
    """Whether this came in before and had its effect: what it means is not to be worked out anew."""
    return bool(await database.pool.fetchval("SELECT true FROM inbox WHERE key = $1", key))


async def once(
    database: Database, key: str, effect: Effect, *, now: datetime
) -> tuple[Mapping[str, Json], bool]:
    """Run `effect` in a transaction with the record of `key`; return its answer and whether it is a repeat.

    A repeat, also one that runs at the same moment, waits for the first and returns its answer.
    When `effect` raises, nothing is recorded and the key can be used again.
    """
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        taken = await connection.fetchval(_TAKE, key, now)
        if taken is None:
            stored = await connection.fetchval("SELECT answer FROM inbox WHERE key = $1", key)
            return stored or {}, True
        answer = await effect(connection)
        await connection.execute("UPDATE inbox SET answer = $2 WHERE key = $1", key, dict(answer))
        return answer, False


async def fingerprint_of(database: Database, key: str) -> bytes | None:
    """Return what was kept under this key, None where nothing was."""
    found: bytes | None = await database.pool.fetchval("SELECT fingerprint FROM inbox WHERE key = $1", key)
    return found


async def keep(database: Database, key: str, fingerprint: bytes) -> None:
    """Keep what came in under this key; whoever kept it first is right."""
    await database.pool.execute(_KEEP, key, database.clock.now(), fingerprint)


async def owe_answer(
    connection: Connection,
    *,
    key: str,
    to: Address,
    staff_id: UUID | None,
    data: Mapping[str, Json],
    now: datetime,
    hold: timedelta | None = None,
    edits: str | None = None,
) -> UUID:
    """Write the answer to a question as a notice owed to one address; return the notice's id.

    It takes the place of the message that the gateway calls `edits`, where there is one. For as long as
    `hold` (real time) it is left to whoever took the question in.
    """
    notice_id = ids.new()
    content: dict[str, Json] = {
        **data,
        "to": {"kind": to.kind.value, "value": to.value},
        "staff_id": str(staff_id) if staff_id else None,
        "edits": edits,
    }
    await connection.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at, held_until)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        notice_id,
        NoticeKind.ANSWER.value,
        key,
        content,
        now,
        real_now() + hold if hold else None,
    )
    return notice_id


async def forget(database: Database) -> None:
    """Let go of keys that are too old to come again; some at a time, so that nobody waits for it.

    Those that lie in a month's part go with their part.
    """
    now = database.clock.now()
    await database.pool.execute(_FORGET.format("inbox", "key LIKE 'api:%' AND"), now - PLATFORM_KEYS_LAST)
    await database.pool.execute(_FORGET.format("inbox_default", ""), now - KEYS_LAST)


_FORGET: Final = """
DELETE FROM {0}
WHERE key IN (SELECT key FROM {0} WHERE {1} received_at < $1 ORDER BY received_at LIMIT 1000)
"""
