"""Carrying out many commands in one transaction: decided one after the other, in memory."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec

from core.actors import Actor, ActorKind
from core.batch.changes import Changes
from core.batch.free_codes import Drawing, find_free
from core.batch.known import Known, Remembered, lock_and_read
from core.batch.request import Request
from core.channels import Address
from core.clock import Clock
from core.database import Connection
from core.errors import ChotDonError, Conflict, NoFreeCode, NotAllowed, RuleError
from core.notices.kinds import NoticeKind
from core.notices.owed import Owed
from core.orders import answers
from core.orders.answers import Answer, AnswerKind, about
from core.orders.commands import Command, FireTimer, PlaceOrder
from core.orders.decide import ASKED, Decision, Terms, decide
from core.orders.events import Json
from core.orders.order import Order, OrderId
from core.schedule import Planned, Policy


class Batch:
    """Carries out requests on one connection, inside one transaction that the caller opened."""

    def __init__(self, connection: Connection, clock: Clock, *, policy: Policy, code_key: bytes) -> None:
        self._connection = connection
        self._clock = clock
        self._policy = policy
        self._code_key = code_key
        self._known = Known()
        self._changes = Changes()

    async def carry_out(self, requests: Sequence[Request]) -> tuple[list[Answer | ChotDonError], Changes]:
        """Lock, read, decide and write; return an answer or an error for each request, in order.

        Raises what asyncpg raises; the caller then rolls back.
        """
        self._known = await lock_and_read(self._connection, requests)
        now = self._clock.now()
        await self._draw_codes(requests, now)
        outcomes = [self._one(request, now) for request in requests]
        await self._changes.write(self._connection, now)
        return outcomes, self._changes

    async def _draw_codes(self, requests: Sequence[Request], now: datetime) -> None:
        """Set aside a free code for every order to be placed; the partners are locked."""
        wanted = Counter(r.command.partner_id for r in requests if isinstance(r.command, PlaceOrder))
        partners = self._known.partners
        drawings = [
            Drawing(partner_id, partners[partner_id].codes_drawn, count)
            for partner_id, count in wanted.items()
            if partner_id in partners
        ]
        await find_free(self._connection, drawings, key=self._code_key, now=now)
        for drawing in drawings:
            self._known.codes[drawing.partner_id] = drawing.free[::-1]
            self._changes.drawn[drawing.partner_id] = drawing.counter

    # --- deciding -----------------------------------------------------------------------------

    def _one(self, request: Request, now: datetime) -> Answer | ChotDonError:
        try:
            remembered = self._replay(request)
            return remembered or self._decide(request, now)
        except ChotDonError as error:
            return error

    def _replay(self, request: Request) -> Answer | None:
        remembered = self._known.inbox.get(request.key) if request.key else None
        if remembered is None:
            return None
        if remembered.fingerprint != request.fingerprint:
            raise Conflict("idempotency_key_reused")
        return answers.load(remembered.answer, replayed=True)

    def _decide(self, request: Request, now: datetime) -> Answer:
        command = request.command
        if isinstance(command, PlaceOrder):
            repeated = self._placed_before(command)
            if repeated:
                return self._remember(request, repeated, now)
        order = self._known.orders.get(command.order_id)
        now = max(now, order.updated_at) if order else now
        try:
            actor = self._actor(request)
            decision = decide(order, command, actor=actor, terms=self._terms(request, order), now=now)
        except NotAllowed as refusal:
            return self._remember(request, self._forbidden(request, order, refusal), now)
        self._apply(request, decision, order, now)
        return self._remember(request, decision.answer, now)

    def _placed_before(self, command: PlaceOrder) -> Answer | None:
        """Return the answer to a repeat; raises Conflict where the content is not the same."""
        found = self._known.placed.get((command.platform_id, command.external_id))
        if found is None:
            return None
        order_id, fingerprint = found
        if fingerprint != fingerprint_of(command):
            raise Conflict("external_id")
        return about(self._known.orders[order_id], AnswerKind.STATE, "place")

    def _actor(self, request: Request) -> Actor:
        if isinstance(request.actor, Actor):
            return request.actor
        reference = request.actor
        staff = self._known.staff.get(reference.staff_id)
        if staff is None:
            raise NotAllowed("not_staff")
        address = reference.address
        if address and (address.kind.value, address.value) not in staff.addresses:
            raise NotAllowed("not_linked")
        if address:
            self._changes.heard.add((address.kind.value, address.value))
        return Actor(
            ActorKind.STAFF,
            staff.name,
            reference.via,
            id=reference.staff_id,
            partner_id=staff.partner_id,
            role=staff.role,
        )

    def _terms(self, request: Request, order: Order | None) -> Terms:
        command = request.command
        partner_id = command.partner_id if isinstance(command, PlaceOrder) else order and order.partner_id
        platform_id = command.platform_id if isinstance(command, PlaceOrder) else order and order.platform_id
        partner = self._known.partners.get(partner_id) if partner_id else None
        if partner is None:
            raise NotAllowed("no_such_order") if order is None else RuleError("no_such_partner")
        platform = self._known.platforms.get(platform_id) if platform_id else None
        if platform is None:
            raise RuleError("no_such_platform")
        return Terms(
            zone=partner.zone,
            policy=self._policy,
            platform_name=platform.name,
            tell_customer=platform.notify_customer,
            ask_review=platform.ask_review,
            paused_until=partner.paused_until,
            code=self._code_for(command) if isinstance(command, PlaceOrder) else "",
            timer=self._timer(command) if isinstance(command, FireTimer) else None,
        )

    def _code_for(self, command: PlaceOrder) -> str:
        codes = self._known.codes.get(command.partner_id)
        if not codes:
            self._alarm_no_code(command)
            raise NoFreeCode
        return codes[-1]

    def _alarm_no_code(self, command: PlaceOrder) -> None:
        """Owe the operators a word, once a day for each kitchen."""
        now = self._clock.now()
        partner = self._known.partners[command.partner_id]
        occasion = f"{command.partner_id}:{now.date().isoformat()}"
        self._changes.owe(Owed(NoticeKind.CODES_USED_UP, occasion, {"name": partner.code}), None, 0, now)

    def _timer(self, command: FireTimer) -> Planned | None:
        found = self._known.timers.get(command.timer_id)
        return found[1] if found and found[0] == command.order_id else None

    def _forbidden(self, request: Request, order: Order | None, refusal: NotAllowed) -> Answer:
        asked = ASKED[type(request.command)]
        if order is None or refusal.code in {"not_yours", "not_staff", "not_linked"}:
            return Answer(AnswerKind.FORBIDDEN, None, asked, why=refusal.code)
        return about(order, AnswerKind.FORBIDDEN, asked, why=refusal.code)

    # --- taking down what is to be written ----------------------------------------------------

    def _apply(self, request: Request, decision: Decision, before: Order | None, now: datetime) -> None:
        order = decision.order or before
        if isinstance(request.command, FireTimer):
            self._spend(request.command, now)
        if order is None:
            return
        if decision.order:
            self._take_down(request.command, decision.order)
        if decision.event:
            event_id = self._changes.happen(order, decision.event)
            self._changes.tell(self._known.platforms, order, decision.event, event_id, now)
            if request.signed:
                about = f"{self._known.partners[order.partner_id].code}/{order.code}"
                self._changes.sign(request.signed, order, decision.event, about=about)
        for owed in decision.notices:
            self._changes.owe(owed, order.id, order.revision, now)
        self._replan(order.id, decision)

    def _spend(self, command: FireTimer, now: datetime) -> None:
        timer = self._timer(command)
        if timer and timer.due_at <= now:  # else product time went back since the sweep saw it
            del self._known.timers[command.timer_id]
            self._changes.fired.append(command.timer_id)

    def _take_down(self, command: Command, order: Order) -> None:
        self._known.orders[order.id] = order
        if not isinstance(command, PlaceOrder):
            self._changes.move(order)
            return
        fingerprint = fingerprint_of(command)
        self._known.codes[command.partner_id].pop()
        self._known.placed[order.platform_id, order.external_id] = (order.id, fingerprint)
        self._changes.place(order, fingerprint)

    def _replan(self, order_id: OrderId, decision: Decision) -> None:
        self._changes.skipped += [(order_id, planned) for planned in decision.skipped]
        if decision.timers is not None:
            self._changes.replan(order_id, decision.timers)
            self._known.forget_timers(order_id)
        if decision.next_timer:
            self._changes.timers[order_id].append(decision.next_timer)

    def _remember(self, request: Request, answer: Answer, now: datetime) -> Answer:
        """Take down the answer under its key, and owe it to whoever waits for it in a chat."""
        if not request.key:
            return answer
        stored = answers.dump(answer)
        self._known.inbox[request.key] = Remembered(stored, request.fingerprint)
        self._changes.remember(request, stored, now)
        if request.reply_to:
            reply = _reply(request, request.key, request.reply_to, stored)
            self._changes.owe(reply, answer.order_id, 0, now, hold=request.hold)
        return answer


def _reply(request: Request, key: str, to: Address, stored: dict[str, Json]) -> Owed:
    staff_id = None if isinstance(request.actor, Actor) else str(request.actor.staff_id)
    data: dict[str, Json] = {
        "answer": stored,
        "to": {"kind": to.kind.value, "value": to.value},
        "staff_id": staff_id,
        "edits": request.edits,
    }
    return Owed(NoticeKind.ANSWER, key, data)


def fingerprint_of(command: PlaceOrder) -> bytes:
    """Return what tells one content of an order from another, whatever its id here."""
    content = replace(command, order_id=OrderId(UUID(int=0)))
    return hashlib.sha256(msgspec.json.encode(content)).digest()
