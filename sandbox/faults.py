"""Troubles a test can script for a gateway: the next calls meet them, in the order they were written."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """The vendor's error code, in the form in which this vendor answers it; nothing was done."""

    code: int | str
    message: str


@dataclass(frozen=True, slots=True)
class AnswerStatus:
    """A bare HTTP status, under it a text that is nobody's format; nothing was done."""

    status: int


@dataclass(frozen=True, slots=True)
class TooMany:
    """HTTP 429 that asks to wait for `retry_after` seconds; nothing was done."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence for `seconds`, then 504; nothing was done."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AcceptThenHang:
    """It was done at once, but the answer comes only after `seconds`."""

    seconds: float


Fault = AnswerCode | AnswerStatus | TooMany | Hang | AcceptThenHang


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


def plain_code(fault: AnswerCode) -> web.Response:
    """Return HTTP 200 with `error` and `message`, as Zalo answers its codes."""
    return web.json_response({"error": fault.code, "message": fault.message})


def plain_too_many(fault: TooMany) -> web.Response:
    """Return 429 with the standard's header."""
    return web.Response(status=429, headers={"Retry-After": str(fault.retry_after)}, text="scripted fault")


@dataclass(frozen=True, slots=True)
class Wire:
    """How a vendor writes the troubles that have a form of their own."""

    code: Callable[[AnswerCode], web.Response] = plain_code
    too_many: Callable[[TooMany], web.Response] = plain_too_many


PLAIN = Wire()


async def meet(
    fault: Fault | None, request: web.Request, handler: Handler, *, wire: Wire = PLAIN
) -> web.StreamResponse:
    """Answer `request` by `handler`, in the way `fault` allows."""
    match fault:
        case None:
            return await handler(request)
        case AnswerCode():
            return wire.code(fault)
        case AnswerStatus(status):
            return web.Response(status=status, text="scripted fault")
        case TooMany():
            return wire.too_many(fault)
        case Hang(seconds):
            await asyncio.sleep(seconds)
            return web.Response(status=504, text="scripted fault")
        case AcceptThenHang(seconds):
            answer = await handler(request)
            await asyncio.sleep(seconds)
            return answer
