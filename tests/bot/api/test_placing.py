import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.api.models import OrderDocument
from core.batch import CODES
from core.database import Database
from core.orders.codes import code_at
from core.orders.models import OrderRow
from core.partners.models import PartnerRow
from tests.bot.api.conftest import CODE_KEY, ORDERS, Caller, Heard, Kitchen, travel_to


async def test_a_placed_order_waits_for_the_kitchen(shop: Caller, order: dict[str, Any]) -> None:
    """The answer is the whole order, in the kitchen's time, with where it is found."""
    heard = await shop.place(order)

    assert heard.status == 201
    placed = heard.body
    assert heard.headers["Location"] == f"{ORDERS}/{placed['id']}"
    assert placed["status"] == "pending"
    assert placed["status_changed_by"] == {"channel": "api", "name": "Cơm Ngon"}
    assert placed["deliver_at"].endswith("+07:00")
    assert datetime.fromisoformat(placed["deliver_at"]) == datetime.fromisoformat(order["deliver_at"])
    assert len(placed["code"]) == 5
    assert placed["code"].isdigit()
    assert (placed["version"], placed["revision"]) == (1, 1)
    assert (placed["reason"], placed["review"]) == (None, None)
    assert [event["type"] for event in placed["events"]] == ["order.placed"]
    assert placed["events"][0]["data"] == {"from": None, "to": "pending"}
    OrderDocument.model_validate(placed)


async def test_what_was_sent_comes_back(shop: Caller, order: dict[str, Any]) -> None:
    """Every part of the order is kept; a phone is spelled for the whole world."""
    placed = (await shop.place(order)).body

    assert placed["customer"] == {**order["customer"], "phone": "+84909123456"}
    for name in ("external_id", "partner", "address", "note", "items", "total", "currency"):
        assert placed[name] == order[name]
    assert (placed["fees"], placed["discount"]) == (0, 0)


async def test_a_shown_order_is_the_placed_one(shop: Caller, order: dict[str, Any]) -> None:
    """GET answers what POST answered."""
    placed = (await shop.place(order)).body

    shown = await shop.call("GET", f"{ORDERS}/{placed['id']}")

    assert (shown.status, shown.body) == (200, placed)


