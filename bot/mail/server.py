"""The mail server of the setting `SMTP_URL`, and a few connections to it that are used again."""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from aiosmtplib import SMTP, SMTPException

from core.errors import Misconfigured

_DEFAULT_PORT: Final = 587
_IMPLICIT_TLS_PORT: Final = 465  # docs/facts.md#smtp-ports (RFC 8314)
_MOST_IDLE: Final = 32
#: Servers close idle connections after five minutes (docs/facts.md#smtp-idle), some much sooner.
_IDLE_SECONDS: Final = 5.0


class Tls(StrEnum):
    """How a connection is made private. The server's certificate is always verified."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed in."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_url(url: str) -> Server:
    """Return the server of `smtp://user:pass@host:587?tls=starttls|implicit|none`; raises Misconfigured.

    Without `tls` it is implicit on port 465 and STARTTLS on any other.
    """
    parts = urlsplit(url)
    port = _port(parts)
    usual = Tls.IMPLICIT if port == _IMPLICIT_TLS_PORT else Tls.STARTTLS
    asked = parse_qs(parts.query).get("tls", [usual.value])[-1]
    if parts.scheme != "smtp" or not parts.hostname or asked not in set(Tls):
        raise Misconfigured("CHOTDON_SMTP_URL: must be smtp://user:pass@host:587?tls=starttls|implicit|none")
    return Server(parts.hostname, port, Tls(asked), _unquoted(parts.username), _unquoted(parts.password))


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _DEFAULT_PORT
    except ValueError:
        raise Misconfigured("CHOTDON_SMTP_URL: the port must be a number up to 65535") from None


def _unquoted(part: str | None) -> str | None:
    return unquote(part) if part else None


class Connections:
    """Open connections to one server; each carries one mail at a time."""

    def __init__(self, server: Server, *, trust: ssl.SSLContext | None = None) -> None:
        """`trust` replaces the system's certificates, for servers with a certificate of their own."""
        self._server = server
        self._trust = None if server.tls is Tls.NONE else trust or ssl.create_default_context()
        self._idle: list[tuple[float, SMTP]] = []
        self._own_name: str | None = None

    async def take(self) -> SMTP:
        """Return a connection, a new one where none is idle. Whoever takes it keeps or closes it.

        Raises what aiosmtplib raises when the server cannot be reached or will not have us.
        """
        return self._take_idle() or await self._open()

    def keep(self, client: SMTP) -> None:
        """Put a connection aside for the next mail."""
        if client.is_connected and len(self._idle) < _MOST_IDLE:
            self._idle.append((monotonic(), client))
        else:
            client.close()

    async def close(self) -> None:
        """Take leave of the server on every idle connection."""
        idle, self._idle = self._idle, []
        for _, client in idle:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=1)
            client.close()

    def _take_idle(self) -> SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and monotonic() - since < _IDLE_SECONDS:
                return client
            client.close()
        return None

    async def _open(self) -> SMTP:
        server = self._server
        if self._own_name is None:  # the library would look it up for each connection, in a thread
            self._own_name = await asyncio.to_thread(socket.getfqdn)
        client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=self._own_name,
            username=server.user,
            password=server.password,
            use_tls=server.tls is Tls.IMPLICIT,
            start_tls=server.tls is Tls.STARTTLS,
            tls_context=self._trust,
            timeout=None,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client
