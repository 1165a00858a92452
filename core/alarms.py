"""What the operators are told of once, until it is over; once a day where nobody can say that it is."""

from datetime import datetime, timedelta
from typing import Final

from core import ids
from core.database import Connection
from core.notices.kinds import NoticeKind

_TOLD_AGAIN_AFTER: Final = timedelta(days=1)


async def raise_(connection: Connection, name: str, detail: str, *, now: datetime) -> bool:
    """Raise an alarm and owe it to the operators, unless they were told within a day; return if it is."""
    raised = await connection.fetchval(_RAISE, name, now, detail, now - _TOLD_AGAIN_AFTER)
    if raised is None:
        return False
    await _owe(connection, name, detail, now=now, over=False)
    return True


async def clear(connection: Connection, name: str, *, now: datetime) -> bool:
    """Say that what was alarmed is over; return whether an alarm was raised at all."""
    detail = await connection.fetchval("DELETE FROM alarms WHERE name = $1 RETURNING detail", name)
    if detail is None:
        return False
    await _owe(connection, name, str(detail), now=now, over=True)
    return True


async def _owe(connection: Connection, name: str, detail: str, *, now: datetime, over: bool) -> None:
    await connection.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        ids.new(),
        NoticeKind.TROUBLE.value,
        f"{name}:{now.isoformat()}:{'over' if over else 'raised'}",
        {"name": name, "detail": detail, "over": over},
        now,
    )


# One raised later than now was raised before product time went back.
_RAISE: Final = """
INSERT INTO alarms (name, raised_at, detail) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET raised_at = $2, detail = $3
    WHERE alarms.raised_at <= $4 OR alarms.raised_at > $2
RETURNING name
"""
