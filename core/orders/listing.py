"""A kitchen's orders page by page: by status and day of delivery, or found by the words of an order.

Pages go by place, never by number: an order that arrives meanwhile moves nobody else to another page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.database import Connection, Pool, Row
from core.orders.order import CUSTOMER_SHOWN_FOR, Order
from core.orders.rows import order_of
from core.orders.status import Status

#: So many orders one search looks at; who wants older ones goes on from there.
LOOKED_AT: Final = 5_000
LONGEST_SEARCH: Final = 100
_MOST_WORDS: Final = 8

Queryable = Connection | Pool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders of a kitchen are wanted, one heap after the other: a status each, or all (None).

    Delivery lies in `since <= t < before`. Each heap begins with the soonest delivery, or the newest.
    """

    partner_id: UUID
    heaps: tuple[Status | None, ...] = (None,)
    since: datetime | None = None
    before: datetime | None = None
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: at what it is sorted by, then the order's id, and in which heap."""

    at: datetime
    id: UUID
    heap: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, and where the next page starts; None on the last one."""

    orders: tuple[Order, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, newest delivery first, and where it may go on.

    `has_more`: the page is full. Else `next` is how far was looked; None when there is nothing older.
    """

    orders: tuple[Order, ...]
    next: Place | None
    has_more: bool


async def page(queryable: Queryable, wanted: Wanted, *, after: Place | None, most: int) -> Page:
    """Return up to `most` of a kitchen's orders behind a place."""
    found: list[tuple[int, Order]] = []
    for heap in range(after.heap if after else 0, len(wanted.heaps)):
        start = after if after and heap == after.heap else None
        orders = await _of_heap(queryable, wanted, heap, start, most + 1 - len(found))
        found += [(heap, order) for order in orders]
        if len(found) > most:
            break
    return Page(tuple(order for _, order in found[:most]), _end(found, most))


def _end(found: Sequence[tuple[int, Order]], most: int) -> Place | None:
    if len(found) <= most:
        return None
    heap, last = found[most - 1]
    return Place(last.deliver_at, last.id, heap)


async def _of_heap(
    queryable: Queryable, wanted: Wanted, heap: int, after: Place | None, most: int
) -> Sequence[Order]:
    """Read one heap along the index that has its order: `orders_status`, or `orders_delivery` for all."""
    status = wanted.heaps[heap]
    given: list[object] = [wanted.partner_id, most]
    conditions = ["partner_id = $1"]

    def where(condition: str, *values: object) -> None:
        places = [f"${len(given) + number + 1}" for number in range(len(values))]
        conditions.append(condition.format(*places))
        given.extend(values)

    if status:
        where("status = {}", status.value)
    if wanted.since:
        where("deliver_at >= {}", wanted.since)
    if wanted.before:
        where("deliver_at < {}", wanted.before)
    if after:
        behind = "<" if wanted.newest_first else ">"
        where(f"(deliver_at, id) {behind} ({{}}, {{}})", after.at, after.id)
    way = "DESC" if wanted.newest_first else "ASC"
    rows = await queryable.fetch(
        f"SELECT * FROM orders WHERE {' AND '.join(conditions)}"  # noqa: S608  (conditions of ours)
        f" ORDER BY deliver_at {way}, id {way} LIMIT $2",
        *given,
    )
    return [order_of(row) for row in rows]


async def of_code(queryable: Queryable, partner_id: UUID, code: str, *, most: int) -> list[Order]:
    """Return a kitchen's orders of this code, newest first; codes are used again in time."""
    rows = await queryable.fetch(_OF_CODE, partner_id, code, most)
    return [order_of(row) for row in rows]


async def of_id(queryable: Queryable, partner_id: UUID, order_id: UUID) -> Order | None:
    """Return the kitchen's order of this id, or None where it is not this kitchen's."""
    row = await queryable.fetchrow(
        "SELECT * FROM orders WHERE id = $1 AND partner_id = $2", order_id, partner_id
    )
    return order_of(row) if row else None


_OF_CODE: Final = """
SELECT * FROM orders WHERE partner_id = $1 AND code = $2 ORDER BY placed_at DESC LIMIT $3
"""


# --- Searching -------------------------------------------------------------------------------------


def words_of(text: str) -> str:
    """Return what can be searched for: no more than a person types, nothing that a database refuses."""
    readable = "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST_SEARCH])
    return " ".join(readable.split()[:_MOST_WORDS])


