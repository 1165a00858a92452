"""What stands still: webhooks that a platform does not take, and alarms that are raised."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.partners.addresses import Queryable


@dataclass(frozen=True, slots=True)
class StuckWebhooks:
    """What a platform was tried to be told and does not have: still tried, and given up."""

    platform_id: UUID
    platform_name: str
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the operators were alarmed of; `over_at` is None while it lasts."""

    name: str
    detail: str
    raised_at: datetime
    over_at: datetime | None = None


async def webhooks(queryable: Queryable) -> list[StuckWebhooks]:
    """Return the platforms that do not take what they are told, the worst first."""
    return [
        StuckWebhooks(row["id"], row["name"], row["waiting"], row["dead"])
        for row in await queryable.fetch(_WEBHOOKS)
    ]


async def alarms_raised(queryable: Queryable) -> list[Alarm]:
    """Return the alarms that last, the newest first."""
    rows = await queryable.fetch("SELECT name, detail, raised_at FROM alarms ORDER BY raised_at DESC, name")
    return [Alarm(row["name"], row["detail"], row["raised_at"]) for row in rows]


async def alarms_over(queryable: Queryable, *, since: datetime, most: int) -> list[Alarm]:
    """Return the alarms that ended since then, the last one first."""
    rows = await queryable.fetch(_OVER, since, most)
    return [Alarm(row["name"], row["detail"], row["raised_at"], row["over_at"]) for row in rows]


_WEBHOOKS: Final = """
SELECT p.id, p.name, s.waiting, s.dead
  FROM (SELECT platform_id, count(*) FILTER (WHERE state = 'waiting') AS waiting,
               count(*) FILTER (WHERE state = 'dead') AS dead
          FROM webhooks WHERE state <> 'delivered' AND (tries > 0 OR state = 'dead')
         GROUP BY platform_id) s
  JOIN platforms p ON p.id = s.platform_id
 ORDER BY s.dead DESC, s.waiting DESC, p.name
"""
_OVER: Final = """
SELECT name, detail, raised_at, over_at FROM alarms_over
 WHERE over_at >= $1 ORDER BY over_at DESC, id DESC LIMIT $2
"""
