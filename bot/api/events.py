"""Catching up: everything a platform is told, in one order, to be read again and again."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from aiohttp import web

from bot.api.calls import Call
from bot.api.faults import Fault, Faulty
from bot.api.listing import events_query
from bot.api.shapes import partner_webhook_content, scope_for, webhook_content
from bot.keys import DATABASE
from core.database import Database
from core.errors import NotFound
from core.orders.as_they_were import as_of_each
from core.orders.events import Json
from core.partners.events import numbered
from core.platforms import platform_events
from core.platforms.platform_events import Happened

_UNKNOWN: Final = Fault(("after",), "is no event and no webhook of yours")


async def list_events(call: Call) -> web.Response:
    """List what happened after an event: each item as its webhook's body says it, with its id."""
    query = events_query(call.request.query)
    database = call.request.config_dict[DATABASE]
    try:
        page = await platform_events.page(
            database, call.platform, after=query.after, limit=query.limit, types=query.type
        )
    except NotFound:
        raise Faulty(_UNKNOWN) from None
    contents = await _contents(database, call.platform.id, page.items)
    items = [
        {"id": str(item.id), "webhook_id": _text(item.webhook_id), **contents[item.id]} for item in page.items
    ]
    body = {"items": items, "next_after": _text(page.next_after), "has_more": page.has_more}
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _text(of: UUID | None) -> str | None:
    return str(of) if of else None


async def _contents(
    database: Database, platform_id: UUID, items: Sequence[Happened]
) -> Mapping[UUID, Mapping[str, Json]]:
    """Return the bodies by the ids of their events."""
    of_orders = [item for item in items if not item.of_partner]
    told = await as_of_each(database, [(item.subject_id, item.version) for item in of_orders])
    contents: dict[UUID, Mapping[str, Json]] = {}
    for item in of_orders:
        then = told[item.subject_id, item.version]
        contents[item.id] = webhook_content(then, scope_for(platform_id, then.order))
    for item in items:
        if item.of_partner and (event := await numbered(database.pool, item.subject_id, item.version)):
            contents[item.id] = partner_webhook_content(event)
    return contents
