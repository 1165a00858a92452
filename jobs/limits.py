"""How much a gateway takes, counted in Redis over all workers; how often a person is written to. Real time.

Whoever is not let through now leaves the message where it is; the sweep queues what is due by its deadline.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from arq.connections import ArqRedis

from core.channels import Address, AddressKind, Rate

#: Nobody is written to in a chat more often, whatever happens.
PER_PERSON: Final = Rate(120, timedelta(minutes=1))
#: Shares of a rate that may be used at once. The rest comes evenly: no span of time sees more than the rate.
_OF_GATEWAY: Final = 0.25
_OF_PERSON: Final = 0.5
#: So many people are kept in mind: whoever was written to longest ago is forgotten first.
_REMEMBERED: Final = 20_000
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


class Limits:
    """Lets calls through as their rates allow; `a_minute`: calls by gateway. Raises what redis-py raises."""

    def __init__(self, redis: ArqRedis, *, a_minute: Mapping[str, int] = _NONE) -> None:
        self._take = redis.register_script(_TAKE)
        self._a_minute = a_minute

    async def wait_for_gateway(self, gateway: str, documented: Rate | None) -> timedelta:
        """Take a call out of what the gateway allows; return how long to wait instead when there is none.

        What is set for it counts, else what it has documented; without either everything goes.
        """
        agreed = self._a_minute.get(gateway)
        rate = Rate(agreed, timedelta(minutes=1)) if agreed else documented
        if rate is None:
            return timedelta()
        return await self._wait(f"chotdon:rate:{gateway}", rate)

    async def _wait(self, key: str, rate: Rate) -> timedelta:
        burst, every = _evenly(rate, _OF_GATEWAY)
        seconds = await self._take(keys=[key], args=[burst, every])
        return timedelta(seconds=float(seconds))


class Calm:
    """Keeps one person's phone from ringing all day, whatever goes wrong here; each worker for itself."""

    def __init__(self, *, rate: Rate = PER_PERSON, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._every = _evenly(rate, _OF_PERSON)
        self._clock = clock
        self._next: OrderedDict[tuple[AddressKind, str], float] = OrderedDict()

    def wait(self, address: Address) -> timedelta:
        """Take a message out of what this person gets; return how long to wait instead when there is none."""
        key, now = (address.kind, address.value), self._clock()
        following = max(self._next.get(key, 0.0), now)
        wait = following - now - (self._burst - 1) * self._every
        if wait > 0:
            return timedelta(seconds=wait)
        self._next[key] = following + self._every
        self._next.move_to_end(key)
        while len(self._next) > _REMEMBERED:
            self._next.popitem(last=False)
        return timedelta()


def _evenly(rate: Rate, at_once: float) -> tuple[float, float]:
    """Return how many may go at once, and the seconds between the others."""
    burst = max(1.0, rate.calls * at_once)
    return burst, rate.per.total_seconds() / max(1.0, rate.calls - burst)


# A call moves the moment at which the next one would come evenly; it may run ahead of now by a burst.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local burst, every = tonumber(ARGV[1]), tonumber(ARGV[2])
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = next - now - (burst - 1) * every
if wait > 0 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', next + every), 'EX', math.ceil(burst * every) + 1)
return '0'
"""
