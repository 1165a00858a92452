"""The wake-ups in Redis: small JSON jobs, one queue for each way out. Losing all of them loses nothing.

The only file that knows how arq names, numbers and stores jobs.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.channels import ChannelName
from core.outbox import Due


class QueueName(StrEnum):
    """One queue, and one arq worker with slots of its own, for each thing that waits for no other."""

    ROUTE = "chotdon:route"
    RELAY = "chotdon:relay"
    ZALO = "chotdon:zalo"
    TELEGRAM = "chotdon:telegram"
    SMS = "chotdon:sms"
    EMAIL = "chotdon:email"


QUEUE_OF: Final = {channel: QueueName(f"chotdon:{channel.value}") for channel in ChannelName}
_EXPIRES: Final = timedelta(hours=1)
#: Webhooks that one job puts into line.
_AT_ONCE: Final = 100
_MILLISECOND: Final = timedelta(milliseconds=1)


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


class Jobs:
    """Puts jobs into the queues. Every method may raise what redis-py raises; nothing is lost by it."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._enqueue = redis.register_script(_ENQUEUE)

    async def are_up(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False

    async def route(self, notice_ids: Sequence[UUID]) -> None:
        """Wake the routing of these notices."""
        if notice_ids:
            job = _Job(f"route:{notice_ids[0]}", "route", [str(notice_id) for notice_id in notice_ids])
            await self._queue(QueueName.ROUTE, [job])

    async def deliver(self, messages: Sequence[Due]) -> None:
        """Wake the delivery of these messages; one try of one message is queued once."""
        of: dict[QueueName, list[_Job]] = defaultdict(list)
        for message in messages:
            job_id = f"deliver:{message.id}:{message.tries}"
            of[QUEUE_OF[message.channel]].append(_Job(job_id, "deliver", str(message.id)))
        await asyncio.gather(*(self._queue(queue, jobs) for queue, jobs in of.items()))

    async def relay(self, webhook_ids: Sequence[UUID], *, after: timedelta = timedelta()) -> None:
        """Wake the relay of these webhooks."""
        # A job that queues its webhook again still runs under its own id: the moment keeps them apart.
        moment = _milliseconds() + after // _MILLISECOND
        jobs = [
            _Job(f"relay:{some[0]}:{moment}", "relay", [str(webhook) for webhook in some])
            for some in _parts(webhook_ids, _AT_ONCE)
        ]
        await self._queue(QueueName.RELAY, jobs, after=after)

    async def _queue(
        self, queue: QueueName, jobs: Sequence["_Job"], *, after: timedelta = timedelta()
    ) -> None:
        """Do for many jobs what arq's `enqueue_job` does for one, in one call instead of four for each."""
        if not jobs:
            return
        now = _milliseconds()
        stored = [
            part
            for job in jobs
            for part in (job.id, serialize_job(job.name, (job.of,), {}, None, now, serializer=serialize))
        ]
        await self._enqueue(
            keys=[queue, *(job_key_prefix + job.id for job in jobs)],
            args=[_EXPIRES // _MILLISECOND, now + after // _MILLISECOND, *stored],
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """A call of `name` with one argument. While one of this id is queued or runs, another one is dropped."""

    id: str
    name: str
    of: str | list[str]


def _parts(of: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (of[start : start + size] for start in range(0, len(of), size))


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


# A job is a key with what to call, and a place in its queue by the moment it is due, then in the order given.
_ENQUEUE: Final = """
for n = 2, #KEYS do
    if redis.call('SET', KEYS[n], ARGV[2 * n], 'PX', ARGV[1], 'NX') then
        redis.call('ZADD', KEYS[1], ARGV[2] + n / 1000, ARGV[2 * n - 1])
    end
end
"""
