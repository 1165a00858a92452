"""Carrying an answer in the reply to whoever asked, where a gateway takes it along (eSMS' short codes)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.compose import Composer
from core import metrics, outbox
from core.channels import Card, Charge, Inbound, Sent
from core.clock import real_now
from core.database import Database
from core.notices.outgoing import Outgoing
from core.outbox import Attempt, Ways


@dataclass(frozen=True, slots=True)
class Answering:
    """Tells what is owed because of something that came in, itself instead of the worker.

    `say` makes the text of a card; `charge` is what carrying that text costs.
    """

    database: Database
    ways: Ways
    composer: Composer
    say: Callable[[Card], str]
    charge: Callable[[str], Charge]

    async def carried(self, inbound: Inbound) -> str | None:
        """Return the answers to `inbound` as one text and put them on record as sent; None without any.

        A repeat is told the same again. What this does not get done, the worker does when the hold is over.
        """
        notices = await outbox.answers_to(self.database, inbound.key)
        if not notices:
            return None
        due = await outbox.route(self.database, self.ways, notice_ids=notices, held=True)
        fresh = {message.id for message in due}
        texts = [await self._text(outgoing, fresh) for outgoing in await outbox.read(self.database, notices)]
        return "\n".join(text for text in texts if text) or None

    async def _text(self, outgoing: Outgoing, fresh: Collection[UUID]) -> str | None:
        """Return one answer: of those that are ours to send, or that were sent by us before."""
        if outgoing.id in fresh:
            claimed = await outbox.claim(self.database, outgoing.id)
            return await self._sent(claimed) if claimed else None
        if outgoing.was != "sent":
            return None
        card = await self.composer.card(outgoing)
        return self.say(card) if card else None

    async def _sent(self, outgoing: Outgoing) -> str | None:
        started = real_now()
        card = await self.composer.card(outgoing)
        if card is None:
            await outbox.drop(self.database, outgoing.id, "nothing to say any more")
            return None
        text = self.say(card)
        outcome = Sent(charge=self.charge(text))
        attempt = Attempt(started, real_now() - started, outcome)
        await outbox.settle(self.database, self.ways, outgoing, attempt)
        metrics.MESSAGES.labels(outgoing.channel.value, outgoing.kind.value, "sent").inc()
        return text


ANSWERING: Final = web.AppKey("answering", Answering)
