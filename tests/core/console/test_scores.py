"""How a kitchen does, counted on a real database over weeks that pass by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from core.actors import SYSTEM, Via, operator
from core.console import scores
from core.console.scores import Score, Span, Standing
from core.database import Database
from core.ledger import Ledger
from core.orders.commands import (
    CancelOrder,
    ChangeOrder,
    CompleteOrder,
    ConfirmOrder,
    FireTimer,
    ReviewOrder,
)
from core.orders.decide import reason_of
from core.orders.order import OrderId
from tests.core.kitchens import (
    HOA_KITCHEN,
    LAN_KITCHEN,
    PLACED,
    SAIGON,
    Kitchen,
    add_partner,
    ledger_of,
    open_kitchen,
    place,
    travel_to,
)

DAY = timedelta(days=1)


@pytest.fixture
async def kitchen(database: Database) -> Kitchen:
    """Return Cơm nhà Lan on the morning of 20 November."""
    await travel_to(database, PLACED)
    return await open_kitchen(database)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with ledger_of(database) as ledger:
        yield ledger


async def standing(database: Database) -> Standing:
    """Return how Lan does now."""
    return await scores.standing(database.pool, LAN_KITCHEN, SAIGON, now=database.clock.now())


async def asked(database: Database, ledger: Ledger) -> tuple[OrderId, datetime]:
    """Place an order for the day after, and return it with its delivery time."""
    due = database.clock.now().replace(microsecond=0) + DAY
    return await place(database, ledger, deliver_at=due), due


async def later(database: Database, minutes: float) -> None:
    """Let so many minutes pass."""
    await travel_to(database, database.clock.now() + timedelta(minutes=minutes))


async def test_a_kitchen_without_orders_has_no_score(database: Database, kitchen: Kitchen) -> None:
    """Nothing is not 0 %: there is no share, no time and no average."""
    now = await standing(database)
    assert now.last_30 == now.last_90 == Score()
    assert (now.last_30.confirm_share, now.last_30.complete_share, now.last_30.median) == (None, None, None)
    assert [first for first, _ in now.months] == [
        date(2026, 11, 1), date(2026, 10, 1), date(2026, 9, 1), date(2026, 8, 1), date(2026, 7, 1),
        date(2026, 6, 1),
    ]  # fmt: skip


async def test_what_a_kitchen_did_is_its_score(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Two confirmed after 4 and 20 minutes, one refused, one expired; of the two one was completed."""
    quick, due = await asked(database, ledger)
    await later(database, 4)
    await ledger.submit(ConfirmOrder(quick), actor=kitchen.lan.taps())
    refused, _ = await asked(database, ledger)
    await ledger.submit(CancelOrder(refused, reason_of(1)), actor=kitchen.lan.taps())
    left, left_due = await asked(database, ledger)
    slow, _ = await asked(database, ledger)
    await later(database, 20)
    await ledger.submit(ConfirmOrder(slow), actor=kitchen.lan.on_the_web())
    await travel_to(database, due)
    await ledger.submit(CompleteOrder(quick), actor=kitchen.mai.taps())
    await ledger.submit(ReviewOrder(quick, 4, "Ngon", "An"), actor=kitchen.shop)
    await travel_to(database, left_due + timedelta(minutes=1))
    timer = await database.pool.fetchval(
        "SELECT id FROM timers WHERE order_id = $1 AND kind = 'expiry'", left
    )
    await ledger.submit(FireTimer(left, timer), actor=SYSTEM)
    await travel_to(database, due + DAY)

    score = (await standing(database)).last_30
    assert (score.orders, score.asked, score.confirmed, score.refused, score.expired) == (4, 4, 2, 1, 1)
    assert (score.confirm_share, score.complete_share) == (0.5, 0.5)
    assert score.median is not None
    assert score.median.total_seconds() == pytest.approx(12 * 60, abs=5)
    assert score.ways == {Via.ZALO: 1, Via.WEB: 1}
    assert (score.rated, score.rating) == (1, 4.0)


