"""Somebody with a phone that can do nothing but SMS: reads what comes, and writes back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.sms import segments
from sandbox.sms.webhooks import Delivery


@dataclass(frozen=True, slots=True)
class Sms:
    """One text as it stands on the phone.

    `gateway_id` is the gateway's name for it; `other` the brand or number it came from or went to;
    `parts` how many messages it took on the air, `dong` what the gateway took for them all.
    """

    gateway_id: str
    at: datetime
    text: str
    other: str
    incoming: bool = True
    parts: int = 1
    dong: int = 0
    read: bool = False

    @property
    def is_unicode(self) -> bool:
        """Whether its characters made it dearer."""
        return not segments.is_plain(self.text)


class SmsPhone:
    """A phone and its texts. `number` is E.164.

    `refusal` is the gateway's error code that sends to this number get; `off` keeps receipts from coming.
    """

    def __init__(
        self, number: str, name: str, *, write: Callable[["SmsPhone", str], Awaitable[Delivery]]
    ) -> None:
        self.number = number
        self.name = name
        self.texts: list[Sms] = []
        self.off = False
        self.refusal: int | str | None = None
        self.on_change: Callable[[], None] = _nothing
        self._write = write
        self._arrived = asyncio.Event()

    @property
    def received(self) -> list[Sms]:
        """What came, the oldest first."""
        return [sms for sms in self.texts if sms.incoming]

    @property
    def unread(self) -> list[Sms]:
        """What `sees` has not read yet, the oldest first."""
        return [sms for sms in self.received if not sms.read]

    async def sees(self, text: str, *, within: float = 5.0) -> Sms:
        """Read the oldest unread SMS that contains `text`, waiting for it up to `within` real seconds.

        Raises AssertionError, with what was there instead.
        """
        try:
            async with asyncio.timeout(within):
                return await self._first_with(text)
        except TimeoutError:
            there = [sms.text for sms in self.unread]
            raise AssertionError(f"{self.name} did not see {text!r} by SMS; unread: {there}") from None

    async def _first_with(self, text: str) -> Sms:
        while True:
            for sms in self.unread:
                if text in sms.text:
                    return self._read(sms)
            self._arrived.clear()
            await self._arrived.wait()

    def reads_all(self) -> list[Sms]:
        """Read every unread SMS and return them."""
        return [self._read(sms) for sms in self.unread]

    async def writes(self, text: str) -> Delivery:
        """Write to the number that partners text to; it travels as a webhook of the gateway."""
        return await self._write(self, text)

    def keep(self, sms: Sms) -> None:
        """Put a text on the phone."""
        self.texts.append(sms)
        self._arrived.set()
        self.on_change()

    def _read(self, sms: Sms) -> Sms:
        known = replace(sms, read=True)
        self.texts[self.texts.index(sms)] = known
        self.on_change()
        return known


def _nothing() -> None:
    """Do nothing: nobody watches this phone."""
