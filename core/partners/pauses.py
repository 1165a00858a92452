"""A kitchen's pause as it is written: once for each change, with what platforms and its people are owed.

Everything here happens inside the caller's transaction, which holds the kitchen's row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core import ids
from core.actors import SYSTEM
from core.database import Connection, Row
from core.errors import NotFound, RuleError
from core.notices.kinds import NoticeKind
from core.orders.events import Json
from core.orders.order import By
from core.orders.snapshot import dump_by

_BY_ITSELF: Final = By(SYSTEM.via, SYSTEM.name)


class PartnerEventType(StrEnum):
    """What happens to a kitchen that platforms are told of."""

    PAUSED = "partner.paused"
    RESUMED = "partner.resumed"


_NOTICES: Final = {
    PartnerEventType.PAUSED: NoticeKind.KITCHEN_PAUSED,
    PartnerEventType.RESUMED: NoticeKind.KITCHEN_RESUMED,
}


@dataclass(frozen=True, slots=True)
class Written:
    """The rows that a change of a pause wrote, for whoever wakes the worker."""

    notices: Sequence[UUID] = ()
    webhooks: Sequence[UUID] = ()


async def begin(
    connection: Connection, partner_id: UUID, until: datetime, *, by: By, now: datetime
) -> Written:
    """Let a kitchen take no new orders until a moment; nothing happens where it is so already.

    Raises RuleError("paused_until_past"), NotFound("no_such_partner").
    """
    if until <= now:
        raise RuleError("paused_until_past")
    until = until.astimezone(UTC)
    kitchen = await _held(connection, partner_id)
    if kitchen["paused_until"] == until:
        return Written()
    over = await _end_what_ran_out(connection, kitchen, now)
    await _set(connection, partner_id, until)
    begun = await _happened(connection, kitchen, PartnerEventType.PAUSED, until=until, by=by, at=now)
    return _together(over, begun)


async def finish(connection: Connection, partner_id: UUID, *, by: By, now: datetime) -> Written:
    """Let a kitchen take orders again; nothing happens where it does. Raises NotFound("no_such_partner")."""
    kitchen = await _held(connection, partner_id)
    if kitchen["paused_until"] is None:
        return Written()
    if kitchen["paused_until"] <= now:
        return await _end_what_ran_out(connection, kitchen, now)
    await _set(connection, partner_id, None)
    return await _happened(connection, kitchen, PartnerEventType.RESUMED, until=None, by=by, at=now)


async def finish_if_over(connection: Connection, partner_id: UUID, *, now: datetime) -> Written:
    """End a pause that has run out; one that was moved or ended meanwhile is left alone."""
    return await _end_what_ran_out(connection, await _held(connection, partner_id), now)


async def _held(connection: Connection, partner_id: UUID) -> Row:
    kitchen = await connection.fetchrow(
        "SELECT id, code, timezone, paused_until FROM partners WHERE id = $1 FOR NO KEY UPDATE", partner_id
    )
    if kitchen is None:
        raise NotFound("no_such_partner", partner=str(partner_id))
    return kitchen


async def _end_what_ran_out(connection: Connection, kitchen: Row, now: datetime) -> Written:
    """Put on record that a pause ended by itself, at the moment when it did."""
    ended = kitchen["paused_until"]
    if ended is None or ended > now:
        return Written()
    await _set(connection, kitchen["id"], None)
    return await _happened(
        connection, kitchen, PartnerEventType.RESUMED, until=None, by=_BY_ITSELF, at=ended, owed_at=now
    )


async def _set(connection: Connection, partner_id: UUID, until: datetime | None) -> None:
    await connection.execute("UPDATE partners SET paused_until = $2 WHERE id = $1", partner_id, until)


async def _happened(
    connection: Connection,
    kitchen: Row,
    type_: PartnerEventType,
    *,
    until: datetime | None,
    by: By,
    at: datetime,
    owed_at: datetime | None = None,
) -> Written:
    """Write the event, a webhook for every platform that has an address for them, and the notice."""
    told = _told(kitchen, until=until, by=by, at=at)
    event_id = ids.new()
    number = await connection.fetchval(
        _EVENT, event_id, kitchen["id"], type_.value, at, dump_by(by), dict(told)
    )
    owed = owed_at or at
    told_to = await connection.fetch("SELECT id FROM platforms WHERE webhook_url IS NOT NULL ORDER BY id")
    webhooks = [ids.new() for _ in told_to]
    await connection.execute(
        _WEBHOOKS, event_id, kitchen["id"], number, owed, webhooks, [row["id"] for row in told_to]
    )
    notice_id = ids.new()
    await connection.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at) VALUES ($1, $2, $3, $4, $5)",
        notice_id,
        _NOTICES[type_].value,
        f"{kitchen['id']}:{number}",
        {
            "partner_id": str(kitchen["id"]),
            "number": number,
            "until": until.isoformat() if until else None,
            "by": dump_by(by),
            "but": str(by.id) if by.id else None,
        },
        owed,
    )
    return Written([notice_id], webhooks)


def _told(kitchen: Row, *, until: datetime | None, by: By, at: datetime) -> Mapping[str, Json]:
    """Return what platforms are told; times carry the kitchen's offset."""
    zone = ZoneInfo(kitchen["timezone"])
    return {
        "partner": kitchen["code"],
        "paused_until": until.astimezone(zone).isoformat() if until else None,
        "at": at.astimezone(zone).isoformat(),
        "by": {"channel": by.via.value, "name": by.name},
    }


def _together(*written: Written) -> Written:
    return Written(
        [notice for each in written for notice in each.notices],
        [webhook for each in written for webhook in each.webhooks],
    )


_EVENT: Final = """
INSERT INTO partner_events (id, partner_id, number, type, at, by, data)
SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6 FROM partner_events WHERE partner_id = $2
RETURNING number
"""
_WEBHOOKS: Final = """
INSERT INTO webhooks (id, event_id, order_id, version, platform_id, next_at, of_partner)
SELECT owed.id, $1, $2, $3, owed.platform_id, $4, true
FROM unnest($5::uuid[], $6::uuid[]) AS owed (id, platform_id)
"""
