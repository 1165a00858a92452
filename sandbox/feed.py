"""What travels between the product and its gateways, told hop by hop as it happens."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sandbox.moments import Clock, real_time


class Level(StrEnum):
    """How a hop went."""

    INFO = "info"
    GOOD = "good"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of something on its way.

    `kind` is "<place>.<direction>" seen from the product: `zalo.in` reaches the product, `zalo.out`
    left it. `ref` names what it is about: a Zalo user id, a mail's id, an order's id.
    """

    at: datetime
    kind: str
    text_vi: str
    level: Level = Level.INFO
    ref: str = ""
    number: int = 0


class Feed:
    """An append-only list of hops, with subscribers who hear each new one.

    Only the newest `keep` hops stay in memory; numbers go on rising.
    """

    def __init__(self, *, clock: Clock = real_time, keep: int = 2000) -> None:
        self.clock = clock
        self._hops: deque[Hop] = deque(maxlen=keep)
        self._listeners: set[asyncio.Queue[Hop | None]] = set()
        self._last = 0

    def report(self, kind: str, text_vi: str, *, level: Level = Level.INFO, ref: str = "") -> Hop:
        """Append a hop and tell every subscriber."""
        self._last += 1
        hop = Hop(self.clock(), kind, text_vi, level, ref, self._last)
        self._hops.append(hop)
        for listener in self._listeners:
            listener.put_nowait(hop)
        return hop

    @property
    def hops(self) -> list[Hop]:
        """Every hop still remembered, the oldest first."""
        return list(self._hops)

    def since(self, number: int) -> list[Hop]:
        """Return the hops after `number`, the oldest first."""
        return [hop for hop in self._hops if hop.number > number]

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[Hop | None]]:
        """Yield a queue of the hops reported from now on; `None` says that the feed has closed."""
        listener: asyncio.Queue[Hop | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let every subscriber go."""
        for listener in self._listeners:
            listener.put_nowait(None)
