"""N5: "delivery tomorrow", by the calendar of the kitchen."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.orders.commands import ConfirmOrder
from sandbox.platform import FakePlatform
from tests.stories.world import VIETNAM, News, Placed, Somebody, World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def may(day: int, hour: int = 11, minute: int = 30) -> datetime:
    """Return a moment of May 2033 in Vietnam; the story begins on the 20th."""
    return datetime(2033, 5, day, hour, minute, tzinfo=VIETNAM)


async def placed_for(world: World, lan: Somebody, moment: datetime, **parts: Any) -> Placed:
    """Have an order placed for this moment and confirmed at once."""
    order = await world.order(deliver_at=moment.isoformat(), **parts)
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    return order


async def test_the_example_of_the_partner_guide(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Ordered on the 20th for 24 May: on 23 May at 09:00, by mail and chat, once."""
    order = await placed_for(world, lan, may(24))
    await world.passes_until(may(23, 8, 59))
    assert lan.catches_up() == News()
    await world.passes_until(may(23, 9, 0))
    card = await lan.phone.sees(
        f"Đơn {order.code} giao ngày mai", "Giao 11:30 thứ Ba 24/05", "Công ty ABC · 0909123456"
    )
    assert lan.phone.buttons(card) == ["Gọi tổng đài", "Xem chi tiết đơn hàng"]
    mail = lan.mail.gets(f"Đơn {order.code} giao ngày mai")
    assert mail.attachments[0].content_type == "text/calendar"
    await world.passes_until(may(24, 11, 30))
    assert lan.catches_up() == News()


@pytest.mark.parametrize(
    ("ordered", "delivered", "reminded"),
    [
        (may(20, 0, 1), may(23, 23, 59), True),  # three calendar days apart
        (may(20, 0, 1), may(22, 23, 59), False),  # two, although nearly three times 24 hours
        (may(19, 23, 59), may(22, 0, 1), True),  # three, although hardly more than two times 24 hours
        (may(20, 9, 0), may(20, 18, 0), False),  # TH1: on the same day
        (may(20, 9, 0), may(21, 18, 0), False),
        (datetime(2033, 5, 17, tzinfo=VIETNAM), datetime(2033, 5, 22, tzinfo=VIETNAM), True),
    ],
)
async def test_only_more_than_two_calendar_days_ahead(
    world: World,
    platform: FakePlatform,
    lan: Somebody,
    ordered: datetime,
    delivered: datetime,
    reminded: bool,
) -> None:
    """Days count, not hours, in the kitchen's own calendar."""
    order = await placed_for(world, lan, delivered, ordered_at=ordered.isoformat())
    eve = datetime.combine(delivered.date() - timedelta(days=1), datetime.min.time(), tzinfo=VIETNAM)
    if eve + 9 * HOUR > world.now:
        await world.passes_until(eve + 9 * HOUR)
    title = f"Đơn {order.code} giao ngày mai"
    assert lan.catches_up() == (News(chat=(title,), mail=(title,)) if reminded else News())


@pytest.mark.parametrize(
    ("moment", "reminded_at"),
    [
        (datetime(2033, 6, 1, 11, 30, tzinfo=VIETNAM), datetime(2033, 5, 31, 9, 0, tzinfo=VIETNAM)),
        (datetime(2034, 1, 1, 0, 0, tzinfo=VIETNAM), datetime(2033, 12, 31, 9, 0, tzinfo=VIETNAM)),
        (datetime(2036, 3, 1, 0, 5, tzinfo=VIETNAM), datetime(2036, 2, 29, 9, 0, tzinfo=VIETNAM)),
    ],
)
async def test_the_day_before_the_first_of_a_month(
    world: World, platform: FakePlatform, lan: Somebody, moment: datetime, reminded_at: datetime
) -> None:
    """At the end of a month, of a year, and on 29 February; by mail, for Zalo's week is over by then."""
    order = await placed_for(world, lan, moment)
    await world.passes_until(reminded_at - MINUTE)
    assert lan.catches_up() == News()
    await world.passes_until(reminded_at)
    assert lan.catches_up() == News(mail=(f"Đơn {order.code} giao ngày mai",))


