"""Catching up: everything that webhooks tell, in one order that never changes behind the reader."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.api.models import EventList
from core.actors import Via
from core.database import Database
from core.ledger import Ledger
from core.orders.order import By
from core.partners import pausing
from core.platforms import platform_events, platforms
from core.platforms.platforms import Scope
from tests.bot.api.conftest import ORDERS, Caller, Heard, Kitchen

EVENTS = "/api/v1/events"


async def _all(caller: Caller, **params: str) -> list[dict[str, Any]]:
    """Read from the beginning (or from `after`) to the end of what is settled, page by page."""
    items: list[dict[str, Any]] = []
    after = params.pop("after", "")
    while True:
        heard = await caller.call("GET", EVENTS, params={"after": after, **params})
        assert heard.status == 200, heard.raw
        EventList.model_validate_json(heard.raw)
        items += heard.body["items"]
        after = heard.body["next_after"] or ""
        if not heard.body["has_more"]:
            return items


async def _settled(caller: Caller, count: int, **params: str) -> list[dict[str, Any]]:
    """Read until as many are there: open transactions of other tests hold them back."""
    for _ in range(200):
        items = await _all(caller, **params)
        if len(items) >= count:
            return items
        await asyncio.sleep(0.05)
    pytest.fail("Some transaction stays open")


async def _webhook_bodies(database: Database, caller: Caller) -> None:
    """Give a platform an address, so that it is owed webhooks."""
    await database.pool.execute(
        "UPDATE platforms SET webhook_url = 'https://shop.example/' WHERE name = $1", caller.keys.name
    )


async def test_nothing_has_happened(shop: Caller) -> None:
    """An empty page says so, and where to go on."""
    heard = await shop.call("GET", EVENTS)
    assert heard.body == {"items": [], "next_after": None, "has_more": False}


async def test_everything_is_told_in_order_without_an_address(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """A platform that never gave a webhook address learns the same, with the order as of each event."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)
    await shop.call("POST", f"{ORDERS}/{order_id}/cancel", json={"reason": "Đổi ngày"})

    items = await _settled(shop, 3)

    assert [item["type"] for item in items] == ["order.placed", "order.confirmed", "order.cancelled"]
    assert [item["data"]["version"] for item in items] == [1, 2, 3]
    assert [item["data"]["status"] for item in items] == ["pending", "confirmed", "cancelled"]
    assert [item["webhook_id"] for item in items] == [None] * 3
    assert items[0]["data"]["customer"]["phone"] == "+84909123456"


