"""What is too old goes, customers are forgotten, and nothing that is still needed is touched."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from core import masking, partitions, product_clock
from core.actors import Actor, operator
from core.clock import real_now
from core.database import Database
from core.keeping import Kept, Rules, keep
from core.ledger import Ledger
from core.orders.commands import (
    CancelOrder,
    ChangeOrder,
    CompleteOrder,
    ConfirmOrder,
    PlaceOrder,
    ReviewOrder,
)
from core.orders.events import Json
from core.orders.order import Reason
from core.partitions import PARTED, Month, first_id
from tests.core.kitchens import (
    COMPANY,
    LAN_KITCHEN,
    add_partner,
    add_platform,
    ledger_of,
    placing,
    platform,
)

RULES: Final = Rules(messages=timedelta(days=180), customers=timedelta(days=30))
_PERSONAL: Final = (
    "Công ty ABC",
    "cong ty abc",
    "909123456",
    "an@example.com",
    "12 Lê Lợi",
    "7 Hàng Bông",
    "cổng sau",
)
#: Every column that may tell who ordered.
_TEXTS: Final = """
SELECT coalesce(string_agg(words, ' '), '') FROM (
    SELECT to_jsonb(o)::text FROM orders o UNION ALL SELECT to_jsonb(e)::text FROM events e
    UNION ALL SELECT to_jsonb(n)::text FROM notices n UNION ALL SELECT to_jsonb(m)::text FROM messages m
    UNION ALL SELECT to_jsonb(s)::text FROM order_search s UNION ALL SELECT to_jsonb(i)::text FROM inbox i
    UNION ALL SELECT to_jsonb(w)::text FROM webhooks w
) AS texts(words)
"""


async def ended_order(database: Database, ledger: Ledger, external_id: str = "PX-1") -> PlaceOrder:
    """Place an order, have its address changed and cancel it; its customer was told."""
    shop = await _platform(database)
    placed = placing(external_id=external_id, deliver_at=real_now() + timedelta(days=3))
    await ledger.submit(placed, actor=shop)
    await ledger.submit(ChangeOrder(placed.order_id, address="7 Hàng Bông, Hà Nội"), actor=shop)
    await ledger.submit(CancelOrder(placed.order_id, Reason(None, "Khách đổi ý")), actor=shop)
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, channel, address_kind, address, state,"
        " created_at) SELECT id_beside(id), id, order_id, 'sms', 'customer', 'sms', 'phone', $2, 'sent',"
        " owed_at FROM notices WHERE order_id = $1 LIMIT 1",
        placed.order_id,
        COMPANY.phone,
    )
    return placed


async def _platform(database: Database) -> Actor:
    if not await database.pool.fetchval("SELECT true FROM partners WHERE id = $1", LAN_KITCHEN):
        await add_partner(database)
        return await add_platform(database)
    return platform()


async def personal_words(database: Database) -> list[str]:
    """Return what can still be read of the customer, anywhere."""
    text = await database.pool.fetchval(_TEXTS)
    return [word for word in _PERSONAL if word in text]


async def days_later(database: Database, days: int) -> Kept:
    """Move product time and keep house."""
    await product_clock.advance(database, timedelta(days=days))
    return await keep(database, RULES)


async def test_a_customer_is_forgotten_everywhere(database: Database) -> None:
    """After thirty days nothing that was stored of an order tells who it was for, nor where it went."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    assert await personal_words(database)
    assert (await days_later(database, 29)).masked == 0
    assert set(await personal_words(database)) >= {"Công ty ABC", "909123456", "7 Hàng Bông"}
    assert (await days_later(database, 1)).masked == 1
    assert await personal_words(database) == []


async def test_what_was_eaten_stays(database: Database) -> None:
    """Dishes, amounts, times and versions are those of before, for settlements and platforms."""
    kept = "SELECT items, total, status, version, updated_at, final_at FROM orders"
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    before = await database.pool.fetchrow(kept)
    await days_later(database, 31)
    assert await database.pool.fetchrow(kept) == before
    snapshot = await database.pool.fetchval("SELECT snapshot FROM events WHERE version = 1")
    assert [item["name"] for item in snapshot["items"]] == ["Cơm gà", "Canh chua"]


async def test_a_masked_order_can_still_be_read(database: Database) -> None:
    """By the same code as any other; the platform's repeat of it is still known as one."""
    async with ledger_of(database) as ledger:
        placed = await ended_order(database, ledger)
        await days_later(database, 31)
        again = await ledger.submit(placed, actor=await _platform(database))
    assert again.order_id == placed.order_id


