"""The web process watches the worker: when no sweep was heard of, it mails the operators itself."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from core import ids
from core.channels import Address, AddressKind, Block, BlockRole, Card, Channel, Sent, Unclear
from core.clock import real_now
from core.database import AWAY, Database

_log: Final = structlog.get_logger()
_ALARM: Final = "timers stopped"
_LOOK_EVERY: Final = timedelta(seconds=15)
#: Beside the sweep's own period: how long its silence is borne.
SILENT_AFTER: Final = timedelta(seconds=60)


async def watch_sweeps(
    database: Database,
    mail: Channel | None,
    operators: Sequence[str],
    *,
    started: datetime,
    patience: timedelta,
) -> None:
    """Look for the sweep's heartbeat until cancelled; `started` is real time, as heartbeats are."""
    while True:
        await asyncio.sleep(_LOOK_EVERY.total_seconds())
        try:
            await look(database, mail, operators, started=started, patience=patience)
        except AWAY as error:
            _log.warning("heartbeat not read", why=type(error).__name__)


async def look(
    database: Database,
    mail: Channel | None,
    operators: Sequence[str],
    *,
    started: datetime,
    patience: timedelta,
) -> bool:
    """Mail the operators once when the sweep is silent, and once when it is heard again; return if silent."""
    last = await database.pool.fetchval("SELECT at FROM heartbeats WHERE name = 'sweep'")
    since = max(last or started, started)
    silent = real_now() - since > patience
    if silent:
        await _tell(database, mail, operators, _RAISE, _gone(since))
    elif last and last > started:
        await _tell(database, mail, operators, _CLEAR, _back())
    return silent


class _NobodyHeardError(Exception):
    """The mail server took none of the mails."""


async def _tell(
    database: Database, mail: Channel | None, operators: Sequence[str], change: str, card: Card
) -> None:
    """Mail the operators when this changes the alarm: one web process does, and again if nobody heard it."""
    with suppress(_NobodyHeardError):
        async with database.pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(change, _ALARM):
                _log.error("worker comes and goes", what=card.title)
                await _mail(mail, operators, card)


async def _mail(mail: Channel | None, operators: Sequence[str], card: Card) -> None:
    if mail is None or not operators:
        return
    outcomes = [
        await mail.send(Address(AddressKind.EMAIL, operator), card, key=str(ids.new()))
        for operator in operators
    ]
    if not any(isinstance(outcome, Sent | Unclear) for outcome in outcomes):
        raise _NobodyHeardError


_RAISE: Final = (
    "INSERT INTO alarms (name, raised_at) VALUES ($1, now()) ON CONFLICT DO NOTHING RETURNING true"
)
_CLEAR: Final = "DELETE FROM alarms WHERE name = $1 RETURNING true"


def _gone(since: datetime) -> Card:
    text = (
        f"Không thấy tiến trình worker từ {since:%H:%M:%S} UTC: nhắc hẹn, tin nhắn và webhook đang dừng. "
        "Hãy chạy lại `chotdon worker`."
    )
    title = "Chốt Đơn: worker đã dừng"
    return Card("trouble", "vi", title, title, blocks=(Block(BlockRole.TEXT, (text,)),))


def _back() -> Card:
    title = "Chốt Đơn: worker đã chạy lại"
    text = "Tiến trình worker đã hoạt động trở lại; những gì đến hạn đang được gửi."
    return Card("trouble", "vi", title, title, blocks=(Block(BlockRole.TEXT, (text,)),))