async def test_pages_follow_each_other_without_gap_or_repeat(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """Seven events in pages of two."""
    placed = [await shop.placed({**order, "external_id": f"PX-{n}"}) for n in range(7)]
    whole = await _settled(shop, 7)

    items = await _all(shop, limit="2")

    assert [item["id"] for item in items] == [item["id"] for item in whole]
    assert sorted(item["data"]["id"] for item in items) == sorted(placed)


async def test_others_orders_come_without_the_customer(
    shop: Caller, rival: Caller, order: dict[str, Any]
) -> None:
    """Decision 8 holds here, too."""
    await shop.placed(order)

    (item,) = await _settled(rival, 1)

    assert not {"customer", "address", "note"} & item["data"].keys()
    assert "909123456" not in json.dumps(item)


async def test_a_platform_of_its_own_scope_reads_its_own(
    shop: Caller, database: Database, http: Any, order: dict[str, Any]
) -> None:
    """Its place moves on beyond what is not for it, so that it never starts anew."""
    keys = await platforms.add("Riêng", now=database.clock.now(), scope=Scope.OWN)
    own = Caller(http, keys)
    await shop.placed(order)
    mine = await own.placed({**order, "external_id": "PX-2"})

    items = await _settled(own, 1)

    assert [item["data"]["id"] for item in items] == [mine]
    heard = await own.call("GET", EVENTS, params={"after": items[0]["id"]})
    assert heard.body == {"items": [], "next_after": items[0]["id"], "has_more": False}


async def test_an_item_is_what_its_webhook_says(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """It names the webhook's id, and going on from that id is going on from the event."""
    await _webhook_bodies(database, shop)
    await shop.placed(order)
    (first,) = await _settled(shop, 1)
    owed = await database.pool.fetchval("SELECT id FROM webhooks")
    assert first["webhook_id"] == str(owed)

    await shop.placed({**order, "external_id": "PX-2"})
    later = await _settled(shop, 1, after=str(owed))

    assert [item["data"]["external_id"] for item in later] == ["PX-2"]
    assert first.keys() == {"id", "webhook_id", "type", "timestamp", "data"}


async def test_kitchens_events_stand_in_the_same_order(
    shop: Caller, kitchen: Kitchen, database: Database, order: dict[str, Any]
) -> None:
    """Paused between two orders, read between them."""
    await shop.placed(order)
    until = database.clock.now() + timedelta(hours=5)
    by = By(Via.WEB, "Lan")
    await pausing.pause(database, kitchen.id, until, by=by)
    await pausing.resume(database, kitchen.id, by=by)
    await shop.placed({**order, "external_id": "PX-2"})

    items = await _settled(shop, 4)

    assert [item["type"] for item in items] == [
        "order.placed",
        "partner.paused",
        "partner.resumed",
        "order.placed",
    ]
    assert items[1]["data"]["partner"] == "com-nha-lan"


async def test_types_can_be_picked(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> None:
    """Only confirmations, please; the place moves on beyond the others."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)
    everything = await _settled(shop, 2)

    heard = await shop.call("GET", EVENTS, params={"type": "order.confirmed,order.expired"})

    assert [item["type"] for item in heard.body["items"]] == ["order.confirmed"]
    none = await shop.call("GET", EVENTS, params={"type": "order.expired"})
    assert none.body == {"items": [], "next_after": everything[-1]["id"], "has_more": False}


async def test_picked_types_come_page_by_page_without_a_gap(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """A page that is full ends at its last item, not where it has looked to."""
    placed = [await shop.placed({**order, "external_id": f"PX-{n}"}) for n in range(5)]
    for order_id in placed:
        await kitchen.confirms(order_id)
    await _settled(shop, 10)

    for wanted in ("order.placed", "order.confirmed"):
        items = await _all(shop, limit="2", type=wanted)
        assert sorted(item["data"]["id"] for item in items) == sorted(placed)


async def test_others_webhooks_make_no_item_twice(
    shop: Caller, rival: Caller, database: Database, order: dict[str, Any]
) -> None:
    """Each platform reads an event once, with the id of its own webhook."""
    await _webhook_bodies(database, shop)
    await _webhook_bodies(database, rival)
    await shop.placed(order)
    rows = await database.pool.fetch(
        "SELECT p.name, w.id FROM webhooks w JOIN platforms p ON p.id = w.platform_id"
    )
    owed = {row["name"]: str(row["id"]) for row in rows}

    for caller in (shop, rival):
        (item,) = await _settled(caller, 1)
        assert item["webhook_id"] == owed[caller.keys.name]


async def test_what_commits_late_is_not_passed_by(
    shop: Caller, database: Database, ledger: Ledger, order: dict[str, Any]
) -> None:
    """While an older transaction is open nobody reads past it; then both come, each once."""
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT pg_current_xact_id()")
        await shop.placed(order)
        assert await _all(shop) == []
        partner = await connection.fetchval("SELECT id FROM partners")
        event = await connection.fetchval(
            "INSERT INTO partner_events (id, partner_id, number, type, at, by, data)"
            " VALUES (gen_random_uuid(), $1, 1, 'partner.paused', now(), '{}', $2) RETURNING id",
            partner,
            {
                "partner": "com-nha-lan",
                "at": "2026-11-23T09:12:00+07:00",
                "paused_until": None,
                "by": {"channel": "web", "name": "Lan"},
            },
        )
        await transaction.commit()

    items = await _settled(shop, 2)

    assert [item["type"] for item in items] == ["partner.paused", "order.placed"]
    assert items[0]["id"] == str(event)


async def test_a_kitchens_event_waits_for_what_is_older(
    shop: Caller, kitchen: Kitchen, database: Database
) -> None:
    """As an order's does: whoever reads on from it must not have passed anything by."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_current_xact_id()")
        until = database.clock.now() + timedelta(hours=5)
        await pausing.pause(database, kitchen.id, until, by=By(Via.WEB, "Lan"))
        assert await _all(shop) == []

    assert [item["type"] for item in await _settled(shop, 1)] == ["partner.paused"]


async def test_a_page_looks_through_so_much_and_no_more(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """Who wants what is rare gets an empty page and a place, instead of a long wait."""
    for number in range(4):
        await shop.placed({**order, "external_id": f"PX-{number}"})
    await _settled(shop, 4)
    platform = await platforms.authenticate(shop.keys.api_key, now=database.clock.now())
    assert platform

    page = await platform_events.page(
        database, platform, after=None, limit=50, types=frozenset({"order.expired"}), through=3
    )

    assert (page.items, page.has_more) == ([], True)
    rest = await platform_events.page(database, platform, after=page.next_after, limit=50)
    assert len(rest.items) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"after": str(UUID(int=7))},
        {"after": "x"},
        {"type": "order.eaten"},
        {"limit": "0"},
        {"limit": "201"},
        {"since": "x"},
    ],
    ids=["unknown", "no-id", "no-type", "none", "too-many", "no-such-name"],
)
async def test_nonsense_is_refused(shop: Caller, params: dict[str, str]) -> None:
    """With its place in the question."""
    heard: Heard = await shop.call("GET", EVENTS, params=params)
    assert heard.status == 422
    assert [fault["loc"] for fault in heard.body["errors"]] == [list(params)]


async def test_another_platforms_webhook_is_no_place(
    shop: Caller, rival: Caller, database: Database, order: dict[str, Any]
) -> None:
    """Ids of others' webhooks open nothing."""
    await _webhook_bodies(database, shop)
    await shop.placed(order)
    owed = await database.pool.fetchval("SELECT id FROM webhooks")

    assert (await rival.call("GET", EVENTS, params={"after": str(owed)})).status == 422
    assert (await shop.call("GET", EVENTS, params={"after": str(uuid4())})).status == 422


async def test_head_is_answered(shop: Caller) -> None:
    """As everywhere."""
    assert (await shop.call("HEAD", EVENTS)).status == 200
