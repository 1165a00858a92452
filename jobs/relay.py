"""To platforms: changes of orders and pauses of kitchens as signed webhooks, retried until they have them.

The schedule is in `core/platforms/webhook_outcomes.py`, one call in `jobs/webhook_calls.py`.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from bot.api.shapes import partner_webhook_body, scope_for, webhook_body, webhook_test_body
from core import metrics
from core.database import AWAY, Database
from core.orders.as_they_were import as_of_each
from core.orders.queries import Told
from core.partners.events import numbered
from core.platforms import webhook_outcomes, webhooks
from core.platforms.webhook_outcomes import Tried
from core.platforms.webhooks import OwedWebhook
from core.schedule import WEBHOOK_RETRIES
from core.tracing import Tracer
from jobs.queues import Jobs
from jobs.together import Together
from jobs.webhook_calls import Caller, Reply

_log: Final = structlog.get_logger()
#: Calls to one platform at once: one that hangs keeps so many waiting, and nobody else's.
EACH: Final = 20
#: After so many calls in a row without any answer, the rest of an order is not tried in the same breath.
_QUIET: Final = 2
_BUSY: Final = 0.25
#: What does not fit is found by the sweep.
_LONGEST_LINE: Final = 20_000
#: Retries that come sooner than the sweep would find them are queued.
_WAKE_FOR: Final = timedelta(minutes=2)


@dataclass(slots=True)
class _Lane:
    """What one platform is to be told, in line, and how many more calls it may be given at once."""

    free: int
    line: dict[UUID, None] = field(default_factory=dict)
    is_claiming: bool = False


class Relay:
    """Tells platforms what they are owed: each in a lane of its own, in the order in which it came.

    What is in line is in memory only: whatever becomes of this process, the sweep finds the rows again.
    """

    def __init__(
        self,
        database: Database,
        caller: Caller,
        jobs: Jobs,
        *,
        each: int = EACH,
        retries: Sequence[timedelta] = WEBHOOK_RETRIES,
        tracer: Tracer | None = None,
    ) -> None:
        self._database = database
        self._tracer = tracer
        self._caller = caller
        self._jobs = jobs
        self._lanes: dict[UUID, _Lane] = defaultdict(lambda: _Lane(each))
        self._retries = retries
        self._settle = Together(self._write)
        self._running: set[asyncio.Task[None]] = set()
        self._closing = False

    async def relay(self, webhook_ids: Sequence[UUID]) -> None:
        """Put webhooks into line; they are tried as soon as their platforms have room."""
        found = await webhooks.of_platforms(self._database, webhook_ids)
        for platform_id, owed in found.items():
            self._put_into_line(self._lanes[platform_id], owed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._running

    async def close(self) -> None:
        """Let the calls end that are under way, and give the rest back."""
        self._closing = True
        while self._running:
            await asyncio.wait(self._running)

    def _put_into_line(self, lane: _Lane, owed: Iterable[UUID]) -> None:
        lane.line |= dict.fromkeys(islice(owed, max(_LONGEST_LINE - len(lane.line), 0)))
        self._go_on(lane)

    def _go_on(self, lane: _Lane) -> None:
        if lane.line and lane.free and not lane.is_claiming and not self._closing:
            lane.is_claiming = True
            self._start(self._take(lane))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _take(self, lane: _Lane) -> None:
        """Claim as many from the line as there is room for, all in one transaction, and start them."""
        taken = list(islice(lane.line, lane.free))
        for webhook_id in taken:
            del lane.line[webhook_id]
        try:
            claimed = await webhooks.claim(self._database, taken)
            bodies = await self._bodies([webhook for group in claimed.groups for webhook in group])
        except AWAY as error:
            _log.warning("webhooks not claimed", why=type(error).__name__)
            return
        except Exception:  # noqa: BLE001  (an outermost loop, as a job's is: the sweep finds them again)
            _log.exception("webhooks not claimed")
            return
        finally:
            lane.is_claiming = False
        for group in claimed.groups:
            lane.free -= 1
            self._start(self._run(lane, group, bodies))
        if claimed.busy:
            loop = asyncio.get_running_loop()
            loop.call_later(_BUSY, self._put_into_line, lane, claimed.busy)
        self._go_on(lane)

    async def _run(self, lane: _Lane, group: Sequence[OwedWebhook], bodies: Mapping[UUID, bytes]) -> None:
        try:
            await self._tell(group, bodies)
        except AWAY as error:  # the lease ends, and the sweep finds them again
            _log.warning("webhooks not settled", why=type(error).__name__)
        except Exception:  # noqa: BLE001  (an outermost loop, as a job's is)
            _log.exception("relay failed")
        finally:
            lane.free += 1
            self._go_on(lane)

    async def _tell(self, group: Sequence[OwedWebhook], bodies: Mapping[UUID, bytes]) -> None:
        """Try the webhooks of one order one after the other, in the order they happened."""
        unanswered = 0
        for place, webhook in enumerate(group):
            if self._closing:
                await webhooks.release(self._database, group[place:])
                return
            body = bodies.get(webhook.id)
            if (
                body is None
            ):  # an event is written with its webhooks: this cannot be, and is not to be retried
                _log.error("webhook without its event", webhook=str(webhook.id))
                continue
            tried = await self._try(webhook, body)
            unanswered = 0 if tried.status is not None else unanswered + 1
            if tried.is_gone:
                await webhooks.release(self._database, group[place + 1 :])
                return
            if unanswered == _QUIET or (tried.retry_after and not tried.is_success):
                await self._hold_up(group[place + 1 :], tried)
                return

    async def _try(self, webhook: OwedWebhook, body: bytes) -> Tried:
        started, began = time.perf_counter(), time.time_ns()
        reply = await self._caller.call(webhook, body)
        took = timedelta(seconds=time.perf_counter() - started)
        tried = _tried(webhook, reply, took=took)
        _tell_log(tried)
        self._trace(tried, began)
        await self._end(tried)
        return tried

    def _trace(self, tried: Tried, began: int) -> None:
        if self._tracer is None or tried.webhook.of_partner:
            return
        facts: dict[str, str | int] = {
            "webhook": str(tried.webhook.id),
            "platform": str(tried.webhook.platform_id),
            "status": tried.status or 0,
            "try": tried.webhook.tries,
        }
        self._tracer.record("platform webhook", tried.webhook.order_id, began, facts)

    async def _hold_up(self, rest: Sequence[OwedWebhook], by: Tried) -> None:
        """Let the later events of an order fail with the one that was tried, without calls of their own."""
        reply = Reply(None, f"held up: {by.why}", by.retry_after)
        await asyncio.gather(
            *(self._end(_tried(webhook, reply, called=False)) for webhook in rest),
        )

    async def _end(self, tried: Tried) -> None:
        wait = await self._settle(tried)
        if wait is None or wait >= _WAKE_FOR:
            return
        try:
            await self._jobs.relay([tried.webhook.id], after=wait)
        except (RedisError, OSError) as error:
            _log.warning("queues are away", why=type(error).__name__)

    async def _write(self, tried: Sequence[Tried]) -> Sequence[timedelta | None]:
        return await webhook_outcomes.settle(self._database, tried, retries=self._retries)

    async def _bodies(self, owed: Sequence[OwedWebhook]) -> Mapping[UUID, bytes]:
        """Return what platforms are told, by webhook: the same bytes at each attempt."""
        of_orders = [webhook for webhook in owed if not webhook.of_partner and webhook.test_at is None]
        told = await as_of_each(
            self._database, [(webhook.order_id, webhook.version) for webhook in of_orders]
        )
        bodies = {
            webhook.id: _body(webhook, then)
            for webhook in of_orders
            if (then := told.get((webhook.order_id, webhook.version)))
        }
        return bodies | await self._other_bodies(owed)

    async def _other_bodies(self, owed: Sequence[OwedWebhook]) -> dict[UUID, bytes]:
        bodies: dict[UUID, bytes] = {}
        for webhook in owed:
            if webhook.test_at is not None:
                bodies[webhook.id] = webhook_test_body(webhook.test_at)
            elif webhook.of_partner:
                event = await numbered(self._database.pool, webhook.order_id, webhook.version)
                if event:
                    bodies[webhook.id] = partner_webhook_body(event)
        return bodies


def _body(webhook: OwedWebhook, told: Told) -> bytes:
    return webhook_body(told, scope_for(webhook.platform_id, told.order))


def _tried(
    webhook: OwedWebhook, reply: Reply, *, took: timedelta = timedelta(), called: bool = True
) -> Tried:
    jitter = random.random()  # noqa: S311 - spreads retries, keeps no secret
    return Tried(webhook, reply.status, reply.why, took, reply.retry_after, jitter, called)


def _tell_log(tried: Tried) -> None:
    metrics.WEBHOOKS.labels("delivered" if tried.is_success else "failed").inc()
    _log.info(
        "webhook tried",
        webhook=str(tried.webhook.id),
        order=str(tried.webhook.order_id),
        platform=str(tried.webhook.platform_id),
        status=tried.status,
        why=tried.why or None,
        tries=tried.webhook.tries,
    )