async def test_an_open_order_keeps_its_customer(database: Database) -> None:
    """However old it is."""
    async with ledger_of(database) as ledger:
        await ledger.submit(
            placing(deliver_at=real_now() + timedelta(days=400)), actor=await _platform(database)
        )
    assert (await days_later(database, 200)).masked == 0
    assert "Công ty ABC" in await personal_words(database)


async def test_forgetting_goes_on_where_it_was_cut_short(database: Database) -> None:
    """A batch at a time; what another transaction is at comes with the next call."""
    async with ledger_of(database) as ledger:
        orders = [await ended_order(database, ledger, f"PX-{number}") for number in range(5)]
    await product_clock.advance(database, timedelta(days=31))
    assert await masking.mask_due(database, RULES.customers, most=2) == 2
    async with database.pool.acquire() as busy, busy.transaction():
        await busy.execute("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", orders[4].order_id)
        assert (await keep(database, RULES)).masked == 2
    assert (await keep(database, RULES)).masked == 1
    assert await personal_words(database) == []
    assert (await keep(database, RULES)).masked == 0


async def test_where_a_kitchen_was_told_stays(database: Database) -> None:
    """Its own people's addresses are none of the customer's: the kitchen can still see who was told."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, channel, address_kind, address, state,"
        " created_at) SELECT id_beside(id), id, order_id, 'chat', 'staff', 'sms', 'phone', '+84911000111',"
        " 'sent', owed_at FROM notices LIMIT 1"
    )
    assert (await days_later(database, 31)).masked == 1
    assert await database.pool.fetchval("SELECT address FROM messages WHERE leg = 'chat'") == "+84911000111"


async def test_who_reviews_after_being_forgotten_is_forgotten_again(database: Database) -> None:
    """A platform may bring a review late; its author's name goes with the next round, the stars stay."""
    async with ledger_of(database) as ledger:
        shop = await _platform(database)
        placed = placing(deliver_at=real_now() + timedelta(days=3))
        await ledger.submit(placed, actor=shop)
        await ledger.submit(ConfirmOrder(placed.order_id), actor=operator("Minh"))
        await product_clock.advance(database, timedelta(days=3))
        await ledger.submit(CompleteOrder(placed.order_id), actor=operator("Minh"))
        assert (await days_later(database, 31)).masked == 1
        await ledger.submit(ReviewOrder(placed.order_id, 2, "Nguội", "Chị Mai"), actor=shop)
    assert (await keep(database, RULES)).masked == 1
    review = await database.pool.fetchval("SELECT review FROM orders")
    assert (review["rating"], review["author"]) == (2, masking.MASK)
    assert "Chị Mai" not in await database.pool.fetchval(_TEXTS)
    assert (await keep(database, RULES)).masked == 0


async def test_who_is_to_be_forgotten_is_found_by_an_index(database: Database) -> None:
    """The condition of the query is the index's: nothing is looked through when nobody is due."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        rows = await connection.fetch("EXPLAIN " + masking._DUE, real_now(), 1)
    assert "orders_unmasked" in "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"address": "12 Lê Lợi", "note": ""}, {"address": "•••", "note": ""}),
        (
            {"changes": {"address": {"before": "a", "after": "b"}, "total": {"before": 1, "after": 2}}},
            {"changes": {"address": {"before": "•••", "after": "•••"}, "total": {"before": 1, "after": 2}}},
        ),
        ({"review": {"author": "An", "rating": 5}}, {"review": {"author": "•••", "rating": 5}}),
        (
            {"items": [{"name": "Cơm gà", "note": "ít cay"}]},
            {"items": [{"name": "Cơm gà", "note": "ít cay"}]},
        ),
        (
            {"customer": {"name": "An", "phone": "+84909123456", "email": None, "locale": "vi"}},
            {"customer": {"name": "•••", "phone": None, "email": None, "locale": "vi"}},
        ),
        ({"orders": [{"note": "gọi trước"}]}, {"orders": [{"note": "•••"}]}),
    ],
    ids=["order", "changes", "review", "dishes", "customer", "within"],
)
def test_what_is_masked(before: Json, after: Json) -> None:
    """Who and where; never what, how much and how it was liked. Masked twice is masked once."""
    assert masking.masked(before) == after
    assert masking.masked(after) == after


# --- what goes ------------------------------------------------------------------------------------


_COUNTS: Final = """
SELECT (SELECT count(*) FROM notices) AS notices, (SELECT count(*) FROM messages) AS messages,
    (SELECT count(*) FROM webhooks) AS webhooks, (SELECT count(*) FROM timers) AS timers,
    (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM events) AS events
