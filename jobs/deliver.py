"""From notices to gateways: everything that is owed to a person leaves here."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from core import alarms, metrics, outbox
from core.channels import (
    Card,
    Channel,
    ChannelName,
    Edits,
    NoSuchRecipient,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from core.database import AWAY, Database
from core.notices.kinds import Way
from core.notices.outgoing import Outgoing
from core.outbox import Attempt, Due, Ways
from core.prices import cost_of
from core.tracing import Tracer
from jobs.breaker import Breakers
from jobs.limits import Calm, Limits
from jobs.queues import Jobs

_log: Final = structlog.get_logger()
#: A channel bounds its own calls to 5 s; this is for one that does not keep its word.
_SEND_WITHIN: Final = 8.0
#: Who has no other channel than one whose gateway is left alone waits so long (product time).
_WAITS_FOR_REST: Final = timedelta(seconds=30)


class Composer(Protocol):
    """Makes the card of a message."""

    async def card(self, outgoing: Outgoing) -> Card | None:
        """Return the card, or None when there is nothing to say any more."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What delivering needs. `prices` are in đồng, by what is paid for."""

    database: Database
    ways: Ways
    channels: Mapping[ChannelName, Channel]
    composer: Composer
    jobs: Jobs
    limits: Limits
    breakers: Breakers
    prices: Mapping[str, int] = field(default_factory=dict)
    calm: Calm = field(default_factory=Calm)
    standing: alarms.Standing = field(default_factory=alarms.Standing)
    tracer: Tracer | None = None

    async def route(self, notice_ids: Sequence[UUID] | None = None) -> int:
        """Turn owed notices into messages and wake their delivery; return how many messages."""
        due = await self.routed(notice_ids)
        await self.jobs.deliver(due)
        return len(due)

    async def routed(self, notice_ids: Sequence[UUID] | None = None) -> list[Due]:
        """Turn owed notices into messages; return those that can be tried now."""
        return await outbox.route(self.database, self.ways, notice_ids=notice_ids)

    async def deliver(self, message_id: UUID, channel: ChannelName) -> None:
        """Claim one message of a channel, hand its card to the gateway, and put on record what became of it.

        Beyond what the gateway takes it stays due: the sweep queues it again, by its deadline.
        """
        if not await self._is_let_through(channel):
            return
        outgoing = await outbox.claim(self.database, message_id)
        if outgoing is None:
            return
        if outbox.must_give_way(outgoing):
            following = await self._give_way(outgoing)
        else:
            following = await self._try_in_turn(outgoing)
        await self.jobs.deliver(following)

    async def _is_let_through(self, name: ChannelName) -> bool:
        channel = self.channels.get(name)
        if channel is None:
            return True
        return not await self.limits.wait_for_gateway(channel.gateway, channel.rate)

    async def _give_way(self, outgoing: Outgoing) -> list[Due]:
        """Let the next channel take over, unless the gateway knows by now that it arrived."""
        channel = self.channels.get(outgoing.channel)
        if channel and outgoing.gateway_id and outgoing.receipt is None:
            known = await channel.ask(outgoing.address, outgoing.gateway_id)
            if known in {ReceiptKind.DELIVERED, ReceiptKind.SEEN}:
                told = Receipt(known, ids=(outgoing.gateway_id,))
                await outbox.receipt(self.database, outgoing.channel, told)
                await outbox.let_go(self.database, outgoing.id)
                return []
        return await outbox.give_way(self.database, self.ways, outgoing)

    async def _try_in_turn(self, outgoing: Outgoing) -> list[Due]:
        if outgoing.way != Way.EMAIL and (wait := self.calm.wait(outgoing.address)):
            await outbox.postpone(self.database, outgoing.id, wait)
            return []
        channel = self.channels.get(outgoing.channel)
        if channel and not self.breakers.may_call(channel.gateway):
            return await outbox.pass_over(self.database, self.ways, outgoing, _RESTS, wait=_WAITS_FOR_REST)
        return await self._try(outgoing)

    async def _try(self, outgoing: Outgoing) -> list[Due]:
        started, began = real_now(), time.time_ns()
        outcome = await self._outcome(outgoing)
        if outcome is None:
            await outbox.drop(self.database, outgoing.id, "nothing to say any more")
            return []
        cost = cost_of(outcome, outgoing.channel, self.prices)
        attempt = Attempt(started, real_now() - started, outcome, cost)
        name = outbox.OUTCOME_NAMES[type(outcome)]
        metrics.MESSAGES.labels(outgoing.channel.value, outgoing.kind.value, name).inc()
        if isinstance(outcome, Sent) and outgoing.way == Way.CHAT:
            metrics.RUNGS.labels(outgoing.channel.value, "first" if outgoing.is_first else "later").inc()
        if cost:
            metrics.COST.labels(outgoing.channel.value).inc(cost)
        _log.info(
            "message tried",
            message=str(outgoing.id),
            channel=outgoing.channel.value,
            kind=outgoing.kind.value,
            outcome=name,
            took_ms=round(attempt.took / timedelta(milliseconds=1)),
        )
        self._trace("gateway", outgoing, name, began)
        following = await outbox.settle(self.database, self.ways, outgoing, attempt)
        self._trace("deliver", outgoing, name, began)
        return following

    def _trace(self, name: str, outgoing: Outgoing, outcome: str, began: int) -> None:
        if self.tracer is None or outgoing.order is None:
            return
        facts = {
            "message": str(outgoing.id),
            "channel": outgoing.channel.value,
            "kind": outgoing.kind.value,
            "outcome": outcome,
            "try": outgoing.tries,
        }
        self.tracer.record(name, outgoing.order.id, began, facts)

    async def _outcome(self, outgoing: Outgoing) -> Outcome | None:
        """Make the card and send it; None when there is nothing to say any more."""
        try:
            card = await self.composer.card(outgoing)
        except Exception:  # noqa: BLE001  (nothing was sent: a fault of ours must not lose the notice)
            _log.exception("card not made", message=str(outgoing.id), kind=outgoing.kind.value)
            return TryLater("the card could not be made")
        return await self._sent(outgoing, card) if card else None

    async def _sent(self, outgoing: Outgoing, card: Card) -> Outcome:
        """Send, and learn from it how the gateway is."""
        channel = self.channels.get(outgoing.channel)
        if channel is None:
            return NoSuchRecipient("channel is off", Scope.MESSAGE)
        if outgoing.has_ended:
            return NoSuchRecipient("the address was given up", Scope.MESSAGE)
        outcome = await self._send(channel, outgoing, card)
        if self.breakers.note(channel.gateway, outcome):
            await self._alarm(channel.gateway)
        await self._learn(channel, outgoing, outcome)
        return outcome

    async def _send(self, channel: Channel, outgoing: Outgoing, card: Card) -> Outcome:
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                if outgoing.edits and isinstance(channel, Edits):
                    return await channel.edit(
                        outgoing.address,
                        outgoing.edits,
                        card,
                        key=str(outgoing.id),
                        or_send=outgoing.is_first,
                    )
                return await channel.send(outgoing.address, card, key=str(outgoing.id))
        except TimeoutError:
            return Unclear("no answer in time")
        except Exception:  # noqa: BLE001  (a channel that breaks its word: perhaps it was sent, perhaps not)
            _log.exception("channel failed", message=str(outgoing.id), channel=outgoing.channel.value)
            return Unclear("the channel failed")

    async def _learn(self, channel: Channel, outgoing: Outgoing, outcome: Outcome) -> None:
        """Give the all-clear of what this call shows to be over; if it cannot be given, the next one does."""
        if isinstance(outcome, TryLater | Unclear):
            return
        what = outcome.charge.what if isinstance(outcome, Sent) and outcome.charge else None
        proof = alarms.Proof(outgoing.channel.value, what, outgoing.kind.value)
        try:
            await self.standing.answers(self.database, channel.gateway)
            if isinstance(outcome, Sent):
                await self.standing.taken(self.database, proof)
        except AWAY as error:
            _log.warning("alarm not cleared", gateway=channel.gateway, why=type(error).__name__)
        if isinstance(outcome, Refused) and outcome.alarm:
            self.standing.forget()  # the alarm is raised as soon as this is settled

    async def _alarm(self, gateway: str) -> None:
        """Tell the operators that a gateway does not answer."""
        _log.warning("gateway is down", gateway=gateway)
        async with self.database.pool.acquire() as connection, connection.transaction():
            await alarms.raise_(connection, f"{gateway}: gateway", _DOWN, now=self.database.clock.now())
        self.standing.forget()


_RESTS: Final = "the gateway is left alone for a while"
_DOWN: Final = "5 lần gọi liền nhau không thành: tin nhắn đi bằng kênh khác cho đến khi cổng trả lời lại"
