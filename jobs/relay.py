"""To platforms: changes of orders and pauses of kitchens as signed webhooks, retried until they have them.

docs/facts.md#standard-webhooks for headers and signatures; the schedule is in `core/webhooks.py`.
"""

import random
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import aiohttp
import structlog
from aiohttp.typedefs import LooseHeaders
from standardwebhooks import Webhook

from bot.api.shapes import partner_webhook_body, scope_for, webhook_body
from core import metrics, webhooks
from core.clock import real_now
from core.database import Database
from core.orders.queries import as_of
from core.partners.events import numbered
from core.platforms import is_public_address
from core.webhooks import OwedWebhook
from jobs.queues import Jobs

_log: Final = structlog.get_logger()
_WITHIN: Final = aiohttp.ClientTimeout(total=5)
_BUSY: Final = timedelta(seconds=1)
#: Retries that come sooner than the sweep would find them are queued.
_WAKE_FOR: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class _Reply:
    """How a platform answered: an HTTP status, or why there is none."""

    status: int | None
    why: str

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class PrivateAddress(OSError):
    """The platform's address leads into our own network."""


def open_session(*, allow_private: bool) -> aiohttp.ClientSession:
    """Return a session that connects to public addresses only, whatever a name resolves to.

    The check is made on the final address of each connection, so that a name that changes its
    mind between check and use finds nothing. Proxies of the environment are not used.
    """

    def guarded(address: "aiohttp.AddrInfoType") -> socket.socket:
        family, kind, protocol, _, target = address
        if not allow_private and not is_public_address(str(target[0])):
            raise PrivateAddress
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(limit=100, limit_per_host=20, socket_factory=guarded)
    return aiohttp.ClientSession(connector=connector, timeout=_WITHIN, trust_env=False)


@dataclass(frozen=True, slots=True)
class Relay:
    """What relaying needs."""

    database: Database
    session: aiohttp.ClientSession
    jobs: Jobs

    async def relay(self, webhook_id: UUID) -> None:
        """Try a webhook, after the older undelivered ones of its order, in the order they happened."""
        group = await webhooks.claim(self.database, webhook_id)
        if group is None:
            await self.jobs.relay([webhook_id], after=_BUSY)
            return
        for webhook in group:
            await self._try(webhook)

    async def _try(self, webhook: OwedWebhook) -> None:
        body = await self._body(webhook)
        if body is None:  # an event is written with its webhooks: this cannot be, and is not to be retried
            _log.error("webhook without its event", webhook=str(webhook.id))
            return
        reply = await self._post(webhook, body)
        metrics.WEBHOOKS.labels("delivered" if reply.is_success else "failed").inc()
        _log.info(
            "webhook tried",
            webhook=str(webhook.id),
            order=str(webhook.order_id),
            platform=str(webhook.platform_id),
            status=reply.status,
            why=reply.why or None,
            tries=webhook.tries,
        )
        if reply.is_success:
            await webhooks.delivered(self.database, webhook, status=reply.status or 0)
            return
        jitter = random.random()  # noqa: S311 - spreads retries, keeps no secret
        wait = await webhooks.failed(
            self.database, webhook, status=reply.status, why=reply.why, jitter=jitter
        )
        if wait and wait < _WAKE_FOR:
            await self.jobs.relay([webhook.id], after=wait)

    async def _body(self, webhook: OwedWebhook) -> bytes | None:
        """Return what the platform is told: the same bytes at each attempt."""
        if webhook.of_partner:
            event = await numbered(self.database.pool, webhook.order_id, webhook.version)
            return partner_webhook_body(event) if event else None
        told = await as_of(webhook.order_id, webhook.version)
        return webhook_body(told, scope_for(webhook.platform_id, told.order)) if told else None

    async def _post(self, webhook: OwedWebhook, body: bytes) -> _Reply:
        try:
            async with self.session.post(
                webhook.url, data=body, headers=_headers(webhook, body), allow_redirects=False
            ) as response:
                return _Reply(response.status, "" if response.status < 300 else f"HTTP {response.status}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _Reply(None, _why(error))


def _why(error: Exception) -> str:
    """Return a name for the fault; the connector wraps whatever keeps it from connecting."""
    refused = isinstance(error.__cause__ or error, PrivateAddress)
    return "private address" if refused else type(error).__name__


def _headers(webhook: OwedWebhook, body: bytes) -> LooseHeaders:
    at = real_now()  # UTC: the library misreads other zones
    return {
        "Content-Type": "application/json",
        "User-Agent": "ChotDon/1",
        "webhook-id": str(webhook.id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(webhook.secret).sign(str(webhook.id), at, body.decode()),
    }
