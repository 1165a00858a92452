"""Signing in without a password: by a code that is sent to a known address, or by a one-time link.

A form that signs in is bound to the browser that opened it, so that nobody is signed in as somebody else
by another site. A session begins with a new secret, whatever the browser held before.
"""

import asyncio
import re
import time
from typing import Final
from uuid import UUID

from aiohttp import web
from yarl import URL

from bot.keys import DATABASE, SETTINGS, SIGNER, WAKING
from bot.texts.catalogue import Texts, texts_in
from bot.web.channels import channels_on
from bot.web.clients import client_of
from bot.web.forms import address_of
from bot.web.middleware import fault, language
from bot.web.nav import role_word
from bot.web.outside import is_of_this_browser, one_time_id, outside, outside_form, over
from bot.web.session import COOKIE, Seat, begin, form_of, inside, onward, seat_if_any, seat_of
from core.channels import Address, AddressKind, ChannelName
from core.errors import RuleError
from core.partners import login_codes, one_time_links, sessions
from core.partners.login_codes import Asked, Granted, TooOften, Wrong
from core.partners.one_time_links import LinkPurpose, OneTimeLink
from core.waking import wake_worker

#: Whoever asks for a code waits as long, whether the address is somebody's or nobody's (seconds, real time).
_SAME_FOR_ALL: Final = 0.2
_LONGEST_ADDRESS: Final = 254


# --- A code -----------------------------------------------------------------------------------------


async def ask_where(request: web.Request) -> web.StreamResponse:
    """Ask for a phone or a mail address; whoever is signed in already goes on."""
    if await seat_if_any(request):
        raise web.HTTPSeeOther(onward(request.query.get("next", "")))
    return _ask_where(request, typed="", wanted=request.query.get("next", ""))


async def send_code(request: web.Request) -> web.StreamResponse:
    """Send a code to the address, if it is of somebody's; the answer is the same for every address."""
    began = time.monotonic()
    form = await outside_form(request)
    typed, wanted = form.get("address", "").strip(), form.get("next", "")
    if not is_of_this_browser(request, form, "code"):
        return _ask_where(request, typed=typed, wanted=wanted, fault="stale", status=403)
    try:
        address = address_of(typed)
    except RuleError:
        return _ask_where(request, typed=typed, wanted=wanted, fault="address", status=422)
    asked = await _asked(request, address)
    await asyncio.sleep(max(0.0, _SAME_FOR_ALL - (time.monotonic() - began)))
    if isinstance(asked, TooOften):
        return _ask_where(request, typed=typed, wanted=wanted, fault="often", status=429)
    ticket = request.config_dict[SIGNER].one_time(asked.id)
    raise web.HTTPSeeOther(_code_page(ticket, onward(wanted)))


def _code_page(ticket: str, wanted: str) -> str:
    return str(URL("/login/code").with_query({"ticket": ticket, "next": wanted}))


async def _asked(request: web.Request, address: Address) -> Asked | TooOften:
    database = request.config_dict[DATABASE]
    on, client, now = (
        channels_on(request.config_dict[SETTINGS]),
        client_of(request, request.config_dict[SETTINGS].trusted_proxies),
        database.clock.now(),
    )
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        asked = await login_codes.ask(connection, address, client=client, on=on, now=now)
    if isinstance(asked, Asked) and asked.notice_id:
        await wake_worker(request.config_dict[WAKING].wake, [asked.notice_id])
    return asked


async def ask_code(request: web.Request) -> web.StreamResponse:
    """Ask for the code that was sent, in the same words whether one was."""
    ticket, wanted = request.query.get("ticket", ""), request.query.get("next", "")
    if one_time_id(request, ticket) is None:
        raise web.HTTPSeeOther("/login")
    return _ask_code(request, ticket, wanted)


