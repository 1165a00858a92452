"""The channel `sms`: cards as plain texts, by whichever gateway is set."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from re import compile as pattern
from typing import Final

from bot.sms.gateway import SmsGateway
from bot.sms.gateways import GATEWAYS
from bot.sms.render import renderer
from core.channels import (
    Address,
    AddressKind,
    Card,
    ChannelName,
    Inbound,
    Listens,
    NoSuchRecipient,
    Outcome,
    Rate,
    ReceiptKind,
    Refused,
)
from core.settings import Settings

_E164: Final = pattern(r"\+[1-9][0-9]{6,14}")


class SmsChannel:
    """Reaches people by SMS; `say` makes the text of a card."""

    name: Final = ChannelName.SMS

    def __init__(self, gateway: SmsGateway, say: Callable[[Card], str]) -> None:
        self._gateway = gateway
        self._say = say

    @property
    def gateway(self) -> str:
        """Who is behind it."""
        return self._gateway.name

    @property
    def rate(self) -> Rate | None:
        """How much the gateway takes."""
        return self._gateway.rate

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whether the address is a phone."""
        return address.kind is AddressKind.PHONE

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """Hand one card to the gateway; `key` is given on where it can tell a repeat by it."""
        if address.kind is not AddressKind.PHONE or not _E164.fullmatch(address.value):
            return NoSuchRecipient("no phone number")
        text = self._say(card)
        if not text:
            return Refused("nothing that an SMS could carry")
        return await self._gateway.send(address.value, text, key=key)

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """Ask the gateway how far a message came."""
        return await self._gateway.ask(gateway_id)

    async def close(self) -> None:
        """Let go of connections."""
        await self._gateway.close()


class ListeningSmsChannel(SmsChannel):
    """The channel of a gateway that people are heard by over its own connection (SMPP)."""

    def __init__(self, gateway: SmsGateway, listener: Listens, say: Callable[[Card], str]) -> None:
        super().__init__(gateway, say)
        self._listener = listener

    async def listen(self, hear: Callable[[Inbound], Awaitable[object]]) -> None:
        """Hand everything that comes in to `hear`, until cancelled."""
        await self._listener.listen(hear)


def open_sms(settings: Settings) -> SmsChannel:
    """Return the channel that the settings describe; needs a running event loop."""
    gateway = GATEWAYS[settings.require("sms_gateway")](settings)
    say = renderer(links=settings.sms_links)
    if isinstance(gateway, Listens):
        return ListeningSmsChannel(gateway, gateway, say)
    return SmsChannel(gateway, say)
