"""The front page, and the proof to Zalo that this domain is ours."""

import hmac

from aiohttp import web

from bot.keys import SETTINGS
from bot.web.middleware import language
from bot.web.pages import PAGES


async def show(request: web.Request) -> web.Response:
    """Answer with the front page; it carries Zalo's proof where one is set."""
    verifier = request.config_dict[SETTINGS].zalo_verifier
    return request.config_dict[PAGES].answer("front.html", locale=language(request), verifier=verifier)


async def verify_zalo(request: web.Request) -> web.Response:
    """Answer Zalo's question for the code that it gave us; any other code is not found."""
    verifier = request.config_dict[SETTINGS].zalo_verifier
    asked = request.match_info["code"]
    if not verifier or not hmac.compare_digest(asked.encode(), verifier.encode()):
        raise web.HTTPNotFound
    return request.config_dict[PAGES].answer("zalo.html", locale="vi", verifier=verifier)
