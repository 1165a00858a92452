"""The seam between the channel `sms` and whoever carries its messages. Types only."""

from typing import Protocol

from core.channels import Outcome, Rate, ReceiptKind


class SmsGateway(Protocol):
    """One gateway: adding another is one file like its neighbours and one line in `bot/sms/gateways.py`."""

    @property
    def name(self) -> str:
        """Its word in the setting SMS_GATEWAY; limits, prices and troubles are told by it."""

    @property
    def rate(self) -> Rate | None:
        """How much it takes, None where it has said nothing."""

    async def send(self, phone: str, text: str, *, key: str) -> Outcome:
        """Hand one text (GSM 03.38, already without accents) to a phone (E.164), within 5 s.

        `key` is the same for every attempt at one message: it is given to a gateway that can tell a repeat.
        Never raises for what the gateway does. `Sent` and `Unclear` carry the charge.
        """

    async def ask(self, gateway_id: str) -> ReceiptKind | None:
        """Ask how far a message came; None where the gateway cannot tell. Bounded and silent as `send`."""

    async def close(self) -> None:
        """Let go of connections."""
