"""Placing: one order for one external id, and a code that nobody else's order has."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.batch import CODE_RESTS, CODES
from core.database import Database
from core.errors import ChotDonError, Conflict, NoFreeCode
from core.ledger import Ledger
from core.orders.answers import Answer, AnswerKind
from core.orders.codes import code_at, is_valid
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.order import OrderId
from tests.core.kitchens import (
    CODE_KEY,
    HOA_KITCHEN,
    LAN_KITCHEN,
    Kitchen,
    add_partner,
    count,
    place,
    placing,
    soon,
    travel_to,
)


async def test_the_same_order_again_is_the_same_order(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """Its present state is told; nothing is written."""
    deliver_at = soon(database)
    first = await ledger.submit(placing(deliver_at=deliver_at), actor=kitchen.shop)
    again = await elsewhere.submit(placing(deliver_at=deliver_at), actor=kitchen.shop)
    assert (again.kind, again.order_id) == (AnswerKind.STATE, first.order_id)
    assert await count(database, "orders") == await count(database, "events") == 1


async def test_the_same_order_many_times_at_once(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """Forty times through two processes: one order, everybody gets its id."""
    deliver_at = soon(database)
    answers = await asyncio.gather(
        *(
            which.submit(placing(deliver_at=deliver_at), actor=kitchen.shop)
            for _ in range(20)
            for which in (ledger, elsewhere)
        )
    )
    assert Counter(answer.kind for answer in answers) == {AnswerKind.DONE: 1, AnswerKind.STATE: 39}
    assert len({answer.order_id for answer in answers}) == 1
    assert await count(database, "orders") == 1
    assert await count(database, "notices", "kind = 'order_new'") == 1


@pytest.mark.parametrize("difference", [{"note": "Giao cổng trước"}, {"total": 1_210_000, "fees": 20_000}])
async def test_an_external_id_with_other_content(
    database: Database, kitchen: Kitchen, ledger: Ledger, difference: dict[str, Any]
) -> None:
    """Is refused, in the same batch and later."""
    deliver_at = soon(database)
    other = placing(deliver_at=deliver_at, **difference)
    first, second = await asyncio.gather(
        ledger.submit(placing(deliver_at=deliver_at), actor=kitchen.shop),
        ledger.submit(other, actor=kitchen.shop),
        return_exceptions=True,
    )
    assert isinstance(first, Answer)
    assert isinstance(second, Conflict)
    with pytest.raises(Conflict, match="external_id"):
        await ledger.submit(other, actor=kitchen.shop)


async def test_one_external_id_for_two_kitchens_at_once(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """Their kitchens' locks do not meet, the database's constraint does: one order, one refusal."""
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    for n in range(10):
        same: dict[str, Any] = {"external_id": f"PX-{n}", "deliver_at": soon(database)}
        outcomes = await asyncio.gather(
            ledger.submit(placing(**same), actor=kitchen.shop),
            elsewhere.submit(placing(partner_id=HOA_KITCHEN, **same), actor=kitchen.shop),
            return_exceptions=True,
        )
        assert Counter(type(outcome) for outcome in outcomes) == {Answer: 1, Conflict: 1}
    assert await count(database, "orders") == 10


async def codes_of(database: Database) -> list[str]:
    """Return the codes of all orders, in the order they were placed."""
    return [
        row["code"] for row in await database.pool.fetch("SELECT code FROM orders ORDER BY placed_at, id")
    ]


async def test_open_orders_have_codes_of_their_own(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """A hundred and fifty orders at once through two processes."""
    await asyncio.gather(*(place(database, which) for _ in range(75) for which in (ledger, elsewhere)))
    codes = await codes_of(database)
    assert len(set(codes)) == len(codes) == 150
    assert all(map(is_valid, codes))
    assert await database.pool.fetchval("SELECT codes_drawn FROM partners") == 150


async def next_code(database: Database, ledger: Ledger) -> str:
    """Place an order as if the partner's codes were drawn from the first on, and return its code."""
    await database.pool.execute("UPDATE partners SET codes_drawn = 0")
    order_id = await place(database, ledger)
    return str(await database.pool.fetchval("SELECT code FROM orders WHERE id = $1", order_id))


async def test_a_code_rests_for_thirty_days(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """While its order is open, and until thirty days after its final status, nobody else gets it."""
    first = code_at(0, key=CODE_KEY, partner_id=LAN_KITCHEN)
    assert await next_code(database, ledger) == first
    assert await next_code(database, ledger) != first
    ended: datetime = await _cancel(database, ledger, kitchen, first)

    await travel_to(database, ended + CODE_RESTS - timedelta(hours=1))
    assert await next_code(database, ledger) != first
    await travel_to(database, ended + CODE_RESTS + timedelta(hours=1))
    assert await next_code(database, ledger) == first


async def _cancel(database: Database, ledger: Ledger, kitchen: Kitchen, code: str) -> datetime:
    order_id = OrderId(await database.pool.fetchval("SELECT id FROM orders WHERE code = $1", code))
    answer = await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    assert answer.at is not None
    return answer.at


_FILL = """
INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
    ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
    customer, status_changed_at, status_changed_by, fingerprint)
SELECT gen_random_uuid(), platform_id, 'old ' || w.code, partner_id, w.code, status, version, revision,
    deliver_at, ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total,
    currency, customer, status_changed_at, status_changed_by, fingerprint
FROM orders, unnest($1::text[]) AS w(code)
"""


async def test_a_kitchen_that_has_used_all_its_codes(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Its new orders are refused and the operators told once; a tap in the same batch is not harmed."""
    waiting = await place(database, ledger)
    codes = [code_at(n, key=CODE_KEY, partner_id=LAN_KITCHEN) for n in range(CODES)]
    await database.pool.execute(_FILL, codes[1:])

    outcomes = await asyncio.gather(
        place(database, ledger),
        place(database, ledger),
        ledger.submit(ConfirmOrder(waiting), actor=kitchen.lan.taps()),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [NoFreeCode, NoFreeCode, Answer]
    assert issubclass(NoFreeCode, ChotDonError)
    alarms = await database.pool.fetch("SELECT data FROM notices WHERE kind = 'codes_used_up'")
    assert [row["data"] for row in alarms] == [{"name": "com-nha-lan"}]

    await _cancel(database, ledger, kitchen, codes[17])
    await database.pool.execute("UPDATE orders SET final_at = final_at - interval '31 days'")
    order_id = await place(database, ledger)
    assert await database.pool.fetchval("SELECT code FROM orders WHERE id = $1", order_id) == codes[17]
