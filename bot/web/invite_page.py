"""Invitations: owners and managers make them, whoever got one links a chat by it or goes straight in."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import segno
from aiohttp import web

from bot.keys import DATABASE, SETTINGS, SIGNER
from bot.texts.catalogue import texts_in
from bot.web import linking_ways
from bot.web.linking_ways import LinkWay
from bot.web.nav import role_word
from bot.web.outside import is_of_this_browser, one_time_id, outside, outside_form, over
from bot.web.session import begin, form_of, inside, seat_of
from bot.web.staff_page import managed
from core.database import Database
from core.partners import one_time_links, wrong_tries
from core.partners.one_time_links import LinkPurpose, OneTimeLink
from core.partners.wrong_tries import Limit

_QUARTER: Final = timedelta(minutes=15)
#: So often fresh codes are drawn for one invitation.
DRAWS: Final = Limit("invite_codes", 10, _QUARTER, _QUARTER)


async def make(request: web.Request) -> web.Response:
    """Make an invitation for a member and lead to it."""
    seat = await seat_of(request)
    await form_of(request, seat)
    member, database = await managed(request, seat), request.config_dict[DATABASE]
    link_id = await one_time_links.issue(
        database.pool, member.id, LinkPurpose.INVITE, via="invite", now=database.clock.now()
    )
    raise web.HTTPSeeOther(f"/staff/{member.id}/invite/{link_id}")


async def show_made(request: web.Request) -> web.Response:
    """Show an invitation to whoever may manage that member: its address, and a QR code of it."""
    seat = await seat_of(request)
    member, database = await managed(request, seat), request.config_dict[DATABASE]
    link = await _looked_at(database, _uuid(request.match_info["link"]))
    if link is None or link.staff.staff_id != member.id:
        raise web.HTTPSeeOther(f"/staff/{member.id}")
    url = invite_url(request, link.id)
    return inside(
        request,
        seat,
        "staff_invite.html",
        title=seat.texts.t("Mời {name}", name=member.name),
        member=member,
        url=url,
        picture=qr_picture(url),
        until=seat.texts.moment(link.expires_at, seat.partner.zone, database.clock.now()),
    )


def invite_url(request: web.Request, link_id: UUID) -> str:
    """Return the address of an invitation."""
    token = request.config_dict[SIGNER].one_time(link_id)
    return f"{request.config_dict[SETTINGS].base_url}/invite/{token}"


def qr_picture(text: str) -> str:
    """Return a QR code as a `data:` address; black on white in both colour schemes, as readers want it."""
    return segno.make(text, micro=False).svg_data_uri(scale=6, border=4, light="#fff")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- For whoever was invited ------------------------------------------------------------------------


async def show(request: web.Request) -> web.Response:
    """Show which kitchen invites, and as what; opening it changes nothing."""
    link = await _asked(request)
    return _page(request, link) if link else over(request)


async def draw(request: web.Request) -> web.Response:
    """Draw fresh codes and show how each chat is linked."""
    form = await outside_form(request)
    link = await _asked(request)
    if link is None:
        return over(request)
    texts = texts_in(link.staff.locale)
    if not is_of_this_browser(request, form, request.match_info["token"]):
        return _page(request, link, fault=texts.t("Trang này đã cũ. Bấm lại lần nữa."), status=403)
    if not await _may_draw(request.config_dict[DATABASE], link):
        told = texts.t("Bạn thử nhiều lần quá. Đợi 15 phút rồi thử lại.")
        return _page(request, link, fault=told, status=429)
    ways = await linking_ways.draw(request, link.staff.staff_id, invite_id=link.id)
    return _page(request, link, ways=ways)


async def go_in(request: web.Request) -> web.Response:
    """Sign in by an invitation, which is used up by that."""
    form = await outside_form(request)
    link = await _asked(request)
    if link is None:
        return over(request)
    if not is_of_this_browser(request, form, request.match_info["token"]):
        told = texts_in(link.staff.locale).t("Trang này đã cũ. Bấm lại lần nữa.")
        return _page(request, link, fault=told, status=403)
    database = request.config_dict[DATABASE]
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        taken = await one_time_links.take(connection, link.id, LinkPurpose.INVITE, now=database.clock.now())
    if taken is None:
        return over(request)
    return await begin(request, taken.staff.staff_id, via="invite", address=None, where="/settings")


async def _asked(request: web.Request) -> OneTimeLink | None:
    link_id = one_time_id(request, request.match_info["token"])
    return await _looked_at(request.config_dict[DATABASE], link_id)


async def _looked_at(database: Database, link_id: UUID | None) -> OneTimeLink | None:
    if link_id is None:
        return None
    return await one_time_links.look(database.pool, link_id, LinkPurpose.INVITE, now=database.clock.now())


async def _may_draw(database: Database, link: OneTimeLink) -> bool:
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await wrong_tries.is_one_more(connection, DRAWS, str(link.id), now=database.clock.now())


def _page(
    request: web.Request,
    link: OneTimeLink,
    *,
    ways: list[LinkWay] | None = None,
    fault: str = "",
    status: int = 200,
) -> web.Response:
    texts = texts_in(link.staff.locale)
    token = request.match_info["token"]
    return outside(
        request,
        "invite.html",
        form=token,
        locale=texts.locale,
        status=status,
        link=link,
        token=token,
        role=texts.t(role_word(link.staff.role)),
        ways=ways,
        told=fault,
    )
