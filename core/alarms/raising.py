"""Raising and clearing: an alarm is a row while it stands, a notice to the operators, and kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core import ids, metrics
from core.database import Connection
from core.notices.kinds import NoticeKind

_TOLD_AGAIN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a gateway's trouble is over: it takes a message of this channel again.

    `what` is what such a message is paid for, `kind` its notice's kind; None where any will do.
    """

    channel: str
    what: str | None = None
    kind: str | None = None

    def is_given_by(self, taken: "Proof") -> bool:
        """Whether a message that was taken is such a one."""
        return (
            taken.channel == self.channel
            and self.what in {None, taken.what}
            and self.kind in {None, taken.kind}
        )


async def raise_(
    connection: Connection,
    name: str,
    detail: str,
    *,
    now: datetime,
    over_after: timedelta | None = None,
    over_with: Proof | None = None,
) -> bool:
    """Raise an alarm and owe it to the operators, unless they were told within a day; return if it is.

    It is over when somebody clears it; by itself once it was not seen for `over_after`; or when a gateway
    takes what it is `over_with`.
    """
    proof = (over_with.channel, over_with.what, over_with.kind) if over_with else (None, None, None)
    raised = await connection.fetchval(_RAISE, name, now, detail, now - _TOLD_AGAIN_AFTER, over_after, *proof)
    if raised is None:
        await seen_again(connection, name, now=now)
        return False
    metrics.ALARMS.labels(_sort(name)).inc()
    await _owe(connection, name, detail, now=now, since=now, over=False)
    return True


async def seen_again(connection: Connection, name: str, *, now: datetime) -> None:
    """Take down that an alarm's trouble is still there: the operators are not told anew."""
    await connection.execute("UPDATE alarms SET seen_at = $2 WHERE name = $1", name, now)


async def clear(connection: Connection, name: str, *, now: datetime) -> bool:
    """Say that what was alarmed is over; return whether an alarm was raised at all."""
    row = await connection.fetchrow(_CLEAR, name, now)
    if row is None:
        return False
    await _owe(connection, name, row["detail"], now=now, since=row["raised_at"], over=True)
    return True


async def _owe(
    connection: Connection, name: str, detail: str, *, now: datetime, since: datetime, over: bool
) -> None:
    await connection.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        ids.new(),
        NoticeKind.TROUBLE.value,
        f"{name}:{now.isoformat()}:{'over' if over else 'raised'}",
        {"name": name, "detail": detail, "over": over, "since": since.isoformat()},
        now,
    )


def _sort(name: str) -> str:
    """Return who the alarm is about, for a counter: "zalo", "webhook"; no number or name of anybody."""
    who, colon, _ = name.partition(": ")
    return who if colon and who.isascii() else "other"


# One raised later than now was raised before product time went back.
_RAISE: Final = """
INSERT INTO alarms (name, raised_at, detail, seen_at, over_after, channel, what, kind)
VALUES ($1, $2, $3, $2, $5, $6, $7, $8)
ON CONFLICT (name) DO UPDATE SET raised_at = $2, detail = $3, seen_at = $2
    WHERE alarms.raised_at <= $4 OR alarms.raised_at > $2
RETURNING name
"""

_CLEAR: Final = """
WITH gone AS (DELETE FROM alarms WHERE name = $1 RETURNING name, detail, raised_at), kept AS (
    INSERT INTO alarms_over (name, detail, raised_at, over_at) SELECT name, detail, raised_at, $2 FROM gone
)
SELECT detail, raised_at FROM gone
"""
