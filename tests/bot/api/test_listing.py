import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from bot.api.models import OrderList
from core import ids
from core.database import Database
from core.partners.models import PartnerRow
from tests.bot.api.conftest import Caller, Heard, Kitchen, travel_to


async def _place_many(shop: Caller, order: dict[str, Any], count: int) -> list[str]:
    return [await shop.placed({**order, "external_id": f"PX-{n}"}) for n in range(count)]


def _ids(heard: Heard) -> list[str]:
    assert heard.status == 200, heard.raw
    return [item["id"] for item in heard.body["items"]]


async def _settled(shop: Caller, count: int, **params: str) -> Heard:
    """List changes until as many are there: open transactions of other tests hold them back."""
    for _ in range(200):
        heard = await shop.list(**params)
        if len(heard.body["items"]) >= count:
            return heard
        await asyncio.sleep(0.05)
    pytest.fail("Some transaction stays open")


async def test_an_empty_list_is_a_list(shop: Caller) -> None:
    """Nothing placed yet."""
    assert (await shop.list()).body == {"items": [], "next_cursor": None}


async def test_the_newest_comes_first_page_by_page(shop: Caller, order: dict[str, Any]) -> None:
    """Five orders in pages of two: each once, and the last page says that it is the last."""
    placed = await _place_many(shop, order, 5)

    first = await shop.list(limit="2")
    second = await shop.list(limit="2", cursor=first.body["next_cursor"])
    third = await shop.list(limit="2", cursor=second.body["next_cursor"])

    assert [*_ids(first), *_ids(second), *_ids(third)] == placed[::-1]
    assert third.body["next_cursor"] is None
    OrderList.model_validate(first.body)


async def test_a_full_last_page_has_no_next(shop: Caller, order: dict[str, Any]) -> None:
    """Two orders in a page of two."""
    await _place_many(shop, order, 2)

    assert (await shop.list(limit="2")).body["next_cursor"] is None


