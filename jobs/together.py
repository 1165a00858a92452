"""Writing together what came in while the write before was under way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_MOST: Final = 200


class Together(Generic[_Item, _Result]):
    """Hands items to `write`, many at once; whoever gave one waits for its result, or for why there is none.

    `write` returns as many results as it is given items, in their order.
    """

    def __init__(self, write: Callable[[Sequence[_Item]], Awaitable[Sequence[_Result]]]) -> None:
        self._write = write
        self._waiting: list[tuple[_Item, asyncio.Future[_Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, item: _Item) -> _Result:
        """Write an item with whatever else waits, and return its result."""
        answered: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answered))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._run())
        return await answered

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                results = await self._write([item for item, _ in batch])
            except Exception as error:  # noqa: BLE001  (whoever waits is told, each)
                for _, answered in batch:
                    if not answered.done():
                        answered.set_exception(error)
            else:
                for (_, answered), result in zip(batch, results, strict=True):
                    if not answered.done():
                        answered.set_result(result)
