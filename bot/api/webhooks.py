"""What a platform was told, how it answered, and telling it again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from aiohttp import web

from bot.api.calls import Call
from bot.api.listing import webhooks_query
from bot.api.problems import Problem
from bot.keys import DATABASE, WAKING
from core.errors import NotFound, RuleError
from core.orders.events import Json
from core.platforms import webhook_log
from core.platforms.webhook_log import Delivery
from core.waking import wake_worker

_MILLISECOND: Final = timedelta(milliseconds=1)


async def list_webhooks(call: Call) -> web.Response:
    """List the platform's webhooks, newest first."""
    query = webhooks_query(call.request.query)
    page = await webhook_log.page(
        call.request.config_dict[DATABASE].pool,
        call.platform.id,
        state=query.state,
        after=query.cursor,
        limit=query.limit,
    )
    items = [delivery_document(item) for item in page.items]
    return _json({"items": items, "next_cursor": str(page.next) if page.next else None})


async def replay(call: Call) -> web.Response:
    """Send a webhook once more, now: 202 with what is known of it."""
    try:
        webhook_id = UUID(call.request.match_info["id"])
    except ValueError:
        raise Problem("not_found") from None
    database = call.request.config_dict[DATABASE]
    try:
        await webhook_log.replay(database, call.platform.id, webhook_id)
    except NotFound:
        raise Problem("not_found") from None
    except RuleError:
        raise Problem("webhooks_off") from None
    return await _owed(call, webhook_id)


async def test(call: Call) -> web.Response:
    """Send a webhook that tells of nothing: 202; how it ended stands in the log."""
    try:
        webhook_id = await webhook_log.test(call.request.config_dict[DATABASE], call.platform.id)
    except RuleError:
        raise Problem("webhooks_off") from None
    return await _owed(call, webhook_id)


async def _owed(call: Call, webhook_id: UUID) -> web.Response:
    """Wake the worker, and answer with the webhook as it is."""
    found = call.request.config_dict
    await wake_worker(found[WAKING].wake, (), [webhook_id])
    delivery = await webhook_log.one(found[DATABASE].pool, call.platform.id, webhook_id)
    return _json(delivery_document(delivery), status=202)


def delivery_document(delivery: Delivery) -> dict[str, Json]:
    """Return one webhook of the log as JSON; moments in UTC."""
    attempts: Sequence[dict[str, Json]] = [
        {
            "at": attempt.at.isoformat(),
            "took_ms": attempt.took // _MILLISECOND,
            "status": attempt.status,
            "why": attempt.why,
        }
        for attempt in delivery.attempts
    ]
    return {
        "id": str(delivery.id),
        "event_id": str(delivery.event_id) if delivery.event_id else None,
        "type": delivery.type,
        "order_id": str(delivery.order_id) if delivery.order_id else None,
        "version": delivery.version,
        "state": delivery.state.value,
        "tries": delivery.tries,
        "last_status": delivery.last_status,
        "why": delivery.why,
        "next_at": delivery.next_at.isoformat() if delivery.next_at else None,
        "delivered_at": delivery.delivered_at.isoformat() if delivery.delivered_at else None,
        "attempts": list(attempts),
    }


def _json(content: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")
