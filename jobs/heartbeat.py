"""The worker calls an outside monitor while its sweeps succeed: one that hears nothing for longer alarms."""

from datetime import timedelta
from typing import Final

import aiohttp
import structlog

from core import metrics
from core.clock import real_now
from core.database import Database

_log: Final = structlog.get_logger()
#: How often the monitor is called.
BEAT_EVERY: Final = timedelta(minutes=1)
#: Beside the sweep's own period: how old its last one may be.
_BORNE: Final = timedelta(seconds=60)
_WITHIN: Final = aiohttp.ClientTimeout(total=5)


class Heartbeat:
    """Calls `url`, which the operators have set and is secret. Redirects and proxies are not followed."""

    def __init__(self, database: Database, url: str, *, sweep_every: timedelta) -> None:
        self._database = database
        self._url = url
        self._patience = sweep_every + _BORNE

    async def beat(self) -> bool:
        """Call the monitor if the sweep was heard of; return whether it took that. A failure is counted."""
        last = await self._database.pool.fetchval("SELECT at FROM heartbeats WHERE name = 'sweep'")
        if last is None or real_now() - last > self._patience:
            return False
        taken = await self._call()
        if not taken:
            metrics.FAILED_HEARTBEATS.inc()
        return taken

    async def _call(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=_WITHIN, trust_env=False) as session,
                session.get(self._url, allow_redirects=False) as response,
            ):
                return 200 <= response.status < 300
        except (aiohttp.ClientError, OSError, ValueError) as error:
            _log.warning("monitor not reached", why=type(error).__name__)
            return False
