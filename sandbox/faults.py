"""Troubles a test can script for a gateway: the next calls meet them, in the order they were written."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """HTTP 200 with the vendor's error code in the body; nothing was done."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class AnswerStatus:
    """A bare HTTP status; nothing was done."""

    status: int


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence for `seconds`, then 504; nothing was done."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AcceptThenHang:
    """It was done at once, but the answer comes only after `seconds`."""

    seconds: float


Fault = AnswerCode | AnswerStatus | Hang | AcceptThenHang


@dataclass(slots=True)
class _Planned:
    fault: Fault
    path: str
    left: int | None


class Faults:
    """The troubles planned for one gateway."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def plan(self, fault: Fault, *, times: int | None, path: str) -> None:
        """Let the next `times` calls whose path contains `path` meet `fault`; None: all until `clear`."""
        self._planned.append(_Planned(fault, path, times))

    def clear(self) -> None:
        """Forget everything planned."""
        self._planned.clear()

    def take(self, path: str) -> Fault | None:
        """Return what a call to `path` meets now, and count it."""
        for planned in self._planned:
            if planned.path in path:
                self._count(planned)
                return planned.fault
        return None

    def _count(self, planned: _Planned) -> None:
        if planned.left is None:
            return
        planned.left -= 1
        if planned.left <= 0:
            self._planned.remove(planned)


async def meet(fault: Fault | None, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer `request` by `handler`, in the way `fault` allows."""
    match fault:
        case None:
            return await handler(request)
        case AnswerCode(code, message):
            return web.json_response({"error": code, "message": message})
        case AnswerStatus(status):
            return web.Response(status=status, text="scripted fault")
        case Hang(seconds):
            await asyncio.sleep(seconds)
            return web.Response(status=504, text="scripted fault")
        case AcceptThenHang(seconds):
            answer = await handler(request)
            await asyncio.sleep(seconds)
            return answer
