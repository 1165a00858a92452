"""Who sits before a page: the session of the cookie, the member, the kitchen; and pages of the inside.

Handlers of the partner's pages begin with `await seat_of(request)` and end with `inside(…)`; those that take
a form begin with `await form_of(request, seat)` after it.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from aiohttp import web

from bot.cards.view import Frame
from bot.compose import desk_of
from bot.keys import DATABASE, SETTINGS, SIGNER
from bot.texts.catalogue import Texts, texts_in
from bot.web.cookies import SecretCookie
from bot.web.devices import device_of
from bot.web.forms import Form, read_bound_form
from bot.web.nav import PLACES, role_word, shown_to
from bot.web.nonces import NONCES
from bot.web.pages import PAGES
from core.channels import Address
from core.notices.outgoing import StaffFacts
from core.partners import addresses, partners, sessions
from core.partners.addresses import StaffAt
from core.partners.partners import Partner
from core.partners.sessions import Session

COOKIE: Final = SecretCookie("chotdon", sessions.LIFE)
_START: Final = "/orders"


@dataclass(frozen=True, slots=True)
class Seat:
    """A signed-in member before a page. `others` are the seats of the same person elsewhere."""

    session: Session
    staff: StaffFacts
    partner: Partner
    others: tuple[StaffAt, ...] = ()

    @property
    def texts(self) -> Texts:
        """The member's language."""
        return texts_in(self.staff.locale)


async def seat_of(request: web.Request) -> Seat:
    """Return who is signed in; who is not is led to the sign-in, and back here afterwards.

    Raises a redirect to `/login`.
    """
    seat = await seat_if_any(request)
    if seat is None:
        raise web.HTTPSeeOther(f"/login?next={quote(_wanted(request), safe='/')}")
    return seat


async def seat_if_any(request: web.Request) -> Seat | None:
    """Return who is signed in, or None."""
    secret = COOKIE.read(request)
    if secret is None:
        return None
    database = request.config_dict[DATABASE]
    found = await sessions.of_secret(database.pool, secret, now=database.clock.now())
    if found is None:
        return None
    partner = await partners.by_code(database.pool, found.partner_code)
    proven = found.session.address
    known = await addresses.staff_at(database.pool, proven) if proven else []
    others = tuple(at for at in known if at.staff_id != found.staff.id)
    return Seat(found.session, found.staff, partner, others)


def _wanted(request: web.Request) -> str:
    """Return the page to come back to; a form's is the page that it stood on."""
    if request.method in {"GET", "HEAD"}:
        return request.path_qs
    return "/" + request.path.split("/")[1]


async def begin(
    request: web.Request, staff_id: UUID, *, via: str, address: Address | None, where: str
) -> web.Response:
    """Sign this browser in as a member and lead on; the session that it had ends.

    The secret is a new one, whatever the browser held before.
    """
    database = request.config_dict[DATABASE]
    before, now = await seat_if_any(request), database.clock.now()
    device = device_of(request.headers.get("User-Agent", ""))
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        if before:
            await sessions.end(connection, before.session.id, before.staff.id, now=now)
        secret = await sessions.begin(connection, staff_id, via=via, device=device, address=address, now=now)
    response = web.Response(status=303, headers={"Location": where})
    COOKIE.keep(request, response, secret)
    return response


# --- Forms ------------------------------------------------------------------------------------------


def nonce_of(request: web.Request, seat: Seat) -> str:
    """Return a new nonce for the forms of one page of this session."""
    return request.config_dict[NONCES].issue(str(seat.session.id))


async def form_of(request: web.Request, seat: Seat) -> Form:
    """Return the form's fields, its nonce checked.

    Raises the refusals of a form that is another site's, too big, or was not made for this session.
    """
    return await read_bound_form(request, str(seat.session.id))


# --- Pages ------------------------------------------------------------------------------------------


def view_frame(request: web.Request, seat: Seat) -> Frame:
    """Return what cards and lists are written in for whoever sits here."""
    settings, database = request.config_dict[SETTINGS], request.config_dict[DATABASE]
    return Frame(
        desk=desk_of(settings, request.config_dict[SIGNER]),
        texts=seat.texts,
        zone=seat.partner.zone,
        now=database.clock.now(),
        partner_name=seat.partner.name,
        staff=seat.staff,
    )


def inside(
    request: web.Request, seat: Seat, template: str, *, title: str, status: int = 200, **shown: Any
) -> web.Response:
    """Return a page of the inside, which extends `inside.html`: with the way to the others, and a `nonce`."""
    places = [place for place in PLACES if shown_to(place, seat.staff.role)]
    return request.config_dict[PAGES].answer(
        template,
        locale=seat.texts.locale,
        status=status,
        title=title,
        seat=seat,
        role=seat.texts.t(role_word(seat.staff.role)),
        places=places,
        here="/" + request.path.split("/")[1],
        nonce=nonce_of(request, seat),
        **shown,
    )


def onward(text: str) -> str:
    """Return where to go after the sign-in: a page of the inside, whatever the address asks for."""
    parts = urlsplit(text)
    first = "/" + parts.path.split("/")[1] if parts.path.startswith("/") else ""
    known = first in {place.path for place in PLACES}
    if not known or parts.scheme or parts.netloc or not text.isascii() or not text.isprintable():
        return _START
    return _START if "\\" in text or ".." in text or "//" in parts.path else text
