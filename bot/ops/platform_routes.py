"""The routes of the console's pages of platforms."""

from typing import Final

from aiohttp import web

from bot.ops import platforms

_ONE: Final = "/ops/platforms/{platform:[^/]+}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the list of platforms and each platform's page."""
    router.add_get("/ops/platforms", platforms.show_all)
    router.add_get(_ONE, platforms.show)
    router.add_post(f"{_ONE}/settings", platforms.change)
    router.add_post(f"{_ONE}/replay", platforms.replay)
    router.add_post(f"{_ONE}/replay-all", platforms.replay_all)
    router.add_post(f"{_ONE}/test", platforms.test)
    router.add_post(f"{_ONE}/secret", platforms.renew_secret)
    router.add_post(f"{_ONE}/disable", platforms.disable)
    router.add_post(f"{_ONE}/enable", platforms.enable)