async def test_by_the_clock_on_the_kitchens_wall(world: World, platform: FakePlatform) -> None:
    """A kitchen in Tokyo is reminded at nine in Tokyo."""
    lan = await world.kitchen(timezone="Asia/Tokyo")
    tokyo = ZoneInfo("Asia/Tokyo")
    order = await placed_for(world, lan, datetime(2033, 5, 24, 0, 30, tzinfo=tokyo))
    await world.passes_until(datetime(2033, 5, 23, 8, 59, tzinfo=tokyo))
    assert lan.catches_up() == News()
    await world.passes_until(datetime(2033, 5, 23, 9, 0, tzinfo=tokyo))
    assert "Giao 00:30 thứ Ba 24/05" in (await lan.phone.sees(f"Đơn {order.code} giao ngày mai")).text
    lan.catches_up()


async def test_not_when_it_is_not_confirmed_by_then(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """An order that still waits is nudged, not announced; confirmed after nine, its hour is past."""
    order = await world.order(deliver_at=may(24).isoformat())
    await world.passes_until(may(23, 9, 0))
    lan.catches_up()
    await lan.phone.says(f"XN {order.code}")
    assert lan.catches_up().chat == (f"Đã xác nhận đơn {order.code}",)
    await world.passes(MINUTE)
    assert lan.catches_up() == News()
    await world.passes_until(may(24, 11, 0))
    assert lan.catches_up() == News()


async def test_confirmed_just_in_time(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """A minute before nine is early enough."""
    order = await world.order(deliver_at=may(24).isoformat())
    await world.passes_until(may(23, 8, 58))
    await lan.phone.says(f"XN {order.code}")
    lan.catches_up()
    await world.passes_until(may(23, 9, 0))
    assert lan.catches_up().chat == (f"Đơn {order.code} giao ngày mai",)


async def test_a_delivery_moved_to_another_day_is_announced_anew(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Once for each delivery day; moved back to a day that was announced already, not again."""
    order = await placed_for(world, lan, may(24))
    await world.passes_until(may(23, 9, 0))
    assert len(lan.catches_up().chat) == 1
    await moved(world, lan, order, may(26))
    await world.passes_until(may(25, 9, 0))
    assert lan.catches_up().chat == (f"Đơn {order.code} giao ngày mai",)
    await moved(world, lan, order, may(27))
    await moved(world, lan, order, may(26, 18))
    await world.passes(MINUTE)
    assert lan.catches_up() == News()
    await world.passes_until(may(26, 9, 0))
    assert lan.catches_up() == News()


async def test_a_delivery_moved_within_its_day_is_announced_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Whether before or after the announcement."""
    order = await placed_for(world, lan, may(24))
    await moved(world, lan, order, may(24, 12))
    await world.passes_until(may(23, 9, 0))
    assert len(lan.catches_up().chat) == 1
    await moved(world, lan, order, may(24, 17))
    await world.passes(MINUTE)
    assert lan.catches_up() == News()
    await world.passes_until(may(24, 16, 0))
    assert lan.catches_up() == News()


async def test_moved_away_before_its_announcement_nothing_is_announced_for_the_old_day(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The old day's timer dies with the change."""
    order = await placed_for(world, lan, may(24))
    await moved(world, lan, order, may(28))
    await world.passes_until(may(23, 9, 0))
    assert lan.catches_up() == News()
    await world.passes_until(may(27, 9, 0))
    assert len(lan.catches_up().chat) == 1


async def moved(world: World, lan: Somebody, order: Placed, moment: datetime) -> None:
    """Let the platform move the delivery, and Lan confirm it again."""
    answer = await order.platform.change(order.id, deliver_at=moment.isoformat())
    assert answer.status == 200, answer
    await world.settles()
    await world.operator(ConfirmOrder(order.order_id))
    lan.catches_up()


async def test_after_an_outage_it_is_not_sent_on_the_delivery_day(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Late on the day before it is still true; on the day itself it is not."""
    late, too_late = await placed_for(world, lan, may(24)), await placed_for(world, lan, may(25))
    await world.passes_until(may(23, 20, 0))
    assert lan.catches_up().chat == (f"Đơn {late.code} giao ngày mai",)
    await world.passes_until(may(25, 0, 1))
    lan.catches_up()
    told = [bubble.text for bubble in lan.phone.person.received]
    assert not any(f"Đơn {too_late.code} giao" in text.partition("\n")[0] for text in told)
