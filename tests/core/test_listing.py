"""A kitchen's orders by place and by words, and that the database reads no more for it than it must."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from core.database import Connection, Database, connect
from core.orders import listing, lookups
from core.orders.listing import Found, Place, Wanted
from core.orders.status import Status
from core.orders.summary import Step, summarise
from tests.core.kitchens import (
    HOA_KITCHEN,
    LAN_KITCHEN,
    SAIGON,
    SHOP,
    add_partner,
    ledger_of,
    open_kitchen,
    place,
)

COUNT = 6_000
START = datetime(2025, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=400)

#: Every second order is Lan's, deliveries half an hour apart; a tenth of hers waits.
_COPY = """
INSERT INTO orders SELECT copied.* FROM orders o, generate_series(1, $4::int) n,
    LATERAL (SELECT $3::timestamptz + n * interval '30 minutes' AS at, n % 20 = 0 AS waits) as_of,
    LATERAL jsonb_populate_record(o, jsonb_build_object(
        'id', md5(n::text)::uuid, 'external_id', 'copy ' || n, 'code', lpad((n % 100000)::text, 5, '0'),
        'partner_id', CASE WHEN n % 2 = 0 THEN $1::uuid ELSE $2::uuid END, 'deliver_at', at,
        'status', CASE WHEN waits THEN 'pending' ELSE 'completed' END, 'status_changed_at', at,
        'final_at', CASE WHEN NOT waits THEN at END, 'updated_at', at,
        'review', CASE WHEN n % 20 = 2
            THEN jsonb_build_object('rating', 4, 'comment', '', 'author', '', 'at', at) END,
        'customer', jsonb_build_object(
            'name', CASE WHEN n % 2000 = 2 THEN 'Đàm Thị Út' ELSE 'Công ty ABC' END,
            'phone', NULL, 'email', NULL, 'locale', 'vi')
    )) copied
"""
_WORDS = """
INSERT INTO order_search SELECT id, partner_id, deliver_at, order_words(code, customer, items) FROM orders
ON CONFLICT DO NOTHING
"""


@pytest.fixture
async def archive(database_url: str) -> AsyncIterator[Database]:
    """Yield a database with years of orders of two kitchens, tidied up as PostgreSQL does by itself."""
    async with connect(database_url) as database:
        await open_kitchen(database)
        await add_partner(database, HOA_KITCHEN, code="bep-hoa")
        async with ledger_of(database) as ledger:
            await place(database, ledger)
        await database.pool.execute(_COPY, LAN_KITCHEN, HOA_KITCHEN, START, COUNT)
        await database.pool.execute(_WORDS)
        for table in ("orders", "order_search"):
            await database.pool.execute(f"VACUUM (ANALYZE) {table}")
        yield database


class Plans:
    """Takes down how statements would be carried out, instead of what they answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.seen: list[str] = []

    async def fetch(self, statement: str, *given: object) -> list[asyncpg.Record]:
        """Explain a statement, then carry it out."""
        rows = await self._connection.fetch(f"EXPLAIN {statement}", *given)
        self.seen.append("\n".join(row[0] for row in rows))
        return await self._connection.fetch(statement, *given)

    async def fetchrow(self, statement: str, *given: object) -> asyncpg.Record | None:
        """Explain a statement, then return its first row."""
        rows = await self.fetch(statement, *given)
        return rows[0] if rows else None


async def whole(archive: Database, wanted: Wanted, most: int) -> list[UUID]:
    """Return the ids of all pages, one after the other."""
    seen: list[UUID] = []
    after: Place | None = None
    while True:
        page = await listing.page(archive.pool, wanted, after=after, most=most)
        seen += [order.id for order in page.orders]
        if page.next is None:
            return seen
        after = page.next


async def test_pages_together_are_the_list(archive: Database) -> None:
    """Each of Lan's orders that wait stands on one page, in the order of deliveries, either way round."""
    rows = await archive.pool.fetch(
        "SELECT id FROM orders WHERE partner_id = $1 AND status = 'pending' ORDER BY deliver_at, id",
        LAN_KITCHEN,
    )
    for newest_first in (False, True):
        wanted = Wanted(LAN_KITCHEN, (Status.PENDING,), newest_first=newest_first)
        seen = await whole(archive, wanted, 100)
        assert (seen[::-1] if newest_first else seen) == [row["id"] for row in rows]


async def test_deliveries_of_one_moment_are_all_shown(archive: Database) -> None:
    """Where time does not tell two orders apart, their ids do."""
    await archive.pool.execute("UPDATE orders SET deliver_at = $1 WHERE partner_id = $2", START, LAN_KITCHEN)
    seen = await whole(archive, Wanted(LAN_KITCHEN), 1_000)
    assert len(seen) == len(set(seen)) == COUNT // 2 + 1


async def test_days_narrow_a_list(archive: Database) -> None:
    """From the first moment on, and before the last."""
    wanted = Wanted(LAN_KITCHEN, since=START + timedelta(hours=1), before=START + timedelta(hours=3))
    page = await listing.page(archive.pool, wanted, after=None, most=10)
    assert [order.deliver_at - START for order in page.orders] == [timedelta(hours=2), timedelta(hours=1)]


