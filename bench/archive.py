"""Years of orders of many kitchens, one of them busy, made by the database itself.

Half of all orders are the busy kitchen's; the others share the rest. Deliveries are spread evenly over five
years and the next 30 days. What is behind was mostly completed, what lies ahead waits or is confirmed.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.stage import Failed
from bench.town import RowKind
from core.database import Connection

#: An order with everything a page needs of it, its words and its place in each index, and what the
#: database writes twice on the way.
_BYTES_AN_ORDER: Final = 2_500
_AT_ONCE: Final = 250_000
DAYS_BEHIND: Final = 5 * 365
DAYS_AHEAD: Final = 30
COMMON_DISH: Final = "com ga"
#: Every 1,999th order of the busy kitchen, so that a whole walk finds some and no page is full.
RARE_CUSTOMER: Final = "dam thi ut hien"
_RARE_EVERY: Final = 1_999
#: Fewer codes than a kitchen has, so that each has had more orders than are shown of it, few or many.
_CODES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Archive:
    """How many orders there are, and whose most of them are."""

    orders: int
    busy: UUID


def must_fit(folder: Path, orders: int) -> None:
    """Raise Failed where the disk has too little room for so many orders."""
    needed, free = orders * _BYTES_AN_ORDER, shutil.disk_usage(folder).free
    if needed > free:
        raise Failed(
            f"{orders:,} orders need {needed / 1e9:.0f} GB below {folder}, there are {free / 1e9:.0f}"
        )


async def fill(connection: Connection, shop: UUID, busy: UUID, others: list[UUID], orders: int) -> Archive:
    """Add so many orders. Indexes are made afterwards, and foreign keys, which hold, are not looked up."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    made = await connection.fetch(_INDEXES)
    for index in made:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    for first in range(0, orders, _AT_ONCE):
        last = min(orders, first + _AT_ONCE) - 1
        await connection.execute(_ORDERS, first, last, float(orders), shop, busy, others)
        await connection.execute(_WORDS, first, last)
    for index in made:
        await connection.execute(index["indexdef"])
    await connection.execute("VACUUM (ANALYZE) orders")
    await connection.execute("VACUUM (ANALYZE) order_search")
    await connection.execute("CHECKPOINT")
    return Archive(orders, busy)


_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('orders', 'order_search')
  AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))
"""

#: `n` counts from the oldest delivery to the last one ahead, but for a jumble of the days between kitchens.
_ORDERS: Final = f"""
INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
    ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
    customer, status_changed_at, status_changed_by, review, final_at, fingerprint)
SELECT bench_id({RowKind.ORDER}, n), $4::uuid, 'PX-' || n,
    CASE WHEN n % 2 = 0 THEN $5::uuid ELSE ($6::uuid[])[1 + (n / 2) % array_length($6::uuid[], 1)] END,
    lpad((n / 2 % {_CODES})::text, 4, '0') || '0', status, CASE status WHEN 'pending' THEN 1 ELSE 3 END, 1,
    deliver_at, placed_at, placed_at, placed_at, changed_at,
    (1 + n % 300) || ' Lê Lợi, Quận 1, TP.HCM', CASE n % 3 WHEN 0 THEN 'Giao cổng sau' ELSE '' END,
    jsonb_build_array(
        jsonb_build_object('name', dishes[1 + n / 2 % 8], 'quantity', 20, 'unit_price', 45000, 'note', ''),
        jsonb_build_object('name', dishes[1 + n / 16 % 8], 'quantity', 10, 'unit_price', 25000, 'note', '')),
    0, 0, 1150000, 'VND',
    jsonb_build_object('name', CASE WHEN n / 2 % {_RARE_EVERY} = 7 THEN 'Đàm Thị Út Hiền'
        ELSE families[1 + n / 2 % 7] || ' ' || middles[1 + n / 14 % 5] || ' ' || given[1 + n / 70 % 11] END,
        'phone', '+849' || lpad((n % 100000000)::text, 8, '0'), 'email', null, 'locale', 'vi'),
    changed_at, jsonb_build_object('via', 'zalo', 'name', 'Lan', 'id', null),
    CASE WHEN status = 'completed' AND n / 2 % 10 = 3 THEN jsonb_build_object('rating', 1 + n / 2 % 5,
        'comment', 'Ngon', 'author', 'Chị An', 'at', changed_at) END,
    CASE WHEN status IN ('completed', 'cancelled', 'expired') THEN changed_at END, '\\x00'
FROM (
    SELECT n, deliver_at, deliver_at - interval '3 days' AS placed_at, status,
        least(now(), CASE status WHEN 'completed' THEN deliver_at + interval '20 minutes'
            WHEN 'pending' THEN deliver_at - interval '3 days'
            ELSE deliver_at - interval '1 day' END) AS changed_at
    FROM (
        SELECT n, deliver_at, CASE
            WHEN deliver_at > now() THEN CASE WHEN n / 2 % 10 < 4 THEN 'pending' ELSE 'confirmed' END
            WHEN n / 2 % 100 < 4 THEN 'cancelled' WHEN n / 2 % 100 < 6 THEN 'expired'
            WHEN deliver_at > now() - interval '2 hours' THEN 'confirmed' ELSE 'completed' END AS status
        FROM (
            SELECT n, now() - interval '{DAYS_BEHIND} days'
                + (n::float8 / $3::float8) * interval '{DAYS_BEHIND + DAYS_AHEAD} days' AS deliver_at
            FROM generate_series($1::bigint, $2::bigint) n
        ) spread
    ) standing
) lived,
(SELECT ARRAY['Cơm gà', 'Cơm sườn', 'Canh chua cá', 'Bún bò Huế', 'Phở bò', 'Gỏi cuốn', 'Cá kho tộ', 'Trà đá']
    AS dishes, ARRAY['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Võ', 'Bùi'] AS families,
    ARRAY['Văn', 'Thị', 'Đức', 'Minh', 'Ngọc'] AS middles,
    ARRAY['An', 'Bình', 'Châu', 'Dũng', 'Giang', 'Hà', 'Khánh', 'Lan', 'Mai', 'Nam', 'Oanh'] AS given) words
"""  # noqa: S608  (names of ours)
_WORDS: Final = f"""
INSERT INTO order_search (order_id, partner_id, deliver_at, words)
SELECT id, partner_id, deliver_at, order_words(code, customer, items) FROM orders
WHERE id = ANY(ARRAY(SELECT bench_id({RowKind.ORDER}, n) FROM generate_series($1::bigint, $2::bigint) n))
"""  # noqa: S608  (names of ours)
