"""What operators see of one order beside what its kitchen sees: who is told of it, webhook by webhook."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.partners.addresses import Queryable


@dataclass(frozen=True, slots=True)
class ToldPlatform:
    """One event of an order on its way to one platform. `next_at` is None when nothing is tried any more."""

    id: UUID
    platform_id: UUID
    platform_name: str
    type: str
    version: int
    state: str
    tries: int
    last_status: int | None
    why: str | None
    next_at: datetime | None
    delivered_at: datetime | None


async def told_platforms(queryable: Queryable, order_id: UUID) -> list[ToldPlatform]:
    """Return what each platform was told of this order, the newest event first."""
    return [
        ToldPlatform(
            row["id"],
            row["platform_id"],
            row["platform_name"],
            row["type"],
            row["version"],
            row["state"],
            row["tries"],
            row["last_status"],
            row["why"],
            row["next_at"] if row["state"] == "waiting" else None,
            row["delivered_at"],
        )
        for row in await queryable.fetch(_TOLD, order_id)
    ]


_TOLD: Final = """
SELECT w.id, w.platform_id, p.name AS platform_name, e.type, w.version, w.state, w.tries, w.last_status,
       w.why, w.next_at, w.delivered_at
  FROM events e JOIN webhooks w ON w.event_id = e.id AND NOT w.of_partner
       JOIN platforms p ON p.id = w.platform_id
 WHERE e.order_id = $1 ORDER BY e.version DESC, p.name
"""
