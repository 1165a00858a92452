"""How often a platform may call, and how often somebody without a key may try one.

Kept in each web process for itself: see docs/decisions/0028.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api.problems import Problem

Seconds = Callable[[], float]

_MINUTE: Final = 60.0
#: A batch costs a call, and a tenth of one for each of its orders.
ORDERS_PER_CALL: Final = 10
_NEW_KEYS_A_MINUTE: Final = 60
_MOST_KEPT: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of `most` calls a minute; `wait` seconds until the next may come, none when it may now."""

    most: int
    left: float
    wait: float

    @property
    def headers(self) -> Mapping[str, str]:
        """The allowance in the words of docs/facts.md#rate-limit-headers."""
        full_in = math.ceil((self.most - self.left) * _MINUTE / self.most)
        return {
            "RateLimit-Policy": f'"key";q={self.most};w={_MINUTE:.0f}',
            "RateLimit": f'"key";r={max(0, math.floor(self.left))};t={full_in}',
        }


_ALLOWANCE: Final = web.RequestKey("api_allowance", Allowance)


class Rate:
    """So many calls a minute for each name: saved up for a minute at most.

    A call that costs more than what is left is let through, and the next ones wait until it is paid off:
    so no batch is too large to be ever let through.
    """

    def __init__(self, a_minute: int, *, seconds: Seconds = time.monotonic) -> None:
        self._most = a_minute
        self._seconds = seconds
        self._buckets: OrderedDict[object, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: object, cost: float = 1) -> Allowance:
        """Count a call, unless it has to wait."""
        bucket = self._filled(name)
        if bucket.left < 1:
            return Allowance(self._most, bucket.left, (1 - bucket.left) * _MINUTE / self._most)
        bucket.left -= cost
        return Allowance(self._most, bucket.left, 0)

    def charge(self, name: object, cost: float) -> Allowance:
        """Count what a call that was let through costs beside."""
        bucket = self._filled(name)
        bucket.left -= cost
        return Allowance(self._most, bucket.left, 0)

    def _filled(self, name: object) -> _Bucket:
        now = self._seconds()
        bucket = self._buckets.setdefault(name, _Bucket(self._most, now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST_KEPT:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._most / _MINUTE)
        bucket.at = now
        return bucket


class Limits:
    """What this web process lets through."""

    def __init__(self, calls_a_minute: int, *, seconds: Seconds = time.monotonic) -> None:
        self.calls = Rate(calls_a_minute, seconds=seconds)
        self._new_keys = Rate(_NEW_KEYS_A_MINUTE, seconds=seconds)
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def check_key(self, api_key: str, client: str) -> None:
        """Let a key through to be looked up; raises Problem where a client has tried too many.

        A key that was good lately is not counted: whoever shares an address with a guesser goes on.
        """
        if _hash(api_key) in self._known:
            return
        allowance = self._new_keys.take(client)
        if allowance.wait:
            raise too_many(allowance)

    def note_key(self, api_key: str, *, good: bool) -> None:
        """Take down whether a key turned out to be somebody's."""
        hashed = _hash(api_key)
        self._known.pop(hashed, None)
        if good:
            self._known[hashed] = None
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)


@web.middleware
async def tell_allowance(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say with every answer how much a key has left."""
    answer = await handler(request)
    allowance = request.get(_ALLOWANCE)
    if allowance is not None:
        answer.headers.update(allowance.headers)
    return answer


def count(request: web.Request, platform_id: UUID, *, orders: int = 0) -> None:
    """Count this call of a platform, or beside it the orders that it brought.

    Raises Problem where it has to wait; orders of a call that was let through do not wait.
    """
    rate = request.config_dict[LIMITS].calls
    allowance = rate.charge(platform_id, orders / ORDERS_PER_CALL) if orders else rate.take(platform_id)
    request[_ALLOWANCE] = allowance
    if allowance.wait:
        raise too_many(allowance)


LIMITS: Final = web.AppKey("api_limits", Limits)


def too_many(allowance: Allowance) -> Problem:
    """Return the problem of a call that has to wait."""
    return Problem("too_many_requests", headers={"Retry-After": str(math.ceil(allowance.wait))})


def _hash(api_key: str) -> bytes:
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).digest()