async def test_what_others_ended_is_not_held_against_a_kitchen(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """An order that its platform took back was never the kitchen's to decide."""
    back, due = await asked(database, ledger)
    await ledger.submit(CancelOrder(back, reason_of(6, "Khách đổi ý")), actor=kitchen.shop)
    await travel_to(database, due + DAY)
    score = (await standing(database)).last_30
    assert (score.orders, score.asked, score.confirm_share) == (1, 0, None)


async def test_an_operators_hand_is_not_the_kitchens(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """What an operator had to confirm was asked, was not confirmed by itself, and has no time."""
    helped, due = await asked(database, ledger)
    await later(database, 50)
    await ledger.submit(ConfirmOrder(helped), actor=operator("Hà"))
    await travel_to(database, due + DAY)
    score = (await standing(database)).last_30
    assert (score.asked, score.helped, score.confirm_share) == (1, 1, 0.0)
    assert (score.median, dict(score.ways)) == (None, {})
    assert (score.due, score.complete_share) == (1, 0.0)


async def test_the_last_asking_counts(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Confirmed, changed, confirmed again after three minutes: one order, three minutes."""
    order, due = await asked(database, ledger)
    await later(database, 60)
    await ledger.submit(ConfirmOrder(order), actor=kitchen.lan.taps())
    await later(database, 60)
    await ledger.submit(ChangeOrder(order, deliver_at=due + timedelta(hours=2)), actor=kitchen.shop)
    await later(database, 3)
    await ledger.submit(ConfirmOrder(order), actor=kitchen.hung.taps())
    await travel_to(database, due + DAY)
    score = (await standing(database)).last_30
    assert (score.asked, score.confirmed) == (1, 1)
    assert score.median is not None
    assert score.median.total_seconds() == pytest.approx(180, abs=5)


async def test_an_order_counts_in_the_month_it_was_due(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """30 November, 23:30 in Vietnam is November there, and in the days that are behind it."""
    due = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    order = await place(database, ledger, deliver_at=due)
    await ledger.submit(ConfirmOrder(order), actor=kitchen.lan.taps())
    before = await standing(database)
    assert (before.last_30.orders, before.months[0][1].orders) == (0, 0)
    await travel_to(database, datetime(2026, 12, 31, 3, tzinfo=UTC))
    now = await standing(database)
    months = {first.month: score.orders for first, score in now.months}
    assert (months[11], months[12], now.last_30.orders, now.last_90.orders) == (1, 0, 0, 1)


async def test_each_kitchen_has_its_own_score(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """The list has one for each, and an empty one where nothing was due."""
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    order, due = await asked(database, ledger)
    await ledger.submit(ConfirmOrder(order), actor=kitchen.lan.taps())
    await travel_to(database, due + DAY)
    found = await scores.lately(database.pool, [LAN_KITCHEN, HOA_KITCHEN], now=database.clock.now())
    assert (found[LAN_KITCHEN].confirmed, found[HOA_KITCHEN]) == (1, Score())


_COPY = """
INSERT INTO orders SELECT copied.* FROM orders o, generate_series(1, 4000) n,
    LATERAL (SELECT $3::timestamptz - n * interval '1 hour' AS at) as_of,
    LATERAL jsonb_populate_record(o, jsonb_build_object(
        'id', overlay(md5(n::text) PLACING '4' FROM 13 FOR 1)::uuid, 'external_id', 'copy ' || n,
        'deliver_at', at,
        'partner_id', CASE WHEN n % 10 = 0 THEN $1::uuid ELSE $2::uuid END,
        'status', 'completed', 'status_changed_at', at, 'final_at', at, 'placed_at', at - interval '1 day',
        'asked_at', at - interval '1 day', 'updated_at', at
    )) copied WHERE o.external_id = 'first'
"""
_EVENTS = """
INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)
SELECT gen_random_uuid(), o.id, 2, 'order.confirmed', o.asked_at + interval '7 minutes', '{"via": "sms"}',
    '{}', '{}'
FROM orders o WHERE o.external_id LIKE 'copy%'
"""


async def test_a_score_reads_its_days_only(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Of the orders those of the kitchen and the days, of the events those of these orders."""
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    await place(database, ledger, external_id="first")
    now = database.clock.now()
    await database.pool.execute(_COPY, LAN_KITCHEN, HOA_KITCHEN, now)
    await database.pool.execute(_EVENTS)
    for table in ("orders", "events"):
        await database.pool.execute(f"VACUUM (ANALYZE) {table}")
    (score,) = (await scores.scores(database.pool, [LAN_KITCHEN], [Span(now - 5 * DAY, now)]))[LAN_KITCHEN]
    assert (score.confirmed, dict(score.ways)) == (12, {Via.SMS: 12})
    ways = [via.value for via in scores.KITCHENS_WAYS]
    since = [now - 5 * DAY]
    rows = await database.pool.fetch(
        f"EXPLAIN {scores._SCORES}", [LAN_KITCHEN], since, [now], since[0], now, ways
    )
    plan = "\n".join(row[0] for row in rows)
    assert "orders_delivery" in plan
    assert "Seq Scan on orders" not in plan
    assert "Index Scan using events_default" in plan or "Index Scan using events_order_id" in plan
