"""Waking the worker after a commit: best effort, bounded, and noticed by nobody but a counter."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

from core import metrics

_WITHIN: Final = 0.05


class Wake(Protocol):
    """Tells the worker that something is owed. May fail: the sweep finds what was not woken."""

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Wake the worker for these rows."""


async def wake_worker(wake: Wake, notices: Sequence[UUID], webhooks: Sequence[UUID] = ()) -> None:
    """Wake the worker for rows that have committed, if there are any; never raises what the wake does."""
    if not (notices or webhooks):
        return
    try:
        async with asyncio.timeout(_WITHIN):
            await wake(notices, webhooks)
    except Exception:  # noqa: BLE001  (whatever Redis does: the sweep finds what was not woken)
        metrics.FAILED_WAKES.inc()
