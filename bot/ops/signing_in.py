"""Operators sign in without a password: by a one-time link that is sent to their mailbox.

The form that asks is bound to the browser that opened it, and so is the one that signs in. Opening a link
changes nothing: mail apps open links by themselves.
"""

import asyncio
import time
from typing import Final
from uuid import UUID

from aiohttp import web
from yarl import URL

from bot.keys import DATABASE, SETTINGS, WAKING
from bot.ops.session import (
    COOKIE,
    VIA,
    begin,
    form_of,
    inside,
    onward,
    operator_if_any,
    operator_of,
)
from bot.texts.catalogue import texts_in
from bot.web.channels import channels_on
from bot.web.clients import client_of
from bot.web.outside import is_of_this_browser, one_time_id, outside, outside_form
from bot.web.pages import PAGES
from core import audit
from core.channels import ChannelName
from core.database import Database
from core.operators import links, sessions
from core.operators.links import Asked, TooOften
from core.settings import Settings
from core.waking import wake_worker

#: Whoever asks for a link waits as long, whether the mailbox is an operator's or not (seconds, real time).
_SAME_FOR_ALL: Final = 0.2
_LONGEST_ADDRESS: Final = 254


# --- Asking for a link ------------------------------------------------------------------------------


async def ask_where(request: web.Request) -> web.StreamResponse:
    """Ask for a mailbox; whoever is signed in already goes on."""
    wanted = request.query.get("next", "")
    if await operator_if_any(request):
        raise web.HTTPSeeOther(onward(wanted))
    return _ask_where(request, typed="", wanted=wanted)


async def send_link(request: web.Request) -> web.StreamResponse:
    """Send a link to the mailbox, if it is an operator's; the answer is the same for every mailbox."""
    began = time.monotonic()
    form = await outside_form(request)
    typed, wanted = form.get("email", "").strip(), form.get("next", "")
    if not is_of_this_browser(request, form, "ops"):
        return _ask_where(request, typed=typed, wanted=wanted, fault="stale", status=403)
    if not _is_a_mailbox(typed):
        return _ask_where(request, typed=typed, wanted=wanted, fault="email", status=422)
    asked = await _asked(request, typed)
    await asyncio.sleep(max(0.0, _SAME_FOR_ALL - (time.monotonic() - began)))
    if isinstance(asked, TooOften):
        return _ask_where(request, typed=typed, wanted=wanted, fault="often", status=429)
    raise web.HTTPSeeOther("/ops/login/sent")


def _is_a_mailbox(typed: str) -> bool:
    return "@" in typed and len(typed) <= _LONGEST_ADDRESS and typed.isprintable()


async def _asked(request: web.Request, typed: str) -> Asked | TooOften:
    settings, database = request.config_dict[SETTINGS], request.config_dict[DATABASE]
    client, now = client_of(request, settings.trusted_proxies), database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        asked = await links.ask(connection, typed, operators=settings.operator_emails, client=client, now=now)
    if isinstance(asked, Asked) and asked.notice_id:
        await wake_worker(request.config_dict[WAKING].wake, [asked.notice_id])
    return asked


async def tell_sent(request: web.Request) -> web.StreamResponse:
    """Say where to look, in the same words whether a link was sent."""
    texts = texts_in(request.config_dict[SETTINGS].locale)
    return request.config_dict[PAGES].answer("ops/login_sent.html", locale=texts.locale)


# --- A link -----------------------------------------------------------------------------------------


async def ask_in(request: web.Request) -> web.StreamResponse:
    """Show whom a link signs in, and a button; opening it changes nothing."""
    token = request.match_info["token"]
    email = await _looked_at(request, token)
    return _ask_in(request, token, email) if email else _over(request)


async def go_in(request: web.Request) -> web.StreamResponse:
    """Sign in by a link, which is used up by that."""
    token, wanted = request.match_info["token"], request.query.get("next", "")
    form = await outside_form(request)
    if not is_of_this_browser(request, form, token):
        email = await _looked_at(request, token)
        return _ask_in(request, token, email, fault="stale", status=403) if email else _over(request)
    email = await _taken(request, token)
    if email:
        return await begin(request, email, where=onward(wanted))
    if await _was_pressed_twice(request, token):
        raise web.HTTPSeeOther(onward(wanted))
    return _over(request)


