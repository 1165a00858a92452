"""How a kitchen does: how soon and how often it confirms, what it completes, what customers say.

What counts is which order and when is decided in docs/decisions/0033: orders count on the day they were due,
when everything about them is known; the last time that an order was asked about is the one that counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.actors import Via
from core.database import Connection, Pool, Row

Queryable = Connection | Pool

#: By which ways a kitchen itself confirms.
KITCHENS_WAYS: Final = (Via.ZALO, Via.TELEGRAM, Via.SMS, Via.EMAIL, Via.WEB)
MONTHS: Final = 6
_SPANS: Final = (timedelta(days=30), timedelta(days=90))


@dataclass(frozen=True, slots=True)
class Span:
    """Some time in which orders were due: from `first` on, before `end`."""

    first: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the orders of a span. Without any there is no share, no time and no average.

    `asked` were for the kitchen to decide: `confirmed` by itself, `helped` along by an operator, `refused`
    by it, or left to expire. `due` were confirmed and then to be completed. `median` is from being asked to
    the kitchen's own confirmation; `ways` counts by which way these came.
    """

    orders: int = 0
    confirmed: int = 0
    helped: int = 0
    refused: int = 0
    expired: int = 0
    due: int = 0
    completed: int = 0
    median: timedelta | None = None
    rated: int = 0
    rating: float | None = None
    ways: Mapping[Via, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def asked(self) -> int:
        """How many orders were the kitchen's to decide."""
        return self.confirmed + self.helped + self.refused + self.expired

    @property
    def confirm_share(self) -> float | None:
        """The part that the kitchen confirmed itself, from 0 to 1."""
        return self.confirmed / self.asked if self.asked else None

    @property
    def complete_share(self) -> float | None:
        """The part of what was confirmed that was completed, from 0 to 1."""
        return self.completed / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A kitchen's score over 30 and 90 days, and month by month, this month first."""

    last_30: Score
    last_90: Score
    months: tuple[tuple[date, Score], ...]


async def standing(queryable: Queryable, partner_id: UUID, zone: ZoneInfo, *, now: datetime) -> Standing:
    """Return how a kitchen does; months are those of its zone."""
    firsts = _firsts_of_months(now.astimezone(zone).date(), MONTHS)
    months = [
        Span(_begin(first, zone), min(_begin(after, zone), now))
        for first, after in zip(firsts, [_next_month(firsts[0]), *firsts], strict=False)
    ]
    spans = [*(Span(now - length, now) for length in _SPANS), *months]
    days_30, days_90, *by_month = (await scores(queryable, [partner_id], spans))[partner_id]
    return Standing(days_30, days_90, tuple(zip(firsts, by_month, strict=True)))


async def lately(
    queryable: Queryable, partner_ids: Collection[UUID], *, now: datetime
) -> Mapping[UUID, Score]:
    """Return the score of several kitchens over 30 days."""
    found = await scores(queryable, partner_ids, [Span(now - _SPANS[0], now)])
    return {partner_id: of_spans[0] for partner_id, of_spans in found.items()}


async def scores(
    queryable: Queryable, partner_ids: Collection[UUID], spans: Sequence[Span]
) -> Mapping[UUID, tuple[Score, ...]]:
    """Return each kitchen's score in each of these spans, which may overlap."""
    rows = await queryable.fetch(
        _SCORES,
        list(partner_ids),
        [span.first for span in spans],
        [span.end for span in spans],
        min(span.first for span in spans),
        max(span.end for span in spans),
        [via.value for via in KITCHENS_WAYS],
    )
    found = {(row["partner_id"], row["span"]): _score(row) for row in rows}
    numbers = range(1, len(spans) + 1)
    return {
        partner_id: tuple(found.get((partner_id, number), Score()) for number in numbers)
        for partner_id in partner_ids
    }


def _score(row: Row) -> Score:
    return Score(
        orders=row["orders"],
        confirmed=row["confirmed"],
        helped=row["helped"],
        refused=row["refused"],
        expired=row["expired"],
        due=row["due"],
        completed=row["completed"],
        median=timedelta(seconds=row["median"]) if row["median"] is not None else None,
        rated=row["rated"],
        rating=float(row["rating"]) if row["rating"] is not None else None,
        ways=MappingProxyType({via: count for via in KITCHENS_WAYS if (count := row[via.value])}),
    )


def _firsts_of_months(today: date, count: int) -> list[date]:
    firsts = [today.replace(day=1)]
    while len(firsts) < count:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    return firsts


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


# An event lies in the part of the month in which it was made: its id says when that was, as the order's does.
# So an order's events are not looked for in the parts before its own (a minute less: clocks differ).
_SCORES: Final = f"""
WITH due AS MATERIALIZED (
    SELECT o.id, o.partner_id, o.deliver_at, o.asked_at, o.status, o.status_changed_by ->> 'via' AS ended_via,
           (o.review ->> 'rating')::int AS rating,
           CASE substr(o.id::text, 15, 1) WHEN '7'
               THEN (left(o.id::text, 8) || '-0000-0000-0000-000000000000')::uuid
               ELSE '00000000-0000-0000-0000-000000000000' END AS events_from
    FROM orders o
    WHERE o.partner_id = ANY($1::uuid[]) AND o.deliver_at >= $4 AND o.deliver_at < $5
      AND o.status <> 'pending'
), told AS MATERIALIZED (
    SELECT due.*, said.via = ANY($6::text[]) AS by_itself, said.via,
           extract(epoch FROM said.at - due.asked_at)::float8 AS took,
           said.via IS NULL AND due.status = 'cancelled' AND due.ended_via = ANY($6::text[]) AS is_refused
    FROM due LEFT JOIN LATERAL (
        SELECT e.at, e.by ->> 'via' AS via FROM events e
        WHERE e.order_id = due.id AND e.id >= due.events_from AND e.type = 'order.confirmed'
          AND e.at >= due.asked_at AND e.at <= due.deliver_at
        ORDER BY e.version LIMIT 1
    ) said ON true
)
SELECT told.partner_id, span.number AS span, count(*) AS orders,
    count(*) FILTER (WHERE by_itself) AS confirmed,
    count(*) FILTER (WHERE NOT by_itself) AS helped,
    count(*) FILTER (WHERE is_refused) AS refused,
    count(*) FILTER (WHERE status = 'expired') AS expired,
    count(*) FILTER (WHERE status IN ('confirmed', 'completed')) AS due,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE by_itself) AS median,
    count(rating) AS rated, avg(rating) AS rating,
    {", ".join(f"count(*) FILTER (WHERE via = '{way}') AS {way}" for way in KITCHENS_WAYS)}
FROM told JOIN unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS span (first, until, number)
    ON told.deliver_at >= span.first AND told.deliver_at < span.until
GROUP BY told.partner_id, span.number
"""  # noqa: S608  (names of ours)
