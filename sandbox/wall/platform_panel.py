"""The platform's side: its orders, what a customer may do next, and the webhooks it got."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from sandbox.menu import sample_review
from sandbox.platform import Answer, FakePlatform
from sandbox.wall.panel import failed, said

_SHOWN_ORDERS: Final = 6
_SHOWN_LINES: Final = 40


class PlatformPanel:
    """Shows the newest orders and the webhook log."""

    key = "platform"
    label = "Nền tảng"
    hears = ("platform.",)

    def __init__(self, platform: FakePlatform, *, chance: random.Random) -> None:
        self._platform = platform
        self._chance = chance

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the newest orders and the newest webhooks."""
        orders = list(self._platform.orders.values())[-_SHOWN_ORDERS:][::-1]
        return {
            "platform_name": self._platform.name,
            "orders": orders,
            "log": self._platform.log()[:_SHOWN_LINES],
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what a customer can do with an order."""
        return [
            web.post("/platform/{order_id}/postpone", self._postpone),
            web.post("/platform/{order_id}/cancel", self._cancel),
            web.post("/platform/{order_id}/review", self._review),
        ]

    async def _postpone(self, request: web.Request) -> web.Response:
        order = self._order(request)
        later = datetime.fromisoformat(str(order["deliver_at"])) + timedelta(hours=1)
        return _told(await self._platform.change(str(order["id"]), deliver_at=later.isoformat()))

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self._order(request)
        return _told(await self._platform.cancel(str(order["id"]), "Khách đổi ý"))

    async def _review(self, request: web.Request) -> web.Response:
        order = self._order(request)
        customer = order.get("customer") or {}
        review = sample_review(self._chance, author=str(customer.get("name", "")))
        return _told(await self._platform.review(str(order["id"]), **review))

    def _order(self, request: web.Request) -> dict[str, Any]:
        order = self._platform.orders.get(request.match_info["order_id"])
        if order is None:
            raise web.HTTPNotFound
        return order


def _told(answer: Answer) -> web.Response:
    if answer.ok:
        return said()
    return failed(str(answer.body.get("detail") or f"Chốt Đơn trả {answer.status}"))