"""


async def _all_told(database: Database) -> None:
    await database.pool.execute("UPDATE notices SET state = 'routed'")
    await database.pool.execute("UPDATE webhooks SET state = 'delivered', delivered_at = now()")


async def test_what_was_told_half_a_year_ago_goes(database: Database) -> None:
    """Notices with their messages, webhooks, timers; the order and its events stay."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    await _all_told(database)
    assert (await days_later(database, 179)).rows == 0
    before = await database.pool.fetchrow(_COUNTS)
    assert before is not None
    assert all(count > 0 for count in before.values())
    await days_later(database, 2)
    after = await database.pool.fetchrow(_COUNTS)
    assert after is not None
    assert dict(after) == {
        "notices": 0, "messages": 0, "webhooks": 0, "timers": 0, "orders": 1, "events": 3,
    }  # fmt: skip


async def test_what_is_still_owed_stays(database: Database) -> None:
    """A notice nobody has routed, a webhook that waits, everything of an order that is open."""
    async with ledger_of(database) as ledger:
        shop = await _platform(database)
        far = placing(external_id="PX-far", deliver_at=real_now() + timedelta(days=400))
        await ledger.submit(far, actor=shop)
        await _all_told(database)
        await ended_order(database, ledger)
    before = await database.pool.fetchrow(_COUNTS)
    await days_later(database, 200)
    after = await database.pool.fetchrow(_COUNTS)
    assert before is not None
    assert after is not None
    assert after["notices"] == before["notices"]
    assert after["webhooks"] == before["webhooks"] - 1  # the one of the open order was delivered long ago


async def test_what_is_on_its_way_stays_with_its_notice(database: Database) -> None:
    """However long ago it was owed: somebody may be told yet."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    await _all_told(database)
    await database.pool.execute("UPDATE messages SET state = 'waiting', next_at = now()")
    await days_later(database, 200)
    after = await database.pool.fetchrow(_COUNTS)
    assert after is not None
    assert (after["notices"], after["messages"], after["webhooks"]) == (1, 1, 0)


async def test_what_nobody_has_dealt_with_stays(database: Database) -> None:
    """An operators' item, until somebody says that it is dealt with."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    await _all_told(database)
    await database.pool.execute(
        "UPDATE notices SET kind = 'undeliverable' WHERE id = (SELECT id FROM notices ORDER BY id LIMIT 1)"
    )
    await days_later(database, 200)
    assert await database.pool.fetchval("SELECT string_agg(kind, '') FROM notices") == "undeliverable"
    await database.pool.execute("UPDATE notices SET handled_at = now(), handled_by = 'Minh'")
    await keep(database, RULES)
    assert await database.pool.fetchval("SELECT count(*) FROM notices") == 0


async def test_what_was_given_up_goes_as_well(database: Database) -> None:
    """A webhook that no platform ever took, with its calls; one that was given up lately stays."""
    async with ledger_of(database) as ledger:
        await ended_order(database, ledger)
    await database.pool.execute("UPDATE webhooks SET state = 'dead', next_at = now()")
    await database.pool.execute(
        "INSERT INTO webhook_attempts (webhook_id, platform_id, at, took)"
        " SELECT id, platform_id, now(), '1 s' FROM webhooks"
    )
    left = "SELECT (SELECT count(*) FROM webhooks) + (SELECT count(*) FROM webhook_attempts)"
    await days_later(database, 179)
    assert await database.pool.fetchval(left) == 3 + 3
    await days_later(database, 2)
    assert await database.pool.fetchval(left) == 0


async def test_the_timers_of_an_open_order_stay(database: Database) -> None:
    """Those that have rung too: they say what the kitchen was reminded of."""
    async with ledger_of(database) as ledger:
        far = placing(deliver_at=real_now() + timedelta(days=400))
        await ledger.submit(far, actor=await _platform(database))
    await database.pool.execute("UPDATE timers SET state = 'done' WHERE kind = 'confirm_ladder'")
    before = await database.pool.fetchval("SELECT count(*) FROM timers WHERE state = 'done'")
    await days_later(database, 200)
    assert before > 0
    assert await database.pool.fetchval("SELECT count(*) FROM timers WHERE state = 'done'") == before


