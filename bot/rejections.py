"""Webhooks that are not from whom they say: each is counted, many at once are told to the operators."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.in_time import in_time
from core import alarms, metrics
from core.channels import ChannelName
from core.database import AWAY, Connection, Database

_log: Final = structlog.get_logger()
_ALARM_AT: Final = 10
_ALARM_WITHIN: Final = 300.0
_PATIENCE: Final = 1.5
#: An alarm that stands is told of a bad one at most so often, and is over after an hour without any.
_NOTED_EVERY: Final = 60.0
_OVER_AFTER: Final = timedelta(hours=1)


class Rejections:
    """Those of one channel; ten in five minutes raise an alarm, which is over after an hour without."""

    def __init__(self, channel: ChannelName, advice: str) -> None:
        self._channel = channel
        self._advice = advice
        self._noted_at = float("-inf")
        self._recent: deque[float] = deque(maxlen=_ALARM_AT)

    async def count(self, database: Database) -> None:
        """Count a bad signature."""
        metrics.REJECTED.labels(self._channel.value, "signature").inc()
        _log.warning("webhook rejected", channel=self._channel.value, reason="signature")
        now = time.monotonic()
        self._recent.append(now)
        if len(self._recent) == _ALARM_AT and self._recent[-1] - self._recent[0] <= _ALARM_WITHIN:
            self._recent.clear()
            await self._tell(database, self._raise)
        elif now - self._noted_at >= _NOTED_EVERY:
            await self._tell(database, self._note)
        else:
            return  # strangers must not cost us a call to the database each
        self._noted_at = now

    async def _raise(self, connection: Connection, now: datetime) -> None:
        detail = f"{_ALARM_AT} chữ ký sai trong 5 phút: {self._advice}"
        await alarms.raise_(connection, self._name, detail, now=now, over_after=_OVER_AFTER)

    async def _note(self, connection: Connection, now: datetime) -> None:
        await alarms.seen_again(connection, self._name, now=now)

    async def _tell(
        self, database: Database, deed: Callable[[Connection, datetime], Awaitable[None]]
    ) -> None:
        async def tell() -> None:
            async with database.pool.acquire() as connection, connection.transaction():
                await deed(connection, database.clock.now())

        try:
            await in_time(tell(), _PATIENCE)
        except AWAY as error:
            _log.warning("alarm not raised", alarm=self._name, why=type(error).__name__)

    @property
    def _name(self) -> str:
        return f"{self._channel.value}: signature"
