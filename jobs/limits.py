"""How much a gateway takes, and one person: counted in Redis, over every worker. Real time.

Whoever is not let through now leaves the message where it is; the sweep queues what is due by its deadline.
"""

from datetime import timedelta
from hashlib import blake2b
from typing import Final

from arq.connections import ArqRedis

from core.channels import Address, Rate

#: Nobody is written to in a chat more often, whatever happens.
PER_PERSON: Final = Rate(120, timedelta(minutes=1))
#: Shares of a rate that may be used at once. The rest comes evenly: no span of time sees more than the rate.
_OF_GATEWAY: Final = 0.25
_OF_PERSON: Final = 0.5


class Limits:
    """Lets calls through as their rates allow. Raises what redis-py raises."""

    def __init__(self, redis: ArqRedis) -> None:
        self._take = redis.register_script(_TAKE)

    async def wait_for_gateway(self, gateway: str, rate: Rate) -> timedelta:
        """Take a call out of what the gateway allows; return how long to wait instead when there is none."""
        return await self._wait(f"chotdon:rate:{gateway}", rate, _OF_GATEWAY)

    async def wait_for_person(self, address: Address) -> timedelta:
        """The same for what one address gets."""
        named = blake2b(f"{address.kind}:{address.value}".encode(), digest_size=12).hexdigest()
        return await self._wait(f"chotdon:person:{named}", PER_PERSON, _OF_PERSON)

    async def _wait(self, key: str, rate: Rate, at_once: float) -> timedelta:
        burst = max(1.0, rate.calls * at_once)
        every = rate.per.total_seconds() / max(1.0, rate.calls - burst)
        seconds = await self._take(keys=[key], args=[burst, every])
        return timedelta(seconds=float(seconds))


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
