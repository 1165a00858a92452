"""What the operators are told of once, until it is over."""

from datetime import datetime

from core import ids
from core.database import Connection
from core.notices.kinds import NoticeKind


async def raise_(connection: Connection, name: str, detail: str, *, now: datetime) -> bool:
    """Raise an alarm and owe it to the operators, unless it is raised already; return whether it is new."""
    raised = await connection.fetchval(
        "INSERT INTO alarms (name, raised_at, detail) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING RETURNING name",
        name,
        now,
        detail,
    )
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
