import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.api.models import OrderDocument, Told
from bot.api.shapes import Scope, document_of, scope_for, webhook_body
from core import ids
from core.database import Database
from core.orders import queries
from tests.bot.api.conftest import ORDERS, Caller, Kitchen


@pytest.fixture
async def reviewed(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> queries.Told:
    """Return an order that was changed in every part, completed and reviewed."""
    order_id = await shop.placed(order)
    later = datetime.fromisoformat(order["deliver_at"]) + timedelta(hours=1)
    changes = {
        "deliver_at": later.isoformat(),
        "address": "14 Lê Lợi",
        "note": "Gọi bảo vệ",
        "items": [{"name": "Cơm tấm", "quantity": 2, "unit_price": 50_000, "note": "cho bé An"}],
    }
    await shop.call("PATCH", f"{ORDERS}/{order_id}", json=changes)
    await kitchen.delivers(order_id)
    review = {"rating": 5, "comment": "Ngon", "author": "Chị Hoa"}
    await shop.call("POST", f"{ORDERS}/{order_id}/review", json=review)
    told = await queries.as_of(UUID(order_id))
    assert told
    return told


async def test_others_hear_nothing_that_names_the_customer(reviewed: queries.Told) -> None:
    """Customer, address, notes and the reviewer's name are absent, in the events too; the rest is there."""
    whole = document_of(reviewed)
    told = document_of(reviewed, Scope.REDUCED)

    text = json.dumps(told, ensure_ascii=False)
    for secret in ("Công ty ABC", "909123456", "an@example.com", "Lê Lợi", "Giao cổng", "Gọi bảo vệ"):
        assert secret in json.dumps(whole, ensure_ascii=False)
        assert secret not in text
    for words in ('"customer"', '"address"', '"note"', '"author"', "ít cay", "cho bé An", "Chị Hoa"):
        assert words not in text
    assert whole.keys() - told.keys() == {"customer", "address", "note"}
    assert told["items"] == [{"name": "Cơm tấm", "quantity": 2, "unit_price": 50_000}]
    OrderDocument.model_validate(told)
    OrderDocument.model_validate(whole)


async def test_events_tell_times_and_dishes_like_the_order(reviewed: queries.Told) -> None:
    """Before and after of a change are written as the order itself is."""
    whole: Any = document_of(reviewed)

    changes = whole["events"][1]["data"]["changes"]
    assert changes["deliver_at"]["after"] == whole["deliver_at"]
    assert changes["items"]["after"] == whole["items"]
    assert changes["address"] == {"before": "12 Lê Lợi, Quận 1, TP.HCM", "after": "14 Lê Lợi"}
    assert whole["events"][-1]["data"]["review"] == whole["review"]


async def test_a_webhook_tells_the_order_as_of_its_event(reviewed: queries.Told, kitchen: Kitchen) -> None:
    """Whatever happened since: the body of an event never changes."""
    confirmed = await queries.as_of(reviewed.order.id, 3)
    assert confirmed

    body = json.loads(webhook_body(confirmed, Scope.FULL))

    assert body["type"] == "order.confirmed"
    assert body["timestamp"] == body["data"]["events"][-1]["at"] == body["data"]["updated_at"]
    assert (body["data"]["status"], body["data"]["version"]) == ("confirmed", 3)
    assert [event["type"] for event in body["data"]["events"]] == [
        "order.placed",
        "order.changed",
        "order.confirmed",
    ]
    assert webhook_body(confirmed, Scope.FULL) == webhook_body(confirmed, Scope.FULL)
    Told.model_validate(body)


async def test_whoever_placed_an_order_gets_all_of_it(reviewed: queries.Told) -> None:
    """Everybody else gets the reduced one."""
    assert scope_for(reviewed.order.platform_id, reviewed.order) is Scope.FULL
    assert scope_for(ids.new(), reviewed.order) is Scope.REDUCED


async def test_there_is_no_version_that_never_was(reviewed: queries.Told, database: Database) -> None:
    """None, for an unknown order as for a version to come."""
    assert await queries.as_of(ids.new()) is None
    assert await queries.as_of(reviewed.order.id, reviewed.order.version + 1) is None
    assert await queries.as_of(reviewed.order.id, 0) is None
