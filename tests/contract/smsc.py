"""The other side of SMPP for the contract: a real SMSC that answers every message by itself."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Self

import smpp34

from core.channels import Address, AddressKind
from tests.bot.sms.smsc import INVALID_DESTINATION, SYSTEM_ERROR, RealSmsc
from tests.contract.gateway import Gateway

_NOBODY: Final = "84909000000"


class SmppSmsc(Gateway):
    """`smpp34`; it cannot be told which messages are the same."""

    knows_repeats = False

    def __init__(self) -> None:
        self.lan = Address(AddressKind.PHONE, "+84909123456")
        self.nobody = Address(AddressKind.PHONE, f"+{_NOBODY}")
        self._smsc = RealSmsc()
        self._accepted: list[bytes] = []
        self._left_alone: list[smpp34.SubmitSmEvent] = []
        self._hangs = 0
        self._fails = False

    async def __aenter__(self) -> Self:
        await self._smsc.__aenter__()
        self._answering = asyncio.create_task(self._answer_all())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._answering.cancel()
        await asyncio.gather(self._answering, return_exceptions=True)
        await self.refuse()

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that lead to it."""
        url = f"smpp://kitchen:secret@127.0.0.1:{self._smsc.port}"
        return {"sms_gateway": "smpp", "smpp_url": url, "sms_reply_number": "8041"}

    def taken(self) -> list[str]:
        """Return the texts of the messages that reached somebody."""
        return [text.decode() for text in self._accepted]

    def named(self) -> Address:
        """Return an address at which the gateway tells messages apart by our key."""
        return self.lan

    def names(self) -> list[str]:
        """Return nothing: it is given nothing to tell messages apart by."""
        return []

    async def refuse(self) -> None:
        """Refuse connections."""
        await self._smsc.__aexit__(None, None, None)

    def fail(self) -> None:
        """Fail at every call, in the gateway's own way of saying "later"."""
        self._fails = True

    def hang(self, seconds: float) -> None:
        """Say nothing to the next call."""
        self._hangs += 1

    async def _answer_all(self) -> None:
        while True:
            self._answer(await self._smsc.submitted.get())

    def _answer(self, message: smpp34.SubmitSmEvent) -> None:
        if self._hangs:
            self._hangs -= 1
            self._left_alone.append(message)
        elif self._fails:
            message.reject(SYSTEM_ERROR)
        elif message.destination_addr == _NOBODY:
            message.reject(INVALID_DESTINATION)
        else:
            self._take(message)

    def _take(self, message: smpp34.SubmitSmEvent) -> None:
        """Accept it; the parts of a long one are one message."""
        said, number = message.short_message, 1
        if message.esm_class:
            said, number = said[6:], said[5]
        if number == 1:
            self._accepted.append(said)
        else:
            self._accepted[-1] += said
        message.accept(f"id-{len(self._accepted)}-{number}")
