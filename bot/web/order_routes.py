"""The routes of a kitchen's orders, its money and its reviews, and of what links to an order open."""

from typing import Final

from aiohttp import web

from bot.web import (
    deeds,
    live,
    order_inside,
    order_page,
    orders_page,
    review_page,
    reviews_page,
    settlement_page,
    summary_page,
)

_LINK: Final = "/o/{token:[^/]+}"
_REVIEW: Final = "/r/{token:[^/]+}"
_ORDER: Final = "/orders/{code:[0-9]{5}}"
_ACTION: Final = f"{{action:{'|'.join(deeds.ACTIONS)}}}"


def add_routes(app: web.Application) -> None:
    """Add the pages, and whoever tells open ones that their order has changed."""
    app.cleanup_ctx.append(live.keep_looking)
    app.on_shutdown.append(live.hang_up)
    router = app.router
    router.add_get(_LINK, order_page.show)
    router.add_get(f"{_LINK}/live", live.of_link, allow_head=False)
    router.add_post(f"{_LINK}/{_ACTION}", order_page.act)
    router.add_get("/orders", orders_page.show)
    router.add_get(_ORDER, order_inside.show)
    router.add_get(f"{_ORDER}/live", live.of_seat, allow_head=False)
    router.add_post(f"{_ORDER}/{_ACTION}", order_inside.act)
    router.add_get("/summary", summary_page.show)
    router.add_get("/settlement", settlement_page.show)
    router.add_get("/settlement.csv", settlement_page.download)
    router.add_get("/reviews", reviews_page.show)
    router.add_get(_REVIEW, review_page.show)
    router.add_post(_REVIEW, review_page.take)
