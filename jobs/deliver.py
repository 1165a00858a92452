"""From notices to gateways: everything that is owed to a person leaves here."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from core import metrics, outbox
from core.channels import Card, Channel, ChannelName, NoSuchRecipient, Outcome, TryLater, Unclear
from core.clock import real_now
from core.database import Database
from core.notices.outgoing import Outgoing
from core.outbox import Attempt, Due, Ways
from jobs.queues import Jobs

_log: Final = structlog.get_logger()
#: A channel bounds its own calls to 5 s; this is for one that does not keep its word.
_SEND_WITHIN: Final = 8.0


class Composer(Protocol):
    """Makes the card of a message."""

    async def card(self, outgoing: Outgoing) -> Card | None:
        """Return the card, or None when there is nothing to say any more."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What delivering needs."""

    database: Database
    ways: Ways
    channels: Mapping[ChannelName, Channel]
    composer: Composer
    jobs: Jobs

    async def route(self, notice_ids: Sequence[UUID] | None = None) -> int:
        """Turn owed notices into messages and wake their delivery; return how many messages."""
        due = await outbox.route(self.database, self.ways, notice_ids=notice_ids)
        await self.jobs.deliver(due)
        return len(due)

    async def deliver(self, message_id: UUID) -> None:
        """Claim one message, hand its card to the gateway, and put on record what became of it."""
        outgoing = await outbox.claim(self.database, message_id)
        if outgoing is None:
            return
        if outbox.must_give_way(outgoing):
            following = await outbox.give_way(self.database, self.ways, outgoing)
        else:
            following = await self._try(outgoing)
        await self.jobs.deliver(following)

    async def _try(self, outgoing: Outgoing) -> list[Due]:
        started = real_now()
        outcome = await self._outcome(outgoing)
        if outcome is None:
            await outbox.drop(self.database, outgoing.id, "nothing to say any more")
            return []
        attempt = Attempt(started, real_now() - started, outcome)
        name = outbox.OUTCOME_NAMES[type(outcome)]
        metrics.MESSAGES.labels(outgoing.channel.value, outgoing.kind.value, name).inc()
        _log.info(
            "message tried",
            message=str(outgoing.id),
            channel=outgoing.channel.value,
            kind=outgoing.kind.value,
            outcome=name,
            took_ms=round(attempt.took / timedelta(milliseconds=1)),
        )
        return await outbox.settle(self.database, self.ways, outgoing, attempt)

    async def _outcome(self, outgoing: Outgoing) -> Outcome | None:
        """Make the card and send it; None when there is nothing to say any more."""
        try:
            card = await self.composer.card(outgoing)
        except Exception:  # noqa: BLE001  (nothing was sent: a fault of ours must not lose the notice)
            _log.exception("card not made", message=str(outgoing.id), kind=outgoing.kind.value)
            return TryLater("the card could not be made")
        return await self._send(outgoing, card) if card else None

    async def _send(self, outgoing: Outgoing, card: Card) -> Outcome:
        channel = self.channels.get(outgoing.channel)
        if channel is None:
            return NoSuchRecipient("channel is off")
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                return await channel.send(outgoing.address, card, key=str(outgoing.id))
        except TimeoutError:
            return Unclear("no answer in time")
        except Exception:  # noqa: BLE001  (a channel that breaks its word: perhaps it was sent, perhaps not)
            _log.exception("channel failed", message=str(outgoing.id), channel=outgoing.channel.value)
            return Unclear("the channel failed")
