"""A channel and a composer whose ends a test decides."""

from collections.abc import Sequence
from datetime import datetime

from core.channels import Address, Card, ChannelName, Outcome, Rate, ReceiptKind
from core.notices.outgoing import Outgoing

CARD = Card("order_new", "vi", "Đơn mới", "Đơn mới")


class Gateway:
    """A channel whose calls end as they are told to."""

    def __init__(self, ends: Sequence[Outcome | Exception], name: ChannelName = ChannelName.ZALO) -> None:
        self._ends = list(ends)
        self._name = name
        self.calls = 0

    @property
    def name(self) -> ChannelName:
        """The channel this is."""
        return self._name

    @property
    def gateway(self) -> str:
        """Who is behind it."""
        return self._name.value

    @property
    def rate(self) -> Rate | None:
        """It takes whatever comes."""
        return None

    def reaches(self, address: Address, kind: str, *, now: datetime) -> bool:
        """Whoever is asked for."""
        return True

    async def send(self, address: Address, card: Card, *, key: str) -> Outcome:
        """End as told."""
        self.calls += 1
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    async def ask(self, address: Address, gateway_id: str) -> ReceiptKind | None:
        """It tells nothing."""
        return None

    async def close(self) -> None:
        """Nothing is open."""


class Composer:
    """Makes a card, but for the first times."""

    def __init__(self, *, fails: int = 0) -> None:
        self._fails = fails

    async def card(self, outgoing: Outgoing) -> Card | None:
        """Fail as long as told."""
        self._fails -= 1
        if self._fails >= 0:
            raise KeyError("a blank that nobody filled")
        return CARD