async def test_the_order_day_can_be_given(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """An order that was taken yesterday says so."""
    yesterday = database.clock.now() - timedelta(days=1)

    placed = (await shop.place({**order, "ordered_at": yesterday.isoformat()})).body

    assert datetime.fromisoformat(placed["ordered_at"]) == yesterday


async def test_fees_and_discount_count(shop: Caller, order: dict[str, Any]) -> None:
    """The total is the items plus fees minus discount."""
    heard = await shop.place({**order, "fees": 30_000, "discount": 50_000, "total": 880_000})

    assert heard.status == 201
    assert heard.body["total"] == 880_000


async def test_the_same_order_again_is_the_same_order(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """A repeat without a key is answered 200 with the order as it is by now."""
    first = await shop.place(order)
    await kitchen.confirms(first.body["id"])

    second = await shop.place(order)

    assert second.status == 200
    assert second.body["id"] == first.body["id"]
    assert second.body["status"] == "confirmed"
    assert "Idempotent-Replayed" not in second.headers
    assert await OrderRow.all().count() == 1


async def test_the_same_external_id_with_other_content_is_a_conflict(
    shop: Caller, order: dict[str, Any]
) -> None:
    """One external id stands for one order."""
    await shop.placed(order)

    heard = await shop.place({**order, "address": "99 Hai Bà Trưng"})

    assert (heard.status, heard.body["code"]) == (409, "external_id_taken")


async def test_two_platforms_may_use_the_same_external_id(
    shop: Caller, rival: Caller, order: dict[str, Any]
) -> None:
    """External ids are each platform's own."""
    assert await shop.placed(order) != await rival.placed(order)


async def test_many_at_once_place_one_order(shop: Caller, order: dict[str, Any]) -> None:
    """Twenty repeats at the same moment are one order, placed by one of them."""
    heard = await asyncio.gather(*(shop.place(order) for _ in range(20)))

    assert sorted(answer.status for answer in heard) == [200] * 19 + [201]
    assert len({answer.body["id"] for answer in heard}) == 1


# --- Idempotency-Key ----------------------------------------------------------------------------


async def test_a_key_gets_the_first_answer_again(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """However the order went on: the repeat hears what the first call heard, marked as a replay."""
    first = await shop.place(order, key="abc-1")
    await kitchen.confirms(first.body["id"])

    again = await shop.place(order, key="abc-1")

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


async def test_a_key_is_the_same_bare_or_quoted(shop: Caller, order: dict[str, Any]) -> None:
    """Some clients quote the header as the draft says, others do not."""
    first = await shop.place(order, key="abc-1")

    again = await shop.place(order, key='"abc-1"')

    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.body == first.body


async def test_a_key_outlives_the_delivery(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """A late repeat is answered as the first time, though such an order could not be placed any more."""
    first = await shop.place(order, key="abc-1")
    await travel_to(database, datetime.fromisoformat(order["deliver_at"]) + timedelta(minutes=1))

    assert (await shop.place(order, key="abc-1")).body == first.body
    assert (await shop.place(order)).status == 200


async def test_a_key_with_another_body_is_refused(shop: Caller, order: dict[str, Any]) -> None:
    """A key that is used twice by mistake does not hide the second order."""
    await shop.place(order, key="abc-1")

    heard = await shop.place({**order, "external_id": "PX-2"}, key="abc-1")

    assert (heard.status, heard.body["code"]) == (422, "idempotency_key_reused")


async def test_a_refused_body_does_not_use_the_key_up(shop: Caller, order: dict[str, Any]) -> None:
    """Whoever mends the body may keep the key."""
    past = "2001-01-01T00:00:00Z"

    assert (await shop.place({**order, "deliver_at": past}, key="abc-1")).status == 422
    assert (await shop.place(order, key="abc-1")).status == 201


async def test_the_key_of_one_platform_is_not_anothers(
    shop: Caller, rival: Caller, order: dict[str, Any]
) -> None:
    """Two platforms may count their requests alike."""
    first, second = await shop.place(order, key="1"), await rival.place(order, key="1")

    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


@pytest.mark.parametrize("key", ["", '"', '"abc', "a" * 256, "a b", '""', 'a"b" c'])
async def test_a_key_that_is_none_is_told(shop: Caller, order: dict[str, Any], key: str) -> None:
    """A malformed key is not taken for another one."""
    heard = await shop.call("POST", ORDERS, json=order, headers={"Idempotency-Key": key})

    assert (heard.status, heard.body["code"]) == (400, "malformed")


async def test_a_key_of_255_signs_works(shop: Caller, order: dict[str, Any]) -> None:
    """The longest key that Stripe's clients may send."""
    assert (await shop.place(order, key="k" * 255)).status == 201


# --- refusals -----------------------------------------------------------------------------------


async def _refused(shop: Caller, order: dict[str, Any], **changes: Any) -> Heard:
    heard = await shop.place({**order, **changes})
    assert heard.status == 422, heard.raw
    assert heard.headers["Content-Type"] == "application/problem+json"
    assert await OrderRow.all().count() == 0
    return heard


async def test_every_fault_is_told_at_once(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """Shape, sum, kitchen and times: nobody mends a body ten times."""
    heard = await _refused(
        shop,
        order,
        partner="com-nha-ai",
        deliver_at="2001-01-01T00:00:00Z",
        ordered_at=(database.clock.now() + timedelta(hours=1)).isoformat(),
        customer={"name": "", "phone": "12", "email": "an@", "locale": "fr"},
        items=[{"name": "Cơm gà", "quantity": 0, "unit_price": -1}],
        fees="10",
        colour="red",
        total=True,
    )

    assert set(heard.faults) == {
        ("partner",),
        ("deliver_at",),
        ("ordered_at",),
        ("customer", "name"),
        ("customer", "phone"),
        ("customer", "email"),
        ("customer", "locale"),
        ("items", 0, "quantity"),
        ("items", 0, "unit_price"),
        ("fees",),
        ("colour",),
        ("total",),
    }


async def test_rules_are_told_together(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """A well-formed body that breaks two rules hears of both."""
    future = (database.clock.now() + timedelta(hours=1)).isoformat()

    heard = await _refused(shop, order, deliver_at="2001-01-01T00:00:00Z", ordered_at=future)

    assert set(heard.faults) == {("deliver_at",), ("ordered_at",)}


async def test_an_unknown_kitchen_is_a_fault_of_partner(shop: Caller, order: dict[str, Any]) -> None:
    """The kitchen is named by its code."""
    assert set((await _refused(shop, order, partner="com-nha-ai")).faults) == {("partner",)}


async def test_a_total_that_does_not_add_up_is_told_what_it_is(shop: Caller, order: dict[str, Any]) -> None:
    """The right sum stands in the message."""
    assert "900000" in (await _refused(shop, order, total=900_001)).faults["total",]


async def test_a_customer_needs_a_way_to_be_told(shop: Caller, rival: Caller, order: dict[str, Any]) -> None:
    """Phone or email, unless the platform tells its customers itself."""
    nameless = {**order, "customer": {"name": "Chị Hoa"}}

    assert set((await _refused(shop, nameless)).faults) == {("customer",)}
    assert (await rival.place(nameless)).status == 201


async def test_a_partner_on_holiday_takes_no_orders(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """While a kitchen is paused its orders are a conflict; afterwards they are taken."""
    until = database.clock.now() + timedelta(hours=1)
    await PartnerRow.all().update(paused_until=until)

    heard = await shop.place(order, key="abc-1")
    assert (heard.status, heard.body["code"]) == (409, "partner_paused")
    back = until.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    assert heard.body["detail"] == f"It is back at {back.isoformat()}."

    await travel_to(database, until + timedelta(seconds=1))
    assert (await shop.place(order, key="abc-1")).status == 201


async def test_a_kitchen_whose_codes_are_all_in_use_takes_no_more(
    shop: Caller, database: Database, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """503 with a hint when to come back."""
    await shop.placed(order)
    codes = [code_at(n, key=CODE_KEY, partner_id=kitchen.id) for n in range(CODES)]
    await database.pool.execute(_USE_CODES, codes)

    heard = await shop.place({**order, "external_id": "PX-2"})

    assert (heard.status, heard.body["code"]) == (503, "codes_used_up")
    assert int(heard.headers["Retry-After"]) > 0


_USE_CODES = """
INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
    ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
    customer, status_changed_at, status_changed_by, fingerprint)
SELECT gen_random_uuid(), platform_id, 'other-' || n.code, partner_id, n.code, status, version, revision,
    deliver_at, ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total,
    currency, customer, status_changed_at, status_changed_by, fingerprint
FROM orders, unnest($1::text[]) n(code) WHERE external_id = 'PX-2026-000123'
"""