async def test_last_months_keys_are_known_still(database: Database) -> None:
    """A key answers for thirty days: the part of the month that has just ended stays."""
    this = Month.of(real_now())
    async with database.pool.acquire() as connection:
        await partitions.make_ahead(connection, now=this.begins - timedelta(days=40))
        last = Month.of(this.begins - timedelta(days=1)).part_of(partitions.PARTED[3])
        assert last in await partitions.parts(connection)
        assert (await keep(database, RULES)).parts == 0
        assert last in await partitions.parts(connection)


async def test_a_month_of_messages_goes_at_once(database: Database) -> None:
    """With its attempts, when nothing of it waits and no order of it is open; the inbox's month too."""
    months = await _months_of_before(database)
    assert (await keep(database, RULES)).parts == 3 * len(months)
    async with database.pool.acquire() as connection:
        there = await partitions.parts(connection)
    assert not [name for month in months for name in there if name.endswith(f"{month.begins:%Y_%m}")
                and not name.startswith("events")]  # fmt: skip


async def test_a_month_with_an_open_order_stays(database: Database) -> None:
    """Whoever placed it half a year ahead is still answered by what was sent."""
    months = await _months_of_before(database)
    async with ledger_of(database) as ledger:
        far = placing(deliver_at=real_now() + timedelta(days=30))
        await ledger.submit(far, actor=await _platform(database))
    old = first_id(months[0].begins + timedelta(days=3))
    await _message(database, old, far.order_id)
    assert (await keep(database, RULES)).parts == 3 * len(months) - 2
    assert await database.pool.fetchval("SELECT count(*) FROM messages WHERE id = $1", old) == 1


async def _months_of_before(database: Database) -> list[Month]:
    """Make the parts of two months of long ago, as if the service had run then."""
    async with database.pool.acquire() as connection:
        long_ago = real_now() - timedelta(days=400)
        assert await partitions.make_ahead(connection, now=long_ago) == 2 * len(PARTED)
    return partitions.coming(long_ago)


async def _message(database: Database, message_id: UUID, order_id: UUID) -> None:
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, channel, address_kind, address, state,"
        " created_at) VALUES ($1, $1, $2, 'chat', 'x', 'zalo', 'zalo_user', '1', 'sent', now())",
        message_id,
        order_id,
    )


async def test_signing_in_leaves_no_trace_for_ever(database: Database) -> None:
    """Codes and wrong tries of a month ago go; what is locked still stays."""
    now = real_now()
    await database.pool.execute(
        "INSERT INTO login_codes (id, address_kind, address, made_at, expires_at)"
        " VALUES (gen_random_uuid(), 'phone', '+84909123456', $1::timestamptz, $1)",
        now,
    )
    await database.pool.execute(
        "INSERT INTO wrong_tries (what, sender, tries, since, locked_until) VALUES"
        " ('order code', 'a', 1, $1::timestamptz, NULL), ('order code', 'b', 9, $1, $2)",
        now,
        now + timedelta(days=90),
    )
    await days_later(database, 31)
    assert await database.pool.fetchval("SELECT count(*) FROM login_codes") == 0
    assert await database.pool.fetchval("SELECT string_agg(sender, '') FROM wrong_tries") == "b"


async def test_operators_links_and_sessions_go_a_month_after_they_are_over(database: Database) -> None:
    """One that still works stays."""
    now = real_now()
    await database.pool.execute(
        "INSERT INTO operator_links (id, email, made_at, expires_at)"
        " VALUES (gen_random_uuid(), 'ha@service.vn', $1::timestamptz, $1)",
        now,
    )
    await database.pool.executemany(
        "INSERT INTO operator_sessions (id, token_hash, email, device, created_at, seen_at, expires_at,"
        " ended_at) VALUES (gen_random_uuid(), $1, 'ha@service.vn', $2, $3, $3, $4, $5)",
        [
            (b"1", "over", now, now, None),
            (b"2", "ended", now, now + timedelta(days=90), now),
            (b"3", "works", now, now + timedelta(days=90), None),
        ],
    )
    await days_later(database, 29)
    assert await database.pool.fetchval("SELECT count(*) FROM operator_sessions") == 3
    await days_later(database, 2)
    assert await database.pool.fetchval("SELECT count(*) FROM operator_links") == 0
    assert await database.pool.fetchval("SELECT string_agg(device, '') FROM operator_sessions") == "works"