async def test_listed_orders_are_whole(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> None:
    """An order in a list is what GET shows, events included."""
    order_id = await shop.placed(order)
    await kitchen.confirms(order_id)

    shown = await shop.call("GET", f"/api/v1/orders/{order_id}")

    assert (await shop.list()).body["items"] == [shown.body]
    assert [event["type"] for event in shown.body["events"]] == ["order.placed", "order.confirmed"]


async def test_a_platform_lists_its_own_orders_only(
    shop: Caller, rival: Caller, order: dict[str, Any]
) -> None:
    """What others placed is not there."""
    mine, theirs = await shop.placed(order), await rival.placed(order)

    assert _ids(await shop.list()) == [mine]
    assert _ids(await rival.list()) == [theirs]


async def test_orders_by_status(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> None:
    """One status, several with commas, or the name repeated."""
    waiting, taken, declined = await _place_many(shop, order, 3)
    await kitchen.confirms(taken)
    await kitchen.declines(declined)

    assert _ids(await shop.list(status="pending")) == [waiting]
    assert _ids(await shop.list(status="pending,confirmed")) == [taken, waiting]
    repeated = await shop.call(
        "GET", "/api/v1/orders", params=[("status", "cancelled"), ("status", "confirmed")]
    )
    assert _ids(repeated) == [declined, taken]
    assert len(_ids(await shop.list(status=""))) == 3


async def test_orders_by_kitchen(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """By the kitchen's code."""
    await PartnerRow.create(id=ids.new(), code="bep-hue", name="Bếp Huế", created_at=database.clock.now())
    lan = await shop.placed(order)
    hue = await shop.placed({**order, "external_id": "PX-2", "partner": "bep-hue"})

    assert _ids(await shop.list(partner="com-nha-lan")) == [lan]
    assert _ids(await shop.list(partner="bep-hue")) == [hue]
    assert set((await shop.list(partner="ai-do")).faults) == {("partner",)}


async def test_orders_by_delivery(shop: Caller, order: dict[str, Any]) -> None:
    """Days are whole days of the kitchen's zone; timestamps are meant to the second, both ends included."""
    noon = (datetime.fromisoformat(order["deliver_at"]) + timedelta(days=3)).date()
    times = [f"{noon}T00:00:00+07:00", f"{noon}T12:00:00+07:00", f"{noon}T23:59:59+07:00"]
    night, midday, late = [
        await shop.placed({**order, "external_id": f"PX-{time}", "deliver_at": time}) for time in times
    ]
    day = noon.isoformat()

    assert _ids(await shop.list(from_=day, to=day)) == [late, midday, night]
    assert _ids(await shop.list(from_=day, partner="com-nha-lan")) == [late, midday, night]
    assert _ids(await shop.list(from_=times[1])) == [late, midday]
    assert _ids(await shop.list(to=times[1])) == [midday, night]
    assert _ids(await shop.list(to=times[1].replace("+", " "))) == [midday, night]
    assert _ids(await shop.list(to=(noon - timedelta(days=1)).isoformat())) == []


async def test_what_changed_since(
    shop: Caller, database: Database, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """The oldest change first; an order that changed again comes later."""
    one, two, three = await _place_many(shop, order, 3)
    before = (await shop.list()).body["items"][1]["updated_at"]
    await kitchen.confirms(one)

    heard = await _settled(shop, 2, updated_after=before)

    assert _ids(heard) == [three, one]
    assert two not in _ids(heard)
    page = await shop.list(updated_after=before, limit="1")
    rest = await shop.list(updated_after=before, limit="1", cursor=page.body["next_cursor"])
    assert [*_ids(page), *_ids(rest)] == [three, one]
    assert rest.body["next_cursor"] is None


async def test_nobody_pages_past_a_change_that_is_still_open(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """While an older transaction is open, forward readers do not see younger ones; then all at once."""
    old, young = await _place_many(shop, order, 2)
    since = {"updated_after": "2020-01-01T00:00:00Z"}
    async with database.pool.acquire() as slow, database.pool.acquire() as quick:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(_TOUCH, UUID(old))
        await quick.execute(_TOUCH, UUID(young))

        assert young not in _ids(await shop.list(**since))

        await transaction.commit()
    assert sorted(_ids(await _settled(shop, 2, **since))) == sorted([old, young])


_TOUCH = "UPDATE orders SET updated_at = updated_at, changed_in = pg_current_xact_id() WHERE id = $1"


UNANSWERABLE: Final[list[tuple[dict[str, str], tuple[str, ...]]]] = [
    ({"status": "done"}, ("status",)),
    ({"limit": "0"}, ("limit",)),
    ({"limit": "201"}, ("limit",)),
    ({"limit": "ten"}, ("limit",)),
    ({"limit": "9" * 5000}, ("limit",)),
    ({"limit": "٣"}, ("limit",)),
    ({"from": "yesterday"}, ("from",)),
    ({"from": "2026-02-30"}, ("from",)),
    ({"to": "2026-11-23T11:30:00"}, ("to",)),
    ({"updated_after": "2026-11-23"}, ("updated_after",)),
    ({"cursor": "nonsense"}, ("cursor",)),
    ({"cursor": "\u0000"}, ("cursor",)),
    ({"cursor": "WzEsMiwzXQ=="}, ("cursor",)),
    ({"partner": "\u0000"}, ("partner",)),
    ({"state": "pending"}, ("state",)),
]


async def test_a_question_that_cannot_be_answered(shop: Caller) -> None:
    """422 with the parameter's name, never a list that looks like an answer."""
    for query, loc in UNANSWERABLE:
        heard = await shop.call("GET", "/api/v1/orders", params=query)

        assert (heard.status, set(heard.faults)) == (422, {loc}), query


async def test_all_faults_of_a_question_are_told(shop: Caller) -> None:
    """Like a body's."""
    heard = await shop.list(status="done", limit="0", cursor="x")

    assert set(heard.faults) == {("status",), ("limit",), ("cursor",)}


async def test_a_name_that_stands_twice_is_told(shop: Caller) -> None:
    """Nobody could say which of the two is meant."""
    heard = await shop.call("GET", "/api/v1/orders", params=[("limit", "1"), ("limit", "2")])

    assert (heard.status, set(heard.faults)) == (422, {("limit",)})


async def test_a_cursor_belongs_to_its_question(shop: Caller, order: dict[str, Any]) -> None:
    """A cursor of the plain list does not page through changes."""
    await _place_many(shop, order, 2)
    cursor = (await shop.list(limit="1")).body["next_cursor"]

    heard = await shop.list(cursor=cursor, updated_after="2020-01-01T00:00:00Z")

    assert heard.status == 422


# --- settlements --------------------------------------------------------------------------------


async def _settle(caller: Caller, accept: str = "application/json", **params: str) -> Heard:
    return await caller.call(
        "GET",
        "/api/v1/settlements",
        params={name.rstrip("_"): text for name, text in params.items()},
        headers={"Accept": accept},
    )


async def test_completed_orders_are_settled(
    shop: Caller, kitchen: Kitchen, database: Database, order: dict[str, Any]
) -> None:
    """Exactly those: not what waits, is confirmed or was declined."""
    delivered, _waiting, confirmed, declined = await _place_many(shop, order, 4)
    await kitchen.confirms(confirmed)
    await kitchen.declines(declined)
    await kitchen.delivers(delivered)

    heard = await _settle(shop, partner="com-nha-lan")

    assert heard.status == 200
    assert (heard.body["count"], heard.body["total"]) == (1, 900_000)
    (item,) = heard.body["items"]
    shown = (await shop.call("GET", f"/api/v1/orders/{delivered}")).body
    assert item == {
        "order_id": delivered,
        "external_id": "PX-0",
        "code": shown["code"],
        "partner": "com-nha-lan",
        "completed_at": shown["status_changed_at"],
        "total": 900_000,
    }
    assert (await _settle(shop)).body == heard.body


async def test_a_platform_settles_its_own_orders(
    shop: Caller, rival: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """What others sold is not there."""
    await kitchen.delivers(await shop.placed(order))

    assert (await _settle(rival)).body == {"items": [], "count": 0, "total": 0}


async def test_days_are_the_kitchens(
    shop: Caller, kitchen: Kitchen, database: Database, order: dict[str, Any]
) -> None:
    """00:30 in Hồ Chí Minh City is that day, though it is the day before in London."""
    day = (datetime.fromisoformat(order["deliver_at"]) + timedelta(days=3)).date()
    order_id = await shop.placed({**order, "deliver_at": f"{day}T00:30:00+07:00"})
    await kitchen.delivers(order_id)
    before = day - timedelta(days=1)

    assert (await _settle(shop, from_=f"{day}", to=f"{day}")).body["count"] == 1
    assert (await _settle(shop, from_=f"{before}", to=f"{before}")).body["count"] == 0


async def test_a_settlement_as_csv(shop: Caller, kitchen: Kitchen, order: dict[str, Any]) -> None:
    """The same columns; an external id that a spreadsheet would run stays text."""
    evil = '=HYPERLINK("http://evil.example","Bấm")'
    await kitchen.delivers(await shop.placed({**order, "external_id": evil}))

    item = (await _settle(shop)).body["items"][0]
    heard = await _settle(shop, accept="text/csv")

    assert heard.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert heard.headers["Content-Disposition"].startswith("attachment")
    header, line, end = heard.raw.decode("utf-8").split("\r\n")
    assert header == "order_id,external_id,code,partner,completed_at,total"
    quoted = evil.replace('"', '""')
    assert line == (
        f'{item["order_id"]},"\'{quoted}",{item["code"]},com-nha-lan,{item["completed_at"]},900000'
    )
    assert end == ""


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/csv, application/json;q=0.5", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_reader_says_what_it_prefers(shop: Caller, accept: str, kind: str) -> None:
    """JSON unless CSV is wanted more."""
    heard = await _settle(shop, accept=accept)

    assert heard.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, ("to",)),
        ({"from": "2024-01-01", "to": "2026-11-01"}, ("to",)),
        ({"from": "2026-11-02T00:00:00Z"}, ("from",)),
        ({"partner": "ai-do"}, ("partner",)),
        ({"page": "2"}, ("page",)),
    ],
)
async def test_days_that_cannot_be_settled(shop: Caller, query: dict[str, str], loc: tuple[str, ...]) -> None:
    """The wrong way round, too many, not days."""
    heard = await shop.call("GET", "/api/v1/settlements", params=query)

    assert (heard.status, set(heard.faults)) == (422, {loc})


async def test_without_days_it_is_the_month_so_far(
    shop: Caller, kitchen: Kitchen, database: Database, order: dict[str, Any]
) -> None:
    """What was completed last month is not in this month's settlement."""
    await kitchen.delivers(await shop.placed(order))
    assert (await _settle(shop)).body["count"] == 1

    await travel_to(database, database.clock.now() + timedelta(days=32))

    assert (await _settle(shop)).body["count"] == 0
