"""The worker process: an arq worker for each queue, the sweep and the keepers, wired together."""

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.exceptions import RedisError

from bot.compose import Composer
from bot.conversation import Conversation
from bot.registry import open_channels, signer_of, ways_of
from bot.traces import open_tracer
from bot.zalo_silence import look_for_silence
from core import metrics, pool_use
from core.channels import Inbound, Listens
from core.database import Database, beside, connect
from core.keys import code_key
from core.ledger import Ledger
from core.secrets import Secrets
from core.settings import Settings
from jobs.breaker import Breakers
from jobs.deliver import Delivery
from jobs.heartbeat import BEAT_EVERY, Heartbeat
from jobs.keepers import Sweeper, every, keep_tokens
from jobs.keeping import Housekeeper
from jobs.limits import Limits
from jobs.queues import QUEUE_OF, Jobs, QueueName, deserialize, open_redis, serialize
from jobs.relay import Relay
from jobs.slots import Slots
from jobs.wake import RedisWake
from jobs.webhook_calls import Caller, open_session
from zalo_oa.account import open_account, token_teller
from zalo_oa.credentials import TOKEN_ALARM, TokenTrouble

Hear: TypeAlias = Callable[[Inbound], Awaitable[object]]

_log: Final = structlog.get_logger()
_POLL: Final = 0.05
_RESTART_AFTER: Final = 1.0
_CANCEL_AGAIN_AFTER: Final = 1.0
_SLOTS: Final = 20
_RELAY_CONNECTIONS: Final = 3
_TOKENS_EVERY: Final = timedelta(minutes=10)
_SILENCE_EVERY: Final = timedelta(minutes=10)
#: Seconds a job may run.
_DELIVER_WITHIN: Final = 15


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a worker runs on. `conversation` takes in what channels hear over their own connections."""

    database: Database
    ledger: Ledger
    delivery: Delivery
    slots: Slots
    relay: Relay
    conversation: Conversation
    sweeper: Sweeper


@asynccontextmanager
async def open_service(settings: Settings, database: Database) -> AsyncIterator[Service]:
    """Open everything a worker runs on, until the block ends."""
    async with AsyncExitStack() as stack:
        redis = open_redis(settings.require("redis_url"))
        stack.push_async_callback(redis.aclose)
        tracer = await stack.enter_async_context(open_tracer(settings, "worker"))
        jobs = Jobs(redis)
        channels = open_channels(settings, database)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        ledger = await stack.enter_async_context(
            Ledger(
                database,
                policy=settings.policy,
                code_key=code_key(settings.require("secret_key")),
                wake=RedisWake(jobs),
                patience=timedelta(seconds=10),
                tracer=tracer,
            )
        )
        signer = signer_of(settings)
        composer = Composer(settings=settings, signer=signer, database=database)
        conversation = Conversation(
            settings=settings, database=database, ledger=ledger, signer=signer, wake=RedisWake(jobs)
        )
        delivery = Delivery(
            database,
            ways_of(settings, channels),
            channels,
            composer,
            jobs,
            Limits(redis, a_minute=settings.gateway_rates),
            Breakers(settings.gateway_rest),
            settings.prices,
            tracer=tracer,
        )
        session = await stack.enter_async_context(open_session(allow_private=settings.webhook_allow_private))
        caller = Caller(session, allow_private=settings.webhook_allow_private)
        # Cards and mails by the hundred must not keep webhooks waiting for a connection.
        own = await stack.enter_async_context(
            beside(database, settings.require("database_url"), connections=_RELAY_CONNECTIONS)
        )
        relay = Relay(own, caller, jobs, retries=settings.webhook_retries_after, tracer=tracer)
        stack.push_async_callback(relay.close)
        sweeper = Sweeper(database, ledger, delivery, jobs)
        slots = Slots(delivery)
        stack.push_async_callback(slots.drain)
        yield Service(database, ledger, delivery, slots, relay, conversation, sweeper)


# --- the jobs ---------------------------------------------------------------------------------


async def route(ctx: Mapping[str, Any], notice_ids: Sequence[str]) -> None:
    """Job: turn notices into messages, and start what has a slot."""
    service: Service = ctx["service"]
    due = await service.delivery.routed([UUID(notice_id) for notice_id in notice_ids])
    await service.slots.deliver(due)


async def deliver(ctx: Mapping[str, Any], message_id: str) -> None:
    """Job: try one message of the queue's channel."""
    await ctx["service"].delivery.deliver(UUID(message_id), ctx["channel"])


async def relay(ctx: Mapping[str, Any], webhook_ids: str | Sequence[str]) -> None:
    """Job: put webhooks into line; the version before queued them one by one."""
    given = [webhook_ids] if isinstance(webhook_ids, str) else webhook_ids
    await ctx["service"].relay.relay([UUID(webhook_id) for webhook_id in given])


_CHANNEL_OF: Final = {queue: channel for channel, queue in QUEUE_OF.items()}
_JOBS: Final = {
    QueueName.ROUTE: (route, _DELIVER_WITHIN),
    QueueName.RELAY: (relay, _DELIVER_WITHIN),
    **dict.fromkeys(QUEUE_OF.values(), (deliver, _DELIVER_WITHIN)),
}


# --- running them -----------------------------------------------------------------------------


