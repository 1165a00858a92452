"""N2: an order that still waits for its confirmation."""

from datetime import timedelta

import pytest

from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.order import Reason
from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def nudge(order: Placed) -> News:
    """Return what a nudge looks like from afar."""
    return News(chat=(f"Đơn {order.code} vẫn chờ bạn xác nhận",))


async def test_the_whole_ladder(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """15 and 30 minutes after, 24, 4, 2 and 1 hours before, to whom it may concern, none a minute early.

    First the recipients, then one colleague more, then all who may confirm; the operators with the last.
    """
    tu = await world.hires("Tú", "kitchen")
    vy = await world.hires("Vy", "cashier")
    order = await world.order(deliver_in=2 * DAY)
    lan.catches_up()
    placed_at = order.deliver_at - 2 * DAY
    steps = [
        (placed_at + 15 * MINUTE, [lan]),
        (placed_at + 30 * MINUTE, [tu]),
        *((order.deliver_at - left, [lan, tu]) for left in (24 * HOUR, 4 * HOUR, 2 * HOUR, HOUR)),
    ]
    for due, told in steps:
        assert world.operators.unread == []
        await world.passes_until(due - MINUTE)
        assert [who.catches_up() for who in (lan, tu, vy)] == [News()] * 3
        await world.passes_until(due + 3 * timedelta(seconds=1))
        assert [who for who in (lan, tu, vy) if who.catches_up() == nudge(order)] == told
    alarm = world.operators.gets(f"Đơn {order.code} của Bếp Lan chưa được xác nhận")
    assert [label for label, _ in alarm.links()] == ["Mở trang tổng đài", "Xem chi tiết đơn hàng"]


async def test_a_nudge_carries_the_order_and_both_buttons(world: World, rice: Placed, lan: Somebody) -> None:
    """Whoever was too busy the first time can act on the second card."""
    await world.passes(16 * MINUTE)
    card = await lan.phone.sees("vẫn chờ bạn xác nhận", "20 × Cơm gà", "còn 5 giờ 43 phút")
    assert lan.phone.buttons(card) == ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]
    await lan.phone.taps("Xác nhận đơn hàng", on=card)
    await lan.phone.sees("Đã xác nhận")


async def test_the_next_colleague_is_the_one_added_first(world: World, rice: Placed, lan: Somebody) -> None:
    """One person more, who may confirm and was not told yet: the cashier is passed over."""
    await world.hires("Vy", "cashier")
    tu = await world.hires("Tú", "kitchen")
    sen = await world.hires("Sen", "kitchen")
    await world.passes(16 * MINUTE)
    lan.catches_up()
    await world.passes(15 * MINUTE)
    assert tu.catches_up() == nudge(rice)
    assert sen.catches_up() == News()


async def test_who_was_nudged_may_confirm(world: World, rice: Placed, lan: Somebody) -> None:
    """Tú confirms in the owner's stead, and she hears that it is settled."""
    tu = await world.hires("Tú", "kitchen")
    await world.passes(31 * MINUTE)
    await tu.phone.taps("Xác nhận đơn hàng")
    assert "Đã xác nhận" in tu.catches_up().chat[-1]
    assert lan.catches_up().chat[-1] == f"Đơn {rice.code} đã được Tú xác nhận lúc 09:43 qua Zalo"


async def test_who_has_no_chat_is_nudged_by_mail(world: World, platform: FakePlatform) -> None:
    """The way that is left is better than none."""
    lan = await world.kitchen(zalo=False)
    order = await world.order()
    lan.catches_up()
    await world.passes(16 * MINUTE)
    assert lan.catches_up() == News(mail=nudge(order).chat)


@pytest.mark.parametrize("how", ["tap", "words", "operator", "platform", "decline"])
async def test_the_ladder_ends_as_soon_as_anybody_acts(
    world: World, platform: FakePlatform, lan: Somebody, how: str
) -> None:
    """Nobody is asked again for what is settled, and no operator is alarmed."""
    order = await world.order(deliver_in=2 * DAY)
    lan.catches_up()
    match how:
        case "tap":
            await lan.phone.taps("Xác nhận đơn hàng")
        case "words":
            await lan.phone.says(f"XN {order.code}")
        case "decline":
            await lan.phone.says(f"HUY {order.code} 1")
        case "operator":
            await world.operator(ConfirmOrder(order.order_id))
        case "platform":
            await platform.cancel(order.id)
            await world.settles()
    world.everybody_catches_up()
    for step in (16 * MINUTE, 15 * MINUTE, 24 * HOUR, 20 * HOUR, 2 * HOUR, HOUR):
        await world.passes(step)
        assert lan.catches_up() == News()


async def test_steps_that_are_past_when_it_is_placed_are_skipped(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Three hours ahead: no step at 24 or 4 hours before, and nobody hears of one late."""
    order = await world.order(deliver_in=3 * HOUR)
    heard = [lan.catches_up()]
    for due in (15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR):
        await world.passes_until(order.deliver_at - 3 * HOUR + due + timedelta(seconds=2))
        heard.append(lan.catches_up())
    assert heard[1:] == [nudge(order), News(), nudge(order), nudge(order)]
    world.operators.gets("chưa được xác nhận")


@pytest.mark.parametrize(("ahead", "alarmed_after"), [(50 * MINUTE, 25), (61 * MINUTE, 1)])
async def test_for_an_order_for_soon_the_operators_hear_in_time_to_pick_up_the_phone(
    world: World, platform: FakePlatform, lan: Somebody, ahead: timedelta, alarmed_after: int
) -> None:
    """With the last step before delivery; where none lies ahead, at half the time left."""
    order = await world.order(deliver_in=ahead)
    lan.catches_up()
    placed_at = order.deliver_at - ahead
    await world.passes_until(placed_at + (alarmed_after - 1) * MINUTE + timedelta(seconds=2))
    assert world.operators.unread == []
    await world.passes_until(placed_at + alarmed_after * MINUTE + timedelta(seconds=2))
    world.operators.gets(f"Đơn {order.code} của Bếp Lan chưa được xác nhận")
    lan.catches_up()


async def test_after_an_outage_only_the_newest_step_is_sent(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """The clock leaps over five steps: one card comes, none is sent late, and the operators hear once."""
    order = await world.order(deliver_in=2 * DAY)
    lan.catches_up()
    await world.passes_until(order.deliver_at - 30 * MINUTE)
    assert lan.catches_up() == nudge(order)
    assert len(world.operators.opens_all()) == 1
    skipped = await world.database.pool.fetch(
        "SELECT step FROM timers WHERE order_id = $1 AND state = 'skipped'", order.order_id
    )
    assert len(skipped) == 5


async def test_a_nudge_that_could_not_leave_is_not_sent_late(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Owed while Zalo was down, dropped when the order was off before Zalo was back."""
    world.zalo.status_next(503, times=1)
    await world.passes(16 * MINUTE)
    await world.operator(CancelOrder(rice.order_id, Reason(None, "Bếp mất điện")))
    await world.passes(MINUTE)
    title = f"Đơn {rice.code} đã được tổng đài (Hà) huỷ lúc 09:28"
    assert lan.catches_up() == News(chat=(title,), mail=(title,))
    world.everybody_catches_up()


async def test_a_leap_past_two_steps_still_tells_somebody(world: World, lan: Somebody, rice: Placed) -> None:
    """Only the newest step is sent; where it finds no further person, the step before it speaks."""
    await world.passes(timedelta(hours=1))

    await lan.phone.sees(rice.code, "vẫn chờ")
