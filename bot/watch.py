"""The web process watches the worker and the database: when either is silent, it tells the operators itself.

Each process knows of the database only what it sees itself: where several serve, each tells that it is away.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from core import ids
from core.channels import (
    Address,
    AddressKind,
    Block,
    BlockRole,
    Card,
    Channel,
    ChannelName,
    Sent,
    Unclear,
)
from core.clock import real_now
from core.database import AWAY, Database
from core.settings import Settings

_log: Final = structlog.get_logger()
_ALARM: Final = "timers stopped"
_LOOK_EVERY: Final = timedelta(seconds=15)
#: Beside the sweep's own period: how long its silence is borne.
SILENT_AFTER: Final = timedelta(seconds=60)
#: How long the database's silence is borne.
AWAY_AFTER: Final = timedelta(seconds=60)
_LOOK_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Voices:
    """How the operators are told without a worker: by which channel at which address."""

    ways: Sequence[tuple[Channel, Address]]

    async def say(self, card: Card) -> bool:
        """Tell it by every way; return whether anybody may have heard, or nobody is to be told."""
        outcomes = [await channel.send(address, card, key=str(ids.new())) for channel, address in self.ways]
        return not outcomes or any(isinstance(outcome, Sent | Unclear) for outcome in outcomes)


def voices_of(settings: Settings, channels: Mapping[ChannelName, Channel]) -> Voices:
    """Return the operators' mailboxes and their Telegram chat, as far as those channels are on."""
    chat = settings.operator_telegram_chat
    wanted = [
        *((ChannelName.EMAIL, Address(AddressKind.EMAIL, email)) for email in settings.operator_emails),
        *([(ChannelName.TELEGRAM, Address(AddressKind.TELEGRAM_CHAT, chat))] if chat else []),
    ]
    return Voices([(channels[name], address) for name, address in wanted if name in channels])


class Watch:
    """Looks now and then; `patience` is how long the sweep's silence is borne. All by real time."""

    def __init__(
        self,
        database: Database,
        voices: Voices,
        *,
        started: datetime,
        patience: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._voices = voices
        self._started = started
        self._patience = patience
        self._clock = clock
        self._away_since: float | None = None
        self._told_away = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Look once at the database and at the sweep's heartbeat, and tell what has changed."""
        try:
            async with asyncio.timeout(_LOOK_WITHIN):
                last = await self._database.pool.fetchval(_HEARTBEAT)
        except AWAY as error:
            _log.warning("heartbeat not read", why=type(error).__name__)
            await self._database_is_away()
            return
        await self._database_answers()
        with suppress(*AWAY):
            await self._sweep_was_heard(last)

    async def _database_is_away(self) -> None:
        now = self._clock()
        if self._away_since is None:
            self._away_since = now
        if not self._told_away and now - self._away_since >= AWAY_AFTER.total_seconds():
            self._told_away = await self._voices.say(_database_gone())

    async def _database_answers(self) -> None:
        if self._away_since is not None:
            self._away_since = None
            self._started = real_now()  # the worker needs a moment too, before its silence means anything
        if self._told_away:
            self._told_away = not await self._voices.say(_database_back())

    async def _sweep_was_heard(self, last: datetime | None) -> None:
        """Tell the operators once when the sweep is silent, and once when it is heard again."""
        since = max(last or self._started, self._started)
        if real_now() - since > self._patience:
            card = _gone(since)
            await self._tell(card, _RAISE, card.title)
        elif last and last > self._started:
            await self._tell(_back(), _CLEAR)

    async def _tell(self, card: Card, change: str, *facts: str) -> None:
        """Tell them when this changes the alarm: one web process does, and again if nobody heard it."""
        with suppress(_NobodyHeardError):
            async with self._database.pool.acquire() as connection, connection.transaction():
                if await connection.fetchval(change, _ALARM, self._database.clock.now(), *facts):
                    _log.error("worker comes and goes", what=card.title)
                    if not await self._voices.say(card):
                        raise _NobodyHeardError


class _NobodyHeardError(Exception):
    """Nobody could be told."""


_HEARTBEAT: Final = "SELECT at FROM heartbeats WHERE name = 'sweep'"
_RAISE: Final = (
    "INSERT INTO alarms (name, raised_at, seen_at, detail) VALUES ($1, $2, $2, $3)"
    " ON CONFLICT DO NOTHING RETURNING true"
)
_CLEAR: Final = """
WITH gone AS (DELETE FROM alarms WHERE name = $1 RETURNING *), kept AS (
    INSERT INTO alarms_over (name, detail, raised_at, over_at) SELECT name, detail, raised_at, $2 FROM gone
)
SELECT true FROM gone
"""


def _card(title: str, text: str) -> Card:
    return Card("trouble", "vi", title, title, blocks=(Block(BlockRole.TEXT, (text,)),))


def _gone(since: datetime) -> Card:
    text = (
        f"Không thấy tiến trình worker từ {since:%H:%M:%S} UTC: nhắc hẹn, tin nhắn và webhook đang dừng. "
        "Hãy chạy lại `chotdon worker`."
    )
    return _card("Chốt Đơn: worker đã dừng", text)


def _back() -> Card:
    text = "Tiến trình worker đã hoạt động trở lại; những gì đến hạn đang được gửi."
    return _card("Chốt Đơn: worker đã chạy lại", text)


def _database_gone() -> Card:
    text = (
        "Hơn một phút nay cơ sở dữ liệu không trả lời: API và webhook đang từ chối bằng 503, "
        "không tin nào đi được. Hãy xem máy chủ PostgreSQL."
    )
    return _card("Chốt Đơn: cơ sở dữ liệu không trả lời", text)


def _database_back() -> Card:
    text = "Cơ sở dữ liệu đã trả lời trở lại; những gì đến hạn đang được gửi."
    return _card("Chốt Đơn: cơ sở dữ liệu đã trở lại", text)
