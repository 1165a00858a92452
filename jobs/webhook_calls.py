"""One call to a platform: signed, to a public address only, bounded in time and in what is read of it.

docs/facts.md#standard-webhooks for headers and signatures.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.typedefs import LooseHeaders
from standardwebhooks import Webhook

from core.clock import real_now
from core.platforms.public_addresses import is_public_address, leads_inside
from core.platforms.webhooks import OwedWebhook

#: interface.md: each call to somebody else's machine is bounded to five seconds, as a whole.
WITHIN: Final = 5.0
#: An answer's body says nothing to us; so much of a short one is read that its connection can be used again.
_MOST_READ: Final = 4_096
_READ_WITHIN: Final = 0.5
#: Seconds that a connection waits for another call: fewer than servers commonly wait before they hang up.
_KEPT: Final = 4.0
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class Forbidden(OSError):
    """The platform's address is one that we do not call."""


class PrivateAddress(Forbidden):
    """It leads into our own network."""


class NotEncrypted(Forbidden):
    """It is not https."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a platform answered: an HTTP status, or why there is none; and for how long it wants to be left."""

    status: int | None
    why: str = ""
    retry_after: timedelta | None = None


class Caller:
    """Calls platforms over a session of `open_session`. With `allow_private`, http is taken too."""

    def __init__(self, session: aiohttp.ClientSession, *, allow_private: bool) -> None:
        self._session = session
        self._allow_private = allow_private

    async def call(self, webhook: OwedWebhook, body: bytes) -> Reply:
        """Post a webhook; whatever the platform does is a reply. A redirect is one, and not followed."""
        try:
            if not self._allow_private:
                _check(webhook.url)
            async with asyncio.timeout(WITHIN):
                return await self._post(webhook, body)
        except (aiohttp.ClientError, OSError, EOFError, ValueError) as error:
            return Reply(None, _why(error))

    async def _post(self, webhook: OwedWebhook, body: bytes) -> Reply:
        async with self._session.post(
            webhook.url, data=body, headers=headers_of(webhook, body), allow_redirects=False
        ) as response:
            await _leave(response)
            if 200 <= response.status < 300:
                return Reply(response.status)
            asked = retry_after(response.headers.get("Retry-After", ""), now=real_now())
            return Reply(response.status, f"HTTP {response.status}", asked)


def _check(url: str) -> None:
    """Refuse what was allowed when it was added, and is not any more; names are looked at as they connect."""
    if leads_inside(url):
        raise PrivateAddress
    if not url.startswith("https://"):
        raise NotEncrypted


async def _leave(response: aiohttp.ClientResponse) -> None:
    """Read a short body to its end; leave one that is long, slow or broken: the status stands already."""
    read = 0
    try:
        async with asyncio.timeout(_READ_WITHIN):
            while read < _MOST_READ and (chunk := await response.content.readany()):
                read += len(chunk)
    except (aiohttp.ClientError, OSError, ValueError):
        response.close()


def open_session(*, allow_private: bool, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """Return a session that connects to public addresses only, whatever a name resolves to.

    The check is made on the final address of each connection, so that a name that changes its
    mind between check and use finds nothing. Proxies of the environment are not used, cookies are not
    kept, and whoever calls bounds how many calls there are at once.
    """

    def guarded(address: "aiohttp.AddrInfoType") -> socket.socket:
        family, kind, protocol, _, target = address
        if not allow_private and not is_public_address(str(target[0])):
            raise PrivateAddress
        return socket.socket(family, kind, protocol)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, socket_factory=guarded, resolver=resolver, keepalive_timeout=_KEPT
        ),
        timeout=aiohttp.ClientTimeout(total=WITHIN),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=_MOST_READ,
    )


def headers_of(webhook: OwedWebhook, body: bytes) -> LooseHeaders:
    """Return a webhook's headers as of now, signed by each of the platform's secrets."""
    at = real_now()  # UTC: the library misreads other zones
    return {
        "Content-Type": "application/json",
        "User-Agent": "ChotDon/1",
        "webhook-id": str(webhook.id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(webhook.secrets, str(webhook.id), at, body),
    }


def signature(secrets: Sequence[str], webhook_id: str, at: datetime, body: bytes) -> str:
    """Return what Standard Webhooks wants of several keys: a list with spaces between. `at` is UTC."""
    return " ".join(Webhook(secret).sign(webhook_id, at, body.decode()) for secret in secrets)


def retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Return for how long a `Retry-After` asks (seconds, or a moment); None for nonsense.

    docs/facts.md#retry-after
    """
    text = text.strip()
    if text.isascii() and _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
        moment = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(moment - now, timedelta())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _why(error: Exception) -> str:
    """Return a name for the fault; the connector wraps whatever keeps it from connecting."""
    match error.__cause__ or error:
        case PrivateAddress():
            return "private address"
        case NotEncrypted():
            return "not https"
        case _ if isinstance(error, TimeoutError):
            return "no answer in time"
        case _:
            return type(error).__name__
