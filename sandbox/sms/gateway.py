"""What the fake SMS gateways have in common: phones, troubles, receipts, and a port to listen on."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from aiohttp import web

from sandbox import faults
from sandbox.feed import Feed, Level
from sandbox.listener import Listener
from sandbox.moments import Clock, real_time
from sandbox.sms import memory as memories
from sandbox.sms import segments
from sandbox.sms.phone import Sms, SmsPhone
from sandbox.sms.webhooks import Call, Delivery, Postman
from sandbox.troubled import Troubled

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Step(IntEnum):
    """How far a text came; the higher, the further."""

    QUEUED = 1
    SENT = 2
    DELIVERED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Receipts:
    """What a gateway reports by itself of each text, in this order, each `after` (real time) the one before.

    `before_answer`: all of it arrives before the send itself is answered. A phone that is off is silent.
    """

    steps: tuple[Step, ...] = ()
    after: timedelta = timedelta()
    before_answer: bool = False


NO_RECEIPTS: Final = Receipts()
DELIVERED: Final = Receipts((Step.SENT, Step.DELIVERED))
DUPLICATE: Final = Receipts((Step.DELIVERED, Step.DELIVERED))
REVERSED: Final = Receipts((Step.DELIVERED, Step.SENT))
FAILED: Final = Receipts((Step.SENT, Step.FAILED))
BEFORE_ANSWER: Final = Receipts((Step.DELIVERED,), before_answer=True)


@dataclass(slots=True)
class Accepted:
    """One text that the gateway took: its books, beside what stands on the phone."""

    sms: Sms
    phone: SmsPhone
    step: Step
    request_id: str = ""
    callback_url: str = ""


class Refused(Exception):
    """The vendor answers this code and does nothing."""

    def __init__(self, code: int | str, message: str = "") -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class SmsFake(Troubled, ABC):
    """A gateway and the people it reaches, the same to a test whichever vendor it plays.

    `clock` is what texts are dated by. `receipts` is what it reports by itself. A number nobody has
    claimed is a phone too, called as in `names` (by E.164): gateways take every good number. `memory` is a
    file in which the phones survive the process. `path_secret` ends the paths of webhooks that this vendor
    does not sign.
    """

    name: str
    title: str

    def __init__(
        self,
        *,
        clock: Clock = real_time,
        feed: Feed | None = None,
        path_secret: str = "sandbox-path-secret",
        receipts: Receipts = NO_RECEIPTS,
        price: int = 0,
        names: Mapping[str, str] = _NOBODY,
        memory: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.clock = clock
        self.feed = feed or Feed(clock=clock)
        self.path_secret = path_secret
        self.receipts = receipts
        self.price = price
        self.names = names
        self.webhook_base = ""
        self.phones: dict[str, SmsPhone] = {}
        self.accepted: dict[str, Accepted] = {}
        self.faults = faults.Faults()
        self.postman = Postman(self.title, self.feed)
        self._memory = memory
        self._reports: set[asyncio.Task[None]] = set()
        self._listener = Listener(self._application(), host=host, port=port)
        self._recall()

    # What each vendor does its own way.

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """The product's settings that lead here, by their names in small letters, without the prefix."""

    @property
    @abstractmethod
    def reply_number(self) -> str:
        """What people text to."""

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return the vendor's endpoints."""

    @abstractmethod
    def wire(self) -> faults.Wire:
        """Return how this vendor writes an error code and "too many"."""

    @abstractmethod
    def report_call(self, accepted: Accepted, step: Step) -> Call | None:
        """Return the webhook that reports this; None when nobody asked for reports of this text."""

    @abstractmethod
    def inbound_call(self, phone: SmsPhone, text: str, inbound_id: str) -> Call:
        """Return the webhook that brings what a person wrote."""

    @abstractmethod
    def new_id(self) -> str:
        """Return an id of the vendor's shape."""

    @abstractmethod
    def reply_in(self, delivery: Delivery) -> str:
        """Return the text that the webhook's answer asks to be sent back; nothing where there is none."""

    # Life.

    async def __aenter__(self) -> Self:
        await self._listener.start()
        await self.postman.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for report in list(self._reports):
            report.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)
        await self._listener.stop()
        await self.postman.close()
        self._remember()

    # People.

    def phone(self, number: str, name: str = "") -> SmsPhone:
        """Return the phone with this number (E.164), with a name if one is given."""
        known = self.phones.get(number)
        if known is None:
            called = self.names.get(number, number)
            known = self.phones[number] = SmsPhone(number, called, write=self._carry)
            known.on_change = self._remember
        known.name = name or known.name
        return known

    # Troubles, beside those of every gateway.

    def fail_next(self, code: int | str, *, times: int | None = 1, path: str | None = None) -> None:
        """Answer the next calls with this error code, in this vendor's form."""
        self._plan(faults.AnswerCode(code, "scripted fault"), times, path)

    # Receipts by hand.

    async def report(self, gateway_id: str, step: Step) -> Delivery:
        """Report how far a text came. Raises LookupError where the product asked for no reports of it."""
        accepted = self.accepted[gateway_id]
        accepted.step = max(accepted.step, step)
        call = self.report_call(accepted, step)
        if call is None:
            raise LookupError(f"nobody wants to hear of {gateway_id}")
        return await self.postman.make(call)

    async def redeliver(self, delivery: Delivery | None = None) -> Delivery:
        """Make a webhook again, byte for byte; the last one by default."""
        again = delivery or self.postman.last
        if again is None:
            raise LookupError("no webhook was made yet")
        return await self.postman.make(again.call)

    # For the vendors: taking a text, carrying one back.

    async def take(
        self, phone: SmsPhone, text: str, *, sender: str, request_id: str = "", callback_url: str = ""
    ) -> Accepted:
        """Put a text on the phone, enter it into the books, and report what the plan says.

        Raises Refused for a phone that is scripted to be refused.
        """
        if phone.refusal is not None:
            raise Refused(phone.refusal, "scripted refusal")
        parts = segments.count(text)
        sms = Sms(self.new_id(), self.clock(), text, sender, parts=parts, dong=parts * self.price)
        accepted = Accepted(sms, phone, self._fate(phone), request_id, callback_url)
        self.accepted[sms.gateway_id] = accepted
        phone.keep(sms)
        self._tell(accepted)
        await self._report_all(accepted)
        return accepted

    def _fate(self, phone: SmsPhone) -> Step:
        """How far it will come; asking the gateway says so at once."""
        return Step.SENT if phone.off else max(self.receipts.steps, default=Step.DELIVERED)

    def _tell(self, accepted: Accepted) -> None:
        sms = accepted.sms
        cost = f", {sms.dong} đ" if sms.dong else ""
        text = f"SMS “{sms.text.partition(chr(10))[0]}” tới {accepted.phone.name} ({sms.parts} tin{cost})"
        self.feed.report("sms.out", text, level=Level.GOOD, ref=accepted.phone.number)

    async def _report_all(self, accepted: Accepted) -> None:
        plan = self.receipts
        if accepted.phone.off or not plan.steps:
            return
        reporting = asyncio.create_task(self._report_steps(accepted, plan))
        self._reports.add(reporting)
        reporting.add_done_callback(self._reports.discard)
        if plan.before_answer:
            await asyncio.shield(reporting)

    async def _report_steps(self, accepted: Accepted, plan: Receipts) -> None:
        for step in plan.steps:
            await asyncio.sleep(plan.after.total_seconds())
            call = self.report_call(accepted, step)
            if call is not None:
                await self.postman.make(call)

    async def _carry(self, phone: SmsPhone, text: str) -> Delivery:
        if not self.webhook_base:
            raise RuntimeError(f"the fake {self.title} does not know where the product listens: webhook_base")
        inbound_id = self.new_id()
        parts = segments.count(text)
        phone.keep(
            Sms(inbound_id, self.clock(), text, self.reply_number, incoming=False, parts=parts, read=True)
        )
        tapped = f"{phone.name} nhắn “{text}” tới {self.reply_number}"
        self.feed.report("sms.tap", tapped, ref=phone.number)
        delivery = await self.postman.make(self.inbound_call(phone, text, inbound_id))
        self._answer(phone, delivery)
        return delivery

    def _answer(self, phone: SmsPhone, delivery: Delivery) -> None:
        reply = self.reply_in(delivery) if delivery.accepted else ""
        if not reply:
            return
        parts = segments.count(reply)
        sms = Sms(self.new_id(), self.clock(), reply, self.reply_number, parts=parts, dong=0)
        phone.keep(sms)
        self._tell(Accepted(sms, phone, Step.DELIVERED))

    # Inside.

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        app.router.add_routes(self.routes())
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        fault = self.faults.take(request.path)
        if fault is not None:
            self.feed.report("sms.out", f"{self.title} đang trục trặc ({request.path})", level=Level.ERROR)
        return await faults.meet(fault, request, partial(self._polite, handler), wire=self.wire())

    async def _polite(self, handler: Answer, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            text = f"{self.title} từ chối: {refused.code} {refused.message}"
            self.feed.report("sms.out", text, level=Level.ERROR)
            return self.wire().code(faults.AnswerCode(refused.code, refused.message))

    def _remember(self) -> None:
        if self._memory is not None:
            memories.save(self._memory, [memories.remembered(phone) for phone in self.phones.values()])

    def _recall(self) -> None:
        if self._memory is None:
            return
        for known in memories.load(self._memory):
            self.phone(known.number, known.name).texts = list(known.texts)