async def search(archive: Database, text: str, *, after: Place | None = None, look_at: int) -> Found:
    """Search Lan's orders, looking at so many."""
    return await listing.search(
        archive.pool, Wanted(LAN_KITCHEN), text, after=after, most=25, now=START, look_at=look_at
    )


async def test_a_search_goes_on_where_it_stopped(archive: Database) -> None:
    """Looking at a thousand at a time finds what there is, each once, and ends."""
    found: list[UUID] = []
    steps, after = 0, None
    while True:
        part = await search(archive, "ut dam", after=after, look_at=1_000)
        found += [order.id for order in part.orders]
        steps, after = steps + 1, part.next
        if after is None:
            break
        assert not part.has_more
    assert len(found) == len(set(found)) == COUNT // 2_000
    assert steps == 4


async def test_a_search_that_came_to_the_end_says_so(archive: Database) -> None:
    """Exactly as many as there are is the end; one fewer is not."""
    count = COUNT // 2 + 1
    assert (await search(archive, "khong co gi", look_at=count)).next is None
    assert (await search(archive, "khong co gi", look_at=count - 1)).next is not None


async def test_a_full_page_of_a_search_goes_on(archive: Database) -> None:
    """What is in every order fills the page, and the next one begins behind it."""
    first = await search(archive, "cong ty", look_at=5_000)
    second = await search(archive, "cong ty", after=first.next, look_at=5_000)
    assert first.has_more
    assert len(first.orders) == len(second.orders) == 25
    assert second.orders[0].deliver_at < first.orders[-1].deliver_at


async def test_found_deliveries_of_one_moment_are_all_shown(archive: Database) -> None:
    """Thirty for the same noon: the second page of a search has those that had no room on the first."""
    await archive.pool.execute(
        "UPDATE order_search SET deliver_at = $1 WHERE order_id IN (SELECT order_id FROM order_search"
        " WHERE partner_id = $2 ORDER BY deliver_at DESC LIMIT 30)",
        LATER,
        LAN_KITCHEN,
    )
    first = await search(archive, "com", look_at=5_000)
    second = await search(archive, "com", after=first.next, look_at=5_000)
    shown = [order.id for order in (*first.orders, *second.orders)]
    at_noon = await archive.pool.fetch("SELECT order_id FROM order_search WHERE deliver_at = $1", LATER)
    assert len(at_noon) == 30
    assert {row["order_id"] for row in at_noon} <= set(shown)
    assert len(shown) == len(set(shown)) == 50


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  cơm \t gà \n", "cơm gà"),
        ("a\x00b", "a b"),
        ("a\ud800b", "a b"),
        ("x" * 5_000, "x" * 100),
        (" ".join("abcdefghijk"), "a b c d e f g h"),
        ("", ""),
    ],
    ids=["spaces", "nul", "surrogate", "long", "many-words", "nothing"],
)
def test_words_are_what_a_database_takes(text: str, kept: str) -> None:
    """No more than somebody types, nothing that it would refuse."""
    assert listing.words_of(text) == kept


async def test_an_order_of_a_changed_dish_is_found_by_it(archive: Database) -> None:
    """What it was called before is forgotten."""
    (order,) = (await listing.page(archive.pool, Wanted(LAN_KITCHEN), after=None, most=1)).orders
    assert order.platform_id == SHOP
    await archive.pool.execute(
        "UPDATE order_search SET words = order_words('1', '{}', $2) WHERE order_id = $1",
        order.id,
        [{"name": "Bún Chả"}],
    )
    assert [each.id for each in (await search(archive, "bun cha", look_at=100)).orders] == [order.id]


@pytest.mark.parametrize(
    ("status", "after", "name", "phone"),
    [
        (Status.PENDING, timedelta(), True, False),
        (Status.CANCELLED, timedelta(), False, False),
        (Status.CONFIRMED, timedelta(), True, True),
        (Status.COMPLETED, timedelta(days=29), True, True),
        (Status.COMPLETED, timedelta(days=31), False, False),
    ],
    ids=["pending", "cancelled", "confirmed", "completed", "a-month-later"],
)
async def test_who_ordered_is_found_as_far_as_the_kitchen_may_know(
    database: Database, status: Status, after: timedelta, name: bool, phone: bool
) -> None:
    """Nobody learns a phone by trying numbers; the dish is found whatever the status."""
    await open_kitchen(database)
    async with ledger_of(database) as ledger:
        await place(database, ledger)
    await database.pool.execute("UPDATE orders SET status = $1", status.value)
    due = await database.pool.fetchval("SELECT deliver_at FROM orders")

    async def finds(words: str) -> bool:
        wanted = Wanted(LAN_KITCHEN)
        hits = await listing.search(database.pool, wanted, words, after=None, most=25, now=due + after)
        return bool(hits.orders)

    assert [await finds("cong ty abc"), await finds("ga CÔNG")] == [name, name]
    assert [await finds("0909123456"), await finds("0909 123 456"), await finds("abc 123456")] == [phone] * 3
    assert await finds("com ga")
    assert await finds("\x1f0909") == phone


