"""The routes of the operators' console."""

from aiohttp import web

from bot.ops import board_routes, partner_routes, platform_routes, settings_routes, signing_in


def add_routes(app: web.Application) -> None:
    """Add the console's pages.

    The application needs what `bot.web.routes.add_routes` needs, and that to be called before.
    """
    _add_sign_in(app.router)
    board_routes.add_routes(app)
    partner_routes.add_routes(app.router)
    platform_routes.add_routes(app.router)
    settings_routes.add_routes(app.router)


def _add_sign_in(router: web.UrlDispatcher) -> None:
    router.add_get("/ops/login", signing_in.ask_where)
    router.add_post("/ops/login", signing_in.send_link)
    router.add_get("/ops/login/sent", signing_in.tell_sent)
    router.add_get("/ops/login/{token:[^/]+}", signing_in.ask_in)
    router.add_post("/ops/login/{token:[^/]+}", signing_in.go_in)
    router.add_post("/ops/logout", signing_in.sign_out)
    router.add_get("/ops/devices", signing_in.show_devices)
    router.add_post("/ops/devices", signing_in.end_device)
