"""Many orders in one request: the kitchen is asked about each, as if they had come one by one."""

from sandbox.platform import FakePlatform
from tests.stories.world import Placed, Somebody, World


async def test_every_order_of_a_batch_reaches_the_kitchen_once(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Lan gets a card and a mail for each, and confirms one; the bad one bothers nobody."""
    orders = [world.body() for _ in range(3)]
    bad = {**world.body(), "total": 1}
    answer = await platform.call("POST", "/orders:batch", {"orders": [*orders, bad]})
    await world.settles()

    assert answer.status == 200
    assert [result["status"] for result in answer.body["results"]] == [201, 201, 201, 422]
    codes = [result["order"]["code"] for result in answer.body["results"][:3]]
    cards = [await lan.phone.sees(f"Đơn {code} mới, chờ bạn xác nhận") for code in codes]
    lan.mail.opens_all()

    await lan.phone.taps("Xác nhận đơn hàng", on=cards[2])
    await lan.phone.sees(f"Đã xác nhận đơn {codes[2]}")
    last = answer.body["results"][2]["order"]
    Placed(platform, last["id"], last["code"], last).heard("order.confirmed")


async def test_a_batch_may_be_larger_than_any_other_body(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Half a megabyte passes everything between the door and the ledger."""
    dishes = [
        {"name": f"Cơm số {n}", "quantity": 1, "unit_price": 4_500, "note": "x" * 500} for n in range(200)
    ]
    orders = [{**world.body(), "items": dishes} for _ in range(5)]

    answer = await platform.call("POST", "/orders:batch", {"orders": orders})

    assert [result["status"] for result in answer.body["results"]] == [201] * 5
    await world.settles()
    lan.phone.person.reads_all()
    lan.mail.opens_all()
