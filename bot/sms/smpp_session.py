"""One bind at an SMSC: requests and their answers, what comes in, and whether anybody is still there."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Self

import structlog
from aiosmpplib import SmppCommandStatus  # type: ignore[import-untyped]

from bot.sms import smpp_pdu
from bot.sms.smpp_pdu import Delivery, Pdu, Unframed
from core import metrics
from core.errors import Malformed

_log = structlog.get_logger()

#: What comes in at once and is not answered yet; more is sent again later.
_AT_ONCE: Final = 100
#: What we submit at once, docs/facts.md#smpp-window
_WINDOW: Final = 10
#: Octets that wait to be written: the other side has stopped reading.
_UNWRITTEN: Final = 1_000_000
_PARTING: Final = 0.5  # seconds that a last word may take

# See docs/facts.md#smpp-status
OK: Final = int(SmppCommandStatus.ESME_ROK)
AGAIN: Final = int(SmppCommandStatus.ESME_RX_T_APPN)
_NEVER: Final = int(SmppCommandStatus.ESME_RX_P_APPN)

#: Takes what came in over the session with this number; returns the status to answer with.
Deliver = Callable[[Delivery, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Account:
    """Where to bind, and as whom."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of real time: for an answer, of silence before we ask, of rest after a bind that failed."""

    answer: float = 5.0
    silence: float = 30.0
    rest: float = 1.0
    longest_rest: float = 30.0


class NotBound(Exception):
    """There is no session: the SMSC cannot be reached, or answers `status` to our bind."""

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class Lost(Exception):
    """The session ended before the answer; `was_written` tells whether the request may have arrived."""

    def __init__(self, *, was_written: bool) -> None:
        super().__init__("the session ended")
        self.was_written = was_written


