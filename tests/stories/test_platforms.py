"""P*: what platforms hear, each as much as is theirs to know."""

from datetime import timedelta

from core.platforms.platforms import Scope
from sandbox.platform import FakePlatform
from tests.stories.world import Placed, Somebody, World

HIDDEN = (
    "Công ty ABC",
    "0909123456",
    "84909123456",
    "an@example.com",
    "Lê Lợi",
    "Hàm Nghi",
    "cổng sau",
    "Gọi trước",
)


async def a_whole_life(world: World, lan: Somebody, order: Placed) -> None:
    """Changed, confirmed, completed, reviewed."""
    await order.platform.change(order.id, note="Gọi trước", address="34 Hàm Nghi, Quận 1")
    await world.settles()
    await lan.phone.says(f"XN {order.code}")
    await world.passes_until(order.deliver_at)
    await lan.phone.says(f"HT {order.code}")
    await order.platform.review(order.id, 5, "Ngon", "Công ty ABC")
    await world.settles()
    world.everybody_catches_up()


LIFE = ["order.placed", "order.changed", "order.confirmed", "order.completed", "order.reviewed"]


async def test_the_placing_platform_hears_everything_in_order(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Each event once, signed, with the whole order as of then and everything before it."""
    await a_whole_life(world, lan, rice)
    heard = rice.platform.heard("", rice.id)
    assert [attempt.type for attempt in heard] == LIFE
    assert [attempt.data["version"] for attempt in heard] == [1, 2, 3, 4, 5]
    assert [len(attempt.data["events"]) for attempt in heard] == [1, 2, 3, 4, 5]
    assert all(attempt.data["customer"]["phone"] == "+84909123456" for attempt in heard)
    assert [attempt.data["note"] for attempt in heard] == ["Giao cổng sau", *["Gọi trước"] * 4]
    changes = heard[1].data["events"][1]["data"]["changes"]
    assert changes["note"] == {"before": "Giao cổng sau", "after": "Gọi trước"}


async def test_another_platform_hears_the_same_without_the_customer(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Customer, address and note are absent, in the events too: a cancelled order disappears everywhere."""
    other = await world.platform("Chợ Đêm")
    order = await world.order()
    await a_whole_life(world, lan, order)
    heard = other.heard("", order.id)
    assert [attempt.type for attempt in heard] == LIFE
    assert not any({"customer", "address", "note"} & attempt.data.keys() for attempt in heard)
    bodies = "".join(attempt.body.decode() for attempt in heard)
    assert [hidden for hidden in HIDDEN if hidden in bodies] == []
    assert heard[-1].data["items"][0]["name"] == "Cơm gà"


async def test_a_platform_of_its_own_scope_is_not_told_of_others_orders(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Added with --scope own: it hears of its own orders, and of those everything."""
    own = await world.platform("Riêng", scope=Scope.OWN)
    of_others = await world.order()
    of_its_own = await world.order(platform=own)
    lan.catches_up()
    of_others.heard("order.placed", times=0, by=own)
    told = of_its_own.heard("order.placed", times=1)["data"]
    assert told["customer"]["name"] == "Công ty ABC"
    of_its_own.heard("order.placed", times=1, by=platform)


async def test_no_platform_reads_or_changes_anothers_order(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """To the API it does not exist."""
    other = await world.platform("Chợ Đêm")
    order = await world.order()
    lan.catches_up()
    answers = [
        await other.show(order.id),
        await other.change(order.id, note="x"),
        await other.cancel(order.id),
        await other.review(order.id, 1),
    ]
    assert [answer.status for answer in answers] == [404] * 4
    assert (await order.shown())["version"] == 1


async def test_every_end_of_an_order_is_heard_by_every_platform(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Declined, withdrawn and overdue, each once and by its own name."""
    other = await world.platform("Chợ Đêm")
    declined, withdrawn, overdue = [await world.order() for _ in range(3)]
    await lan.phone.says(f"HUY {declined.code} 1")
    await platform.cancel(withdrawn.id)
    await world.passes_until(overdue.deliver_at)
    for by in (platform, other):
        assert declined.heard("order.cancelled", by=by)["data"]["reason"]["text"] == "Hết món"
        assert withdrawn.heard("order.cancelled", by=by)["data"]["status_changed_by"]["name"] == "Cơm Ngon"
        overdue.heard("order.expired", by=by)
    world.everybody_catches_up()


async def test_a_webhook_tells_when_it_happened_not_when_it_was_sent(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """A platform that was away hears later, of then."""
    rice.platform.status_next(503, times=1)
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    rice.heard("order.confirmed", times=0)
    await world.passes(timedelta(minutes=2))
    told = rice.heard("order.confirmed", times=1)
    assert told["timestamp"].startswith("2033-05-20T09:12:")
    assert told["timestamp"] == told["data"]["status_changed_at"]
