"""Whoever acts first wins; everybody else gets the present state and who made it so."""

from datetime import timedelta

import pytest

from sandbox.platform import FakePlatform
from tests.stories.world import News, Placed, Somebody, World


@pytest.fixture
async def minh(world: World, lan: Somebody) -> Somebody:
    """Return Minh, the manager, who is told of everything as Lan is."""
    return await world.hires("Minh", "manager", email="minh@example.com")


@pytest.fixture
async def soup(world: World, platform: FakePlatform, minh: Somebody) -> Placed:
    """Return an order of which Lan and Minh have been told."""
    order = await world.order(items=[{"name": "Phở", "quantity": 20, "unit_price": 45_000}])
    world.everybody_catches_up()
    return order


async def test_a_colleague_hears_by_chat_that_it_is_confirmed(
    world: World, soup: Placed, lan: Somebody, minh: Somebody
) -> None:
    """One short message where he was told of it, with the details behind a link; nothing by mail."""
    await lan.phone.taps("Xác nhận đơn hàng")
    lan.catches_up()
    told = await minh.phone.sees(f"Đơn {soup.code} đã được Lan xác nhận lúc 09:12 qua Zalo")
    assert minh.phone.buttons(told) == ["Xem chi tiết đơn hàng"]


async def test_a_colleague_hears_why_it_is_cancelled(
    world: World, soup: Placed, lan: Somebody, minh: Somebody
) -> None:
    """With the reason."""
    await minh.phone.says(f"HUY {soup.code} 1")
    minh.catches_up()
    await lan.phone.sees(f"Đơn {soup.code} đã được Minh huỷ lúc 09:12 qua Zalo", "Hết món")
    world.everybody_catches_up()


async def test_a_colleague_hears_that_it_is_completed(
    world: World, soup: Placed, lan: Somebody, minh: Somebody
) -> None:
    """By chat who it was; by mail, as everybody, the thanks."""
    await lan.phone.says(f"XN {soup.code}")
    await world.passes_until(soup.deliver_at)
    world.everybody_catches_up()
    await lan.phone.says(f"HT {soup.code}")
    thanks = f"Đơn {soup.code} đã hoàn thành, cảm ơn bạn"
    assert minh.catches_up() == News(
        chat=(f"Đơn {soup.code} đã được Lan báo hoàn thành lúc 15:12 qua Zalo",), mail=(thanks,)
    )
    assert lan.catches_up().mail == (thanks,)


async def test_who_was_never_told_of_an_order_hears_nothing_of_it(
    world: World, soup: Placed, lan: Somebody
) -> None:
    """The cook who was not asked is not bothered with the answer."""
    tu = await world.hires("Tú", "kitchen")
    await lan.phone.taps("Xác nhận đơn hàng")
    world.everybody_catches_up()
    assert tu.catches_up() == News()
    assert all(soup.code not in bubble.text for bubble in tu.phone.person.received)


async def test_taps_at_the_same_moment_have_one_winner(
    world: World, soup: Placed, lan: Somebody, minh: Somebody
) -> None:
    """Lan confirms while Minh cancels: one of them is told that the other was first."""
    await minh.phone.taps("Huỷ đơn hàng")
    minh.catches_up()
    await lan.phone.person.tap("Xác nhận đơn hàng")
    await minh.phone.person.tap("Hết món")
    await world.settles()
    status = (await soup.shown())["status"]
    assert (len(soup.platform.heard("order.confirmed")), len(soup.platform.heard("order.cancelled"))) == (
        (1, 0) if status == "confirmed" else (0, 1)
    )
    world.everybody_catches_up()