async def _looked_at(request: web.Request, token: str) -> str | None:
    link_id, settings, database = _parts(request, token)
    if link_id is None:
        return None
    now = database.clock.now()
    return await links.look(database.pool, link_id, operators=settings.operator_emails, now=now)


async def _taken(request: web.Request, token: str) -> str | None:
    link_id, settings, database = _parts(request, token)
    if link_id is None:
        return None
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await links.take(connection, link_id, operators=settings.operator_emails, now=now)


async def _was_pressed_twice(request: web.Request, token: str) -> bool:
    """Whether the link that is used up is one of the operator who is signed in here."""
    link_id, operator = one_time_id(request, token), await operator_if_any(request)
    if link_id is None or operator is None:
        return False
    return await links.was_of(request.config_dict[DATABASE].pool, link_id, operator.email)


def _parts(request: web.Request, token: str) -> tuple[UUID | None, Settings, Database]:
    return one_time_id(request, token), request.config_dict[SETTINGS], request.config_dict[DATABASE]


# --- Sessions ---------------------------------------------------------------------------------------


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the session of this browser."""
    operator = await operator_of(request)
    await form_of(request, operator)
    await _end(request, operator.email, operator.session.id, deed="operator.signed_out")
    response = web.Response(status=303, headers={"Location": "/ops/login?left=1"})
    COOKIE.let_go(request, response)
    return response


async def show_devices(request: web.Request) -> web.StreamResponse:
    """Show where this operator is signed in."""
    operator = await operator_of(request)
    database = request.config_dict[DATABASE]
    found = await sessions.of_operator(database.pool, operator.email, now=database.clock.now())
    title = operator.texts.t("Thiết bị của bạn")
    return inside(request, operator, "ops/devices.html", title=title, devices=found)


async def end_device(request: web.Request) -> web.StreamResponse:
    """End another session of this operator."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    try:
        session_id = UUID(form.get("session", ""))
    except ValueError:
        raise web.HTTPBadRequest from None
    await _end(request, operator.email, session_id, deed="operator.device_ended")
    raise web.HTTPSeeOther("/ops/devices")


async def _end(request: web.Request, email: str, session_id: UUID, *, deed: str) -> None:
    database = request.config_dict[DATABASE]
    now = database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        device = await sessions.end(connection, session_id, email, now=now)
        if device is not None:
            await audit.record(connection, who=email, via=VIA, deed=deed, about=device or "?", now=now)


# --- Showing ----------------------------------------------------------------------------------------


def _ask_where(
    request: web.Request, *, typed: str, wanted: str, fault: str = "", status: int = 200
) -> web.Response:
    settings = request.config_dict[SETTINGS]
    return outside(
        request,
        "ops/login.html",
        form="ops",
        locale=settings.locale,
        status=status,
        typed=typed[:_LONGEST_ADDRESS],
        wanted=onward(wanted),
        told=_told(settings.locale, fault),
        has_left="left" in request.query,
        has_operators=bool(settings.operator_emails),
        has_mail=ChannelName.EMAIL in channels_on(settings),
    )


def _ask_in(
    request: web.Request, token: str, email: str, *, fault: str = "", status: int = 200
) -> web.Response:
    locale = request.config_dict[SETTINGS].locale
    wanted = onward(request.query.get("next", ""))
    return outside(
        request,
        "ops/login_link.html",
        form=token,
        locale=locale,
        status=status,
        email=email,
        action=str(URL(f"/ops/login/{token}").with_query({"next": wanted})),
        told=_told(locale, fault),
    )


def _over(request: web.Request) -> web.Response:
    locale = request.config_dict[SETTINGS].locale
    return request.config_dict[PAGES].answer("ops/login_over.html", locale=locale, status=410)


def _told(locale: str, fault: str) -> str:
    t = texts_in(locale).t
    words = {
        "": "",
        "stale": t("Trang này đã cũ hoặc trình duyệt không lưu cookie. Bấm lại lần nữa."),
        "email": t("Chưa đọc được. Nhập email như truc-ca@congty.vn."),
        "often": t("Bạn thử nhiều lần quá. Đợi 15 phút rồi thử lại."),
    }
    return words[fault]
