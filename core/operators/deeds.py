"""The record of operators' deeds, as it is read: newest first, page by page."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.database import Row
from core.partners.addresses import Queryable


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that an operator did."""

    id: int
    at: datetime
    who: str
    via: str
    deed: str
    about: str
    about_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deeds are wanted; None leaves all in. `day` is one of the service's zone."""

    who: str | None = None
    about: UUID | None = None
    day: date | None = None


async def page(
    queryable: Queryable, wanted: Wanted, *, zone: ZoneInfo, before: int | None, most: int
) -> tuple[list[Deed], int | None]:
    """Return up to `most` deeds older than the one of this id, and where the next page starts."""
    since = datetime.combine(wanted.day, time(), tzinfo=zone) if wanted.day else None
    until = datetime.combine(wanted.day + timedelta(days=1), time(), tzinfo=zone) if wanted.day else None
    rows = await queryable.fetch(_PAGE, wanted.who, wanted.about, since, until, before, most + 1)
    deeds = [_deed(row) for row in rows[:most]]
    return deeds, deeds[-1].id if len(rows) > most else None


def _deed(row: Row) -> Deed:
    return Deed(
        row["id"],
        row["at"],
        row["who"],
        row["via"],
        row["deed"],
        row["about"],
        row["about_id"],
        row["reason"],
    )


_PAGE: Final = """
SELECT a.id, a.at, a.who, a.via, a.deed, concat_ws('/', a.about, s.name) AS about, a.about_id, a.reason
  FROM audit a LEFT JOIN staff s ON s.id = a.about_id
 WHERE ($1::text IS NULL OR a.who = $1) AND ($2::uuid IS NULL OR a.about_id = $2)
   AND ($3::timestamptz IS NULL OR a.at >= $3) AND ($4::timestamptz IS NULL OR a.at < $4)
   AND ($5::bigint IS NULL OR a.id < $5)
 ORDER BY a.id DESC LIMIT $6
"""
