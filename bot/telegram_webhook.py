"""`POST /webhooks/telegram`: the bot's updates, known by their secret before they are read.

docs/facts.md#telegram-webhook: anything but 2xx is sent again for a day. So a genuine update that we cannot
read is counted and answered 200. Whoever pressed a button gets an answer to that on every path.
"""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from telegram import Bot

from bot.cards.answers import answer_card, refusal_card
from bot.cards.view import Frame, View
from bot.compose import desk_of
from bot.in_time import in_time
from bot.keys import DATABASE, SETTINGS, SIGNER, TELEGRAM_LINKS, TelegramLinks
from bot.rejections import Rejections
from bot.telegram.client import BotName, close_bot, deep_link, open_bot
from bot.telegram.inbound import Ignored, names_a_bot, parse, read, tap_of
from bot.telegram.toasts import (
    NOTHING,
    Toast,
    Toasts,
    not_for_them,
    not_ours,
    not_theirs,
    toast_of,
    try_again,
)
from bot.texts import Texts, texts_in
from bot.tokens import Bearer
from bot.zalo_webhook import CONVERSATION
from core import metrics
from core.channels import Card, ChannelName, Inbound, Pressed
from core.database import AWAY
from core.errors import Malformed, Untrusted
from core.orders import lookups
from core.orders.answers import Answer
from core.partners import addresses, partners

PATH: Final = "/webhooks/telegram"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
_REJECTIONS: Final = web.AppKey("telegram_rejections", Rejections)
_TOASTS: Final = web.AppKey("toasts", Toasts)
_NAME: Final = web.AppKey("bot_name", BotName)

_log: Final = structlog.get_logger()
_CHANNEL: Final = ChannelName.TELEGRAM.value
_ADVICE: Final = "kiểm tra CHOTDON_TELEGRAM_SECRET, rồi chạy chotdon telegram set-webhook"
_WITHIN: Final = 1.5
_STRANGERS: Final = frozenset({"not_linked", "not_staff"})


def add_routes(app: web.Application) -> None:
    """Add the webhook; the application needs CONVERSATION, DATABASE, SETTINGS and SIGNER."""
    app[_REJECTIONS] = Rejections(ChannelName.TELEGRAM, _ADVICE)
    app.router.add_post(PATH, receive)
    if app[SETTINGS].telegram_is_on:
        bot = open_bot(app[SETTINGS])
        app[_TOASTS] = Toasts(bot)
        app[_NAME] = BotName(bot)
        app[TELEGRAM_LINKS] = TelegramLinks(_linking_by(app[_NAME]))
        app.cleanup_ctx.append(_closing(bot))


def _linking_by(name: BotName) -> Callable[[str], Awaitable[str | None]]:
    """Return what makes a deep link of a code, None while Telegram has not told what the bot is called."""

    async def to(code: str) -> str | None:
        name.ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN):
                await asyncio.shield(name.drain())
        return deep_link(name.known, code) if name.known else None

    return to


def _closing(bot: Bot) -> Callable[[web.Application], AsyncIterator[None]]:
    async def closing(app: web.Application) -> AsyncIterator[None]:
        yield
        await app[_TOASTS].drain()
        await app[_NAME].drain()
        await close_bot(bot)

    return closing


async def receive(request: web.Request) -> web.Response:
    """Take one update in; 200 only after its effect has committed."""
    settings = request.app[SETTINGS]
    if not settings.telegram_is_on:
        raise web.HTTPNotFound
    if not _is_telegrams(request.headers.get(HEADER), settings.require("telegram_secret")):
        await request.app[_REJECTIONS].count(request.app[DATABASE])
        return web.Response(status=401, text="bad secret")
    try:
        update = read(await request.read())
    except Malformed as error:
        return _not_read(error)
    return await _take_in(request, update)


