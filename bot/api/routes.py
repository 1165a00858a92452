"""The routes of the API: one table, from which the OpenAPI document is made as well."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from bot.api import docs, openapi, orders, settlements
from bot.api.calls import Act, open_call
from bot.api.openapi import Operation
from bot.api.problems import DOCS_PATH, tell_problems

PREFIX: Final = "/api/v1"
OPENAPI_PATH: Final = "/openapi.json"

ACTS: Final[dict[Operation, Act]] = {
    openapi.PLACE: orders.place,
    openapi.LIST: orders.list_orders,
    openapi.SHOW: orders.show,
    openapi.CHANGE: orders.change,
    openapi.CANCEL: orders.cancel,
    openapi.REVIEW: orders.review,
    openapi.SETTLE: settlements.show,
}


def add_routes(app: web.Application) -> None:
    """Add the API, its OpenAPI document and the page to read it.

    The application needs LEDGER, DATABASE and SETTINGS of `bot.keys`.
    """
    api = web.Application(middlewares=[tell_problems])
    for operation, act in ACTS.items():
        api.router.add_route(operation.method, operation.path, _handler(act))
        if operation.method == "GET":
            api.router.add_route("HEAD", operation.path, _handler(act))
    app.add_subapp(PREFIX, api)
    app.router.add_get(OPENAPI_PATH, openapi.show)
    app.router.add_get(DOCS_PATH, docs.show)
    app.router.add_get(docs.STYLE_PATH, docs.show_style)


def _handler(act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await act(await open_call(request))

    return handle
