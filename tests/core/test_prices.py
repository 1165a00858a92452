"""What an attempt cost."""

import pytest

from core.channels import ChannelName, Charge, NoSuchRecipient, Outcome, Sent, TryLater, Unclear
from core.prices import cost_of

PRICES = {"zalo_zbs_phone": 200, "esms": 820, "sms": 700}


@pytest.mark.parametrize(
    ("channel", "outcome", "cost"),
    [
        pytest.param("zalo", Sent("1", charge=Charge("zalo_cs", dong=0)), 0, id="free"),
        pytest.param("zalo", Sent("1", charge=Charge("zalo_zbs_phone")), 200, id="a template"),
        pytest.param("sms", Sent("1", charge=Charge("esms", 2)), 1_640, id="two segments"),
        pytest.param("sms", Sent("1", charge=Charge("speedsms", 2)), 1_400, id="the channel's price"),
        pytest.param(
            "sms", Sent("1", charge=Charge("esms", 2, dong=900)), 900, id="the gateway knows better"
        ),
        pytest.param("sms", Unclear("silence", charge=Charge("esms")), 820, id="perhaps sent is paid for"),
        pytest.param("zalo", Sent("1", charge=Charge("zalo_cs_late")), None, id="nobody knows"),
        pytest.param("email", Sent("1"), None, id="nothing is paid for"),
        pytest.param("sms", TryLater("HTTP 500"), None, id="not sent"),
        pytest.param("sms", NoSuchRecipient("108"), None, id="not deliverable"),
    ],
)
def test_what_it_cost(channel: str, outcome: Outcome, cost: int | None) -> None:
    """What the gateway said, else parts times the price of what was sent, else of its channel."""
    assert cost_of(outcome, ChannelName(channel), PRICES) == cost
