"""The load generator: a process of its own that sends prepared HTTP requests and times the answers.

Closed loop by default: each connection sends its next request as soon as the one before is answered.
With `--rate` requests leave at their due times, and one that had to wait for a free connection counts
from the moment it was due. What is answered 503 is sent again, as platforms and gateways do; its time
goes on, and how often that happened is told.
"""

import argparse
import asyncio
import json
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import uvloop

_LENGTH: Final = struct.Struct(">I")
_END_OF_HEAD: Final = b"\r\n\r\n"
_AGAIN_AFTER: Final = 0.2


def pack(requests: Iterable[bytes]) -> bytes:
    """Return requests as one file."""
    return b"".join(_LENGTH.pack(len(request)) + request for request in requests)


def unpack(packed: bytes) -> Iterator[bytes]:
    """Yield the requests of a file that `pack` made."""
    at = 0
    while at < len(packed):
        (length,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size
        yield packed[at : at + length]
        at += length


@dataclass(slots=True)
class Load:
    """Requests on their way out, and what came back: per answer its status, start (epoch) and seconds."""

    waiting: deque[bytes]
    keep_bodies: bool
    done: asyncio.Event = field(default_factory=asyncio.Event)
    statuses: Counter[str] = field(default_factory=Counter)
    started: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    left: int = 0
    again: int = 0

    def answered(self, status: str, since: float, body: bytes) -> None:
        """Take down one answer; the last one ends the load."""
        now = time.time()
        self.statuses[status] += 1
        self.started.append(since)
        self.took.append(now - since)
        if self.keep_bodies:
            self.bodies.append(body.decode())
        self.left -= 1
        if self.left == 0:
            self.done.set()

    def as_json(self, seconds: float) -> dict[str, Any]:
        """Return everything, for the process that started this one."""
        return {
            "seconds": seconds,
            "statuses": self.statuses,
            "started": self.started,
            "took": self.took,
            "bodies": self.bodies,
            "again": self.again,
        }


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._since = 0.0
        self._request = b""
        self._buffer = b""
        self.is_free = True
        self.endless = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class

    def send(self, request: bytes, since: float) -> None:
        """Send one request; its time counts from `since`."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._since, self._request, self.is_free = since, request, False
        self._transport.write(request)

    def send_next(self) -> None:
        """Send the next waiting request, if there is one."""
        if self._load.waiting:
            self.send(self._load.waiting.popleft(), time.time())

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is complete."""
        self._buffer += data
        head, end, rest = self._buffer.partition(_END_OF_HEAD)
        if end and len(rest) >= (length := _content_length(head)):
            self._buffer = b""
            self._answered(head[9:12].decode(), rest[:length])

    def _answered(self, status: str, body: bytes) -> None:
        if status == "503":
            self._load.again += 1
            asyncio.get_running_loop().call_later(_AGAIN_AFTER, self.send, self._request, self._since)
            return
        self.is_free = True
        self._load.answered(status, self._since, body)
        if self.endless:
            self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        """Say so loudly when an answer was still owed."""
        if not self.is_free:
            self._load.answered("lost", self._since, b"")


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 : (lower + b"\r\n").find(b"\r\n", at)]) if at >= 0 else 0


async def run(load: Load, connections: Sequence[Connection], *, rate: float, within: float) -> float:
    """Send everything; return the seconds from the first request to the last answer."""
    started = time.time()
    async with asyncio.timeout(within):
        if rate:
            await _send_in_time(load, connections, rate)
        else:
            for connection in connections:
                connection.send_next()
        await load.done.wait()
    return time.time() - started


async def _send_in_time(load: Load, connections: Sequence[Connection], rate: float) -> None:
    """Send each request when it is due, or as soon after that as a connection is free."""
    first = time.time()
    for number, request in enumerate(list(load.waiting)):
        due = first + number / rate
        await asyncio.sleep(due - time.time())
        while (free := next((one for one in connections if one.is_free), None)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        free.send(request, due)


async def _main(args: argparse.Namespace) -> dict[str, Any]:
    requests = deque(unpack(args.requests.read_bytes()))
    load = Load(requests, args.keep_bodies, left=len(requests))
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(args.connections):
        _, connection = await loop.create_connection(lambda: Connection(load), args.host, args.port)
        connection.endless = not args.rate
        connections.append(connection)
    seconds = await run(load, connections, rate=args.rate, within=args.within)
    return load.as_json(seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--within", type=float, default=240.0)
    parser.add_argument("--keep-bodies", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    json.dump(uvloop.run(_main(_arguments())), sys.stdout)
