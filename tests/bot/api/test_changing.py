from datetime import datetime, timedelta
from typing import Any

import pytest

from core.database import Database
from core.ids import new as new_id
from tests.bot.api.conftest import ORDERS, Caller, Heard, Kitchen, travel_to


async def _change(caller: Caller, order_id: str, body: Any, *, key: str | None = None) -> Heard:
    headers = {"Idempotency-Key": key} if key else None
    return await caller.call("PATCH", f"{ORDERS}/{order_id}", json=body, headers=headers)


async def _post(caller: Caller, order_id: str, what: str, body: Any, *, key: str | None = None) -> Heard:
    headers = {"Idempotency-Key": key} if key else None
    return await caller.call("POST", f"{ORDERS}/{order_id}/{what}", json=body, headers=headers)


# --- PATCH --------------------------------------------------------------------------------------


async def test_a_changed_time_asks_a_confirmed_order_again(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """The kitchen said yes to another time; the event tells before and after in the kitchen's time."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)
    later = datetime.fromisoformat(order["deliver_at"]) + timedelta(hours=2)

    heard = await _change(shop, order_id, {"deliver_at": later.isoformat()})

    assert (heard.status, heard.body["status"], heard.body["revision"]) == (200, "pending", 2)
    changes = heard.body["events"][-1]["data"]["changes"]
    assert changes["deliver_at"]["after"] == heard.body["deliver_at"]
    assert changes["deliver_at"]["before"].endswith("+07:00")


async def test_a_changed_note_leaves_an_order_confirmed(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Where to ring does not change what is cooked; an empty note is a note."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)

    heard = await _change(shop, order_id, {"note": "", "address": "14 Lê Lợi"})

    assert (heard.status, heard.body["status"]) == (200, "confirmed")
    assert (heard.body["note"], heard.body["address"]) == ("", "14 Lê Lợi")


async def test_items_bring_their_money(shop: Caller, order: dict[str, Any]) -> None:
    """Without a total it is reckoned; fees and discount stay unless given."""
    order_id = await shop.placed({**order, "fees": 30_000, "total": 930_000})
    dishes = [{"name": "Cơm gà", "quantity": 10, "unit_price": 45_000}]

    reckoned = await _change(shop, order_id, {"items": dishes})
    given = await _change(shop, order_id, {"items": dishes, "fees": 0, "discount": 50_000, "total": 400_000})

    assert (reckoned.body["total"], reckoned.body["fees"]) == (480_000, 30_000)
    assert (given.body["total"], given.body["fees"], given.body["discount"]) == (400_000, 0, 50_000)


async def test_a_total_that_does_not_add_up_changes_nothing(shop: Caller, order: dict[str, Any]) -> None:
    """The fees that stay count too."""
    order_id = await shop.placed({**order, "fees": 30_000, "total": 930_000})
    dishes = [{"name": "Cơm gà", "quantity": 10, "unit_price": 45_000}]

    heard = await _change(shop, order_id, {"items": dishes, "total": 450_000})

    assert (heard.status, set(heard.faults)) == (422, {("total",)})
    shown = await shop.call("GET", f"{ORDERS}/{order_id}")
    assert (shown.body["version"], shown.body["total"]) == (1, 930_000)


async def test_a_discount_that_stays_must_not_outgrow_the_dishes(shop: Caller, order: dict[str, Any]) -> None:
    """No order costs less than nothing, also where the total is reckoned."""
    order_id = await shop.placed({**order, "discount": 500_000, "total": 400_000})

    heard = await _change(shop, order_id, {"items": [{"name": "Trà", "quantity": 1, "unit_price": 5_000}]})

    assert (heard.status, set(heard.faults)) == (422, {("discount",)})


async def test_a_change_without_a_difference_is_no_event(shop: Caller, order: dict[str, Any]) -> None:
    """The order is answered as it is."""
    order_id = await shop.placed(order)

    for body in ({}, {"note": order["note"]}, {"deliver_at": order["deliver_at"]}):
        heard = await _change(shop, order_id, body)
        assert (heard.status, heard.body["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"note": None}, ("note",)),
        ({"deliver_at": None}, ("deliver_at",)),
        ({"items": []}, ("items",)),
        ({"address": " "}, ("address",)),
        ({"status": "confirmed"}, ("status",)),
        ({"customer": {"name": "Ai đó"}}, ("customer",)),
        ({"fees": 5}, ("fees",)),
        ({"discount": 5}, ("discount",)),
        ({"total": 5}, ("total",)),
        ({"deliver_at": "2001-01-01T00:00:00Z"}, ("deliver_at",)),
        ([], ()),
    ],
)
async def test_what_cannot_be_changed_is_told(
    shop: Caller, order: dict[str, Any], body: Any, loc: tuple[str, ...]
) -> None:
    """Null is no value, unknown parts are no parts, money comes with items."""
    order_id = await shop.placed(order)

    heard = await _change(shop, order_id, body)

    assert (heard.status, set(heard.faults)) == (422, {loc})


# --- cancel -------------------------------------------------------------------------------------


async def test_a_platform_cancels_in_its_own_words(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Also what the kitchen has confirmed; the reason has no number of the kitchen's list."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)

    heard = await _post(shop, order_id, "cancel", {"reason": "Khách đổi ngày"})

    assert (heard.status, heard.body["status"]) == (200, "cancelled")
    assert heard.body["reason"] == {"code": None, "text": "Khách đổi ngày"}
    assert heard.body["status_changed_by"] == {"channel": "api", "name": "Cơm Ngon"}


async def test_the_kitchens_reason_has_its_number(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Whoever reads the order sees why the kitchen declined."""
    order_id = await shop.placed(order)
    await kitchen.declines(order_id)

    shown = (await shop.call("GET", f"{ORDERS}/{order_id}")).body

    assert shown["reason"] == {"code": 2, "text": "Quá tải"}
    assert shown["events"][-1]["by"] == {"channel": "zalo", "name": "Lan"}
    assert shown["events"][-1]["data"]["reason"] == shown["reason"]


@pytest.mark.parametrize(("what", "body"), [("cancel", {"reason": "Nhầm"}), ("", {"note": "Nhanh lên"})])
async def test_nothing_happens_after_a_final_status(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any], what: str, body: Any
) -> None:
    """409, and the status that is final."""
    order_id = await shop.placed(order)
    await kitchen.declines(order_id)

    heard = await (_post(shop, order_id, what, body) if what else _change(shop, order_id, body))

    assert (heard.status, heard.body["code"], heard.body["order_status"]) == (409, "order_final", "cancelled")


