"""The routes of the board, its orders, and what else waits for operators."""

from typing import Final

from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.ops import alarms_page, audit_page, board_page, items_page, live, orders, search_page
from bot.ops.figures import COUNTING, Counting

_ORDER: Final = "/ops/orders/{order:[^/]+}"


def add_routes(app: web.Application) -> None:
    """Add the pages, and keep open boards up to date while the application runs."""
    app[live.BOARD] = live.BoardLive(app[DATABASE], app[SETTINGS].operator_emails)
    app[COUNTING] = Counting(app[DATABASE], app[SETTINGS].policy, app[live.BOARD])
    app.cleanup_ctx.append(live.keep_looking)
    app.on_shutdown.append(live.hang_up)
    app.router.add_get("/ops", board_page.show)
    app.router.add_get("/ops/live", live.of_board)
    app.router.add_get(_ORDER, orders.show)
    app.router.add_get(f"{_ORDER}/live", orders.live)
    app.router.add_post(f"{_ORDER}/nudge", orders.nudge)
    app.router.add_post(f"{_ORDER}/reveal", orders.reveal)
    app.router.add_post(f"{_ORDER}/{{action:confirm|cancel|complete}}", orders.act)
    app.router.add_get("/ops/items", items_page.show)
    app.router.add_post("/ops/items", items_page.handle)
    app.router.add_get("/ops/alarms", alarms_page.show)
    app.router.add_get("/ops/search", search_page.show)
    app.router.add_post("/ops/search", search_page.by_phone)
    app.router.add_get("/ops/audit", audit_page.show)
