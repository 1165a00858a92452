"""Many orders in one request: each by itself, all of them bounded."""

import asyncio
import io
import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.api.models import BatchResults, OrderDocument
from core import ids
from core.actors import Actor, ActorKind, Role, Via
from core.database import Database
from core.ledger import Ledger
from core.orders.commands import ConfirmOrder
from core.orders.models import OrderRow
from core.orders.order import OrderId
from core.partners.models import PartnerRow
from tests.bot.api.conftest import ORDERS, Caller, Heard, Kitchen

BATCH = f"{ORDERS}:batch"


def _numbered(order: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    return [{**order, "external_id": f"PX-{number}"} for number in range(count)]


async def _send(shop: Caller, orders: Sequence[Any], *, key: str | None = None) -> Heard:
    headers = {"Idempotency-Key": key} if key else None
    return await shop.call("POST", BATCH, json={"orders": orders}, headers=headers)


def _statuses(heard: Heard) -> list[int]:
    return [result["status"] for result in heard.body["results"]]


async def test_every_order_has_its_own_answer(shop: Caller, order: dict[str, Any]) -> None:
    """In the order they were sent in, each with the whole document, each found again."""
    heard = await _send(shop, _numbered(order, 120))

    assert heard.status == 200
    BatchResults.model_validate(heard.body)
    assert [result["index"] for result in heard.body["results"]] == list(range(120))
    assert _statuses(heard) == [201] * 120
    for number, result in enumerate(heard.body["results"]):
        assert result["order"]["external_id"] == f"PX-{number}"
        OrderDocument.model_validate(result["order"])
    shown = await shop.call("GET", f"{ORDERS}/{heard.body['results'][7]['order']['id']}")
    assert shown.body == heard.body["results"][7]["order"]
    assert await OrderRow.all().count() == 120


async def test_a_bad_order_harms_only_itself(shop: Caller, order: dict[str, Any]) -> None:
    """It gets the problem that it would have had by itself, with all of its faults."""
    bad = {**order, "external_id": "PX-bad", "partner": "nobody", "total": 1}
    good = _numbered(order, 2)

    heard = await _send(shop, [good[0], bad, "text", None, {**order, "note": "\x00"}, good[1]])

    assert _statuses(heard) == [201, 422, 422, 422, 422, 201]
    alone = await shop.place(bad)
    assert heard.body["results"][1]["problem"] == alone.body
    assert heard.body["results"][1].keys() == {"index", "status", "problem"}
    BatchResults.model_validate(heard.body)


async def test_rules_of_the_order_domain_are_each_orders_own(
    shop: Caller, database: Database, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """A paused kitchen refuses its orders, not those of its neighbour."""
    until = database.clock.now() + timedelta(hours=3)
    await PartnerRow.create(
        id=ids.new(),
        code="com-tam-hoa",
        name="Cơm tấm Hoa",
        created_at=database.clock.now(),
        paused_until=until,
    )

    heard = await _send(shop, [{**order, "partner": "com-tam-hoa"}, {**order, "external_id": "PX-2"}])

    assert _statuses(heard) == [409, 201]
    assert heard.body["results"][0]["problem"]["code"] == "partner_paused"


async def test_of_two_with_one_external_id_the_first_wins(shop: Caller, order: dict[str, Any]) -> None:
    """The second is its repeat, or a conflict where it says something else."""
    heard = await _send(shop, [order, order, {**order, "note": "Khác"}, order])

    assert _statuses(heard) == [201, 200, 409, 200]
    results = heard.body["results"]
    assert results[2]["problem"]["code"] == "external_id_taken"
    assert len({results[number]["order"]["id"] for number in (0, 1, 3)}) == 1
    assert await OrderRow.all().count() == 1


async def test_the_second_wins_where_the_first_is_refused(shop: Caller, order: dict[str, Any]) -> None:
    """An order that is not placed has no external id."""
    heard = await _send(shop, [{**order, "total": 1}, order])

    assert _statuses(heard) == [422, 201]


async def test_a_batch_meets_orders_that_were_placed_singly(shop: Caller, order: dict[str, Any]) -> None:
    """External ids are the same whichever way an order came."""
    order_id = await shop.placed(order)

    heard = await _send(shop, [order])

    assert _statuses(heard) == [200]
    assert heard.body["results"][0]["order"]["id"] == order_id


# --- Idempotency-Key ----------------------------------------------------------------------------


async def test_a_repeated_batch_hears_the_first_answers(
    shop: Caller, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """However its orders went on since; the spelling of the JSON makes no difference."""
    orders = _numbered(order, 60)
    first = await _send(shop, orders, key="b-1")
    await kitchen.confirms(first.body["results"][3]["order"]["id"])

    again = await _send(shop, [dict(reversed(one.items())) for one in orders], key="b-1")

    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


async def test_a_repeat_tries_again_what_was_refused(
    shop: Caller, database: Database, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """The kitchen was paused: what was placed stays as it was, the rest gets its chance."""
    await database.pool.execute("UPDATE partners SET paused_until = $1", database.clock.now() + timedelta(1))
    orders = [{**order, "external_id": "PX-1"}, {**order, "external_id": "PX-2"}]
    refused = await _send(shop, orders, key="b-1")
    await database.pool.execute("UPDATE partners SET paused_until = NULL")

    placed = await _send(shop, orders, key="b-1")

    assert (_statuses(refused), _statuses(placed)) == ([409, 409], [201, 201])


@pytest.mark.parametrize("other_way", ["batch", "single"])
async def test_a_key_is_one_requests(shop: Caller, order: dict[str, Any], other_way: str) -> None:
    """Another batch under the same key is refused whole, and so is a single order."""
    first, second = _numbered(order, 2)
    await _send(shop, [first], key="b-1")

    other = _send(shop, [second], key="b-1") if other_way == "batch" else shop.place(second, key="b-1")
    heard = await other

    assert (heard.status, heard.body["code"]) == (422, "idempotency_key_reused")
    assert await OrderRow.all().count() == 1


async def test_a_batch_that_was_cut_short_binds_what_it_placed(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """The process ended before it kept the key: another order there is refused, the same one is known."""
    first = await _send(shop, [order], key="b-1")
    await database.pool.execute("DELETE FROM inbox WHERE key LIKE 'api:%:b-1'")

    other = await _send(shop, [{**order, "external_id": "PX-other"}], key="b-1")

    assert _statuses(other) == [422]
    assert "idempotency" in other.body["results"][0]["problem"]["type"]
    again = await _send(shop, [order], key="b-1")
    assert again.body["results"][0]["order"] == first.body["results"][0]["order"]
    assert await OrderRow.all().count() == 1


async def test_a_batch_of_which_nothing_was_placed_does_not_use_the_key_up(
    shop: Caller, order: dict[str, Any]
) -> None:
    """Whoever mends the body may keep the key."""
    await _send(shop, [{**order, "total": 1}], key="b-1")

    heard = await _send(shop, [order], key="b-1")

    assert _statuses(heard) == [201]


async def test_two_at_the_same_moment_are_one_batch(shop: Caller, order: dict[str, Any]) -> None:
    """Whoever comes second hears what the first heard."""
    one, two = await asyncio.gather(*(_send(shop, _numbered(order, 100), key="b-1") for _ in range(2)))

    assert one.body == two.body
    assert _statuses(one) == [201] * 100
    assert await OrderRow.all().count() == 100


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"orders":{}}', b'{"orders":null}', b'{"orders":[]}', b'{"orders":[1],"x":2}', b"1"],
    ids=["list", "empty", "object", "null", "none", "more", "number"],
)
async def test_what_is_no_batch_is_refused_whole(shop: Caller, body: bytes) -> None:
    """422, and what a batch looks like."""
    heard = await shop.call("POST", BATCH, data=body)

    assert (heard.status, heard.body["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"orders":[{]}',
        b'{"orders":[NaN]}',
        b'{"orders":[1],"orders":[2]}',
        b'{"orders":' + b"[" * 100_000,
        b'{"\\u006frders":[1]}',
        b'{"orders":["\\ud800"]}',
    ],
    ids=["nothing", "broken", "nan", "twice", "deep", "escaped", "half a sign"],
)
async def test_what_is_no_json_is_refused_whole(shop: Caller, body: bytes) -> None:
    """400: nobody can say where one order ends and the next begins."""
    heard = await shop.call("POST", BATCH, data=body)

    assert (heard.status, heard.body["code"]) == (400, "malformed")


async def test_500_orders_are_a_batch_and_501_are_not(shop: Caller) -> None:
    """The bound is the same whatever the members are."""
    assert _statuses(await _send(shop, [0] * 500)) == [422] * 500
    assert (await _send(shop, [0] * 501)).faults == {("orders",): "must be 1 to 500 orders"}


async def test_an_order_in_a_batch_is_as_large_as_a_single_one(shop: Caller, order: dict[str, Any]) -> None:
    """Beyond 256 kB it is refused without being looked at; beyond 2 MB the whole batch is."""
    large = {**order, "note": "x" * 300_000}

    heard = await _send(shop, [large, order])
    whole = await shop.call("POST", BATCH, data=io.BytesIO(b'{"orders":["' + b"x" * 2**21 + b'"]}'))

    assert _statuses(heard) == [413, 201]
    assert (whole.status, whole.body["code"]) == (413, "too_large")


async def test_names_that_stand_twice_are_the_orders_own_fault(shop: Caller) -> None:
    """So is what is not UTF-8: what JSON readers disagree about is read by none."""
    members = b'{"note":"a","note":"b"},"\xff",{"note":1e999999}'

    heard = await shop.call("POST", BATCH, data=b'{"orders":[' + members + b"]}")

    assert _statuses(heard) == [400, 400, 422]


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 990])
async def test_a_deeply_nested_order_is_refused_by_itself(
    shop: Caller, order: dict[str, Any], depth: int
) -> None:
    """Also where its content would be compared with that of a repeat."""
    deep = b"[" * depth + b"]" * depth
    body = b'{"orders":[' + deep + b"," + json.dumps(order).encode() + b"]}"

    heard = await shop.call("POST", BATCH, data=body, headers={"Idempotency-Key": "b-1"})

    assert heard.status in {200, 400}
    if heard.status == 200:
        assert _statuses(heard)[0] in {400, 422}
        assert _statuses(heard)[1] == 201


@pytest.mark.parametrize(
    "member",
    [b"1", b"{}", b"[" + b",".join([b"{}"] * 80_000) + b"]", b"{" * 900 + b"}" * 900],
    ids=["numbers", "objects", "lists", "broken"],
)
async def test_a_hostile_batch_holds_nobody_up(shop: Caller, member: bytes) -> None:
    """While two megabytes of nonsense are read, everybody else has a turn every half second at worst."""
    count = (2**21 - 20) // (len(member) + 1)
    body = b'{"orders":[' + b",".join([member] * count) + b"]}"
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            worst = max(worst, time.perf_counter() - before)

    watching = asyncio.create_task(watch())
    heard = await shop.call("POST", BATCH, data=io.BytesIO(body))
    watching.cancel()

    assert heard.status in {200, 400, 422}
    assert worst < 0.5


async def test_batches_leave_room_for_taps(
    shop: Caller, rival: Caller, ledger: Ledger, kitchen: Kitchen, order: dict[str, Any]
) -> None:
    """While six batches of 500 are placed, never more than 50 of their orders are before a tap."""
    first = await shop.placed({**order, "external_id": "tapped"})
    lan = Actor(ActorKind.STAFF, "Lan", Via.ZALO, id=kitchen.id, partner_id=kitchen.id, role=Role.OWNER)
    batches = [
        asyncio.create_task(
            _send(who, [{**order, "external_id": f"{number}-{part}"} for number in range(500)])
        )
        for part in range(3)
        for who in (shop, rival)
    ]
    most, taps = 0, 0
    while not all(batch.done() for batch in batches):
        most = max(most, ledger.waiting)
        await ledger.submit(ConfirmOrder(OrderId(UUID(first))), actor=lan)
        taps += 1
        await asyncio.sleep(0.01)

    assert all(_statuses(batch.result()) == [201] * 500 for batch in batches)
    assert taps > 10
    assert most <= 50