async def try_code(request: web.Request) -> web.StreamResponse:
    """Sign in whoever typed the right code."""
    form = await outside_form(request)
    ticket, wanted = form.get("ticket", ""), form.get("next", "")
    code_id = one_time_id(request, ticket)
    if code_id is None:
        raise web.HTTPSeeOther("/login")
    if not is_of_this_browser(request, form, "code"):
        return _ask_code(request, ticket, wanted, fault="stale", status=403)
    tried = await _tried(request, code_id, form.get("code", ""))
    if isinstance(tried, Granted):
        return await _into_one_of(request, tried, onward(wanted))
    if isinstance(tried, Wrong):
        return _ask_code(request, ticket, wanted, fault="wrong", left=tried.tries_left, status=422)
    if isinstance(tried, TooOften):
        return _ask_code(request, ticket, wanted, fault="often", status=429)
    return _ask_where(request, typed="", wanted=wanted, fault="dead", status=422)


async def _tried(
    request: web.Request, code_id: UUID, typed: str
) -> Granted | Wrong | login_codes.Dead | TooOften:
    database = request.config_dict[DATABASE]
    key = login_codes.code_key(request.config_dict[SETTINGS].require("secret_key"))
    digits = re.sub(r"[^0-9]", "", typed)[: login_codes.DIGITS + 1]
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await login_codes.redeem(
            connection,
            code_id,
            digits,
            key=key,
            client=client_of(request, request.config_dict[SETTINGS].trusted_proxies),
            now=database.clock.now(),
        )


async def _into_one_of(request: web.Request, granted: Granted, wanted: str) -> web.Response:
    """Sign in; who has several seats is asked which."""
    via = _VIA[granted.address.kind]
    where = wanted
    if len(granted.seats) > 1:
        where = str(URL("/seats").with_query({"next": wanted}))
    return await begin(request, granted.seats[0].staff_id, via=via, address=granted.address, where=where)


_VIA: Final = {
    AddressKind.PHONE: "sms",
    AddressKind.EMAIL: "email",
    AddressKind.ZALO_USER: "zalo",
    AddressKind.TELEGRAM_CHAT: "telegram",
}


# --- A one-time link --------------------------------------------------------------------------------


async def ask_in(request: web.Request) -> web.StreamResponse:
    """Show whose pages a link opens, and a button; opening it changes nothing."""
    token = request.match_info["token"]
    link = await _looked_at(request, token)
    return _ask_in(request, token, link) if link else over(request)


async def go_in(request: web.Request) -> web.StreamResponse:
    """Sign in by a link, which is used up by that."""
    token = request.match_info["token"]
    form = await outside_form(request)
    if not is_of_this_browser(request, form, token):
        link = await _looked_at(request, token)
        return _ask_in(request, token, link, fault="stale", status=403) if link else over(request)
    link = await _taken(request, token)
    if link:
        return await begin(request, link.staff.staff_id, via=link.via, address=link.address, where="/orders")
    if await _was_pressed_twice(request, token):
        raise web.HTTPSeeOther("/orders")
    return over(request)


async def _looked_at(request: web.Request, token: str) -> OneTimeLink | None:
    link_id, database = one_time_id(request, token), request.config_dict[DATABASE]
    if link_id is None:
        return None
    return await one_time_links.look(database.pool, link_id, LinkPurpose.LOGIN, now=database.clock.now())


async def _taken(request: web.Request, token: str) -> OneTimeLink | None:
    link_id, database = one_time_id(request, token), request.config_dict[DATABASE]
    if link_id is None:
        return None
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await one_time_links.take(connection, link_id, LinkPurpose.LOGIN, now=database.clock.now())


async def _was_pressed_twice(request: web.Request, token: str) -> bool:
    """Whether the link that is used up is the one by which this browser is signed in."""
    link_id, seat = one_time_id(request, token), await seat_if_any(request)
    if link_id is None or seat is None:
        return False
    pool = request.config_dict[DATABASE].pool
    return await one_time_links.is_of(pool, link_id, seat.staff.id)


