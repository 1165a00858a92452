"""Answering in time, whatever the database does."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

_T = TypeVar("_T")

# Nobody else holds on to what was given up on and has not let go yet.
_letting_go: Final[set[asyncio.Task[Any]]] = set()


async def in_time(work: Coroutine[Any, Any, _T], within: float) -> _T:
    """Return what `work` returns; give up on it after `within` seconds with TimeoutError.

    `asyncio.timeout` also waits until what it cancels has ended, and a transaction does not end before a
    server that hangs has answered its rollback.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=within)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        if not task.done():
            _give_up(task)


def _give_up(task: asyncio.Task[Any]) -> None:
    _letting_go.add(task)
    task.add_done_callback(_has_let_go)
    task.cancel()


def _has_let_go(task: asyncio.Task[Any]) -> None:
    _letting_go.discard(task)
    if not task.cancelled():
        task.exception()  # read, so that asyncio does not report it: the answer was given long ago
