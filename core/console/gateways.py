"""How the gateways answered lately, channel by channel, by what is on record of each call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from core.channels import ChannelName
from core.database import Connection, Pool

Queryable = Connection | Pool

LATELY: Final = timedelta(hours=1)
#: No more calls than that are counted, the last ones.
MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Calls:
    """What became of one channel's calls of the last hour, and how long one of them usually took."""

    channel: ChannelName
    outcomes: Mapping[str, int]
    median: timedelta
    last_at: datetime

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())

    def of(self, *outcomes: str) -> int:
        """Return how many ended so."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)


async def lately(queryable: Queryable, *, now: datetime) -> Sequence[Calls]:
    """Return the calls of the last hour of real time (`now` is real), at most the last 5,000 of all."""
    rows = await queryable.fetch(_LATELY, MOST, now - LATELY)
    return [
        Calls(
            ChannelName(row["channel"]),
            MappingProxyType(dict(zip(row["outcomes"], row["counts"], strict=True))),
            row["median"],
            row["last_at"],
        )
        for row in rows
    ]


# Calls are numbered as they are written down; each part of the table has them by their numbers.
_LATELY: Final = """
WITH last AS MATERIALIZED (
    SELECT message_id, outcome, took, started_at FROM attempts ORDER BY id DESC LIMIT $1
), told AS MATERIALIZED (
    SELECT m.channel, last.outcome, last.took, last.started_at
    FROM last JOIN messages m ON m.id = last.message_id WHERE last.started_at > $2
), counted AS (
    SELECT channel, outcome, count(*) AS count FROM told GROUP BY channel, outcome
)
SELECT told.channel, percentile_disc(0.5) WITHIN GROUP (ORDER BY told.took) AS median,
    max(told.started_at) AS last_at,
    (SELECT array_agg(c.outcome ORDER BY c.outcome) FROM counted c
        WHERE c.channel = told.channel) AS outcomes,
    (SELECT array_agg(c.count ORDER BY c.outcome) FROM counted c WHERE c.channel = told.channel) AS counts
FROM told GROUP BY told.channel ORDER BY told.channel
"""
