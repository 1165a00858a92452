"""Webhooks that are not from whom they say: each is counted, many at once are told to the operators."""

import time
from collections import deque
from typing import Final

import structlog

from bot.in_time import in_time
from core import alarms, metrics
from core.channels import ChannelName
from core.database import AWAY, Database

_log: Final = structlog.get_logger()
_ALARM_AT: Final = 10
_ALARM_WITHIN: Final = 300.0
_PATIENCE: Final = 1.5


class Rejections:
    """Those of one channel; ten in five minutes raise an alarm that says what to look at."""

    def __init__(self, channel: ChannelName, advice: str) -> None:
        self._channel = channel
        self._advice = advice
        self._recent: deque[float] = deque(maxlen=_ALARM_AT)

    async def count(self, database: Database) -> None:
        """Count a bad signature."""
        metrics.REJECTED.labels(self._channel.value, "signature").inc()
        _log.warning("webhook rejected", channel=self._channel.value, reason="signature")
        self._recent.append(time.monotonic())
        if len(self._recent) == _ALARM_AT and self._recent[-1] - self._recent[0] <= _ALARM_WITHIN:
            self._recent.clear()  # strangers must not cost us a call to the database each
            await self._raise_alarm(database)

    async def _raise_alarm(self, database: Database) -> None:
        name = f"{self._channel.value}: signature"
        detail = f"{_ALARM_AT} chữ ký sai trong 5 phút: {self._advice}"

        async def tell() -> None:
            async with database.pool.acquire() as connection, connection.transaction():
                await alarms.raise_(connection, name, detail, now=database.clock.now())

        try:
            await in_time(tell(), _PATIENCE)
        except AWAY as error:
            _log.warning("alarm not raised", alarm=name, why=type(error).__name__)