def _worker(queue: QueueName, redis: ArqRedis, service: Service) -> Worker:
    job, within = _JOBS[queue]
    return Worker(
        functions=[func(job, name=job.__name__, keep_result=0, timeout=within, max_tries=2)],
        queue_name=queue,
        redis_pool=redis,
        handle_signals=False,
        max_jobs=_SLOTS,
        poll_delay=_POLL,
        keep_result=0,
        job_timeout=within,
        health_check_interval=60,
        ctx={"service": service, "channel": _CHANNEL_OF.get(queue)},
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )


async def _keep_running(queue: QueueName, settings: Settings, service: Service) -> None:
    """Run the queue's worker, and another one whenever Redis went away."""
    while True:
        redis = open_redis(settings.require("redis_url"))  # arq would leave its own open in some troubles
        worker = _worker(queue, redis, service)
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            _log.warning("queue is away", queue=queue.value, why=type(error).__name__)
        finally:
            await _undisturbed(_close(worker, redis))
        await asyncio.sleep(_RESTART_AFTER)


async def _undisturbed(work: Coroutine[None, None, None]) -> None:
    """Finish `work`, however often whoever waits for it is cancelled meanwhile."""
    working = asyncio.create_task(work)
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working])
    working.result()


async def _close(worker: Worker, redis: ArqRedis) -> None:
    """Let running jobs end, then let go of Redis."""
    worker.allow_pick_jobs = False
    running = [task for task in worker.tasks.values() if not task.done()]
    if running:
        await asyncio.wait(running, timeout=_DELIVER_WITHIN)
    worker.main_task = None
    try:
        with suppress(RedisError, OSError):
            await worker.close()
    finally:
        await redis.aclose(close_connection_pool=True)


def _queues(service: Service) -> list[QueueName]:
    return [QueueName.ROUTE, QueueName.RELAY, *(QUEUE_OF[name] for name in service.delivery.channels)]


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let running jobs end."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with (
        connect(settings.require("database_url")) as database,
        open_service(settings, database) as service,
    ):
        gc.collect()
        gc.freeze()  # what is there now stays; looking through it again and again takes a tenth of the time
        await run_until(stopped, settings, service)


async def run_until(stopped: asyncio.Event, settings: Settings, service: Service) -> None:
    """Run every queue, the sweep and the keepers until `stopped` is set."""
    tasks = [
        asyncio.create_task(_keep_running(queue, settings, service), name=queue) for queue in _queues(service)
    ]
    tasks.append(
        asyncio.create_task(every(settings.sweep_every, service.sweeper.sweep, name="sweep"), name="sweep")
    )
    tasks.append(asyncio.create_task(pool_use.tell(service.database), name="pool"))
    if settings.heartbeat_url:
        tasks.append(asyncio.create_task(_beat(settings, service), name="heartbeat"))
    keeping = every(settings.sweep_every, Housekeeper(service.database, settings).look, name="house")
    tasks.append(asyncio.create_task(keeping, name="house"))
    if settings.zalo_is_on:
        tasks.append(asyncio.create_task(_keep_zalo(settings, service), name="zalo tokens"))
        tasks.append(asyncio.create_task(_hear_of_silence(settings, service), name="zalo silence"))
    for channel in service.delivery.channels.values():
        if isinstance(channel, Listens):
            listening = channel.listen(counted(service.conversation.handle))
            tasks.append(asyncio.create_task(listening, name=f"{channel.gateway} listening"))
    _log.info("worker started", channels=[name.value for name in service.delivery.channels])
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await _end([waiting, *tasks])
    for task in done - {waiting}:
        task.result()  # a task that ends by itself has failed: say why


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended: redis-py loses a cancellation that comes while it connects."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_AGAIN_AFTER)


def counted(hear: Hear) -> Hear:
    """Return `hear` with everything counted that it takes in, as the webhooks count theirs."""

    async def heard(inbound: Inbound) -> None:
        metrics.INBOUND.labels(inbound.channel.value, type(inbound.body).__name__.lower()).inc()
        started = time.perf_counter()
        try:
            await hear(inbound)
        finally:
            metrics.TAP.labels(inbound.channel.value).observe(time.perf_counter() - started)

    return heard


async def _beat(settings: Settings, service: Service) -> None:
    """Call the outside monitor while sweeps succeed."""
    beat = Heartbeat(service.database, settings.require("heartbeat_url"), sweep_every=settings.sweep_every)
    await every(BEAT_EVERY, beat.beat, name="heartbeat")


async def _hear_of_silence(settings: Settings, service: Service) -> None:
    """Look now and then whether Zalo's webhook still tells us anything."""
    zone = ZoneInfo(settings.timezone)
    await every(_SILENCE_EVERY, lambda: look_for_silence(service.database, zone=zone), name="zalo silence")


async def _keep_zalo(settings: Settings, service: Service) -> None:
    account = open_account(settings, Secrets(service.database, settings.require("secret_key")))
    try:
        await every(
            _TOKENS_EVERY,
            lambda: keep_tokens(
                service.database,
                account.credentials,
                TokenTrouble,
                alarm=TOKEN_ALARM,
                tell=token_teller(settings),
            ),
            name="zalo tokens",
        )
    finally:
        await account.client.close()
