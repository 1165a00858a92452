"""What a message cost, for the record. Pure; whole đồng."""

from collections.abc import Mapping

from core.channels import ChannelName, Outcome, Sent, Unclear


def cost_of(outcome: Outcome, channel: ChannelName, prices: Mapping[str, int]) -> int | None:
    """Return what an attempt cost: what the gateway said, else parts times the price; None if nobody knows.

    The price is that of what was sent ("zalo_zbs_phone", "esms"), else of the channel ("sms").
    """
    charge = outcome.charge if isinstance(outcome, Sent | Unclear) else None
    if charge is None:
        return None
    if charge.dong is not None:
        return charge.dong
    price = prices.get(charge.what, prices.get(channel.value))
    return None if price is None else price * charge.parts
