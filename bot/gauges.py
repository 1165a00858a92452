"""Gauges of the whole service, read from the database: kept for seconds, and absent when it is slow to tell.

A scrape must never stand in the way of a tap: the questions walk small partial indexes, are asked once in
five seconds for all who scrape, and are given up after one.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily

from core.clock import real_now
from core.database import AWAY, Connection, Database

_WITHIN: Final = 1.0
_FRESH_FOR: Final = 5.0

OUTBOX: Final = "chotdon_outbox_oldest_seconds"
MESSAGES_OLDEST: Final = "chotdon_messages_oldest_seconds"
MESSAGES_WAITING: Final = "chotdon_messages_waiting"
UNCONFIRMED: Final = "chotdon_orders_unconfirmed"
WEBHOOKS: Final = "chotdon_webhooks_undelivered"
STANDING: Final = "chotdon_alarms_standing"
SWEEP: Final = "chotdon_sweep_age_seconds"


@dataclass(slots=True)
class Gauges:
    """What was read last, and when."""

    clock: float = float("-inf")
    read: Sequence[GaugeMetricFamily] = ()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def show(self, database: Database) -> Sequence[GaugeMetricFamily]:
        """Return the gauges, at most five seconds old; none while the database is away or slow."""
        async with self.lock:
            if time.monotonic() - self.clock >= _FRESH_FOR:
                self.read = await _asked(database)
                self.clock = time.monotonic()
        return self.read


async def _asked(database: Database) -> list[GaugeMetricFamily]:
    try:
        async with asyncio.timeout(_WITHIN), database.pool.acquire() as connection:
            return await _read(connection, database.clock.now())
    except AWAY:
        return []


async def _read(connection: Connection, now: datetime) -> list[GaugeMetricFamily]:
    return [
        await _oldest_owed(connection),
        *await _messages(connection, now),
        await _unconfirmed(connection, now),
        await _webhooks(connection),
        await _standing(connection),
        *await _sweep(connection),
    ]


async def _oldest_owed(connection: Connection) -> GaugeMetricFamily:
    oldest = await connection.fetchval("SELECT min(owed_real) FROM notices WHERE state = 'owed'")
    age = (real_now() - oldest).total_seconds() if oldest else 0.0
    return GaugeMetricFamily(OUTBOX, "Age of the oldest notice that is owed and not yet routed", age)


async def _messages(connection: Connection, now: datetime) -> list[GaugeMetricFamily]:
    oldest = GaugeMetricFamily(
        MESSAGES_OLDEST, "Age of the oldest message that waits for its gateway", labels=["channel"]
    )
    waiting = GaugeMetricFamily(MESSAGES_WAITING, "Messages that wait for their gateway", labels=["channel"])
    for row in await connection.fetch(_MESSAGES, now):
        oldest.add_metric([row["channel"]], row["age"])
        waiting.add_metric([row["channel"]], row["count"])
    return [oldest, waiting]


async def _unconfirmed(connection: Connection, now: datetime) -> GaugeMetricFamily:
    """Return how many orders wait, by the time left until delivery."""
    gauge = GaugeMetricFamily(UNCONFIRMED, "Orders that wait to be confirmed, by time left", labels=["left"])
    row = await connection.fetchrow(_UNCONFIRMED, now)
    for left, count in row.items() if row else ():
        gauge.add_metric([left], count)
    return gauge


async def _webhooks(connection: Connection) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        WEBHOOKS, "Webhooks that a platform does not have yet", labels=["platform", "state"]
    )
    for row in await connection.fetch(_WEBHOOKS):
        gauge.add_metric([row["name"], row["state"]], row["count"])
    return gauge


async def _standing(connection: Connection) -> GaugeMetricFamily:
    count = await connection.fetchval("SELECT count(*) FROM alarms")
    return GaugeMetricFamily(STANDING, "Alarms that are raised and not over", count)


async def _sweep(connection: Connection) -> list[GaugeMetricFamily]:
    at = await connection.fetchval("SELECT at FROM heartbeats WHERE name = 'sweep'")
    if at is None:
        return []
    age = (real_now() - at).total_seconds()
    return [GaugeMetricFamily(SWEEP, "Age of the worker's last sweep, in real seconds", age)]


# What waits for its hour (a kitchen's night, more alarms) waits for no gateway: it has not been tried.
_MESSAGES: Final = """
SELECT channel, count(*), extract(epoch FROM $1::timestamptz - min(created_at))::float8 AS age FROM messages
WHERE state = 'waiting' AND carrier_id IS NULL AND (tries > 0 OR next_at <= $1) GROUP BY channel
"""
_UNCONFIRMED: Final = """
SELECT count(*) FILTER (WHERE deliver_at <= $1) AS "overdue",
    count(*) FILTER (WHERE deliver_at > $1 AND deliver_at <= $1::timestamptz + interval '1 hour') AS "1h",
    count(*) FILTER (WHERE deliver_at > $1::timestamptz + interval '1 hour'
        AND deliver_at <= $1::timestamptz + interval '4 hours') AS "4h",
    count(*) FILTER (WHERE deliver_at > $1::timestamptz + interval '4 hours'
        AND deliver_at <= $1::timestamptz + interval '1 day') AS "1d",
    count(*) FILTER (WHERE deliver_at > $1::timestamptz + interval '1 day') AS "more"
FROM orders WHERE status = 'pending'
"""
_WEBHOOKS: Final = """
SELECT p.name, w.state, w.count FROM platforms p CROSS JOIN LATERAL (
    SELECT 'waiting' AS state, count(*) FROM webhooks WHERE platform_id = p.id AND state = 'waiting'
    UNION ALL SELECT 'dead', count(*) FROM webhooks WHERE platform_id = p.id AND state = 'dead'
) w WHERE p.webhook_url IS NOT NULL
"""
