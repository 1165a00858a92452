"""A mail server that follows a script: another reply, a dropped connection or silence at any point."""

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DROP: Final = "drop"
HANG: Final = "hang"

_USUAL: Final = {
    "GREETING": "220 mail.example ready",
    "EHLO": "250-mail.example\r\n250 8BITMIME",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 go on",
    "BODY": "250 2.0.0 queued as 4711",
    "QUIT": "221 bye",
    "STARTTLS": "220 go on",
    "AUTH": "235 2.7.0 welcome",
    "RSET": "250 OK",
}


@dataclass(slots=True)
class ScriptedServer:
    """Speaks SMTP by `script`: verb → reply, DROP or HANG; GREETING and BODY are the replies to no verb."""

    script: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    mails: list[bytes] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._say(writer, "GREETING")
            while line := await reader.readline():
                await self._obey(line.decode().strip(), reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _obey(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(line)
        verb = line.split(maxsplit=1)[0].upper()
        reply = await self._say(writer, verb)
        if verb == "STARTTLS" and self.tls:
            await writer.start_tls(self.tls)
        if verb == "DATA" and reply.startswith("354"):
            self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
            await self._say(writer, "BODY")

    async def _say(self, writer: asyncio.StreamWriter, moment: str) -> str:
        reply = self.script.get(moment, _USUAL[moment])
        if reply == DROP:
            raise ConnectionAbortedError
        if reply == HANG:
            await asyncio.sleep(3600)
        writer.write(f"{reply}\r\n".encode())
        await writer.drain()
        return reply


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server on loopback shows, and what a client must trust to believe it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(pem).decode())
