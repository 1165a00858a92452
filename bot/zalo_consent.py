"""`/oauth/zalo/callback`: where Zalo sends an admin of the account after the consent.

GET shows a page; its POST exchanges the code, once: Zalo takes a code only one time, within ten
minutes (docs/facts.md#zalo-token). The token pair goes into the database and is shown to nobody.
"""

from typing import Final

import structlog
from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.web.pages import PAGES
from core import alarms
from core.secrets import Secrets
from zalo_oa.account import open_account
from zalo_oa.client import TokenPair
from zalo_oa.consent import CALLBACK_PATH, is_ours
from zalo_oa.credentials import TOKEN_ALARM

_log: Final = structlog.get_logger()
_LONGEST: Final = 2_000


def add_routes(app: web.Application) -> None:
    """Add the page; the application needs DATABASE, SETTINGS and PAGES."""
    app.router.add_get(CALLBACK_PATH, show)
    app.router.add_post(CALLBACK_PATH, exchange)


async def show(request: web.Request) -> web.Response:
    """Show the button that finishes the consent; changes nothing."""
    _need_zalo(request)
    code, state = request.query.get("code", ""), request.query.get("state", "")
    if not _is_good(request, code, state, request.query.get("oa_id")):
        return _answer(request, "refused", status=400)
    return _answer(request, "ready", code=code, state=state)


async def exchange(request: web.Request) -> web.Response:
    """Exchange the code for the account's tokens and keep them."""
    _need_zalo(request)
    form = await request.post()
    code, state = str(form.get("code", "")), str(form.get("state", ""))
    if not _is_good(request, code, state, None):
        return _answer(request, "refused", status=400)
    settings, database = request.app[SETTINGS], request.app[DATABASE]
    account = open_account(settings, Secrets(database, settings.require("secret_key")))
    try:
        answer = await account.credentials.authorize(code, verifier=settings.require("zalo_code_verifier"))
    finally:
        await account.client.close()
    if not isinstance(answer, TokenPair):
        _log.warning("zalo consent not exchanged", why=type(answer).__name__)
        return _answer(request, "failed", status=502)
    async with database.pool.acquire() as connection, connection.transaction():
        await alarms.clear(connection, TOKEN_ALARM, now=database.clock.now())
    return _answer(request, "done")


def _need_zalo(request: web.Request) -> None:
    settings = request.app[SETTINGS]
    if not (settings.zalo_is_on and settings.zalo_code_verifier):
        raise web.HTTPNotFound


def _is_good(request: web.Request, code: str, state: str, oa_id: str | None) -> bool:
    settings = request.app[SETTINGS]
    if not (0 < len(code) <= _LONGEST and len(state) <= _LONGEST and code.isprintable()):
        return False
    if oa_id is not None and oa_id != settings.zalo_oa_id:
        return False
    return is_ours(settings.require("secret_key"), state)


def _answer(
    request: web.Request, outcome: str, *, status: int = 200, code: str = "", state: str = ""
) -> web.Response:
    return request.app[PAGES].answer(
        "consent.html", locale="vi", status=status, outcome=outcome, code=code, state=state
    )
