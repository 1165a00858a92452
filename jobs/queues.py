"""The wake-ups in Redis: small JSON jobs, one queue for each way out. Losing all of them loses nothing.

The only file that knows how arq names, numbers and stores jobs.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.channels import ChannelName
from core.outbox import Due


class QueueName(StrEnum):
    """One queue, and one arq worker with slots of its own, for each thing that must not wait for the others."""

    ROUTE = "chotdon:route"
    RELAY = "chotdon:relay"
    ZALO = "chotdon:zalo"
    TELEGRAM = "chotdon:telegram"
    SMS = "chotdon:sms"
    EMAIL = "chotdon:email"


QUEUE_OF: Final = {channel: QueueName(f"chotdon:{channel.value}") for channel in ChannelName}
_EXPIRES: Final = timedelta(hours=1)


def serialize(job: dict[str, object]) -> bytes:
    """Return a job as JSON; what JSON cannot say (a result, an exception) becomes text."""
    return msgspec.json.encode(job, enc_hook=repr)


def deserialize(data: bytes) -> dict[str, object]:
    """Return a job that `serialize` wrote."""
    job: dict[str, object] = msgspec.json.decode(data)
    return job


def open_redis(url: str) -> ArqRedis:
    """Return a client of this Redis; connects at the first use, and again after a loss."""
    client: ArqRedis = ArqRedis.from_url(
        url, socket_timeout=5, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
    # from_url hands whatever it is given to the connections, which do not know these
    client.job_serializer, client.job_deserializer = serialize, deserialize
    return client


def redis_settings(url: str) -> RedisSettings:
    """Return the same for arq's own workers: they give up quickly and are started again."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0
    settings.conn_timeout = 1
    return settings


class Jobs:
    """Puts jobs into the queues. Every method may raise what redis-py raises; nothing is lost by it."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def are_up(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False

    async def route(self, notice_ids: Sequence[UUID]) -> None:
        """Wake the routing of these notices."""
        if notice_ids:
            await self._redis.enqueue_job(
                "route", list(map(str, notice_ids)), _queue_name=QueueName.ROUTE, _expires=_EXPIRES
            )

    async def deliver(self, messages: Sequence[Due]) -> None:
        """Wake the delivery of these messages; one try of one message is queued once."""
        await asyncio.gather(*map(self._deliver, messages))

    async def _deliver(self, message: Due) -> None:
        await self._redis.enqueue_job(
            "deliver",
            str(message.id),
            _job_id=f"deliver:{message.id}:{message.tries}",
            _queue_name=QUEUE_OF[message.channel],
            _expires=_EXPIRES,
        )

    async def relay(self, webhook_ids: Sequence[UUID], *, after: timedelta = timedelta()) -> None:
        """Wake the relay of these webhooks."""
        await asyncio.gather(*(self._relay(webhook_id, after) for webhook_id in webhook_ids))

    async def _relay(self, webhook_id: UUID, after: timedelta) -> None:
        await self._redis.enqueue_job(
            "relay",
            str(webhook_id),
            _queue_name=QueueName.RELAY,
            _defer_by=after or None,
            _expires=_EXPIRES,
        )