async def test_the_history_tells_who_did_what_and_when(
    world: World, soup: Placed, lan: Somebody, minh: Somebody
) -> None:
    """`CT` shows it to everybody in the kitchen, oldest first."""
    await lan.phone.taps("Xác nhận đơn hàng")
    await world.passes(timedelta(days=1))
    world.everybody_catches_up()
    await minh.phone.says(f"CT {soup.code}")
    card = await minh.phone.sees(f"Đơn {soup.code}: Đã xác nhận")
    history = card.text.partition("Diễn biến:\n")[2].splitlines()
    assert history[0] == f"09:12 ngày 20/05: Đơn {soup.code} được đặt"
    assert history[1] == f"09:12 ngày 20/05: Đơn {soup.code} đã được Lan xác nhận qua Zalo"


async def test_one_person_works_for_two_kitchens(world: World, platform: FakePlatform) -> None:
    """Lan runs two kitchens from one phone: each card acts for its own, and lists come for both."""
    lan = await world.kitchen("com-nha-lan")
    second = await world.kitchen("pho-lan", owner="Lan Phở", email="pho@example.com", zalo=False)
    await world.link(lan.phone, second.staff_id)
    rice, soup = await world.order(), await world.order(partner="pho-lan")
    world.everybody_catches_up()
    cards = [bubble for bubble in lan.phone.person.received if "mới, chờ bạn" in bubble.text]
    assert sorted(order.code in card.text for order in (rice, soup) for card in cards) == [
        False,
        False,
        True,
        True,
    ]
    await lan.phone.says(f"XN {soup.code}")
    assert (await soup.shown())["status_changed_by"]["name"] == "Lan Phở"
    assert (await rice.shown())["status"] == "pending"
    world.everybody_catches_up()
    await lan.phone.says("DS")
    assert set(lan.catches_up().chat) == {"Đơn của Bếp Lan", "Đơn của Bếp Lan Phở"}
    await lan.phone.says("XN")
    await lan.phone.sees(f"Đã xác nhận đơn {rice.code}")


async def test_answers_for_two_kitchens_say_for_which(world: World, platform: FakePlatform) -> None:
    """Two days without deliveries look alike."""
    lan = await world.kitchen()
    second = await world.kitchen("pho-lan", owner="Lan Phở", email="pho@example.com", zalo=False)
    await world.link(lan.phone, second.staff_id)
    for question in ("HN", "MAI", "TIEN", "DG", "DS CHO"):
        await lan.phone.says(question)
        titles = sorted(bubble.text.partition("\n")[0] for bubble in lan.phone.person.reads_all())
        assert len(titles) == 2, (question, titles)
        assert ["Bếp Lan Phở" in title for title in titles].count(True) == 1, (question, titles)
        assert all("Bếp Lan" in title for title in titles), (question, titles)


async def test_the_same_code_in_two_kitchens_of_one_person_asks_back(
    world: World, platform: FakePlatform
) -> None:
    """A code may occur in both: nothing is done, both orders are shown with their own buttons."""
    lan = await world.kitchen("com-nha-lan")
    second = await world.kitchen("pho-lan", owner="Lan Phở", email="pho@example.com", zalo=False)
    await world.link(lan.phone, second.staff_id)
    rice, soup = await world.order(), await world.order(partner="pho-lan")
    await world.database.pool.execute("UPDATE orders SET code = $1 WHERE id = $2", rice.code, soup.order_id)
    world.everybody_catches_up()
    await lan.phone.says(f"XN {rice.code}")
    assert len(lan.catches_up().chat) == 2
    assert [(await order.shown())["status"] for order in (rice, soup)] == ["pending", "pending"]


async def test_a_cook_who_was_asked_hears_that_the_order_is_off(
    world: World, lan: Somebody, rice: Placed
) -> None:
    """Minh gets no notices by himself, but was asked after half an hour: he must not go on cooking."""
    minh = await world.hires("Minh", "kitchen")
    await world.passes(timedelta(minutes=16))
    await world.passes(timedelta(minutes=15))
    assert minh.catches_up().chat
    await minh.phone.taps("Xác nhận đơn hàng")
    world.everybody_catches_up()

    await rice.platform.cancel(rice.id, "Khách đổi ý")
    await world.settles()

    await minh.phone.sees(f"Đơn {rice.code}", "huỷ", "Khách đổi ý")
    world.everybody_catches_up()
