"""Sample orders are believable and valid; the feed tells every subscriber every hop."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.feed import Feed
from sandbox.menu import delivery_time, sample_order, sample_review
from tests.sandbox.conftest import HandClock

NOW = datetime(2026, 11, 24, 2, 7, 31, tzinfo=UTC)
HERE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize("seed", range(30))
def test_an_order_adds_up(seed: int) -> None:
    """The total is the sum of its items, all of them counted in whole đồng and at least one."""
    order = sample_order(partner="com-nha-lan", now=NOW, chance=random.Random(seed))
    assert order["total"] == sum(item["quantity"] * item["unit_price"] for item in order["items"])
    assert min(item["quantity"] for item in order["items"]) >= 1
    assert datetime.fromisoformat(order["deliver_at"]) > NOW
    assert order["customer"]["phone"].startswith("09")


def test_orders_differ() -> None:
    """A hundred orders have a hundred external ids and more than a few dishes."""
    chance = random.Random(1)
    orders = [sample_order(partner="p", now=NOW, chance=chance) for _ in range(100)]
    assert len({order["external_id"] for order in orders}) == 100
    assert len({item["name"] for order in orders for item in order["items"]}) > 10
    assert sample_review(chance)["rating"] in range(1, 6)


@pytest.mark.parametrize(
    ("deliver_in", "expected"),
    [
        (timedelta(hours=3), datetime(2026, 11, 24, 12, 15, tzinfo=HERE)),
        (timedelta(hours=2, minutes=52, seconds=29), datetime(2026, 11, 24, 12, 0, tzinfo=HERE)),
        (timedelta(days=1), datetime(2026, 11, 25, 11, 30, tzinfo=HERE)),
        (timedelta(days=4), datetime(2026, 11, 28, 11, 30, tzinfo=HERE)),
        (timedelta(hours=16), datetime(2026, 11, 25, 1, 15, tzinfo=HERE)),
    ],
)
def test_when_it_is_delivered(deliver_in: timedelta, expected: datetime) -> None:
    """On a quarter of an hour, or at lunch time on another day."""
    assert delivery_time(NOW, deliver_in) == expected


async def test_the_feed_tells_everybody(clock: HandClock) -> None:
    """Subscribers hear what comes after them, late ones ask since a number, and closing lets all go."""
    feed = Feed(clock=clock, keep=3)
    feed.report("zalo.in", "một")
    with feed.subscribed() as one, feed.subscribed() as two:
        second = feed.report("zalo.out", "hai", ref="111")
        assert [one.get_nowait(), two.get_nowait()] == [second, second]
        feed.close()
        assert one.get_nowait() is None
    feed.report("zalo.out", "ba")
    feed.report("zalo.out", "bốn")
    assert one.empty()
    assert [hop.text_vi for hop in feed.since(2)] == ["ba", "bốn"]
    assert [hop.number for hop in feed.hops] == [2, 3, 4]
    assert feed.hops[0].at == clock()
