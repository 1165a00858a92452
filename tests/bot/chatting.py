"""A kitchen's chats in front of a real database: what people say goes in, the cards they get come out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from bot.compose import Composer
from bot.conversation import Conversation
from bot.tokens import Signer
from core import outbox
from core.actors import Role
from core.channels import Address, AddressKind, Body, Button, Card, ChannelName, Inbound, Pressed, Said
from core.clock import real_now
from core.database import Database, connect
from core.ledger import Ledger
from core.notices.kinds import NoticeKind
from core.orders.commands import ConfirmOrder
from core.orders.models import OrderRow
from core.orders.order import Order
from core.outbox import Ways
from core.settings import Settings
from tests.core.kitchens import (
    HOA_KITCHEN,
    Person,
    SilentWake,
    add_partner,
    add_person,
    add_platform,
    ledger_of,
    place,
)

SECRET = "a secret for tests, long enough to be one"
SIGNER = Signer([SECRET])
SETTINGS = Settings(_env_file=None, secret_key=SECRET, hotline="19001234", base_url="https://chotdon.vn")
WAYS = Ways((ChannelName.ZALO, ChannelName.SMS), lambda channel, address, kind, now: True, ["ops@chotdon.vn"])


@dataclass(slots=True)
class Chats:
    """Everybody's chats at once."""

    database: Database
    ledger: Ledger
    conversation: Conversation
    composer: Composer
    wake: SilentWake
    lan: Person
    told: list[tuple[str, NoticeKind, Card | None]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """Product time."""
        return self.database.clock.now()

    async def says(self, who: str, text: str, *, key: str | None = None) -> list[Card]:
        """Have somebody write from their Zalo; return the cards they get for it."""
        return await self.comes_in(who, Said(text), key=key)

    async def presses(self, who: str, button: Button | str, *, key: str | None = None) -> list[Card]:
        """Have somebody press a button, or send back its payload; return the cards they get for it."""
        payload = button if isinstance(button, str) else str(button.payload)
        return await self.comes_in(who, Pressed(payload), key=key)

    async def comes_in(self, who: str, body: Body, *, key: str | None = None) -> list[Card]:
        """Take something in from somebody's Zalo; return the answers they get."""
        sender = Address(AddressKind.ZALO_USER, who)
        inbound = Inbound(ChannelName.ZALO, key or f"zalo:{uuid4()}", sender, body)
        await self.conversation.handle(inbound)
        return [card for kind, card in await self.delivered(who) if kind is NoticeKind.ANSWER]

    async def delivered(self, who: str) -> list[tuple[NoticeKind, Card]]:
        """Make the cards of all that is owed now; return those for this address."""
        made: list[tuple[NoticeKind, Card]] = []
        for due in await outbox.route(self.database, WAYS):
            outgoing = await outbox.claim(self.database, due.id)
            if outgoing is None:
                continue
            card = await self.composer.card(outgoing)
            await outbox.drop(self.database, due.id, "seen by a test")
            self.told.append((outgoing.address.value, outgoing.kind, card))
            if card and outgoing.address.value == who:
                made.append((outgoing.kind, card))
        return made

    def of_kind(self, kind: NoticeKind) -> list[Card | None]:
        """Return what has been told of this kind, to whomever."""
        return [card for _, each, card in self.told if each is kind]

    async def places(self, **changes: object) -> Order:
        """Have the platform place an order, and let everybody be told."""
        order_id = await place(self.database, self.ledger, **changes)
        await self.delivered("")
        return await self.order(order_id)

    async def confirmed(self, **changes: object) -> Order:
        """Return an order that Lan has confirmed on the web."""
        order = await self.places(**changes)
        await self.ledger.submit(ConfirmOrder(order.id), actor=self.lan.on_the_web())
        await self.delivered("")
        return await self.order(order.id)

    async def order(self, order_id: UUID) -> Order:
        """Return the order as it is now."""
        return (await OrderRow.get(id=order_id)).to_order()

    async def moves(self, by: timedelta) -> None:
        """Move product time."""
        ahead = self.now - real_now() + by
        await self.database.pool.execute("UPDATE clock SET ahead = $1", ahead)
        await self.database.set_clock()

    async def hires(self, name: str, role: Role, zalo: str, *, elsewhere: bool = False) -> Person:
        """Add somebody to Lan's kitchen, or to Hoa's."""
        if elsewhere:
            return await add_person(self.database, name, role, partner_id=HOA_KITCHEN, zalo=zalo)
        return await add_person(self.database, name, role, zalo=zalo)


@asynccontextmanager
async def open_chats(database_url: str) -> AsyncIterator[Chats]:
    """Yield two kitchens; Lan owns the first and is on Zalo as "lan"."""
    async with connect(database_url, connections=4) as database:
        await add_partner(database)
        await add_partner(database, HOA_KITCHEN, code="bep-hoa")
        await add_platform(database)
        lan = await add_person(database, "Lan", zalo="lan")
        wake = SilentWake()
        async with ledger_of(database) as ledger:
            conversation = Conversation(
                settings=SETTINGS, database=database, ledger=ledger, signer=SIGNER, wake=wake
            )
            composer = Composer(settings=SETTINGS, signer=SIGNER, database=database)
            yield Chats(database, ledger, conversation, composer, wake, lan)
