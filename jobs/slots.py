"""Deliveries that start where they were routed, without the way through Redis, as long as a slot is free."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from redis.exceptions import RedisError

from core.database import AWAY
from core.outbox import Due
from jobs.deliver import Delivery

_log: Final = structlog.get_logger()
#: As many as one platform has calls at once (jobs/relay.py): with more, a storm of cards and mails kept
#: cancels from their platforms for twice as long.
_EACH: Final = 20


class Slots:
    """So many deliveries of each channel at once; what finds no slot is queued. Who hangs fills its own."""

    def __init__(self, delivery: Delivery, *, each: int = _EACH) -> None:
        self._delivery = delivery
        self._free = dict.fromkeys(delivery.channels, each)
        self._running: set[asyncio.Task[None]] = set()

    async def deliver(self, messages: Sequence[Due]) -> None:
        """Start what has a slot, queue the rest. Raises what redis-py raises."""
        queued = [message for message in messages if not self._starts(message)]
        await self._delivery.jobs.deliver(queued)

    async def drain(self) -> None:
        """Wait until everything that was started has ended."""
        if self._running:
            await asyncio.wait(self._running)

    def _starts(self, message: Due) -> bool:
        if not self._free.get(message.channel):
            return False
        self._free[message.channel] -= 1
        running = asyncio.create_task(self._run(message))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return True

    async def _run(self, message: Due) -> None:
        try:
            await self._delivery.deliver(message.id, message.channel)
        except (RedisError, *AWAY) as error:  # the sweep finds the message again
            _log.warning("message not delivered", message=str(message.id), why=type(error).__name__)
        except Exception:  # noqa: BLE001  (an outermost loop, as a job's is: the sweep finds it again)
            _log.exception("delivery failed", message=str(message.id))
        finally:
            self._free[message.channel] += 1
