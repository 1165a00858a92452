"""N9: what a customer says afterwards."""

from datetime import timedelta

import pytest

from tests.stories.world import News, Placed, Somebody, World


@pytest.fixture
async def eaten(world: World, rice: Placed, lan: Somebody) -> Placed:
    """Return the order of chicken rice, delivered and completed."""
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.passes_until(rice.deliver_at)
    await lan.phone.says(f"HT {rice.code}")
    world.everybody_catches_up()
    return rice


async def test_a_review_reaches_the_kitchen(world: World, eaten: Placed, lan: Somebody) -> None:
    """By mail and chat, with stars, words and name; the platforms hear it too."""
    answer = await eaten.platform.review(eaten.id, 5, "Cơm nóng, giao đúng giờ", "Chị Mai")
    await world.settles()
    assert answer.status == 201
    title = f"Đơn {eaten.code} được khách chấm 5/5"
    await lan.phone.sees(title, "★★★★★ 5/5", "Cơm nóng, giao đúng giờ", "Chị Mai")
    lan.mail.gets(title, "★★★★★ 5/5", "Cơm nóng, giao đúng giờ", "Chị Mai")
    assert eaten.heard("order.reviewed")["data"]["review"]["rating"] == 5


async def test_a_second_review_replaces_the_first(world: World, eaten: Placed, lan: Somebody) -> None:
    """One for each order; the kitchen is told of both."""
    await eaten.platform.review(eaten.id, 5, "Ngon")
    await world.settles()
    lan.catches_up()
    assert (await eaten.platform.review(eaten.id, 3, "Thật ra hơi mặn")).status == 200
    await world.settles()
    title = f"Đơn {eaten.code} được khách chấm 3/5"
    assert lan.catches_up() == News(chat=(title,), mail=(title,))
    review = (await eaten.shown())["review"]
    assert (review["rating"], review["comment"]) == (3, "Thật ra hơi mặn")
    eaten.heard("order.reviewed", times=2)


async def test_only_a_completed_order_is_reviewed(world: World, rice: Placed, lan: Somebody) -> None:
    """Who has not eaten yet has nothing to say."""
    assert (await rice.platform.review(rice.id, 5, "Ngon")).status == 409


async def test_a_partner_asks_for_the_reviews(world: World, eaten: Placed, lan: Somebody) -> None:
    """`DG`: the average and the last ones; `CT` shows the one of an order."""
    await eaten.platform.review(eaten.id, 4, "Ngon, hơi ít rau", "Chị Mai")
    await world.settles()
    lan.catches_up()
    await lan.phone.says("đg")
    await lan.phone.sees("Khách chấm 4,0/5 (1 lượt)", eaten.code, "★★★★☆ 4/5", "Ngon, hơi ít rau")
    await lan.phone.says(f"CT {eaten.code}")
    await lan.phone.sees(f"Đơn {eaten.code}: Hoàn thành", "★★★★☆ 4/5", "Ngon, hơi ít rau", "Chị Mai")


async def test_without_reviews_the_answer_says_so(world: World, rice: Placed, lan: Somebody) -> None:
    """Nothing is averaged of nothing."""
    await lan.phone.says("DG")
    await lan.phone.sees("Chưa có đánh giá nào")


async def test_a_review_comes_a_month_later_without_the_customers_name(
    world: World, eaten: Placed, lan: Somebody
) -> None:
    """30 days after delivery a kitchen does not read names any more."""
    await world.passes(timedelta(days=31))
    await lan.phone.says("TG")
    lan.catches_up()
    await eaten.platform.review(eaten.id, 4, "Ngon", "Mai")
    await world.settles()
    card = await lan.phone.sees("được khách chấm 4/5", "M••")
    assert "Mai" not in card.text
    lan.catches_up()
