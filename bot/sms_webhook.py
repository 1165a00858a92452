"""`/webhooks/sms/…`: what the SMS gateways post to us. Only those of the gateway that is set answer.

What is signed is verified before it is read; what is not is known by the last part of its path. A genuine
thing that we cannot read is counted and answered as if it had been, so that it does not come again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET

import structlog
from aiohttp import web

from bot.answering import ANSWERING
from bot.in_time import in_time
from bot.keys import DATABASE, SETTINGS
from bot.rejections import Rejections
from bot.sms import esms, speedsms, twilio
from bot.sms.inbound import (
    Ignored,
    esms_said,
    esms_told,
    speedsms_told,
    twilio_form,
    twilio_said,
    twilio_told,
)
from bot.sms.signatures import TWILIO_HEADER, is_secret
from bot.zalo_webhook import CONVERSATION
from core import metrics
from core.channels import ChannelName, Inbound
from core.clock import real_now
from core.database import AWAY
from core.errors import Malformed, Untrusted
from core.settings import Settings

_REJECTIONS: Final = web.AppKey("sms_rejections", Rejections)

_log: Final = structlog.get_logger()
_CHANNEL: Final = ChannelName.SMS.value
_WITHIN: Final = 1.5
_TEXT_XML: Final = "text/xml"
_ADVICE: Final = "kiểm tra CHOTDON_TWILIO_AUTH_TOKEN, CHOTDON_ESMS_PRIVATE_KEY và CHOTDON_BASE_URL"
# docs/facts.md#twilio-inbound: no reply is wanted.
_NO_REPLY: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Read: TypeAlias = Callable[[], Inbound | Ignored]
Handler: TypeAlias = Callable[[web.Request, Settings], Awaitable[web.Response]]


def add_routes(app: web.Application) -> None:
    """Add the webhooks; the application needs CONVERSATION, ANSWERING, DATABASE and SETTINGS."""
    app[_REJECTIONS] = Rejections(ChannelName.SMS, _ADVICE)
    # docs/facts.md#esms-inbound: that gateway calls by GET. A HEAD would be taken for one: it is 405.
    app.router.add_get("/webhooks/sms/esms/inbound/{secret}", _of(esms.NAME, _esms_inbound), allow_head=False)
    app.router.add_get(f"{esms.STATUS_PATH}/{{secret}}", _of(esms.NAME, _esms_status), allow_head=False)
    app.router.add_post("/webhooks/sms/speedsms/{secret}", _of(speedsms.NAME, _speedsms))
    app.router.add_post("/webhooks/sms/twilio/inbound", _of(twilio.NAME, _twilio_inbound))
    app.router.add_post(twilio.STATUS_PATH, _of(twilio.NAME, _twilio_status))


def _of(gateway: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a route that is there only where this gateway is set, behind its path's secret if it has one."""

    async def guarded(request: web.Request) -> web.Response:
        settings = request.app[SETTINGS]
        if not settings.sms_is_on or settings.sms_gateway != gateway:
            raise web.HTTPNotFound
        given = request.match_info.get("secret")
        if given is not None and not _is_ours(given, settings):
            metrics.REJECTED.labels(_CHANNEL, "path").inc()
            raise web.HTTPNotFound
        try:
            return await handler(request, settings)
        except Untrusted:
            await request.app[_REJECTIONS].count(request.app[DATABASE])
            return web.Response(status=401, text="bad signature")

    return guarded


def _is_ours(given: str, settings: Settings) -> bool:
    secret = settings.webhook_path_secret
    return secret is not None and is_secret(given, secret.get_secret_value())


# --- eSMS -----------------------------------------------------------------------------------------


async def _esms_inbound(request: web.Request, settings: Settings) -> web.Response:
    if settings.esms_private_key is None:  # nothing that comes in could be verified
        raise web.HTTPNotFound
    fields = tuple(request.query.items())
    private_key = settings.esms_private_key.get_secret_value()
    inbound = _understood(lambda: esms_said(fields, private_key=private_key))
    if inbound is None:
        return _client_response(request.query)
    started = time.monotonic()
    within = inbound.answer_within.total_seconds() if inbound.answer_within else _WITHIN
    if not await _taken_in(request, inbound, within=within):
        return _try_again()
    left = within - _MARGIN - (time.monotonic() - started)
    return _client_response(request.query, await _carried(request, inbound, within=left))


