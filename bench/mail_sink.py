"""A mail server that does as little as one can: takes every mail, and keeps when, to whom and about what.

The sandbox's mailbox reads mails as their readers would, which takes longer than sending them does.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from email.header import decode_header, make_header
from typing import Final, cast

_TO: Final = re.compile(rb"RCPT TO:<([^>]*)>", re.IGNORECASE)
_SUBJECT: Final = re.compile(rb"^Subject:((?:.*\r\n[ \t])*.*)\r\n", re.IGNORECASE | re.MULTILINE)
_END_OF_MAIL: Final = b"\r\n.\r\n"
_REPLIES: Final = {b"EHLO": b"250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", b"DATA": b"354 go on\r\n"}
_OK: Final = b"250 OK\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """When a mail had arrived whole (epoch), to whom, and its head."""

    at: float
    to: str
    head: bytes

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        found = _SUBJECT.search(self.head)
        return str(make_header(decode_header(found[1].decode().strip()))) if found else ""


class MailSink:
    """Every mail that came in."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Begin to take mails; return the value for SMTP_URL."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self.mails), "127.0.0.1", 0)
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}?tls=none"

    async def stop(self) -> None:
        """Take no more."""
        if self._server:
            self._server.close()


class _Session(asyncio.Protocol):
    def __init__(self, mails: list[Mail]) -> None:
        self._mails = mails
        self._buffer = b""
        self._to = ""
        self._in_mail = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 localhost\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take_mail() if self._in_mail else self._take_line():
            pass

    def _take_mail(self) -> bool:
        mail, end, rest = self._buffer.partition(_END_OF_MAIL)
        if not end:
            return False
        head = mail.partition(b"\r\n\r\n")[0] + b"\r\n"
        self._mails.append(Mail(time.time(), self._to, head))
        self._buffer, self._in_mail = rest, False
        self._say(_OK)
        return True

    def _take_line(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        verb = line[:4].upper()
        if found := _TO.match(line):
            self._to = found[1].decode().lower()
        self._in_mail = verb == b"DATA"
        self._say(b"221 bye\r\n" if verb == b"QUIT" else _REPLIES.get(verb, _OK))
        return True

    def _say(self, reply: bytes) -> None:
        if self._transport:
            self._transport.write(reply)
