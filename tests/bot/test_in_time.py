"""An answer does not wait for what was given up on."""

import asyncio
import time

import pytest

from bot.in_time import in_time


async def _answer() -> str:
    return "done"


async def _fails() -> None:
    raise ValueError("no")


async def _hangs_on_rolling_back(let_go: asyncio.Event) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        await let_go.wait()
        raise ConnectionError("the server is gone")


async def test_what_is_in_time_is_returned() -> None:
    """With its result, or with its error."""
    assert await in_time(_answer(), 1) == "done"
    with pytest.raises(ValueError, match="no"):
        await in_time(_fails(), 1)


async def test_what_cannot_let_go_is_not_waited_for() -> None:
    """A server that hangs keeps a cancelled transaction for ten seconds; its error is nobody's any more."""
    let_go = asyncio.Event()
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        await in_time(_hangs_on_rolling_back(let_go), 0.05)
    assert time.perf_counter() - started < 1
    let_go.set()
    await asyncio.sleep(0.01)


async def test_who_is_cancelled_gives_up_what_it_waits_for() -> None:
    """Nothing goes on behind the back of a process that stops."""
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.create_task(in_time(works(), 60))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(ended.wait(), 1)