# --- What it costs ---------------------------------------------------------------------------------


@pytest.fixture
async def plans(archive: Database, database_url: str) -> AsyncIterator[Plans]:
    """Yield somebody who takes plans down."""
    async with archive.pool.acquire() as connection:
        yield Plans(connection)


async def test_a_search_reads_one_index(plans: Plans) -> None:
    """It walks the words of this kitchen, and looks for no order that is not shown."""
    wanted = Wanted(LAN_KITCHEN)
    await listing.search(plans, wanted, "khong co gi", after=None, most=25, now=START, look_at=200)  # type: ignore[arg-type]
    walk, orders = plans.seen
    assert walk.count("Index Only Scan Backward using order_search_walk") == 2
    assert "Sort Key: deliver_at" not in walk
    assert "Seq Scan" not in walk
    assert "orders_pkey" in orders


LISTS = {
    "all": (Wanted(LAN_KITCHEN), "orders_delivery"),
    "status": (Wanted(LAN_KITCHEN, (Status.PENDING,)), "orders_status"),
    "soonest": (Wanted(LAN_KITCHEN, (Status.PENDING,), since=START, newest_first=False), "orders_status"),
    "days": (Wanted(LAN_KITCHEN, since=START, before=START + timedelta(days=90)), "orders_delivery"),
}


@pytest.mark.parametrize(("wanted", "index"), LISTS.values(), ids=LISTS.keys())
async def test_a_list_reads_its_page_only(plans: Plans, wanted: Wanted, index: str) -> None:
    """It begins where the page does, and nothing is sorted."""
    after = Place(START + timedelta(days=60), uuid4())
    await listing.page(plans, wanted, after=after, most=25)  # type: ignore[arg-type]
    (plan,) = plans.seen
    assert f"using {index}" in plan
    assert "Sort" not in plan


def completed_in_february(zone: ZoneInfo) -> int:
    """Return how many of Lan's orders were completed in February of a zone."""
    ended = (START + timedelta(minutes=30 * n) for n in range(2, COUNT + 1, 2) if n % 20)
    return sum(at.astimezone(zone).month == 2 for at in ended)


async def test_a_summary_reads_what_ended(plans: Plans) -> None:
    """Its sums stand in an index; only dishes are read from orders."""
    days = (date(2025, 2, 1), date(2025, 2, 28))
    told = await summarise(plans, LAN_KITCHEN, days, Step.WEEK, SAIGON, now=LATER)  # type: ignore[arg-type]
    assert "Index Only Scan using orders_ended" in plans.seen[0]
    assert not [plan for plan in plans.seen if "Seq Scan" in plan]
    assert "Index Only Scan using orders_rated_4" in plans.seen[-1]
    assert told.completed.count == completed_in_february(SAIGON)


async def test_a_month_of_money_and_the_stars(archive: Database) -> None:
    """They are what the orders say."""
    zone = ZoneInfo("UTC")
    money = await lookups.money(LAN_KITCHEN, date(2025, 2, 1), zone, now=LATER)
    reviews = await lookups.reviews(LAN_KITCHEN, most=3)
    assert money.completed.count == completed_in_february(zone)
    assert (reviews.count, reviews.average) == (COUNT // 20, 4.0)
    assert [order.review is not None for order in reviews.latest] == [True] * 3


async def test_whoever_acted_is_known(archive: Database) -> None:
    """Whether the order is open or has ended since."""
    person = uuid4()
    (order,) = (await listing.page(archive.pool, Wanted(LAN_KITCHEN), after=None, most=1)).orders
    for status in ("confirmed", "completed"):
        assert not await lookups.acted_since([LAN_KITCHEN], [person], archive.clock.now())
        await archive.pool.execute(
            "UPDATE orders SET status = $2, status_changed_at = $3, final_at = $4,"
            " status_changed_by = jsonb_build_object('id', $5::text) WHERE id = $1",
            order.id,
            status,
            archive.clock.now() + timedelta(minutes=1),
            archive.clock.now() if status == "completed" else None,
            str(person),
        )
        assert await lookups.acted_since([LAN_KITCHEN], [person], archive.clock.now())
        person = uuid4()


async def test_the_newest_of_a_code_is_each_kitchens_own(archive: Database) -> None:
    """One a kitchen, the newest placed."""
    await archive.pool.execute(
        "UPDATE orders SET code = '00000', placed_at = deliver_at WHERE deliver_at < $1",
        START + timedelta(days=9),
    )
    found = await lookups.by_code([LAN_KITCHEN, HOA_KITCHEN], "00000")
    assert [placed.order.partner_id for placed in found] == [HOA_KITCHEN, LAN_KITCHEN]
    assert [placed.order.deliver_at - START for placed in found] == [
        timedelta(days=9, minutes=-30),
        timedelta(days=9, hours=-1),
    ]
