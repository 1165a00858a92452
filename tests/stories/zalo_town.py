"""Kitchens that Zalo reaches by user id and by phone, with SMS for whom it does not reach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.channels import Address, AddressKind
from core.partners import addresses
from sandbox.sms import FakeSpeedSms, SmsPhone
from sandbox.zalo import Bubble, Param, Person, Template
from tests.stories.world import OPERATORS, Somebody, World, open_world

#: Reads as it stands in the portal; the setting writes the same letters in its own way.
CONFIRM, CANCEL, COMPLETE = "Xác nhận", "Huỷ đơn này", "Đã giao xong"
QUICK_REPLIES: Final = {"XÁC NHẬN ": "confirm", "Huỷ đơn này": "cancel", "đã giao xong": "complete"}
PRICES: Final = {"zalo_cs_late": 55, "zalo_zbs_uid": 140, "zalo_zbs_phone": 200, "speedsms": 350}
CUSTOMER: Final = "+84909123456"
_PARAMS: Final = (Param("order_code", 30), Param("summary", 200))


@dataclass(frozen=True, slots=True)
class Town:
    """The world, and the gateway that carries its SMS."""

    world: World
    sms: FakeSpeedSms

    async def gives_phone(self, somebody: Somebody, number: str = "+84909123457") -> SmsPhone:
        """Let a kitchen know somebody's phone, which is on Zalo too; return it as it takes SMS."""
        somebody.phone.person.phone = number.removeprefix("+")
        phone = Address(AddressKind.PHONE, number)
        await addresses.add(self.world.database.pool, somebody.staff_id, phone, now=self.world.now)
        return self.sms.phone(number, somebody.name)

    async def replies(self, person: Person, label: str, *, on: Bubble | None = None) -> None:
        """Tap a button of a template, and wait until everything has settled."""
        delivery = await person.replies(label, on=on)
        assert delivery.status == 200, delivery
        await self.world.settles()

    async def spent(self) -> list[tuple[str, int | None]]:
        """Return what was paid for and how much of it, oldest first."""
        rows = await self.world.database.pool.fetch(
            "SELECT what, cost FROM attempts WHERE what IS NOT NULL ORDER BY id"
        )
        return [(row["what"], row["cost"]) for row in rows]

    async def outcomes(self, order_id: str) -> list[tuple[str, str, str]]:
        """Return every attempt for an order by chat: channel, kind of address, outcome."""
        rows = await self.world.database.pool.fetch(
            "SELECT m.channel, m.address_kind, a.outcome"
            " FROM attempts a JOIN messages m ON m.id = a.message_id"
            " WHERE m.order_id = $1 AND m.channel <> 'email' ORDER BY a.id",
            UUID(order_id),
        )
        return [(row["channel"], row["address_kind"], row["outcome"]) for row in rows]

    def nobody_got_more(self) -> None:
        """Fail when somebody got a message that the story did not expect.

        What kitchens get by mail and customers by mail and SMS is told of elsewhere.
        """
        for address in self.world.mailbox.addresses:
            if address != OPERATORS:
                self.world.inbox(address).opens_all()
        self.sms.phone(CUSTOMER).reads_all()
        self.world.nobody_got_more()
        texts = {phone.number: [sms.text for sms in phone.unread] for phone in self.sms.phones.values()}
        assert not any(texts.values()), f"unexpected SMS: {texts}"


@asynccontextmanager
async def open_town(
    database_url: str, redis_url: str, templates: dict[str, object], **changed: Any
) -> AsyncIterator[Town]:
    """Open the service with SMS and these templates; those with response buttons have all three."""
    async with FakeSpeedSms(per_minute=None) as sms:
        settings: dict[str, Any] = dict(sms.settings) | {
            "zalo_templates": templates,
            "zalo_quick_replies": QUICK_REPLIES,
        }
        settings |= {"prices": PRICES} | changed
        async with open_world(database_url, redis_url, **settings) as world:
            sms.webhook_base = world.url
            for kind, chosen in templates.items():
                world.zalo.add_template(_approved(kind, chosen))
            await world.platform()
            yield Town(world, sms)


def _approved(kind: str, chosen: object) -> Template:
    body = "Đơn <order_code>: <summary>"
    if isinstance(chosen, dict):
        responses = (CONFIRM, CANCEL, COMPLETE)
        return Template(str(chosen["id"]), kind, body, _PARAMS, responses=responses)
    return Template(str(chosen), kind, body, _PARAMS)


#: So long after the last word a user is out of every window.
OUT_OF_REACH: Final = timedelta(days=7, minutes=1)
