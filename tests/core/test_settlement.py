from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from core import ids
from core.database import Database
from core.orders.models import OrderRow
from core.partners.models import PartnerRow, PlatformRow
from core.platforms import platforms
from core.settlement import settle


async def _kitchen(code: str, zone: str) -> UUID:
    partner = await PartnerRow.create(
        id=ids.new(), code=code, name=code, timezone=zone, created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return partner.id


@pytest.fixture
async def platform_id(database: Database) -> UUID:
    """Return a platform's id."""
    await platforms.add("Cơm Ngon", now=database.clock.now())
    return (await PlatformRow.get()).id


async def _order(platform_id: UUID, partner_id: UUID, at: datetime, *, status: str = "completed") -> None:
    await OrderRow.create(
        id=ids.new(),
        platform_id=platform_id,
        external_id=str(ids.new()),
        partner_id=partner_id,
        code="48273",
        status=status,
        version=3,
        revision=1,
        deliver_at=at,
        ordered_at=at,
        placed_at=at,
        asked_at=at,
        updated_at=at,
        address="12 Lê Lợi",
        note="",
        items=[],
        fees=0,
        discount=0,
        total=100,
        currency="VND",
        customer={"name": "", "phone": None, "email": None, "locale": "vi"},
        status_changed_at=at,
        status_changed_by={"via": "zalo", "name": "Lan", "id": None},
        final_at=None if status in {"pending", "confirmed"} else at,
        fingerprint=b"",
    )


async def _count(first: date, last: date, **narrowed: UUID) -> int:
    return (await settle(first, last, **narrowed)).count


async def test_midnight_belongs_to_the_new_day(platform_id: UUID) -> None:
    """In the kitchen's zone, at both ends, over the turn of the year."""
    lan = await _kitchen("lan", "Asia/Ho_Chi_Minh")
    await _order(platform_id, lan, datetime(2026, 12, 31, 16, 59, 59, 999999, tzinfo=UTC))  # 23:59:59.999999
    await _order(platform_id, lan, datetime(2026, 12, 31, 17, tzinfo=UTC))  # 00:00 of the new year

    old, new = date(2026, 12, 31), date(2027, 1, 1)
    assert await _count(old, old) == 1
    assert await _count(new, new) == 1
    assert await _count(old, new) == 2


async def test_every_kitchen_has_its_own_days(platform_id: UUID) -> None:
    """One moment is two days: in Kiritimati (UTC+14) and in Pago Pago (UTC-11)."""
    east = await _kitchen("east", "Pacific/Kiritimati")
    west = await _kitchen("west", "Pacific/Pago_Pago")
    moment = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    await _order(platform_id, east, moment)
    await _order(platform_id, west, moment)

    assert await _count(date(2026, 11, 24), date(2026, 11, 24)) == 1
    assert await _count(date(2026, 11, 22), date(2026, 11, 22), partner_id=west) == 1
    assert await _count(date(2026, 11, 24), date(2026, 11, 24), partner_id=west) == 0


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "expired"])
async def test_only_completed_orders_are_paid_for(platform_id: UUID, status: str) -> None:
    """Nothing else is in a settlement."""
    at = datetime(2026, 11, 23, 5, tzinfo=UTC)
    await _order(platform_id, await _kitchen("lan", "Asia/Ho_Chi_Minh"), at, status=status)

    settlement = await settle(date(2026, 11, 1), date(2026, 11, 30))

    assert (settlement.items, settlement.total) == ((), 0)


async def test_a_settlement_adds_up(platform_id: UUID) -> None:
    """The oldest completion first, each in its kitchen's time."""
    lan = await _kitchen("lan", "Asia/Ho_Chi_Minh")
    for hour in (5, 3, 4):
        await _order(platform_id, lan, datetime(2026, 11, 23, hour, tzinfo=UTC))

    settlement = await settle(date(2026, 11, 23), date(2026, 11, 23), platform_id=platform_id)

    assert (settlement.count, settlement.total) == (3, 300)
    assert [item.completed_at.hour for item in settlement.items] == [10, 11, 12]
    assert await _count(date(2026, 11, 23), date(2026, 11, 23), platform_id=ids.new()) == 0
