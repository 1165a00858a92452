"""What a partner can ask in the chat."""

from datetime import datetime, timedelta

import pytest

from sandbox.platform import FakePlatform
from tests.stories.world import VIETNAM, News, Placed, Somebody, World

RICE = {"name": "Cơm gà", "quantity": 20, "unit_price": 45_000}
TEA = {"name": "Trà đá", "quantity": 5, "unit_price": 5_000}


async def one_of_each(world: World, lan: Somebody) -> dict[str, Placed]:
    """Have five orders, one in each status; the clock is then at half past three."""
    done, taken, off, overdue = [await world.order() for _ in range(4)]
    for order in (done, taken):
        await lan.phone.says(f"XN {order.code}")
    await lan.phone.says(f"HUY {off.code} 1")
    await world.passes_until(overdue.deliver_at)
    await lan.phone.says(f"HT {done.code}")
    waiting = await world.order()
    world.everybody_catches_up()
    return {"CHO": waiting, "XN": taken, "HT": done, "HUY": off, "QH": overdue}


async def test_the_list_of_orders_newest_delivery_first(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """`DS`: code, status, delivery, amount and money of each."""
    near, far = await world.order(), await world.order(deliver_in=timedelta(days=2))
    world.everybody_catches_up()
    await lan.phone.says("DS")
    card = await lan.phone.sees("Đơn của Bếp Lan")
    lines = card.text.splitlines()[2:]
    assert lines == [
        f"{far.code} · Chờ xác nhận · 09:12 Chủ nhật 22/05 · 20 suất · 900.000 đ",
        f"{near.code} · Chờ xác nhận · 15:12 thứ Sáu 20/05 · 20 suất · 900.000 đ",
    ]


@pytest.mark.parametrize("state", ["CHO", "XN", "HT", "HUY", "QH"])
async def test_the_list_by_status(world: World, platform: FakePlatform, lan: Somebody, state: str) -> None:
    """`DS CHO`, `DS XN`, `DS HT`, `DS HUY`, `DS QH`: exactly the orders of that status."""
    orders = await one_of_each(world, lan)
    await lan.phone.says(f"ds {state.lower()}")
    (card,) = lan.phone.person.reads_all()
    assert [order.code in card.text for order in orders.values()] == [name == state for name in orders]


async def test_a_long_list_comes_in_pages(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Ten orders a page; each order stands on exactly one page, and the last page has no button."""
    orders = [await world.order(deliver_in=timedelta(hours=1 + n // 2)) for n in range(12)]
    world.everybody_catches_up()
    await lan.phone.says("DS")
    first = await lan.phone.sees("Đơn của Bếp Lan")
    assert lan.phone.buttons(first)[:2] == ["Xem tiếp", "Theo trạng thái"]
    await lan.phone.taps("Xem tiếp")
    second = await lan.phone.sees("Đơn của Bếp Lan")
    assert "Xem tiếp" not in lan.phone.buttons(second)
    listed = [line.split(" · ")[0] for card in (first, second) for line in card.text.splitlines()[2:]]
    assert len(listed) == 12
    assert set(listed) == {order.code for order in orders}


async def test_today_in_time_order_with_totals_per_dish(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """`HN`: what is to be delivered today, and how much of each dish that is; lost orders are left out."""
    late = await world.order(deliver_in=timedelta(hours=8))
    early = await world.order(deliver_in=timedelta(hours=2), items=[RICE, TEA], total=925_000)
    off = await world.order(deliver_in=timedelta(hours=3))
    await world.order(deliver_in=timedelta(days=1))
    await lan.phone.says(f"HUY {off.code} 1")
    world.everybody_catches_up()
    await lan.phone.says("hôm nay")
    card = await lan.phone.sees("Giao thứ Sáu 20/05", "Tổng các món")
    assert [line for line in card.text.splitlines()[1:] if line] == [
        f"11:12 · {early.code} · 25 suất · Chờ xác nhận",
        f"17:12 · {late.code} · 20 suất · Chờ xác nhận",
        "Tổng các món:",
        "40 × Cơm gà",
        "5 × Trà đá",
    ]


async def test_tomorrow(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """`MAI`: the day after, by the kitchen's calendar."""
    today = await world.order(deliver_at=datetime(2033, 5, 20, 23, 59, tzinfo=VIETNAM).isoformat())
    tomorrow = await world.order(deliver_at=datetime(2033, 5, 21, 0, 0, tzinfo=VIETNAM).isoformat())
    world.everybody_catches_up()
    await lan.phone.says("MAI")
    card = await lan.phone.sees("Giao thứ Bảy 21/05", tomorrow.code)
    assert today.code not in card.text


async def test_a_day_without_deliveries_says_so(world: World, lan: Somebody) -> None:
    """An empty list is an answer too."""
    await lan.phone.says("MAI")
    await lan.phone.sees("Giao thứ Bảy 21/05", "Không có đơn nào phải giao")
    await lan.phone.says("DS QH")
    await lan.phone.sees("Đơn quá hạn xác nhận", "Chưa có đơn nào ở đây")


async def test_one_order_with_its_history(world: World, rice: Placed, lan: Somebody) -> None:
    """`CT 48273`: everything about it, and the buttons that apply now."""
    await lan.phone.says(f"chi tiết {rice.code}")
    card = await lan.phone.sees(
        f"Đơn {rice.code}: Chờ xác nhận", "20 × Cơm gà", "Giao cổng sau", f"09:12: Đơn {rice.code} được đặt"
    )
    assert lan.phone.buttons(card) == ["Xác nhận đơn hàng", "Huỷ đơn hàng", "Xem chi tiết đơn hàng"]


async def test_the_money_of_this_month(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """`TIEN`: what is paid, what waits for Complete, what was lost."""
    await one_of_each(world, lan)
    await lan.phone.says("tiền")
    await lan.phone.sees(
        "Tiền tháng 05/2033",
        "Hoàn thành: 1 đơn, 900.000 đ",
        "chờ bấm Hoàn thành: 1 đơn, 900.000 đ",
        "Huỷ: 1 đơn, 900.000 đ",
        "Quá hạn xác nhận: 1 đơn, 900.000 đ",
        "Chỉ đơn hoàn thành mới được đối soát",
    )


async def test_the_money_of_another_month(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """`TIEN 5/2033` asked in June; June itself has none."""
    await one_of_each(world, lan)
    await world.passes(timedelta(days=12))
    await lan.phone.says("TIEN 5/2033")
    world.operators.opens_all()
    card = await lan.phone.sees("Tiền tháng 05/2033")
    assert "Hoàn thành: 1 đơn, 900.000 đ" in card.text
    await lan.phone.says("TIEN")
    card = await lan.phone.sees("Tiền tháng 06/2033")
    assert "Hoàn thành: 0 đơn, 0 đ" in card.text
    world.everybody_catches_up()


@pytest.mark.parametrize("words", ["TG", "trợ giúp", "?", "help"])
async def test_help_tells_what_can_be_said(world: World, lan: Somebody, words: str) -> None:
    """With buttons for what is asked most."""
    await lan.phone.says(words)
    card = await lan.phone.sees("Bạn có thể nhắn", "XN 12345", "HUY 12345", "HT 12345", "DS CHO", "TIEN")
    assert lan.phone.buttons(card) == [
        "Đơn chờ xác nhận",
        "Giao hôm nay",
        "Giao ngày mai",
        "Tất cả đơn",
        "Xem thêm…",
    ]


async def test_the_buttons_of_help_ask_the_same_as_words(world: World, rice: Placed, lan: Somebody) -> None:
    """The menu for who does not like typing."""
    await lan.phone.says("TG")
    lan.catches_up()
    await lan.phone.taps("Đơn chờ xác nhận")
    await lan.phone.sees("Đơn chờ xác nhận", rice.code)
    await lan.phone.taps("Giao hôm nay")
    await lan.phone.sees("Giao thứ Sáu 20/05", rice.code)
    await lan.phone.taps("Giao ngày mai")
    await lan.phone.sees("Giao thứ Bảy 21/05")


async def test_what_is_not_understood_is_answered_five_times_in_a_row(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """Then there is silence until something is understood again."""
    for _ in range(7):
        await lan.phone.says("trời hôm nay đẹp quá hen")
    assert lan.catches_up().chat == ("Mình chưa hiểu. Bạn có thể nhắn",) * 5
    await lan.phone.says("DS")
    lan.catches_up()
    await lan.phone.says("trời hôm nay đẹp quá hen")
    assert lan.catches_up().chat == ("Mình chưa hiểu. Bạn có thể nhắn",)


@pytest.mark.parametrize(
    "words",
    ["khong xn {code}", "{code}", "xn huy", "xn 4827", "ht", "HUY 1"],
    ids=["a no", "a bare code", "two verbs", "half a code", "no order for it", "a reason without an order"],
)
async def test_asking_back_ends_after_five_times_in_a_row(
    world: World, rice: Placed, lan: Somebody, words: str
) -> None:
    """A phone that answers by itself, always the same, is not talked to for ever; nothing is done by it."""
    for _ in range(8):
        await lan.phone.says(words.format(code=rice.code))
    assert len(lan.catches_up().chat) == 5
    assert (await rice.shown())["status"] == "pending"
    await lan.phone.says(f"XN {rice.code}")
    assert lan.catches_up().chat == (f"Đã xác nhận đơn {rice.code}",)


async def test_a_picture_is_answered_that_only_words_are_read(world: World, lan: Somebody) -> None:
    """A voice message, a sticker and the like too."""
    await lan.phone.person.attach("image", {"url": "https://example.com/com-ga.jpg"})
    await world.settles()
    await lan.phone.sees("Mình chỉ đọc được chữ")


async def test_an_order_of_another_kitchen_is_nobodys(world: World, rice: Placed, lan: Somebody) -> None:
    """Its code is a wrong code: nothing of it is shown and nothing is done."""
    mai = await world.kitchen("pho-mai", owner="Mai", email="mai@example.com")
    for words in (f"CT {rice.code}", f"XN {rice.code}"):
        await mai.phone.says(words)
        card = await mai.phone.sees(f"Không có đơn {rice.code}")
        assert "Cơm gà" not in card.text
    assert (await rice.shown())["status"] == "pending"


async def test_five_wrong_codes_lock_the_sender_for_an_hour(
    world: World, rice: Placed, lan: Somebody
) -> None:
    """One answer says so, then silence; the operators hear of it; after an hour all is well."""
    wrong = [code for code in ("00000", "11111", "22222", "33333", "44444") if code != rice.code]
    for code in (*wrong, "00000")[:5]:
        await lan.phone.says(f"XN {code}")
    assert lan.catches_up().chat[-1] == "Bạn gửi sai mã nhiều lần, số này tạm khoá một giờ"
    world.operators.gets("Sai mã đơn nhiều lần", "5 mã sai trong 15 phút")
    await lan.phone.says(f"XN {rice.code}")
    assert lan.catches_up() == News()
    await world.passes(timedelta(minutes=61))
    world.operators.gets("Trục trặc đã hết: Sai mã đơn nhiều lần")
    lan.catches_up()
    await lan.phone.says(f"XN {rice.code}")
    assert lan.catches_up().chat == (f"Đã xác nhận đơn {rice.code}",)