# --- Sessions ---------------------------------------------------------------------------------------


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the session of this browser."""
    seat = await seat_of(request)
    await form_of(request, seat)
    database = request.config_dict[DATABASE]
    await sessions.end(database.pool, seat.session.id, seat.staff.id, now=database.clock.now())
    response = web.Response(status=303, headers={"Location": "/login?left=1"})
    COOKIE.let_go(request, response)
    return response


async def ask_seat(request: web.Request) -> web.StreamResponse:
    """Ask somebody who works for several kitchens which one it is now."""
    seat = await seat_of(request)
    wanted = onward(request.query.get("next", ""))
    seats = [(other, seat.texts.t(role_word(other.role))) for other in seat.others]
    names = await _kitchens(request, seat)
    title = seat.texts.t("Vào quán nào?")
    return inside(request, seat, "seats.html", title=title, seats=seats, names=names, wanted=wanted)


async def _kitchens(request: web.Request, seat: Seat) -> dict[UUID, str]:
    rows = await request.config_dict[DATABASE].pool.fetch(
        "SELECT id, name FROM partners WHERE id = ANY($1::uuid[])",
        [other.partner_id for other in seat.others],
    )
    return {row["id"]: row["name"] for row in rows}


async def take_seat(request: web.Request) -> web.StreamResponse:
    """Go on as the same person in another kitchen, in a session of its own."""
    seat = await seat_of(request)
    form = await form_of(request, seat)
    chosen, where = form.get("seat", ""), onward(form.get("next", ""))
    if chosen == str(seat.staff.id):
        raise web.HTTPSeeOther(where)
    other = next((other for other in seat.others if str(other.staff_id) == chosen), None)
    if other is None:
        return fault(request, 404, locale=seat.texts.locale)
    return await begin(
        request, other.staff_id, via=seat.session.via, address=seat.session.address, where=where
    )


# --- Showing ----------------------------------------------------------------------------------------


def _ask_where(
    request: web.Request, *, typed: str, wanted: str, fault: str = "", status: int = 200
) -> web.Response:
    texts = texts_in(language(request))
    return outside(
        request,
        "login.html",
        form="code",
        locale=texts.locale,
        status=status,
        typed=typed[:_LONGEST_ADDRESS],
        wanted=onward(wanted),
        told=_told(texts, fault),
        has_left="left" in request.query,
        by_chat=[
            name
            for name in ("Zalo", "Telegram")
            if ChannelName(name.lower()) in channels_on(request.config_dict[SETTINGS])
        ],
    )


def _ask_code(
    request: web.Request, ticket: str, wanted: str, *, fault: str = "", left: int = 0, status: int = 200
) -> web.Response:
    texts = texts_in(language(request))
    return outside(
        request,
        "login_code.html",
        form="code",
        locale=texts.locale,
        status=status,
        ticket=ticket,
        wanted=onward(wanted),
        told=texts.n("Mã chưa đúng. Bạn còn {count} lần thử.", left) if left else _told(texts, fault),
    )


def _ask_in(
    request: web.Request, token: str, link: OneTimeLink, *, fault: str = "", status: int = 200
) -> web.Response:
    texts = texts_in(link.staff.locale)
    return outside(
        request,
        "login_link.html",
        form=token,
        locale=texts.locale,
        status=status,
        link=link,
        token=token,
        role=texts.t(role_word(link.staff.role)),
        told=_told(texts, fault),
    )


def _told(texts: Texts, fault: str) -> str:
    words = {
        "": "",
        "stale": texts.t("Trang này đã cũ hoặc trình duyệt không lưu cookie. Bấm lại lần nữa."),
        "address": texts.t("Chưa đọc được. Nhập số điện thoại như 0901234567, hoặc email."),
        "often": texts.t("Bạn thử nhiều lần quá. Đợi 15 phút rồi thử lại."),
        "dead": texts.t("Mã này không dùng được nữa. Xin mã mới ở đây."),
    }
    return words[fault]
