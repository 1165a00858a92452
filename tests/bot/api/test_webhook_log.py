"""The delivery log of a platform: what it was told, how it answered, and telling it again."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.api.models import WebhookDocument, WebhookList
from core.database import Database
from core.platforms import webhooks
from tests.bot.api.conftest import Caller, SilentWake
from tests.core.kitchens import answers

LOG = "/api/v1/webhooks"


@pytest.fixture(autouse=True)
async def _addresses(database: Database, shop: Caller, rival: Caller) -> None:
    """Give both platforms an address."""
    await database.pool.execute("UPDATE platforms SET webhook_url = 'https://shop.example/hooks'")


async def _webhook_of(database: Database, caller: Caller) -> UUID:
    found = await database.pool.fetchval(
        "SELECT w.id FROM webhooks w JOIN platforms p ON p.id = w.platform_id WHERE p.name = $1"
        " ORDER BY w.version DESC LIMIT 1",
        caller.keys.name,
    )
    assert isinstance(found, UUID)
    return found


async def _answered(database: Database, webhook_id: UUID, *statuses: int | None) -> None:
    for status in statuses:
        ((webhook, *_),) = (await webhooks.claim(database, [webhook_id])).groups
        await answers(database, webhook, status, why=None if status else "no answer in time")
        await database.pool.execute("UPDATE webhooks SET next_at = $1", database.clock.now())


async def test_the_log_tells_every_attempt(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """A refusal, a silence, and then it was taken."""
    order_id = await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    await _answered(database, webhook_id, 503, None, 204)

    heard = await shop.call("GET", LOG)

    WebhookList.model_validate_json(heard.raw)
    (item,) = heard.body["items"]
    assert (item["id"], item["type"], item["order_id"]) == (str(webhook_id), "order.placed", order_id)
    assert (item["state"], item["tries"], item["last_status"], item["why"]) == ("delivered", 3, 204, None)
    assert item["delivered_at"]
    assert item["next_at"] is None
    assert [(attempt["status"], attempt["why"]) for attempt in item["attempts"]] == [
        (503, "HTTP 503"),
        (None, "no answer in time"),
        (204, None),
    ]
    assert [attempt["took_ms"] for attempt in item["attempts"]] == [12, 12, 12]


async def test_the_log_goes_from_the_newest_page_by_page(shop: Caller, order: dict[str, Any]) -> None:
    """Five in pages of two, each once."""
    for number in range(5):
        await shop.placed({**order, "external_id": f"PX-{number}"})
    whole = [item["id"] for item in (await shop.call("GET", LOG)).body["items"]]
    pages: list[str] = []
    cursor = ""
    for _ in range(3):
        heard = await shop.call("GET", LOG, params={"limit": "2", "cursor": cursor})
        pages += [item["id"] for item in heard.body["items"]]
        cursor = heard.body["next_cursor"] or ""

    assert pages == whole == sorted(whole, reverse=True)
    assert cursor == ""


async def test_the_log_by_state(shop: Caller, database: Database, order: dict[str, Any]) -> None:
    """What waits, and what does not."""
    await shop.placed(order)
    first = await _webhook_of(database, shop)
    await _answered(database, first, 200)
    await shop.placed({**order, "external_id": "PX-2"})

    by_state = {
        state: [item["id"] for item in (await shop.call("GET", LOG, params={"state": state})).body["items"]]
        for state in ("waiting", "delivered", "dead")
    }

    assert by_state["delivered"] == [str(first)]
    assert len(by_state["waiting"]) == 1
    assert by_state["dead"] == []
    assert (await shop.call("GET", LOG, params={"state": "lost"})).status == 422


async def test_a_replay_is_sent_again_at_once(
    shop: Caller, database: Database, wake: SilentWake, order: dict[str, Any]
) -> None:
    """The same id, from the beginning of its schedule; the worker is woken."""
    await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    await _answered(database, webhook_id, 500, 200)
    wake.webhooks.clear()

    heard = await shop.call("POST", f"{LOG}/{webhook_id}/replay")

    assert heard.status == 202
    WebhookDocument.model_validate_json(heard.raw)
    assert (heard.body["id"], heard.body["state"], heard.body["tries"]) == (str(webhook_id), "waiting", 0)
    assert wake.webhooks == [webhook_id]
    ((webhook,),) = (await webhooks.claim(database, [webhook_id])).groups
    assert (webhook.id, webhook.tries) == (webhook_id, 1)


async def test_what_was_given_up_can_be_replayed(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """A dead webhook is waiting again."""
    await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    await database.pool.execute("UPDATE webhooks SET state = 'dead', tries = 11")

    assert (await shop.call("POST", f"{LOG}/{webhook_id}/replay")).body["state"] == "waiting"
    assert (await webhooks.claim(database, [webhook_id])).groups


async def test_nobody_replays_anothers(
    shop: Caller, rival: Caller, database: Database, order: dict[str, Any]
) -> None:
    """To this platform it does not exist, and nothing happens to it."""
    await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    await _answered(database, webhook_id, 200)

    refused = [
        (await rival.call("POST", f"{LOG}/{webhook_id}/replay")).status,
        (await rival.call("POST", f"{LOG}/{uuid4()}/replay")).status,
        (await rival.call("POST", f"{LOG}/nonsense/replay")).status,
    ]

    assert refused == [404, 404, 404]
    assert await database.pool.fetchval("SELECT state FROM webhooks WHERE id = $1", webhook_id) == "delivered"


async def test_a_test_is_sent_once(shop: Caller, database: Database, wake: SilentWake) -> None:
    """It stands in the log, is signed like any other, and is not retried nor alarmed about."""
    heard = await shop.call("POST", f"{LOG}/test")

    assert heard.status == 202
    WebhookDocument.model_validate_json(heard.raw)
    assert (heard.body["type"], heard.body["state"], heard.body["order_id"]) == ("test", "waiting", None)
    webhook_id = UUID(heard.body["id"])
    assert wake.webhooks == [webhook_id]
    ((webhook,),) = (await webhooks.claim(database, [webhook_id])).groups
    assert webhook.test_at
    await answers(database, webhook, 500)
    (item,) = (await shop.call("GET", LOG)).body["items"]
    assert (item["state"], item["last_status"], len(item["attempts"])) == ("dead", 500, 1)
    assert await database.pool.fetchval("SELECT count(*) FROM notices WHERE kind = 'webhook_dead'") == 0


@pytest.mark.parametrize("column", ["webhook_url = NULL", "disabled_at = now()"], ids=["no-url", "disabled"])
async def test_a_platform_that_is_sent_nothing_is_told_so(
    shop: Caller, database: Database, column: str, order: dict[str, Any]
) -> None:
    """Neither test nor replay pretends."""
    await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    await database.pool.execute(f"UPDATE platforms SET {column}")  # noqa: S608

    for path in (f"{LOG}/test", f"{LOG}/{webhook_id}/replay"):
        heard = await shop.call("POST", path)
        assert (heard.status, heard.body["code"]) == (409, "webhooks_off")


async def test_next_at_is_told_while_it_waits(
    shop: Caller, database: Database, order: dict[str, Any]
) -> None:
    """A platform sees when it is asked again."""
    await shop.placed(order)
    webhook_id = await _webhook_of(database, shop)
    ((webhook,),) = (await webhooks.claim(database, [webhook_id])).groups
    wait = await answers(database, webhook, 503, retry_after=timedelta(minutes=3))

    (item,) = (await shop.call("GET", LOG)).body["items"]

    assert wait == timedelta(minutes=3)
    assert item["next_at"] > database.clock.now().isoformat()