async def test_an_overdue_order_is_final_though_no_timer_has_fired(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """Whoever comes too late hears that it has expired."""
    order_id = await shop.placed(order)
    await travel_to(database, datetime.fromisoformat(order["deliver_at"]) + timedelta(seconds=1))

    heard = await _post(shop, order_id, "cancel", {"reason": "Nhầm"})

    assert (heard.status, heard.body["order_status"]) == (409, "expired")


async def test_a_repeated_cancel_with_its_key_hears_the_first_answer(
    shop: Caller, order: dict[str, Any]
) -> None:
    """Without the key it would be a conflict."""
    order_id = await shop.placed(order)
    first = await _post(shop, order_id, "cancel", {"reason": "Nhầm"}, key="c-1")

    again = await _post(shop, order_id, "cancel", {"reason": "Nhầm"}, key="c-1")

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await _post(shop, order_id, "cancel", {"reason": "Nhầm"})).status == 409


async def test_one_key_is_for_one_request(shop: Caller, order: dict[str, Any]) -> None:
    """The same body to another address is another request."""
    one = await shop.placed(order)
    other = await shop.placed({**order, "external_id": "PX-2"})
    await _post(shop, one, "cancel", {"reason": "Nhầm"}, key="c-1")

    heard = await _post(shop, other, "cancel", {"reason": "Nhầm"}, key="c-1")

    assert (heard.status, heard.body["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": 1}, {"reason": "a" * 501}, {"reason": None}])
async def test_a_cancellation_needs_a_reason(shop: Caller, order: dict[str, Any], body: Any) -> None:
    """The kitchen and the customer are told why."""
    order_id = await shop.placed(order)

    heard = await _post(shop, order_id, "cancel", body)

    assert (heard.status, set(heard.faults)) == (422, {("reason",)})


# --- review -------------------------------------------------------------------------------------


async def test_a_review_is_taken_and_replaced(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> None:
    """201 for the first, 200 for one that replaces it; both stay in the history."""
    order_id = await shop.placed(order)
    await kitchen.delivers(order_id)

    first = await _post(shop, order_id, "review", {"rating": 3, "comment": "Hơi nguội", "author": "Hoa"})
    second = await _post(shop, order_id, "review", {"rating": 5})

    assert (first.status, second.status) == (201, 200)
    assert {**first.body["review"], "at": ""} == {
        "rating": 3,
        "comment": "Hơi nguội",
        "author": "Hoa",
        "at": "",
        "answer": None,
    }
    assert first.body["review"]["at"].endswith("+07:00")
    assert second.body["review"]["rating"] == 5
    assert [event["type"] for event in second.body["events"]][-2:] == ["order.reviewed"] * 2


async def test_a_replayed_review_was_new_when_it_was_new(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """A repeat of the first review is 201 again, though there is a second by now."""
    order_id = await shop.placed(order)
    await kitchen.delivers(order_id)
    first = await _post(shop, order_id, "review", {"rating": 3}, key="r-1")
    await _post(shop, order_id, "review", {"rating": 5})

    again = await _post(shop, order_id, "review", {"rating": 3}, key="r-1")

    assert (again.status, again.body) == (201, first.body)


async def test_only_completed_orders_are_reviewed(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Nobody has eaten yet."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)

    heard = await _post(shop, order_id, "review", {"rating": 5})

    assert (heard.status, heard.body["code"]) == (409, "order_not_completed")
    assert heard.body["order_status"] == "confirmed"


@pytest.mark.parametrize("rating", [0, 6, "5", 4.5, True, None])
async def test_a_rating_is_one_to_five(shop: Caller, order: dict[str, Any], rating: Any) -> None:
    """Whole stars."""
    order_id = await shop.placed(order)

    heard = await _post(shop, order_id, "review", {"rating": rating})

    assert (heard.status, set(heard.faults)) == (422, {("rating",)})


# --- whose order --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"note": "x"}),
        ("POST", "/cancel", {"reason": "x"}),
        ("POST", "/review", {"rating": 5}),
    ],
)
async def test_another_platforms_order_is_not_there(
    shop: Caller, rival: Caller, order: dict[str, Any], method: str, path: str, body: Any
) -> None:
    """It looks like an order that never was, and nothing happens to it."""
    order_id = await shop.placed(order)

    for unknown in (order_id, str(new_id()), "48273", "%00", "a" * 300):
        heard = await rival.call(method, f"{ORDERS}/{unknown}{path}", json=body)
        assert (heard.status, heard.body["code"]) == (404, "not_found")

    shown = await shop.call("GET", f"{ORDERS}/{order_id}")
    assert shown.body["version"] == 1
