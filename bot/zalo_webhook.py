"""`POST /webhooks/zalo`: the Official Account's events, verified before they are read.

docs/facts.md#zalo-webhook: answered within 2 s; anything but 200 is sent again, and in the end the
app's subscription is cancelled. So a genuine event that we cannot read is counted and answered 200.
"""

import re
import time
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from bot.conversation import Conversation
from bot.in_time import in_time
from bot.keys import DATABASE, SETTINGS
from bot.rejections import Rejections
from bot.zalo_silence import Heard
from core import metrics
from core.channels import ChannelName, Inbound
from core.clock import real_now
from core.database import AWAY
from core.errors import Malformed
from zalo_oa import signature
from zalo_oa.inbound import Ignored, is_probe, parse
from zalo_oa.render import PICTURE_PATH

PATH: Final = "/webhooks/zalo"
CONVERSATION: Final = web.AppKey("conversation", Conversation)
_REJECTIONS: Final = web.AppKey("zalo_rejections", Rejections)
_HEARD: Final = web.AppKey("heard", Heard)
_PICTURE: Final = Path(__file__).parent / "web" / "static" / Path(PICTURE_PATH).name

_log: Final = structlog.get_logger()
_WITHIN: Final = 1.5
#: What is left of Zalo's two seconds for a note that nobody waits for.
_NOTED_WITHIN: Final = 0.3


def add_routes(app: web.Application) -> None:
    """Add the webhook; the application needs CONVERSATION, DATABASE and SETTINGS."""
    app[_REJECTIONS] = Rejections(ChannelName.ZALO, "kiểm tra CHOTDON_ZALO_OA_SECRET")
    app[_HEARD] = Heard(app[DATABASE])
    app.router.add_post(PATH, receive)
    app.router.add_get(PICTURE_PATH, show_picture)


async def receive(request: web.Request) -> web.Response:
    """Take one event in; 200 only after its effect has committed."""
    settings = request.app[SETTINGS]
    if not settings.zalo_is_on:
        raise web.HTTPNotFound
    raw = await request.read()
    header = request.headers.get(signature.HEADER)
    app_id = settings.require("zalo_app_id")
    if header is None and is_probe(raw):
        return web.Response(text="ok")
    if not signature.verify(raw, header, app_id=app_id, secret=settings.require("zalo_oa_secret")):
        await request.app[_REJECTIONS].count(request.app[DATABASE])
        return web.Response(status=401, text="bad signature")
    _count_retry(request)
    response = await _take_in(request, raw, app_id)
    if response.status == 200:
        await _note(request)
    return response


async def show_picture(request: web.Request) -> web.FileResponse:
    """Show the picture that Zalo puts above the form that asks for a phone."""
    return web.FileResponse(_PICTURE)


async def _take_in(request: web.Request, raw: bytes, app_id: str) -> web.Response:
    """Read a genuine event and do what it asks for."""
    settings = request.app[SETTINGS]
    try:
        inbound = parse(raw, app_id=app_id, oa_id=settings.require("zalo_oa_id"))
    except Malformed as error:
        metrics.REJECTED.labels("zalo", error.reason).inc()
        _log.warning("zalo event not read", reason=error.reason)
        return web.Response(text="not read")
    if isinstance(inbound, Ignored):
        metrics.INBOUND.labels("zalo", inbound.why).inc()
        return web.Response(text="ok")
    return await _converse(request, inbound)


async def _converse(request: web.Request, inbound: Inbound) -> web.Response:
    started = time.perf_counter()
    metrics.INBOUND.labels("zalo", type(inbound.body).__name__.lower()).inc()
    try:
        await in_time(request.app[CONVERSATION].handle(inbound), _WITHIN)
    except AWAY as error:
        _log.warning("zalo event not taken in", why=type(error).__name__)
        return web.Response(status=503, text="try again", headers={"Retry-After": "30"})
    finally:
        metrics.TAP.labels("zalo").observe(time.perf_counter() - started)
    return web.Response(text="ok")


def _count_retry(request: web.Request) -> None:
    """Count what Zalo sends again: it was not answered in time before."""
    if re.fullmatch(r"0*[1-9][0-9]{0,3}", request.headers.get("num_retry", ""), re.ASCII):
        metrics.INBOUND.labels("zalo", "sent again").inc()


async def _note(request: web.Request) -> None:
    """Take down that Zalo talks to us; an event is answered all the same when that cannot be done."""
    try:
        await in_time(request.app[_HEARD].note(real_now()), _NOTED_WITHIN)
    except AWAY as error:
        _log.warning("zalo event not noted", why=type(error).__name__)
