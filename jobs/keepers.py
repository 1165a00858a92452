"""What is looked after beside the jobs: the sweep, the heartbeat, Zalo's tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import structlog
from redis.exceptions import RedisError

from core import alarms, inbox, outbox, sheets
from core.clock import real_now
from core.database import AWAY, Database
from core.ledger import Ledger
from core.partners import pausing
from core.platforms import webhook_watch, webhooks
from jobs.deliver import Delivery
from jobs.lateness import Lateness
from jobs.queues import Jobs
from jobs.timers import fire_due

_log: Final = structlog.get_logger()
#: The name under which the sweep says that it is alive.
SWEEP: Final = "sweep"
#: ... and under which whoever looks after tokens does.
TOKENS: Final = "tokens"


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Finds what is due in the database and was not woken: timers, sheets, notices, messages, webhooks."""

    database: Database
    ledger: Ledger
    delivery: Delivery
    jobs: Jobs
    lateness: Lateness = field(default_factory=Lateness)

    async def sweep(self) -> None:
        """Look once. Timers fire without Redis; the rest is queued when Redis is there."""
        await self.database.set_clock()
        await self.lateness.look(self.database)
        await fire_due(self.database, self.ledger)
        await sheets.owe_due(self.database)
        await pausing.end_due(self.database)
        await _beat(self.database, SWEEP)
        await inbox.forget(self.database)
        await outbox.take_early(self.database)
        await alarms.end_what_is_over(self.database)
        await webhook_watch.look(self.database)
        try:
            while await self.delivery.route():
                pass
            await self._wake_deliveries()
            await self.jobs.relay(await webhooks.due(self.database))
        except (RedisError, OSError) as error:
            _log.warning("queues are away", why=type(error).__name__)

    async def _wake_deliveries(self) -> None:
        """Queue what is due; nobody looks into the queue of a channel that was switched off since."""
        due = await outbox.due(self.database)
        on = self.delivery.channels
        await self.jobs.deliver([message for message in due if message.channel in on])
        for message in due:
            if (
                message.channel not in on
            ):  # switched off since: nobody works in its queue, the next one takes over
                await self.delivery.deliver(message.id, message.channel)


async def _beat(database: Database, name: str) -> None:
    """Take down that a keeper has done its work, for `/heartbeat`."""
    await database.pool.execute(
        "INSERT INTO heartbeats (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = $2",
        name,
        real_now(),
    )


async def every(period: timedelta, work: Callable[[], Awaitable[object]], *, name: str) -> None:
    """Do `work` again and again, also after the database was away or a fault of ours, until cancelled."""
    while True:
        try:
            await work()
        except AWAY as error:
            _log.warning("database is away", keeper=name, why=type(error).__name__)
        except Exception:  # noqa: BLE001  (an outermost loop: one bad row must not stop every timer)
            _log.exception("keeper failed", keeper=name)
        await asyncio.sleep(period.total_seconds())


_Trouble = TypeVar("_Trouble", bound=Exception)


class FreshTokens(Protocol):
    """Renews a gateway's tokens well ahead."""

    async def keep_fresh(self) -> object:
        """Renew when it is time; raises what only a person can mend."""


async def keep_tokens(
    database: Database,
    tokens: FreshTokens,
    trouble: type[_Trouble],
    *,
    alarm: str,
    tell: Callable[[_Trouble], str],
) -> None:
    """Renew a gateway's tokens when it is time; `tell` the operators when it fails, and when that is over."""
    await _beat(database, TOKENS)
    try:
        await tokens.keep_fresh()
    except trouble as error:
        async with database.pool.acquire() as connection, connection.transaction():
            await alarms.raise_(connection, alarm, tell(error), now=database.clock.now())
        return
    async with database.pool.acquire() as connection, connection.transaction():
        await alarms.clear(connection, alarm, now=database.clock.now())
