"""Many orders at once, each as of one of its versions: what webhooks and the list of events tell."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.database import Database, Row
from core.orders import snapshot
from core.orders.events import Event, EventType
from core.orders.queries import Told

#: An order's id and one of its versions.
Version = tuple[UUID, int]


async def as_of_each(database: Database, versions: Collection[Version]) -> Mapping[Version, Told]:
    """Return each order as it was right after the event of that version; what there is not is left out."""
    wanted = sorted(set(versions))
    if not wanted:
        return {}
    rows = await database.pool.fetch(_AS_OF_EACH, [one for one, _ in wanted], [one for _, one in wanted])
    events: dict[UUID, list[Event]] = {}
    told: dict[Version, Told] = {}
    for row in rows:
        happened = events.setdefault(row["order_id"], [])
        happened.append(_event(row))
        if row["snapshot"] is not None:
            order = snapshot.load(row["snapshot"])
            told[row["order_id"], row["version"]] = Told(
                order, tuple(happened), row["code"], ZoneInfo(row["timezone"])
            )
    return told


def _event(row: Row) -> Event:
    return Event(EventType(row["type"]), row["version"], row["at"], snapshot.load_by(row["by"]), row["data"])


_AS_OF_EACH: Final = """
WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS w (order_id, version)),
     newest AS (SELECT order_id, max(version) AS version FROM wanted GROUP BY order_id)
SELECT e.order_id, e.version, e.type, e.at, e.by, e.data, p.code, p.timezone,
       CASE WHEN (e.order_id, e.version) IN (SELECT order_id, version FROM wanted) THEN e.snapshot END
           AS snapshot
FROM newest n JOIN events e ON e.order_id = n.order_id AND e.version <= n.version
JOIN orders o ON o.id = e.order_id JOIN partners p ON p.id = o.partner_id
ORDER BY e.order_id, e.version
"""