async def search(
    queryable: Queryable,
    wanted: Wanted,
    text: str,
    *,
    after: Place | None,
    most: int,
    now: datetime,
    look_at: int = LOOKED_AT,
) -> Found:
    """Return a kitchen's orders that have every word of `text`, accents and case aside; see `words_of`.

    A customer's phone counts where the kitchen sees it at `now`, the name also while the order waits: nobody
    learns by searching what a card masks, but whoever is told a name on the phone finds the order.
    The newest delivery comes first. At most `look_at` orders are looked at, whatever there is: a search for
    what hardly ever happens tells how far it came. Of `wanted`, the first heap and the days count.
    """
    text = words_of(text)
    if after is None and len(text) == _CODE_LENGTH and text.isascii() and text.isdigit():
        named = await of_code(queryable, wanted.partner_id, text, most=_OF_ONE_CODE)
        kept = tuple(order for order in named if _is_wanted(order, wanted))
        if kept:
            return Found(kept, None, has_more=False)
    return await _walk(queryable, wanted, text, after, _Bounds(most, look_at, now - CUSTOMER_SHOWN_FOR))


@dataclass(frozen=True, slots=True)
class _Bounds:
    most: int
    look_at: int
    seen_since: datetime


_CODE_LENGTH: Final = 5
#: Who types a code means one of its last orders; in years it has had hundreds.
_OF_ONE_CODE: Final = 3


def _is_wanted(order: Order, wanted: Wanted) -> bool:
    in_time = (wanted.since is None or wanted.since <= order.deliver_at) and (
        wanted.before is None or order.deliver_at < wanted.before
    )
    return in_time and wanted.heaps[0] in {None, order.status}


async def _walk(
    queryable: Queryable, wanted: Wanted, text: str, after: Place | None, bounds: _Bounds
) -> Found:
    status, most = wanted.heaps[0], bounds.most
    rows = await queryable.fetch(
        _SEARCH,
        wanted.partner_id,
        after.at if after else wanted.before or _LAST_DAY,
        after.id if after else _FIRST_ID,
        wanted.since or _FIRST_DAY,
        text,
        most + 1,
        bounds.look_at,
        status.value if status else None,
        bounds.seen_since,
    )
    hits, ends = ([_place(row) for row in rows if row["is_end"] is end] for end in (False, True))
    orders = await _in_order(queryable, [hit.id for hit in hits[:most]])
    if len(hits) > most:
        return Found(orders, hits[most - 1], has_more=True)
    return Found(orders, ends[0] if len(ends) > 1 else None, has_more=False)


def _place(row: Row) -> Place:
    return Place(row["deliver_at"], row["order_id"])


async def _in_order(queryable: Queryable, order_ids: Sequence[UUID]) -> tuple[Order, ...]:
    rows = await queryable.fetch("SELECT * FROM orders WHERE id = ANY($1::uuid[])", order_ids)
    orders = {row["id"]: order_of(row) for row in rows}
    return tuple(orders[order_id] for order_id in order_ids)


_FIRST_DAY: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_LAST_DAY: Final = datetime.fromisoformat("9999-12-30T00:00:00+00:00")
_FIRST_ID: Final = UUID(int=0)

#: Both parts walk `order_search_walk` from the same place and read nothing beside it. The first one ends with
#: the page; where the whole walk ends (`is_end`, and the one behind it) is only looked for where the page is
#: not full.
_SEARCH: Final = r"""
WITH typed AS MATERIALIZED (
    SELECT ARRAY(
        SELECT '%' || replace(replace(replace(word, '\', '\\'), '%', '\%'), '_', '\_') || '%'
        FROM regexp_split_to_table(plain_words($5), '\s+') word WHERE word <> ''
    ) AS words
), hits AS MATERIALIZED (
    SELECT looked.deliver_at, looked.order_id FROM (
        SELECT deliver_at, order_id, words FROM order_search
        WHERE partner_id = $1 AND (deliver_at, order_id) < ($2, $3) AND deliver_at >= $4
        ORDER BY deliver_at DESC, order_id DESC LIMIT $7
    ) looked
    WHERE looked.words LIKE ALL ((SELECT words FROM typed)::text[])
    AND (split_part(looked.words, chr(31), 1) LIKE ALL ((SELECT words FROM typed)::text[])
        OR (looked.deliver_at > $9 AND EXISTS (
            SELECT FROM orders o WHERE o.id = looked.order_id AND (o.status IN ('confirmed', 'completed')
                OR (o.status = 'pending' AND rtrim(looked.words, '+0123456789')
                    LIKE ALL ((SELECT words FROM typed)::text[]))))))
    AND ($8::text IS NULL OR EXISTS (
        SELECT FROM orders o WHERE o.id = looked.order_id AND o.status = $8::text))
    ORDER BY looked.deliver_at DESC, looked.order_id DESC LIMIT $6
)
SELECT deliver_at, order_id, false AS is_end FROM hits
UNION ALL
SELECT last.deliver_at, last.order_id, true FROM (
    SELECT deliver_at, order_id FROM order_search
    WHERE partner_id = $1 AND (deliver_at, order_id) < ($2, $3) AND deliver_at >= $4
      AND (SELECT count(*) FROM hits) < $6
    ORDER BY deliver_at DESC, order_id DESC OFFSET $7 - 1 LIMIT 2
) last
ORDER BY is_end, deliver_at DESC, order_id DESC
"""
