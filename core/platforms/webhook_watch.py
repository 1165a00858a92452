"""Telling the operators of platforms that do not know what they must know at once."""

from collections.abc import Mapping
from typing import Final

from core import alarms
from core.database import Database
from core.platforms.webhook_outcomes import GONE, WHO, switched_off


async def look(database: Database) -> None:
    """Alarm the operators, once for each platform, and give the all-clear when all of it is delivered.

    A matter of theirs are a cancelled or overdue order that a platform has not heard of five minutes later,
    and a platform that answered that it wants no more. For a job that runs with every sweep.
    """
    now = database.clock.now()
    wrong = await _what_is_wrong(database)
    raised = {row["name"] for row in await database.pool.fetch(_RAISED, f"{WHO}: ")}
    if not wrong and not raised:
        return
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        for name, detail in sorted(wrong.items()):
            await alarms.raise_(connection, name, detail, now=now)
        for name in sorted(raised - wrong.keys()):
            await alarms.clear(connection, name, now=now)


async def _what_is_wrong(database: Database) -> Mapping[str, str]:
    """Return alarms and their details."""
    late = await database.pool.fetch(_LATE, database.clock.now())
    gone = await database.pool.fetch(_GONE, f"HTTP {GONE}")
    return {
        **{f"{WHO}: {row['name']}": _unheard(int(row["orders"])) for row in late},
        **dict(switched_off(row["name"]) for row in gone),
    }


def _unheard(orders: int) -> str:
    return f"Nền tảng chưa nhận tin {orders} đơn đã huỷ hoặc quá hạn"


_LATE: Final = """
SELECT p.name, count(DISTINCT w.order_id) AS orders
FROM webhooks w JOIN platforms p ON p.id = w.platform_id
WHERE w.overdue_at <= $1 AND w.state <> 'delivered' AND p.webhook_url IS NOT NULL
GROUP BY p.name
"""
_GONE: Final = """
SELECT name FROM platforms WHERE disabled_why = $1 AND disabled_at IS NOT NULL AND webhook_url IS NOT NULL
"""
_RAISED: Final = "SELECT name FROM alarms WHERE starts_with(name, $1)"
