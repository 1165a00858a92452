"""Everything that a platform is told, in one order that never changes behind whoever reads forward.

By the transaction that wrote it, below the oldest one still open: what commits later lies ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.database import Database, Row
from core.errors import NotFound
from core.platforms.platforms import Platform, Scope

#: How many events one page looks through for those that are this platform's and of the types asked for.
LOOKED_THROUGH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: of an order as of `version`; or, `of_partner`, of a kitchen, `version` being its number.

    `webhook_id` is the webhook that told this platform, None where it is told by none.
    """

    id: UUID
    subject_id: UUID
    version: int
    of_partner: bool
    webhook_id: UUID | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, after which event the next page goes on, and whether there is more to look through now."""

    items: Sequence[Happened]
    next_after: UUID | None
    has_more: bool


async def page(
    database: Database,
    platform: Platform,
    *,
    after: UUID | None,
    limit: int,
    types: frozenset[str] = frozenset(),
    through: int = LOOKED_THROUGH,
) -> EventPage:
    """Return what happened after an event, or after the one that a webhook of this platform told of.

    Where not everything is wanted, so many events are looked `through` at most.

    Raises NotFound("no_such_event").
    """
    hears_all = platform.scope is Scope.ALL
    if hears_all and not types:
        through = limit
    place = await _place(database, platform.id, after)
    rows = await database.pool.fetch(_PAGE, *place, through + 1, platform.id, hears_all)
    seen = rows[:through]
    wanted = [row for row in seen if row["is_theirs"] and (not types or row["type"] in types)]
    if len(wanted) > limit:
        shown = wanted[:limit]
        return EventPage(_happened(shown), shown[-1]["id"], has_more=True)
    last = seen[-1]["id"] if seen else after
    return EventPage(_happened(wanted), last, has_more=len(rows) > len(seen))


async def _place(database: Database, platform_id: UUID, after: UUID | None) -> tuple[str, UUID, int]:
    if after is None:
        return _START
    row = await database.pool.fetchrow(_FIND, after, platform_id)
    if row is None:
        raise NotFound("no_such_event")
    # An event of before this was kept lies before everything that is listed.
    return (row["made_in"], row["subject_id"], row["version"]) if row["made_in"] else _START


def _happened(rows: Sequence[Row]) -> list[Happened]:
    return [
        Happened(row["id"], row["subject_id"], row["version"], row["of_partner"], row["webhook_id"])
        for row in rows
    ]


_START: Final = ("0", UUID(int=0), 0)

_FIND: Final = """
WITH wanted AS (
    SELECT $1::uuid AS id UNION ALL
    SELECT event_id FROM webhooks WHERE id = $1 AND platform_id = $2 AND test_at IS NULL
)
SELECT made_in::text AS made_in, order_id AS subject_id, version FROM events
WHERE id IN (SELECT id FROM wanted)
UNION ALL
SELECT made_in::text, partner_id, number FROM partner_events WHERE id IN (SELECT id FROM wanted)
LIMIT 1
"""

_PAGE: Final = """
WITH seen AS (
    (SELECT made_in, order_id AS subject_id, version, id, type, false AS of_partner FROM events
     WHERE (made_in, order_id, version) > ($1::text::xid8, $2::uuid, $3::int)
        AND made_in < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY made_in, order_id, version LIMIT $4)
    UNION ALL
    (SELECT made_in, partner_id, number, id, type, true FROM partner_events
     WHERE (made_in, partner_id, number) > ($1::text::xid8, $2::uuid, $3::int)
        AND made_in < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY made_in, partner_id, number LIMIT $4)
    ORDER BY made_in, subject_id, version LIMIT $4
)
SELECT s.id, s.subject_id, s.version, s.type, s.of_partner, w.id AS webhook_id,
    s.of_partner OR $6 OR o.platform_id = $5 AS is_theirs
FROM seen s LEFT JOIN orders o ON o.id = s.subject_id AND NOT s.of_partner
LEFT JOIN webhooks w ON w.event_id = s.id AND w.platform_id = $5
ORDER BY s.made_in, s.subject_id, s.version
"""
