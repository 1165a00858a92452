"""A mail server of our own: takes every mail by SMTP and shows it as the reader would see it."""

import asyncio
import html
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from weakref import WeakSet

from aiosmtpd.smtp import SMTP

from sandbox.feed import Feed, Level
from sandbox.moments import Clock, real_time

_LINK: Final = re.compile(r"""<a\b[^>]*\bhref=["']([^"']+)["'][^>]*>(.*?)</a>""", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived. `to` are the envelope's recipients, `headers` the decoded headers."""

    mail_id: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    attachments: tuple[Attachment, ...]
    raw: bytes

    @property
    def message_id(self) -> str:
        """The header `Message-ID`."""
        return self.headers.get("message-id", "")

    @property
    def sender_name(self) -> str:
        """The name in `From`, or its address."""
        return self.headers.get("from", self.sender).partition("<")[0].strip(' "') or self.sender

    def links(self) -> list[tuple[str, str]]:
        """Return the label and the address of every link of the HTML part, from top to bottom."""
        found = _LINK.findall(self.html)
        return [(" ".join(_TAG.sub(" ", label).split()), html.unescape(url)) for url, label in found]

    def link(self, label: str) -> str:
        """Return the address of the first link whose label contains `label`.

        Raises LookupError, with the labels there are.
        """
        for there, url in self.links():
            if label in html.unescape(there):
                return url
        raise LookupError(f"no link {label!r}; there are {[there for there, _ in self.links()]}")


@dataclass(slots=True)
class _Refusal:
    reply: str
    left: int | None


@dataclass(slots=True)
class _Silence:
    """Silence after a mail was handed in; whether the mail was taken before it."""

    seconds: float
    takes: bool
    left: int | None


_Trouble = TypeVar("_Trouble", _Refusal, _Silence)


class Mailbox:
    """Every mail sent to anybody. `memory` is a folder in which mails survive the process."""

    def __init__(
        self,
        *,
        clock: Clock = real_time,
        feed: Feed | None = None,
        memory: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock
        self.feed = feed or Feed(clock=clock)
        self.mails: list[Mail] = []
        self._refusals: dict[str, deque[_Refusal]] = {}
        self._silences: deque[_Silence] = deque()
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._arrived = asyncio.Event()
        self._memory = memory
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._recall()

    async def __aenter__(self) -> Self:
        await self.recover()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse_connections()

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The port it listens on, the same after `recover`."""
        return self._port

    @property
    def smtp_url(self) -> str:
        """The value for a setting `SMTP_URL`: no TLS, no password."""
        return f"smtp://{self._host}:{self._port}?tls=none"

    # What people read.

    @property
    def addresses(self) -> list[str]:
        """Everybody who has got mail, in the order of the first one."""
        return list(dict.fromkeys(address for mail in self.mails for address in mail.to))

    def inbox(self, address: str) -> list[Mail]:
        """Return the mails to this address, the oldest first."""
        return [mail for mail in self.mails if address.lower() in mail.to]

    def mail(self, mail_id: str) -> Mail | None:
        """Return one mail, if it is there."""
        return next((mail for mail in self.mails if mail.mail_id == mail_id), None)

    async def arrives(self, address: str, subject: str = "", *, within: float = 5.0, count: int = 1) -> Mail:
        """Wait up to `within` real seconds for the `count`-th mail to `address` about `subject`.

        Raises AssertionError, with the subjects that were there instead.
        """
        try:
            async with asyncio.timeout(within):
                return await self._nth(address, subject, count)
        except TimeoutError:
            there = [mail.subject for mail in self.inbox(address)]
            raise AssertionError(f"{address} got no mail {subject!r}; there are {there}") from None

    async def _nth(self, address: str, subject: str, count: int) -> Mail:
        while True:
            found = [mail for mail in self.inbox(address) if subject in mail.subject]
            if len(found) >= count:
                return found[count - 1]
            self._arrived.clear()
            await self._arrived.wait()

    # Troubles.

    def refuse(self, address: str, reply: str = "550 5.1.1 No such user", *, times: int | None = 1) -> None:
        """Answer the next `times` mails to `address` with this SMTP reply; None: always."""
        self._refusals.setdefault(address.lower(), deque()).append(_Refusal(reply, times))

    def hang(self, seconds: float, *, times: int | None = 1) -> None:
        """Answer the next mails with silence for `seconds`, then with 451; they are not taken."""
        self._silences.append(_Silence(seconds, takes=False, left=times))

    def accept_then_hang(self, seconds: float, *, times: int | None = 1) -> None:
        """Take the next mails, and keep the answer back for `seconds`."""
        self._silences.append(_Silence(seconds, takes=True, left=times))

    async def refuse_connections(self) -> None:
        """Close the port and every connection until `recover`, as a machine that is down does."""
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()
        self._server = None

    async def recover(self) -> None:
        """Take every mail again, on the same port."""
        self._refusals.clear()
        self._silences.clear()
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._session, self._host, self._port)
            self._port = int(self._server.sockets[0].getsockname()[1])

    def _session(self) -> SMTP:
        session = SMTP(self, hostname="localhost", enable_SMTPUTF8=True, timeout=30)
        self._sessions.add(session)
        return session

    # What the server asks while a mail comes in; the names are aiosmtpd's.

    async def handle_RCPT(  # noqa: N802 - the library calls this name
        self, server: SMTP, session: object, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take or refuse one recipient."""
        reply = self._refusal(address.lower())
        if reply is not None:
            text = f"Máy chủ thư từ chối {address}: {reply}"
            self.feed.report("mail.out", text, level=Level.ERROR, ref=address)
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library calls this name
        self, server: SMTP, session: object, envelope: Any
    ) -> str:
        """Take one mail, in the way that the troubles planned for it allow."""
        silence = _take(self._silences)
        if silence is None or silence.takes:
            self._take_in(envelope)
        if silence is None:
            return "250 OK"
        await asyncio.sleep(silence.seconds)
        return "250 OK" if silence.takes else "451 4.3.0 scripted fault"

    def _take_in(self, envelope: Any) -> None:
        mail = self._read(bytes(envelope.content), str(envelope.mail_from), envelope.rcpt_tos)
        self._keep(mail)
        self.mails.append(mail)
        self._arrived.set()
        text = f"Thư “{mail.subject}” tới {', '.join(mail.to)}"
        self.feed.report("mail.out", text, level=Level.GOOD, ref=mail.mail_id)

    def _refusal(self, address: str) -> str | None:
        refusal = _take(self._refusals.get(address, deque()))
        return refusal.reply if refusal else None

    def _read(self, raw: bytes, sender: str, to: list[str], at: datetime | None = None) -> Mail:
        message = message_from_bytes(raw, policy=modern)
        return Mail(
            mail_id=str(len(self.mails) + 1),
            at=at or self.clock(),
            sender=sender,
            to=tuple(address.lower() for address in to),
            subject=str(message.get("Subject", "")),
            text=_part(message, "plain"),
            html=_part(message, "html"),
            headers={name.lower(): str(value) for name, value in message.items()},
            attachments=tuple(_attachment(part) for part in message.iter_attachments()),
            raw=raw,
        )

    # Memory: one file a mail; the envelope in its first three lines, the mail after them.

    def _keep(self, mail: Mail) -> None:
        if self._memory is None:
            return
        self._memory.mkdir(parents=True, exist_ok=True)
        envelope = f"{mail.at.isoformat()}\n{mail.sender}\n{' '.join(mail.to)}\n"
        (self._memory / f"{int(mail.mail_id):06}.mail").write_bytes(envelope.encode() + mail.raw)

    def _recall(self) -> None:
        if self._memory is None:
            return
        for file in sorted(self._memory.glob("*.mail")):
            at, sender, to, raw = file.read_bytes().split(b"\n", 3)
            moment = datetime.fromisoformat(at.decode())
            self.mails.append(self._read(raw, sender.decode(), to.decode().split(), moment))


def _take(planned: deque[_Trouble]) -> _Trouble | None:
    """Return the trouble that is met now, and count it."""
    if not planned:
        return None
    trouble = planned[0]
    if trouble.left is not None:
        trouble.left -= 1
        if trouble.left <= 0:
            planned.popleft()
    return trouble


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part is not None else ""


def _attachment(part: EmailMessage) -> Attachment:
    content = part.get_payload(decode=True)
    return Attachment(
        part.get_filename() or "",
        part.get_content_type(),
        content if isinstance(content, bytes) else b"",
    )
