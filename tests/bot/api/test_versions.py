"""ETag, If-None-Match and If-Match: nobody changes an order that is not as they saw it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.database import Database
from tests.bot.api.conftest import ORDERS, Caller, Heard, Kitchen, travel_to


async def _change(shop: Caller, order_id: str, *, note: str, seen: str, key: str = "") -> Heard:
    headers = {"If-Match": seen, **({"Idempotency-Key": key} if key else {})}
    return await shop.call("PATCH", f"{ORDERS}/{order_id}", json={"note": note}, headers=headers)


async def test_every_answer_tells_the_orders_version(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Placed, shown, changed, cancelled: the tag rises with the version."""
    placed = await shop.place(order)
    where = f"{ORDERS}/{placed.body['id']}"
    changed = await shop.call("PATCH", where, json={"note": "Gọi trước"})
    shown = await shop.call("GET", where)
    cancelled = await shop.call("POST", f"{where}/cancel", json={"reason": "Nhầm"})

    tags = [heard.headers["ETag"] for heard in (placed, changed, shown, cancelled)]
    assert tags == ['"v1"', '"v2"', '"v2"', '"v3"']


@pytest.mark.parametrize(
    "seen",
    ['"v1"', 'W/"v1"', '"v9", "v1"', "*"],
    ids=["strong", "weak", "one of two", "any"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_this_version_is_not_sent_it_again(
    shop: Caller, order: dict[str, Any], method: str, seen: str
) -> None:
    """304, without a body, with the tag."""
    order_id = await shop.placed(order)

    heard = await shop.call(method, f"{ORDERS}/{order_id}", headers={"If-None-Match": seen})

    assert (heard.status, heard.raw, heard.headers["ETag"]) == (304, b"", '"v1"')


@pytest.mark.parametrize(
    "seen", ['"v2"', '"1"', '"v01"', "nonsense", '"x" "v1'], ids=["newer", "bare", "zero", "words", "broken"]
)
async def test_who_has_another_version_is_sent_this_one(
    shop: Caller, order: dict[str, Any], seen: str
) -> None:
    """What cannot be read as a tag of ours names no version."""
    order_id = await shop.placed(order)

    heard = await shop.call("GET", f"{ORDERS}/{order_id}", headers={"If-None-Match": seen})

    assert heard.status == 200


@pytest.mark.parametrize("seen", ['"v1"', '"v8", "v1"', "*"], ids=["this", "one of two", "any"])
async def test_a_change_of_the_version_that_was_seen_is_made(
    shop: Caller, order: dict[str, Any], seen: str
) -> None:
    """One tag that fits is enough, and a star fits every order."""
    order_id = await shop.placed(order)

    heard = await _change(shop, order_id, note="Gọi trước", seen=seen)

    assert (heard.status, heard.headers["ETag"]) == (200, '"v2"')


@pytest.mark.parametrize(
    "seen", ['"v2"', 'W/"v1"', '"v1x"', '""'], ids=["newer", "weak", "not ours", "empty"]
)
async def test_a_change_of_another_version_is_not_made(
    shop: Caller, order: dict[str, Any], seen: str
) -> None:
    """412, with the tag of the order as it is; a weak tag proves nothing."""
    order_id = await shop.placed(order)

    heard = await _change(shop, order_id, note="Gọi trước", seen=seen)

    assert (heard.status, heard.body["code"], heard.headers["ETag"]) == (412, "version_mismatch", '"v1"')
    assert (await shop.call("GET", f"{ORDERS}/{order_id}")).body["note"] == order["note"]


@pytest.mark.parametrize(("what", "body"), [("cancel", {"reason": "Nhầm"}), ("review", {"rating": 5})])
async def test_cancel_and_review_go_by_versions_too(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any], what: str, body: dict[str, Any]
) -> None:
    """Who cancels what was waiting does not cancel what the kitchen has confirmed meanwhile."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)

    heard = await shop.call("POST", f"{ORDERS}/{order_id}/{what}", json=body, headers={"If-Match": '"v1"'})

    assert (heard.status, heard.headers["ETag"]) == (412, '"v2"')


async def test_an_overdue_order_has_moved_on(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """It expires under the very request that goes by its last version."""
    order_id = await shop.placed(order)
    await travel_to(database, datetime.fromisoformat(order["deliver_at"]) + timedelta(seconds=1))

    heard = await _change(shop, order_id, note="Gọi trước", seen='"v1"')

    assert (heard.status, heard.body["order_status"]) == (409, "expired")


async def test_a_refused_version_does_not_use_the_key_up(shop: Caller, order: dict[str, Any]) -> None:
    """Whoever reads the order anew may ask again under the same key, and a repeat hears that answer."""
    order_id = await shop.placed(order)

    refused = await _change(shop, order_id, note="Gọi trước", seen='"v7"', key="k-1")
    made = await _change(shop, order_id, note="Gọi trước", seen='"v1"', key="k-1")
    again = await _change(shop, order_id, note="Gọi trước", seen='"v1"', key="k-1")

    assert (refused.status, made.status, again.status) == (412, 200, 200)
    assert again.body == made.body


@pytest.mark.parametrize("seen", ["v1", '"v1', '"v1" "v2"', ""], ids=["bare", "open", "no comma", "empty"])
async def test_what_is_no_tag_is_a_fault(shop: Caller, order: dict[str, Any], seen: str) -> None:
    """A condition that nobody can read must not pass for none."""
    order_id = await shop.placed(order)

    heard = await _change(shop, order_id, note="Gọi trước", seen=seen)

    assert (heard.status, set(heard.faults)) == (422, {("If-Match",)})


async def test_another_platforms_version_is_not_told(
    shop: Caller, rival: Caller, order: dict[str, Any]
) -> None:
    """404 without a tag: there is no such order for them."""
    order_id = await shop.placed(order)

    heard = await _change(rival, order_id, note="x", seen='"v7"')

    assert heard.status == 404
    assert "ETag" not in heard.headers