class Session:
    """A bound connection; ends by itself when the other side does, and is never used again."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        number: int,
        deliver: Deliver,
        pace: Pace,
    ) -> None:
        self.number = number
        self.over = asyncio.Event()
        self.window = asyncio.Semaphore(_WINDOW)
        self._reader = reader
        self._writer = writer
        self._deliver = deliver
        self._pace = pace
        self._sequence = 0
        self._waiting: dict[int, tuple[int, asyncio.Future[Pdu | None]]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._heard_at = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(cls, account: Account, *, number: int, deliver: Deliver, pace: Pace) -> Self:
        """Connect and bind as a transceiver. Raises NotBound, or OSError where nobody is there."""
        reader, writer = await asyncio.open_connection(account.host, account.port)
        session = cls(reader, writer, number=number, deliver=deliver, pace=pace)
        try:
            await session._bind(account)
        except BaseException:
            await session.drop()
            raise
        return session

    async def request(self, write: Callable[[int], bytes]) -> Pdu:
        """Send what `write` makes of a sequence number; return the answer. Raises Lost.

        Waits for as long as the session lasts: the caller bounds it.
        """
        if self.over.is_set():
            raise Lost(was_written=False)
        self._sequence = smpp_pdu.next_sequence(self._sequence)
        sequence, octets = self._sequence, write(self._sequence)
        answer: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = (smpp_pdu.answer_to(octets), answer)
        try:
            self._write(octets)
            pdu = await answer
        finally:
            self._waiting.pop(sequence, None)
        if pdu is None:
            raise Lost(was_written=True)
        return pdu

    async def close(self) -> None:
        """Unbind, if anybody is there to hear it, and let go."""
        with contextlib.suppress(Lost, TimeoutError):
            async with asyncio.timeout(min(_PARTING, self._pace.answer)):
                await self.request(smpp_pdu.unbind)
        await self.drop()

    async def drop(self) -> None:
        """Hang up and wait until nothing of it is left."""
        self.end()
        for task in (*self._tasks, *self._deliveries):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._deliveries, return_exceptions=True)
        try:
            async with asyncio.timeout(_PARTING):
                await self._writer.wait_closed()
        except OSError:  # a timeout is one, too: the other side does not read what was written
            self._writer.transport.abort()

    async def _bind(self, account: Account) -> None:
        try:
            answer = await self.request(
                lambda sequence: smpp_pdu.bind(
                    sequence, system_id=account.system_id, password=account.password
                )
            )
        except Lost:
            raise NotBound("hung up on") from None
        if not answer.is_yes:
            raise NotBound("bind refused", answer.status)

    # --- what comes in ------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while not self.over.is_set():
                self._take(await smpp_pdu.read(self._reader))
        except Unframed:
            metrics.REJECTED.labels("sms", "smpp_unframed").inc()
        except (asyncio.IncompleteReadError, OSError):
            pass  # hung up on: whoever waits is told by the end
        finally:
            self.end()

    def _take(self, pdu: Pdu) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if pdu.is_response:
            self._answered(pdu)
        elif pdu.command == smpp_pdu.DELIVER:
            self._begin_delivery(pdu)
        elif pdu.command == smpp_pdu.ENQUIRE:
            self._write(smpp_pdu.enquired(pdu.sequence))
        elif pdu.command == smpp_pdu.UNBIND:
            self._write(smpp_pdu.unbound(pdu.sequence))
            self.end()
        elif pdu.command != smpp_pdu.ALERT:  # that one wants no answer
            metrics.REJECTED.labels("sms", "smpp_unknown_command").inc()
            self._write(smpp_pdu.not_known(pdu.sequence))

    def _answered(self, pdu: Pdu) -> None:
        """Hand an answer to who asked; one of another kind, or to nobody, says nothing."""
        expected, answer = self._waiting.get(pdu.sequence, (None, None))
        if answer and not answer.done() and pdu.command in {expected, smpp_pdu.NACK}:
            answer.set_result(pdu)

    def _begin_delivery(self, pdu: Pdu) -> None:
        if len(self._deliveries) >= _AT_ONCE:
            self._write(smpp_pdu.delivered(pdu.sequence, AGAIN))
            return
        task = asyncio.create_task(self._take_delivery(pdu))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _take_delivery(self, pdu: Pdu) -> None:
        self._write(smpp_pdu.delivered(pdu.sequence, await self._status_of(pdu)))

    async def _status_of(self, pdu: Pdu) -> int:
        try:
            delivery = smpp_pdu.delivery(pdu.body)
        except Malformed as fault:
            metrics.REJECTED.labels("sms", fault.reason).inc()
            return _NEVER
        return await self._deliver(delivery, self.number)

    # --- whether anybody is there -------------------------------------------------------------

    async def _watch(self) -> None:
        """Ask after a silence; no answer is the end of the session."""
        loop = asyncio.get_running_loop()
        while not self.over.is_set():
            await asyncio.sleep(max(0.0, self._heard_at + self._pace.silence - loop.time()))
            if loop.time() < self._heard_at + self._pace.silence:
                continue
            try:
                async with asyncio.timeout(self._pace.answer):
                    await self.request(smpp_pdu.enquire)
            except (TimeoutError, Lost):
                self.end()

    def _write(self, octets: bytes) -> None:
        if self.over.is_set():
            return
        self._writer.write(octets)
        if self._writer.transport.get_write_buffer_size() > _UNWRITTEN:
            self.end()

    def end(self) -> None:
        """Hang up; whoever waits for an answer is told at once."""
        if self.over.is_set():
            return
        self.over.set()
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
        self._writer.close()


class Link:
    """The one bind of a process, made when it is first wanted and again when it was lost."""

    def __init__(self, account: Account, *, deliver: Deliver, pace: Pace) -> None:
        self._account = account
        self._deliver = deliver
        self._pace = pace
        self._session: Session | None = None
        self._number = 0
        self._alone = asyncio.Lock()
        self._failed: tuple[float, NotBound] | None = None

    async def session(self) -> Session:
        """Return a bound session. Raises NotBound, also without a try so soon after one that failed."""
        async with self._alone:
            if self._session is None or self._session.over.is_set():
                await self._let_go()
                self._session = await self._bound()
            return self._session

    async def keep(self) -> None:
        """Stay bound until cancelled, resting longer after each bind in a row that fails."""
        rest = self._pace.rest
        while True:
            try:
                session = await self.session()
            except NotBound as fault:
                _log.warning("smpp not bound", why=fault.why, status=fault.status)
                await asyncio.sleep(rest)
                rest = min(2 * rest, self._pace.longest_rest)
                continue
            await session.over.wait()
            _log.warning("smpp bind lost")
            rest = self._pace.rest
            await asyncio.sleep(rest)

    async def close(self) -> None:
        """Unbind."""
        async with self._alone:
            await self._let_go()

    async def _let_go(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def _bound(self) -> Session:
        if self._failed and self._failed[0] > asyncio.get_running_loop().time():
            raise NotBound(self._failed[1].why, self._failed[1].status)
        self._failed = None
        try:
            return await self._open()
        except NotBound as fault:
            self._failed = (asyncio.get_running_loop().time() + self._pace.rest, fault)
            raise

    async def _open(self) -> Session:
        self._number += 1
        try:
            async with asyncio.timeout(self._pace.answer):
                return await Session.open(
                    self._account, number=self._number, deliver=self._deliver, pace=self._pace
                )
        except (OSError, UnicodeError) as fault:  # a timeout is one, too; some names cannot be looked up
            raise NotBound(type(fault).__name__) from None
