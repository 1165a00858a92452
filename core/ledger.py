"""The one place where a change of an order commits: many commands, one transaction.

Commands that arrive while a transaction is committing are gathered and run as the next one:
orders locked in id order, what the commands need read, `decide` one after the other in memory,
then one write. Everybody is answered after the commit. A repeat of a key finds its stored answer.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import asyncpg

from core import metrics, tracing
from core.actors import Actor
from core.audit import Signed
from core.batch import Batch, Changes, Request, StaffRef
from core.channels import Address
from core.database import AWAY, Connection, Database, PooledConnection
from core.errors import RuleError, Unavailable
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import Command
from core.orders.order import OrderId
from core.schedule import Policy
from core.tracing import Tracer
from core.waking import Wake, wake_worker

__all__ = ["Ledger", "StaffRef"]

_MOST_AT_ONCE: Final = 100
_MOST_WAITING: Final = 5_000
_SPARE_CONNECTIONS: Final = 2
#: The ledger's statements reach rows by their keys. Left to itself, PostgreSQL plans them anew for each
#: batch, which takes a quarter of its time. Now and then it does: tables grow, their statistics come late.
_KEEP_PLANS: Final = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
_PLAN_ANEW: Final = "DISCARD PLANS"
_PLAN_ANEW_EVERY: Final = 5.0


class Ledger:
    """Runs commands. Use as an async context manager: leaving stops intake, then drains.

    `patience` is how long a caller waits for the commit; after it the command may still commit.
    """

    def __init__(
        self,
        database: Database,
        *,
        policy: Policy,
        code_key: bytes,
        wake: Wake,
        patience: timedelta = timedelta(seconds=1.5),
        tracer: Tracer | None = None,
    ) -> None:
        self._database = database
        self._policy = policy
        self._code_key = code_key
        self._wake = wake
        self._patience = patience.total_seconds()
        self._tracer = tracer
        self._queue: asyncio.Queue[Request | None] = asyncio.Queue(_MOST_WAITING)
        self._spare = asyncio.Semaphore(_SPARE_CONNECTIONS)
        self._beside: set[asyncio.Task[None]] = set()
        self._planned = 0.0
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running, self._running = self._running, None
        await self._queue.put(None)
        if running:
            await running
        while self._beside:  # what runs beside may start more of it
            await asyncio.gather(*self._beside, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """How many commands wait for the next transaction."""
        return self._queue.qsize()

    async def submit(
        self,
        command: Command,
        *,
        actor: Actor | StaffRef,
        key: str | None = None,
        fingerprint: bytes | None = None,
        reply_to: Address | None = None,
        hold: timedelta | None = None,
        edits: str | None = None,
        signed: Signed | None = None,
    ) -> Answer:
        """Carry out a command and return its answer after the commit.

        `key` names it for ever: a repeat returns the stored answer, marked as replayed, unless its
        `fingerprint` differs. With `reply_to` the answer is also owed to that address; for as long as
        `hold` (real time) the caller carries it itself, as far as it can. It takes the place of the message
        that the gateway calls `edits`. What an operator's command does is put on record as `signed`.

        Raises Unavailable when the database is away, too slow or too busy; it may still have been
        carried out, and the same key then finds the answer. Raises Conflict for a key or an external
        id that was used for something else, RuleError for what nobody may do, NoFreeCode.
        """
        if self._running is None:
            raise Unavailable
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        request = Request(command, actor, key, fingerprint, reply_to, hold, edits, answered, signed)
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            raise Unavailable from None
        try:
            async with asyncio.timeout(self._patience):
                answer = await answered  # whoever goes away cancels the answer, not the command
        except TimeoutError:
            raise Unavailable from None
        tracing.touch(answer.order_id)
        return answer

    async def _run(self) -> None:
        open_ = True
        connection: PooledConnection | None = None
        while open_:
            requests, open_ = await self._gather()
            if not requests:
                continue
            try:
                connection = await self._usable(connection)
                await self._commit(connection, requests)
            except asyncpg.LockNotAvailableError:
                self._each_order_beside(requests)
            except AWAY:
                _fail(requests, Unavailable())
                await self._let_go(connection)
                connection = None
            except Exception:  # noqa: BLE001  (the outermost loop: whatever one command does harms only itself)
                self._bisect_beside(requests)
        if connection is not None:
            await self._give_back(connection)

    async def _gather(self) -> tuple[list[Request], bool]:
        """Return what waits, at least one, and whether more may come."""
        requests: list[Request] = []
        item = await self._queue.get()
        while item is not None:
            requests.append(item)
            if len(requests) == _MOST_AT_ONCE or self._queue.empty():
                return requests, True
            item = self._queue.get_nowait()
        return requests, False

    async def _commit(self, connection: Connection, requests: Sequence[Request]) -> None:
        batch = Batch(connection, self._database.clock, policy=self._policy, code_key=self._code_key)
        started, began = time.perf_counter(), time.time_ns()
        async with connection.transaction(isolation="read_committed"):
            outcomes, changes = await batch.carry_out(requests)
        for request, outcome in zip(requests, outcomes, strict=True):
            _settle(request, outcome)
        metrics.COMMIT.observe(time.perf_counter() - started)
        _count(requests, outcomes, changes)
        if self._tracer is not None:
            _trace(self._tracer, requests, outcomes, began)
        self._start(wake_worker(self._wake, changes.written_notices, changes.written_webhooks))

    async def _usable(self, connection: PooledConnection | None) -> PooledConnection:
        """Return the connection, or another one where the server has closed it since."""
        if connection is None or _is_lost(connection):
            await self._let_go(connection)
            connection = await self._open()
        elif asyncio.get_running_loop().time() > self._planned + _PLAN_ANEW_EVERY:
            await connection.execute(_PLAN_ANEW)
        else:
            return connection
        self._planned = asyncio.get_running_loop().time()
        return connection

    async def _open(self) -> PooledConnection:
        connection = await self._database.pool.acquire(timeout=self._patience)
        try:
            await connection.execute(_KEEP_PLANS)
        except BaseException:
            await self._let_go(connection)
            raise
        return connection

    async def _give_back(self, connection: PooledConnection) -> None:
        """Return a connection that may still be good to the pool, as it came."""
        try:
            await connection.reset(timeout=self._patience)
        except AWAY:
            await self._let_go(connection)
        else:
            await self._database.pool.release(connection)

    async def _let_go(self, connection: PooledConnection | None) -> None:
        if connection is None:
            return
        with suppress(asyncpg.InterfaceError):  # the pool has let go of it already
            connection.terminate()
        await self._database.pool.release(connection)

    def _each_order_beside(self, requests: Sequence[Request]) -> None:
        """Somebody else holds one of these orders: the others must not wait for it."""
        for group in _orders(requests).values():
            self._start(self._part(group))

    def _bisect_beside(self, requests: Sequence[Request]) -> None:
        """One bad row harms only itself."""
        if len(requests) == 1:
            self._start(self._alone(requests[0]))
            return
        middle = len(requests) // 2
        for half in (requests[:middle], requests[middle:]):
            self._start(self._part(half))

    async def _part(self, requests: Sequence[Request]) -> None:
        try:
            async with self._spare, self._database.pool.acquire(timeout=self._patience) as connection:
                await self._commit(connection, requests)
        except AWAY as error:
            if isinstance(error, asyncpg.LockNotAvailableError) and len(_orders(requests)) > 1:
                self._each_order_beside(requests)
            else:
                _fail(requests, Unavailable())
        except Exception:  # noqa: BLE001  (as in the outermost loop)
            self._bisect_beside(requests)

    async def _alone(self, request: Request) -> None:
        """Run one command by itself; a conflict with a twin elsewhere is over by the second time."""
        try:
            async with self._spare, self._database.pool.acquire(timeout=self._patience) as connection:
                try:
                    await self._commit(connection, [request])
                except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                    await self._commit(connection, [request])
        except AWAY:
            _fail([request], Unavailable())
        except (asyncpg.PostgresError, ValueError, ArithmeticError):
            _fail([request], RuleError("bad_data"))
        except Exception as error:  # noqa: BLE001  (a fault of ours: whoever asked says so)
            _fail([request], error)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)


def _count(requests: Sequence[Request], outcomes: Sequence[Answer | Exception], changes: Changes) -> None:
    metrics.BATCH_SIZE.observe(len(requests))
    for status in changes.entered:
        metrics.ORDERS.labels(status.value).inc()
    for request, outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, Answer) and outcome.kind is AnswerKind.DONE and not outcome.replayed:
            metrics.COMMANDS.labels(request.actor.via.value, outcome.asked).inc()


def _trace(
    tracer: Tracer, requests: Sequence[Request], outcomes: Sequence[Answer | Exception], began: int
) -> None:
    for request, outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, Answer) and outcome.order_id is not None:
            facts = {
                "command": outcome.asked,
                "answer": outcome.kind.value,
                "channel": request.actor.via.value,
                "batch": len(requests),
            }
            tracer.record("commit", outcome.order_id, began, facts)


def _orders(requests: Sequence[Request]) -> dict[OrderId, list[Request]]:
    by_order: dict[OrderId, list[Request]] = {}
    for request in requests:
        by_order.setdefault(request.command.order_id, []).append(request)
    return by_order


def _is_lost(connection: PooledConnection) -> bool:
    """Whether the server closed it while nothing was going on; the pool has let go of it then."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


def _settle(request: Request, outcome: Answer | Exception) -> None:
    if request.answered.done():
        return
    if isinstance(outcome, Answer):
        request.answered.set_result(outcome)
    else:
        request.answered.set_exception(outcome)


def _fail(requests: Sequence[Request], error: Exception) -> None:
    for request in requests:
        _settle(request, error)
