"""The route of the console's page of settings."""

from aiohttp import web

from bot.ops import settings_page


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the settings in force."""
    router.add_get("/ops/settings", settings_page.show)
