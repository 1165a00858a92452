"""Wakes the worker when something is owed."""

from collections.abc import Sequence
from uuid import UUID

from jobs.queues import Jobs


class RedisWake:
    """`core.waking.Wake` over the queues."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Queue the routing of notices and the relay of webhooks; raises what redis-py raises."""
        await self._jobs.route(notices)
        await self._jobs.relay(webhooks)

    async def is_up(self) -> bool:
        """Tell whether Redis answers."""
        return await self._jobs.are_up()
