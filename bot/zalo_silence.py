"""Zalo's webhook falls silent when its subscription is cancelled: nobody says so, so we watch for it.

docs/facts.md#zalo-webhook. The web process notes that events come; the worker looks now and then whether
messages were accepted for hours of the day without a single event. Both by real time, as Zalo is.
"""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core import alarms
from core.clock import real_now
from core.database import Database

ALARM: Final = "zalo: silence"
HEARTBEAT: Final = "zalo webhook"
_SILENT_FOR: Final = timedelta(hours=2)
_ACCEPTED: Final = 3
_DAY: Final = (time(7), time(21))
_NOTED_EVERY: Final = timedelta(minutes=1)


class Heard:
    """Notes that an event of Zalo's came, at most once a minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether the last note is a minute old."""
        return self._noted_at is None or not self._noted_at <= now < self._noted_at + _NOTED_EVERY

    async def note(self, now: datetime) -> None:
        """Take down that an event came at `now` (real time), and that a silence is over."""
        if not self.is_due(now):
            return
        self._noted_at = now  # also when the database is away: no event waits for it twice in a minute
        async with self._database.pool.acquire() as connection, connection.transaction():
            await connection.execute(_NOTE, HEARTBEAT, now)
            await alarms.clear(connection, ALARM, now=self._database.clock.now())


async def look_for_silence(database: Database, *, zone: ZoneInfo, now: datetime | None = None) -> bool:
    """Alarm the operators when Zalo accepts messages and tells of nothing; return whether it is silent.

    For a job that runs every few minutes. `zone` is where the day is counted, `now` real time.
    """
    now = now or real_now()
    if not _is_day(now, zone) or await _was_heard(database, now):
        return False
    accepted = await database.pool.fetchval(_COUNT, now - _SILENT_FOR, now)
    if accepted < _ACCEPTED:
        return False
    detail = (
        f"Zalo nhận {accepted} tin trong 2 giờ mà không báo gì về: "
        "kiểm tra webhook của ứng dụng trong trang quản trị Zalo"
    )
    async with database.pool.acquire() as connection, connection.transaction():
        await alarms.raise_(connection, ALARM, detail, now=database.clock.now())
    return True


def _is_day(now: datetime, zone: ZoneInfo) -> bool:
    """Whether all of the last two hours lay within the day."""
    begins, ends = _DAY
    since, until = (now - _SILENT_FOR).astimezone(zone), now.astimezone(zone)
    return since.date() == until.date() and begins <= since.time() and until.time() <= ends


async def _was_heard(database: Database, now: datetime) -> bool:
    last = await database.pool.fetchval("SELECT at FROM heartbeats WHERE name = $1", HEARTBEAT)
    return last is not None and last > now - _SILENT_FOR


_NOTE: Final = """
INSERT INTO heartbeats (name, at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET at = greatest(heartbeats.at, $2)
"""
_COUNT: Final = """
SELECT count(*) FROM attempts a JOIN messages m ON m.id = a.message_id
WHERE m.channel = 'zalo' AND a.outcome = 'sent' AND a.started_at > $1 AND a.started_at <= $2
"""
