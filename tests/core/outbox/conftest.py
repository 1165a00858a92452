"""A kitchen whose notices are routed, claimed and settled as the worker does it, with outcomes by hand."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from core import outbox
from core.channels import Address, AddressKind, ChannelName, Outcome
from core.clock import real_now
from core.database import Database
from core.ledger import Ledger
from core.notices.outgoing import Outgoing
from core.orders.order import OrderId
from core.outbox import Attempt, Due, Ways
from tests.core.kitchens import Kitchen, add_person, ledger_of, open_kitchen, travel_to

OPERATORS: Final = "ops@example.com"


@dataclass
class Post:
    """The worker's hands. `on` are the channels that work; `sent` takes down every call to a gateway."""

    database: Database
    on: set[ChannelName] = field(default_factory=lambda: set(ChannelName))
    operators: Sequence[str] = (OPERATORS,)
    sent: list[tuple[ChannelName, str]] = field(default_factory=list)

    @property
    def ways(self) -> Ways:
        """The ways as they are now."""
        order = (ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS)
        return Ways(order, self._reaches, self.operators)

    def _reaches(self, channel: ChannelName, address: Address, kind: str, now: datetime) -> bool:
        is_phone_on_zalo = channel is ChannelName.ZALO and address.kind is AddressKind.PHONE
        return channel in self.on and not is_phone_on_zalo

    async def route(self, kind: str | None = None) -> list[Due]:
        """Route what is owed, or only notices of one kind."""
        if kind is None:
            return await outbox.route(self.database, self.ways)
        rows = await self.database.pool.fetch("SELECT id FROM notices WHERE kind = $1", kind)
        return await outbox.route(self.database, self.ways, notice_ids=[row["id"] for row in rows])

    async def try_(self, message_id: UUID, outcome: Outcome) -> list[Due]:
        """Do with one message what the worker does, where its gateway ends like this."""
        outgoing = await outbox.claim(self.database, message_id)
        if outgoing is None:
            return []
        if outbox.must_give_way(outgoing):
            return await outbox.give_way(self.database, self.ways, outgoing)
        return await self.settle(outgoing, outcome)

    async def settle(self, outgoing: Outgoing, outcome: Outcome) -> list[Due]:
        """Put a call to the gateway on record."""
        self.sent.append((outgoing.channel, outgoing.address.value))
        attempt = Attempt(real_now(), timedelta(milliseconds=80), outcome)
        return await outbox.settle(self.database, self.ways, outgoing, attempt)

    async def due(self) -> list[UUID]:
        """Return the messages that can be tried now."""
        return [each.id for each in await outbox.due(self.database)]

    async def waits(self, by: timedelta) -> None:
        """Let product time pass."""
        await travel_to(self.database, self.database.clock.now() + by)

    async def messages(self) -> list[tuple[str, str, str]]:
        """Return channel, address and state of every message, oldest first."""
        rows = await self.database.pool.fetch(
            "SELECT channel, address, state FROM messages ORDER BY created_at, rung, leg DESC, address"
        )
        return [(row["channel"], row["address"], row["state"]) for row in rows]

    async def state(self, message_id: UUID) -> tuple[str, timedelta | None]:
        """Return a message's state and how long until it is tried again."""
        row = await self.database.pool.fetchrow(
            "SELECT state, next_at FROM messages WHERE id = $1", message_id
        )
        assert row is not None
        left = row["next_at"] - self.database.clock.now() if row["next_at"] else None
        return row["state"], left

    async def owed(self) -> list[tuple[str, str]]:
        """Return kind and state of every notice, oldest first."""
        rows = await self.database.pool.fetch("SELECT kind, state FROM notices ORDER BY owed_at, kind")
        return [(row["kind"], row["state"]) for row in rows]


@pytest.fixture
async def kitchen(database: Database) -> Kitchen:
    """Return Cơm nhà Lan."""
    return await open_kitchen(database)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with ledger_of(database) as ledger:
        yield ledger


@pytest.fixture
def post(database: Database) -> Post:
    """Return the worker's hands."""
    return Post(database)


@pytest.fixture
async def three_ways(database: Database, kitchen: Kitchen) -> None:
    """Let Lan alone be told, by Zalo, then Telegram, then SMS, and no mail."""
    await database.pool.execute("UPDATE staff SET removed_at = now()")
    await add_person(database, "Lan Anh", zalo="z-lan", telegram="t-lan", phone="+84901")


def only(due: Sequence[Due]) -> UUID:
    """Return the one message that can be tried."""
    (one,) = due
    return one.id


__all__ = ["OPERATORS", "OrderId", "Post", "only"]
