"""The routes of the API: one table, from which the OpenAPI document is made as well."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from bot.api import batch, bodies, docs, events, openapi, orders, settlements, webhooks
from bot.api.batch import TURNS
from bot.api.calls import Act, open_call
from bot.api.limits import LIMITS, Limits, Seconds, tell_allowance
from bot.api.openapi import Operation
from bot.api.problems import DOCS_PATH, tell_problems
from bot.keys import SETTINGS

PREFIX: Final = "/api/v1"
OPENAPI_PATH: Final = "/openapi.json"

ACTS: Final[dict[Operation, Act]] = {
    openapi.PLACE: orders.place,
    openapi.PLACE_MANY: batch.place,
    openapi.LIST: orders.list_orders,
    openapi.SHOW: orders.show,
    openapi.CHANGE: orders.change,
    openapi.CANCEL: orders.cancel,
    openapi.REVIEW: orders.review,
    openapi.SETTLE: settlements.show,
    openapi.EVENTS: events.list_events,
    openapi.WEBHOOKS: webhooks.list_webhooks,
    openapi.TEST: webhooks.test,
    openapi.REPLAY: webhooks.replay,
}


def add_routes(app: web.Application, *, seconds: Seconds = time.monotonic) -> None:
    """Add the API, its OpenAPI document and the page to read it.

    The application needs LEDGER, DATABASE and SETTINGS of `bot.keys`. `seconds` is what limits go by.
    """
    api = web.Application(middlewares=[tell_allowance, tell_problems])
    api[LIMITS] = Limits(app[SETTINGS].api_rate, seconds=seconds)
    api[TURNS] = asyncio.Semaphore(1)
    for operation, act in ACTS.items():
        api.router.add_route(operation.method, operation.path, _handler(operation, act))
        if operation.method == "GET":
            api.router.add_route("HEAD", operation.path, _handler(operation, act))
    app.add_subapp(PREFIX, api)
    app.router.add_get(OPENAPI_PATH, openapi.show)
    app.router.add_get(DOCS_PATH, docs.show)
    app.router.add_get(docs.STYLE_PATH, docs.show_style)


def _handler(operation: Operation, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        call = await open_call(request)
        if operation.method == "POST" and operation.body is None:
            await bodies.read_nothing(request)
        return await act(call)

    return handle
