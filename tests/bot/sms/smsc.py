"""SMSCs to bind to: a real one (`smpp34`), and one that follows a script to be as bad as it is told."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeVar

import smpp34

from bot.sms.smpp import Hear, SmppGateway, open_smpp
from bot.sms.smpp_session import Pace
from core.channels import Inbound, Outcome
from core.settings import Settings

LAN: Final = "+84901234567"
SHORT: Final = "Don moi 48273 giao 11:30. Soan XN 48273 gui 8041"

BIND: Final = 0x00000009
SUBMIT: Final = 0x00000004
DELIVER: Final = 0x00000005
UNBIND: Final = 0x00000006
ENQUIRE: Final = 0x00000015
NACK: Final = 0x80000000
RESPONSE: Final = 0x80000000

# Statuses of SMPP 3.4, 5.1.3.
OK: Final = 0x00
INVALID_LENGTH: Final = 0x01
SYSTEM_ERROR: Final = 0x08
INVALID_SOURCE: Final = 0x0A
INVALID_DESTINATION: Final = 0x0B
QUEUE_FULL: Final = 0x14
THROTTLED: Final = 0x58
AGAIN: Final = 0x64
NEVER: Final = 0x65
UNKNOWN_ERROR: Final = 0xFF

#: Quick where a test waits for what does not come, slow where it waits for what does.
QUICK: Final = Pace(answer=20.0, silence=60.0, rest=0.02, longest_rest=0.05)
_PATIENCE: Final = 20.0

T = TypeVar("T")


async def soon(awaitable: Awaitable[T]) -> T:
    """Wait, but not for ever."""
    return await asyncio.wait_for(awaitable, _PATIENCE)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gateway_at(port: int, *, pace: Pace = QUICK, reply_number: str = "8041") -> SmppGateway:
    """Return a gateway of a kitchen's platform that would bind at this port."""
    url = f"smpp://kitchen:s%40cret@127.0.0.1:{port}"
    settings = Settings(sms_gateway="smpp", smpp_url=url, sms_reply_number=reply_number, _env_file=None)
    gateway = open_smpp(settings, pace=pace)
    assert isinstance(gateway, SmppGateway)
    return gateway


@dataclass(slots=True)
class Ear:
    """What a gateway heard; as often as it is told it cannot take anything in."""

    deaf: int = 0
    heard: asyncio.Queue[Inbound] = field(default_factory=asyncio.Queue)
    refused: list[Inbound] = field(default_factory=list)

    async def hear(self, inbound: Inbound) -> None:
        """Take one in, or not."""
        if self.deaf:
            self.deaf -= 1
            self.refused.append(inbound)
            raise ConnectionRefusedError("the database is away")
        self.heard.put_nowait(inbound)

    async def next(self) -> Inbound:
        """Return what was taken in next."""
        return await soon(self.heard.get())


@dataclass(slots=True)
class RealSmsc:
    """`smpp34` with its events sorted: who has bound, and what was submitted."""

    port: int = field(default_factory=free_port)
    bound: asyncio.Queue[smpp34.Esme] = field(default_factory=asyncio.Queue)
    submitted: asyncio.Queue[smpp34.SubmitSmEvent] = field(default_factory=asyncio.Queue)
    _sessions: list[smpp34.Esme] = field(default_factory=list)
    _server: smpp34.Server | None = None
    _sorting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = smpp34.Server("127.0.0.1", self.port, system_id="smsc")
        await self._server.start()
        self._sorting = asyncio.create_task(self._sort(self._server))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sorting and self._server:
            self._sorting.cancel()
            await asyncio.gather(self._sorting, return_exceptions=True)
            # It stops listening, but lets go of no session by itself.
            await asyncio.gather(*(esme.unbind() for esme in self._sessions), return_exceptions=True)
            await self._server.stop()

    async def _sort(self, server: smpp34.Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions.append(event)
                self.bound.put_nowait(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submitted.put_nowait(event)

    async def session(self) -> smpp34.Esme:
        """Return who has bound next."""
        return await soon(self.bound.get())

    async def message(self) -> smpp34.SubmitSmEvent:
        """Return what was submitted next."""
        return await soon(self.submitted.get())


@dataclass(frozen=True, slots=True)
class Seen:
    """One PDU that an SMSC got."""

    command: int
    status: int
    sequence: int
    body: bytes


@dataclass(slots=True)
class Wire:
    """One connection of a scripted SMSC."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def next(self) -> Seen:
        """Return the next PDU of the client."""
        return await soon(self._next())

    async def _next(self) -> Seen:
        length, command, status, sequence = struct.unpack("!IIII", await self.reader.readexactly(16))
        return Seen(command, status, sequence, await self.reader.readexactly(length - 16))

    async def ends(self) -> None:
        """Wait until the client has hung up; what it still says is left unread."""
        await soon(self.reader.read())

    def say(self, command: int, *, status: int = 0, sequence: int = 1, body: bytes = b"") -> None:
        """Write a PDU."""
        self.writer.write(pdu(command, status=status, sequence=sequence, body=body))

    async def bind(self, status: int = 0) -> Seen:
        """Answer the request to bind, which comes first."""
        asked = await self.next()
        self.say(BIND | RESPONSE, status=status, sequence=asked.sequence, body=b"" if status else b"smsc\0")
        return asked


@dataclass(slots=True)
class ScriptedSmsc:
    """Accepts connections and does nothing by itself."""

    port: int = 0
    wires: asyncio.Queue[Wire] = field(default_factory=asyncio.Queue)
    _all: list[Wire] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
            for wire in self._all:
                wire.writer.close()
            await asyncio.gather(*(wire.writer.wait_closed() for wire in self._all), return_exceptions=True)
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        self._all.append(wire)
        self.wires.put_nowait(wire)

    async def wire(self) -> Wire:
        """Return the next connection."""
        return await soon(self.wires.get())


@asynccontextmanager
async def listening(gateway: SmppGateway, hear: Hear) -> AsyncIterator[None]:
    """Let a gateway listen, as the worker does."""
    task = asyncio.create_task(gateway.listen(hear))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sending(gateway: SmppGateway, text: str = SHORT) -> "asyncio.Task[Outcome]":
    """Begin to send a text to Lan."""
    return asyncio.create_task(gateway.send(LAN, text, key="2f1c"))


def pdu(command: int, *, status: int = 0, sequence: int = 1, body: bytes = b"") -> bytes:
    """Return a PDU as it goes over the wire."""
    return struct.pack("!IIII", 16 + len(body), command, status, sequence) + body


def mo(
    said: bytes,
    *,
    source: bytes = b"84901234567",
    ton: int = 1,
    esm_class: int = 0,
    coding: int = 0,
    tags: bytes = b"",
) -> bytes:
    """Return the body of a deliver_sm: a text that somebody sends to 8041."""
    return (
        b"\0"
        + bytes((ton, 1))
        + source
        + b"\0"
        + bytes((3, 0))
        + b"8041\0"
        + bytes((esm_class, 0, 0))
        + b"\0\0"
        + bytes((0, 0, coding, 0, len(said)))
        + said
        + tags
    )


def tag(number: int, value: bytes) -> bytes:
    """Return an optional parameter."""
    return struct.pack("!HH", number, len(value)) + value
