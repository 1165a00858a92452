"""The morning sheet: what a kitchen delivers today, owed at its hour, on days that have orders.

`partners.next_sheet_at` says when somebody has to look again, so that a sweep reads only the kitchens that
are due. None of these rows is the order's: a sheet says what is true when it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core import ids
from core.database import Connection, Database, Row
from core.notices.kinds import NoticeKind

_AT_ONCE: Final = 500
#: No sheet is further away than a day and an hour of summer time: what is, was planned by another clock.
_FARTHEST: Final = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of one kitchen's plan: when to look next, and the day whose sheet may be owed now."""

    partner_id: UUID
    next_at: datetime
    day: date | None = None
    day_ends: datetime | None = None


async def owe_due(database: Database) -> list[UUID]:
    """Owe the sheets whose hour has come, once for each day, and plan the next; return the notices.

    A kitchen without deliveries ahead that day gets none. An hour that was over before anybody planned it
    is not made up for.
    """
    now, owed = database.clock.now(), list[UUID]()
    while True:
        async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            due = await connection.fetch(_DUE, now, now + _FARTHEST, _AT_ONCE)
            owed += await _plan(connection, due, now)
        if len(due) < _AT_ONCE:
            return owed


async def _plan(connection: Connection, due: Sequence[Row], now: datetime) -> list[UUID]:
    plans = [plan_of(row, now) for row in due]
    await connection.execute(_NEXT, [plan.partner_id for plan in plans], [plan.next_at for plan in plans])
    today = [plan for plan in plans if plan.day]
    rows = await connection.fetch(
        _OWE,
        [ids.new() for _ in today],
        [plan.partner_id for plan in today],
        [str(plan.day) for plan in today],
        [plan.day_ends for plan in today],
        now,
        NoticeKind.MORNING_SHEET.value,
    )
    return [row["id"] for row in rows]


def plan_of(partner: Row, now: datetime) -> _Plan:
    """Return what is due for a kitchen (`id`, `timezone`, `sheet_at`, `next_sheet_at`) at a moment. Pure."""
    zone, at, planned = ZoneInfo(partner["timezone"]), partner["sheet_at"], partner["next_sheet_at"]
    today = now.astimezone(zone).date()
    hour = _moment(today, at, zone)
    if hour > now:
        return _Plan(partner["id"], hour)
    tomorrow = today + timedelta(days=1)
    following = _moment(tomorrow, at, zone)
    if planned is None or planned > hour:  # nobody waits for an hour that is over
        return _Plan(partner["id"], following)
    return _Plan(partner["id"], following, today, _moment(tomorrow, time(), zone))


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a time of a day in UTC; one that summer time skips comes an hour later by the clock."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


_DUE: Final = """
SELECT id, timezone, sheet_at, next_sheet_at FROM partners
WHERE sheet_at IS NOT NULL AND (next_sheet_at IS NULL OR next_sheet_at <= $1 OR next_sheet_at > $2)
ORDER BY next_sheet_at NULLS FIRST LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
"""
_NEXT: Final = """
UPDATE partners p SET next_sheet_at = n.next_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS n(id, next_at) WHERE p.id = n.id
"""
_OWE: Final = """
INSERT INTO notices (id, kind, occasion, data, owed_at)
SELECT n.id, $6, n.partner_id || ':' || n.day,
    jsonb_build_object('partner_id', n.partner_id, 'day', n.day), $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS n(id, partner_id, day, day_ends)
WHERE EXISTS (SELECT 1 FROM orders o WHERE o.partner_id = n.partner_id
    AND o.status IN ('pending', 'confirmed') AND o.deliver_at > $5 AND o.deliver_at < n.day_ends)
ON CONFLICT DO NOTHING RETURNING id
"""