#: The worker sends the answer itself from the end of the time on; ours must be under way by then.
_MARGIN: Final = 0.2


async def _carried(request: web.Request, inbound: Inbound, *, within: float) -> str:
    """Return the answer where it is ready in time; otherwise the worker sends it."""
    try:
        async with asyncio.timeout(within):
            return await request.app[ANSWERING].carried(inbound) or ""
    except AWAY as error:
        _log.warning("answer not taken along", channel=_CHANNEL, why=type(error).__name__)
        return ""


def _client_response(query: Mapping[str, str], text: str = "") -> web.Response:
    """Return the reply whose Message goes back to the sender; nothing goes where it is empty."""
    root = ET.Element("ClientResponse")
    ET.SubElement(root, "Message").text = text
    ET.SubElement(root, "Smsid").text = _printable(query.get("smsid", ""))
    ET.SubElement(root, "Receiver").text = _printable(query.get("sender", ""))
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True, short_empty_elements=False)
    return web.Response(body=body, content_type=_TEXT_XML, charset="utf-8")


def _printable(text: str) -> str:
    """Return a value as XML may hold it."""
    return "".join(letter for letter in text[:128] if letter.isascii() and letter.isprintable())


async def _esms_status(request: web.Request, settings: Settings) -> web.Response:
    fields = tuple(request.query.items())
    return await _received(request, lambda: esms_told(fields), web.Response(text="ok"))


# --- SpeedSMS, Twilio -----------------------------------------------------------------------------


async def _speedsms(request: web.Request, settings: Settings) -> web.Response:
    raw, now = await request.read(), real_now()
    return await _received(request, lambda: speedsms_told(raw, now=now), web.Response(text="ok"))


async def _twilio_inbound(request: web.Request, settings: Settings) -> web.Response:
    form = await _twilio_form(request, settings)
    return await _received(request, lambda: twilio_said(form), _twiml())


async def _twilio_status(request: web.Request, settings: Settings) -> web.Response:
    form = await _twilio_form(request, settings)
    return await _received(request, lambda: twilio_told(form), _twiml())


async def _twilio_form(request: web.Request, settings: Settings) -> Mapping[str, str]:
    """Return the form that Twilio signed; raises Untrusted. The URL it signs is the public one."""
    return twilio_form(
        await request.read(),
        url=settings.base_url + request.raw_path,
        signature=request.headers.get(TWILIO_HEADER),
        token=settings.require("twilio_auth_token"),
    )


def _twiml() -> web.Response:
    return web.Response(text=_NO_REPLY, content_type=_TEXT_XML)


# --- What they share ------------------------------------------------------------------------------


async def _received(request: web.Request, read: Read, thanks: web.Response) -> web.Response:
    inbound = _understood(read)
    if inbound is None or await _taken_in(request, inbound, within=_WITHIN):
        return thanks
    return _try_again()


def _understood(read: Read) -> Inbound | None:
    """Return what came in; what asks nothing of us or cannot be read is only counted."""
    try:
        inbound = read()
    except Malformed as error:
        metrics.REJECTED.labels(_CHANNEL, error.reason).inc()
        _log.warning("sms event not read", reason=error.reason)
        return None
    if isinstance(inbound, Ignored):
        metrics.INBOUND.labels(_CHANNEL, inbound.why).inc()
        return None
    metrics.INBOUND.labels(_CHANNEL, type(inbound.body).__name__.lower()).inc()
    return inbound


async def _taken_in(request: web.Request, inbound: Inbound, *, within: float) -> bool:
    """Return whether its effect has committed in time."""
    started = time.perf_counter()
    try:
        await in_time(request.app[CONVERSATION].handle(inbound), within)
    except AWAY as error:
        _log.warning("sms event not taken in", why=type(error).__name__)
        return False
    finally:
        metrics.TAP.labels(_CHANNEL).observe(time.perf_counter() - started)
    return True


def _try_again() -> web.Response:
    return web.Response(status=503, text="try again", headers={"Retry-After": "30"})
