"""What operators see of the platforms: how each is told, and what it does not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from core.database import Connection, Pool, Row
from core.platforms.platforms import Scope

Queryable = Connection | Pool

#: No more than so many are counted of what a platform does not have.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class PlatformStanding:
    """A platform. `waiting` and `dead` count its webhooks up to 10,000; `oldest` is since when one waits.

    `old_secret_until` is until when the secret before the present one signs too.
    """

    id: UUID
    name: str
    webhook_url: str | None
    scope: Scope
    notify_customer: bool
    ask_review: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    old_secret_until: datetime | None
    waiting: int
    dead: int
    oldest: datetime | None

    @property
    def host(self) -> str | None:
        """Where it is told: the host of its address, which may hold a secret behind it."""
        return (urlsplit(self.webhook_url).netloc.rpartition("@")[2] or "?") if self.webhook_url else None


async def platforms(queryable: Queryable, *, after: str | None, most: int) -> Sequence[PlatformStanding]:
    """Return platforms by name, those behind `after`."""
    rows = await queryable.fetch(
        f"{_STANDING} WHERE p.name > $2 ORDER BY p.name LIMIT $3", MOST, after or "", most
    )
    return [_standing(row) for row in rows]


async def platform(queryable: Queryable, platform_id: UUID) -> PlatformStanding | None:
    """Return one platform."""
    row = await queryable.fetchrow(f"{_STANDING} WHERE p.id = $2", MOST, platform_id)
    return _standing(row) if row else None


async def order_codes(queryable: Queryable, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return what people call these orders: the kitchen's code and the order's ("com-nha-lan/48273")."""
    rows = await queryable.fetch(_CODES, list(order_ids))
    return {row["id"]: f"{row['partner']}/{row['code']}" for row in rows}


def _standing(row: Row) -> PlatformStanding:
    return PlatformStanding(
        id=row["id"],
        name=row["name"],
        webhook_url=row["webhook_url"],
        scope=Scope(row["scope"]),
        notify_customer=row["notify_customer"],
        ask_review=row["ask_review"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        disabled_why=row["disabled_why"],
        old_secret_until=row["secret_before_until"],
        waiting=row["waiting"],
        dead=row["dead"],
        oldest=row["oldest"],
    )


_STANDING: Final = """
SELECT p.id, p.name, p.webhook_url, p.scope, p.notify_customer, p.ask_review, p.created_at, p.disabled_at,
    p.disabled_why, p.secret_before_until, waiting.count AS waiting, waiting.oldest,
    (SELECT count(*) FROM (SELECT FROM webhooks w
        WHERE w.platform_id = p.id AND w.state = 'dead' LIMIT $1) d) AS dead
FROM platforms p, LATERAL (
    SELECT count(*) AS count, min(coalesce(w.test_at, e.at, k.at)) AS oldest FROM (
        SELECT event_id, test_at FROM webhooks
        WHERE platform_id = p.id AND state = 'waiting' ORDER BY next_at LIMIT $1
    ) w LEFT JOIN events e ON e.id = w.event_id LEFT JOIN partner_events k ON k.id = w.event_id
) waiting
"""
_CODES: Final = """
SELECT o.id, o.code, p.code AS partner FROM orders o JOIN partners p ON p.id = o.partner_id
WHERE o.id = ANY($1::uuid[])
"""
