"""The morning sheet: what a kitchen delivers today, at its hour, on days that have orders."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from core.orders.commands import CancelOrder
from core.orders.decide import reason_of
from core.partners import partners
from core.partners.partners import PartnerChange
from sandbox.platform import FakePlatform
from tests.stories.world import VIETNAM, News, Placed, Somebody, World

RICE = {"name": "Cơm gà", "quantity": 20, "unit_price": 45_000}
TEA = {"name": "Trà đá", "quantity": 5, "unit_price": 5_000}


def at(hour: int, minute: int = 0, *, day: int = 21) -> datetime:
    """Return a time of the next day, Saturday, in Vietnam."""
    return datetime(2033, 5, day, hour, minute, tzinfo=VIETNAM)


@pytest.fixture
async def lan(world: World) -> Somebody:
    """Return Lan, whose kitchen gets its sheet at six."""
    return await world.kitchen(sheet=True)


async def for_saturday(world: World, hour: int, **parts: Any) -> Placed:
    """Place an order for the next day at an hour."""
    return await world.order(deliver_at=at(hour).isoformat(), **parts)


async def morning(world: World, hour: int = 6) -> None:
    """Let the night pass, and everybody read what came before the sheet's hour."""
    await world.passes_until(at(hour) - timedelta(minutes=1))
    world.everybody_catches_up()
    await world.passes_until(at(hour))


async def test_the_day_in_time_order_with_what_is_to_cook(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Time, code, portions, address, status; the dishes together; unconfirmed ones on top, with buttons."""
    late = await for_saturday(world, 17)
    early = await for_saturday(world, 10, items=[RICE, TEA], total=925_000)
    await for_saturday(world, 5)
    await world.order(deliver_at=at(11, day=22).isoformat())
    await lan.phone.says(f"XN {early.code}")
    await morning(world)

    card = await lan.phone.sees("Hôm nay thứ Bảy 21/05: 2 đơn, 45 suất")
    lines = [line for line in card.text.splitlines()[1:] if line]
    assert lines == [
        "Chưa xác nhận:",
        f"{late.code} (17:00)",
        "Bấm nút, hoặc nhắn XN và mã đơn, HUY và mã đơn.",
        "Giao hôm nay:",
        f"10:00 · {early.code} · 25 suất · 12 Lê Lợi, Quận 1, TP.HCM · Đã xác nhận",
        f"17:00 · {late.code} · 20 suất · 12 Lê Lợi, Quận 1, TP.HCM · Chờ xác nhận",
        "Tổng các món:",
        "40 × Cơm gà",
        "5 × Trà đá",
    ]
    assert lan.phone.buttons(card) == [f"Xác nhận {late.code}"]
    mail = lan.mail.gets("Hôm nay thứ Bảy 21/05: 2 đơn, 45 suất", early.code, late.code, "12 Lê Lợi")
    assert "900.000" not in card.text + mail.text + mail.html
    await lan.phone.taps(f"Xác nhận {late.code}")
    await lan.phone.sees(f"Đã xác nhận đơn {late.code}")


async def test_a_day_without_orders_has_no_sheet(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """Nor one whose orders are off."""
    order = await for_saturday(world, 11)
    await world.operator(CancelOrder(order.order_id, reason_of(1)))
    await morning(world)
    await world.passes(timedelta(days=2))
    assert lan.catches_up() == News()


async def test_the_sheet_comes_once_a_day(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """However often somebody looks."""
    await for_saturday(world, 11)
    await morning(world)
    for _ in range(3):
        await world.passes(timedelta(minutes=10))
    assert [title for title in lan.catches_up().chat if title.startswith("Hôm nay")] == [
        "Hôm nay thứ Bảy 21/05: 1 đơn, 20 suất"
    ]
    lan.catches_up()


async def test_it_rings_in_quiet_hours(world: World, platform: FakePlatform, lan: Somebody) -> None:
    """The hour is one that the kitchen chose; and another hour is another plan."""
    change = PartnerChange(quiet=(time(21), time(8)), sheet_at=time(5))
    await partners.change(world.database, "com-nha-lan", change)
    await for_saturday(world, 11)
    await morning(world, hour=5)
    await lan.phone.sees("Hôm nay thứ Bảy 21/05: 1 đơn")
    lan.mail.gets("Hôm nay thứ Bảy 21/05: 1 đơn")


async def test_the_cook_who_is_told_gets_it_and_the_cashier_cannot_press(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Whoever is a recipient; buttons only for who may act."""
    tu = await world.hires("Tú", "kitchen", notify=True)
    vy = await world.hires("Vy", "cashier", notify=True)
    minh = await world.hires("Minh", "kitchen")
    order = await for_saturday(world, 17)
    await morning(world)
    cook, cashier = await tu.phone.sees("Hôm nay"), await vy.phone.sees("Hôm nay")
    assert tu.phone.buttons(cook) == [f"Xác nhận {order.code}"]
    assert vy.phone.buttons(cashier) == []
    assert "Bấm nút" not in cashier.text
    assert minh.catches_up() == News()
    lan.catches_up()


async def test_many_unconfirmed_orders_have_five_buttons_and_words_for_the_rest(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """Zalo has room for five; every code stands in the text."""
    orders = [await for_saturday(world, 10 + n) for n in range(7)]
    await morning(world)
    card = await lan.phone.sees("Hôm nay thứ Bảy 21/05: 7 đơn")
    assert lan.phone.buttons(card) == [f"Xác nhận {order.code}" for order in orders[:5]]
    assert all(order.code in card.text for order in orders)
    lan.catches_up()