def _is_telegrams(given: str | None, secret: str) -> bool:
    """Whether the header is the secret, compared in constant time; without one nobody is believed."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


async def _take_in(request: web.Request, update: dict[str, Any]) -> web.Response:
    """Do what a genuine update asks for."""
    tap = tap_of(update)
    if names_a_bot(update):
        request.app[_NAME].ask()
    try:
        inbound = parse(update, bot_name=request.app[_NAME].known)
    except Malformed as error:
        _show(request, tap, lambda: _just(not_ours(_in_our_language(request))))
        return _not_read(error)
    if isinstance(inbound, Ignored):
        metrics.INBOUND.labels(_CHANNEL, inbound.why).inc()
        _show(request, tap, lambda: _just(not_ours(_in_our_language(request))))
        return web.Response(text="ok")
    return await _converse(request, inbound, tap)


def _not_read(error: Malformed) -> web.Response:
    metrics.REJECTED.labels(_CHANNEL, error.reason).inc()
    _log.warning("telegram update not read", reason=error.reason)
    return web.Response(text="not read")


async def _converse(request: web.Request, inbound: Inbound, tap: str | None) -> web.Response:
    started = time.perf_counter()
    metrics.INBOUND.labels(_CHANNEL, type(inbound.body).__name__.lower()).inc()
    try:
        answer = await in_time(request.app[CONVERSATION].handle(inbound), _WITHIN)
    except AWAY as error:
        _log.warning("telegram update not taken in", why=type(error).__name__)
        _show(request, tap, lambda: _just(try_again(_in_our_language(request))))
        return web.Response(status=503, text="try again", headers={"Retry-After": "30"})
    finally:
        metrics.TAP.labels(_CHANNEL).observe(time.perf_counter() - started)
    _show(request, tap, lambda: _told(request, inbound, answer))
    return web.Response(text="ok")


# --- what whoever pressed sees ----------------------------------------------------------------


def _show(request: web.Request, tap: str | None, make: Callable[[], Awaitable[Toast]]) -> None:
    """Answer a tap, if it was one, in the background."""
    if tap is not None:
        request.app[_TOASTS].show(tap, make)


async def _just(toast: Toast) -> Toast:
    return toast


def _in_our_language(request: web.Request) -> Texts:
    return texts_in(request.app[SETTINGS].locale)


async def _told(request: web.Request, inbound: Inbound, answer: Answer | None) -> Toast:
    """Return what a press brought; a question's answer is a card, so that there is nothing to add."""
    seats = await addresses.staff_at(request.app[DATABASE].pool, inbound.sender)
    texts = texts_in(seats[0].locale) if seats else _in_our_language(request)
    if answer is None and _is_ours(request, inbound):
        return NOTHING if seats else not_theirs(texts)
    if answer is None:
        return not_ours(texts)
    if answer.why in _STRANGERS:
        return not_for_them(texts) if seats and inbound.group is None else not_theirs(texts)
    frame = Frame(
        desk=desk_of(request.app[SETTINGS], request.app[SIGNER]),
        texts=texts,
        zone=ZoneInfo(request.app[SETTINGS].timezone),
        now=request.app[DATABASE].clock.now(),
        partner_name="",
        in_group=inbound.group is not None,
    )
    return toast_of(await _card(request, frame, answer), answer)


async def _card(request: web.Request, frame: Frame, answer: Answer) -> Card:
    """Return the answer as a card, of which the toast takes its words."""
    placed = await lookups.by_id(answer.order_id) if answer.order_id else None
    if placed is None:
        return refusal_card(frame, answer)
    kitchen = await partners.by_id(request.app[DATABASE].pool, placed.order.partner_id)
    there = replace(frame, zone=kitchen.zone, partner_name=kitchen.name)
    return answer_card(View(there, placed.order, placed.platform_name, Bearer.STAFF_CHAT), answer)


def _is_ours(request: web.Request, inbound: Inbound) -> bool:
    if not isinstance(inbound.body, Pressed):
        return True
    try:
        request.app[SIGNER].read_button(inbound.body.payload)
    except (Untrusted, Malformed):
        return False
    return True
