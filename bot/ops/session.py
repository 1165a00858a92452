"""Which operator is before a page: the session of the cookie; and pages of the console.

Handlers of the console begin with `await operator_of(request)` and end with `inside(…)`; those that take a
form begin with `await form_of(request, operator)` after it. What an operator does is written with
`core.audit.record` in the transaction of the deed, `who=operator.email`, `via=VIA`.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.ops.nav import PLACES, place_of
from bot.texts.catalogue import Texts, texts_in
from bot.web.cookies import SecretCookie
from bot.web.devices import device_of
from bot.web.forms import Form, read_bound_form
from bot.web.nonces import NONCES
from bot.web.pages import PAGES
from core import audit
from core.actors import Actor
from core.actors import operator as operator_named
from core.operators import sessions
from core.operators.mailboxes import called
from core.operators.sessions import Session

#: How operators' deeds came, as the record has it.
VIA: Final = "console"
START: Final = "/ops"
COOKIE: Final = SecretCookie("chotdon-ops", sessions.LONGEST)


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in operator before a page; `zone` is the service's."""

    session: Session
    texts: Texts
    zone: ZoneInfo

    @property
    def email(self) -> str:
        """The mailbox, by which the record knows who acted."""
        return self.session.email

    @property
    def name(self) -> str:
        """What kitchens are told of who acted."""
        return called(self.session.email)

    @property
    def actor(self) -> Actor:
        """The operator, as whoever gives commands."""
        return operator_named(self.name)


async def operator_of(request: web.Request) -> Operator:
    """Return who is signed in; who is not is led to the sign-in, and back here afterwards.

    Raises a redirect to `/ops/login`.
    """
    operator = await operator_if_any(request)
    if operator is None:
        wanted = request.path_qs if request.method in {"GET", "HEAD"} else place_of(request.path)
        raise web.HTTPSeeOther(f"/ops/login?next={quote(wanted, safe='/')}")
    return operator


async def operator_if_any(request: web.Request) -> Operator | None:
    """Return who is signed in, or None."""
    secret = COOKIE.read(request)
    if secret is None:
        return None
    settings, database = request.config_dict[SETTINGS], request.config_dict[DATABASE]
    now = database.clock.now()
    session = await sessions.of_secret(database.pool, secret, operators=settings.operator_emails, now=now)
    if session is None:
        return None
    return Operator(session, texts_in(settings.locale), ZoneInfo(settings.timezone))


async def begin(request: web.Request, email: str, *, where: str) -> web.Response:
    """Sign this browser in as an operator and lead on; the session that it had ends."""
    database = request.config_dict[DATABASE]
    before, now = await operator_if_any(request), database.clock.now()
    device = device_of(request.headers.get("User-Agent", ""))
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        if before:
            await sessions.end(connection, before.session.id, before.email, now=now)
        secret = await sessions.begin(connection, email, device=device, now=now)
        await audit.record(
            connection, who=email, via=VIA, deed="operator.signed_in", about=device or "?", now=now
        )
    response = web.Response(status=303, headers={"Location": where})
    COOKIE.keep(request, response, secret)
    return response


# --- Forms ------------------------------------------------------------------------------------------


def nonce_of(request: web.Request, operator: Operator) -> str:
    """Return a new nonce for the forms of one page of this session."""
    return request.config_dict[NONCES].issue(_owner(operator))


async def form_of(request: web.Request, operator: Operator) -> Form:
    """Return the form's fields, its nonce checked.

    Raises the refusals of a form that is another site's, too big, or was not made for this session.
    """
    return await read_bound_form(request, _owner(operator))


def is_nonce_of(request: web.Request, operator: Operator, nonce: str) -> bool:
    """Whether a nonce was made for this session."""
    return request.config_dict[NONCES].is_of(nonce, _owner(operator))


def _owner(operator: Operator) -> str:
    return f"ops {operator.session.id}"


# --- Pages ------------------------------------------------------------------------------------------


def inside(
    request: web.Request, operator: Operator, template: str, *, title: str, status: int = 200, **shown: Any
) -> web.Response:
    """Return a page of the console, which extends `ops/inside.html`.

    The template is named `ops/….html`; it has a `nonce`, `texts`, `zone` and `now` for times and money.
    """
    shown = {"nonce": nonce_of(request, operator), **shown}
    return request.config_dict[PAGES].answer(
        template,
        locale=operator.texts.locale,
        status=status,
        title=title,
        operator=operator,
        texts=operator.texts,
        zone=operator.zone,
        now=request.config_dict[DATABASE].clock.now(),
        places=PLACES,
        here=place_of(request.path),
        **shown,
    )


def onward(text: str) -> str:
    """Return where to go after the sign-in: a page of the console, whatever the address asks for."""
    parts = urlsplit(text)
    is_ours = parts.path == START or parts.path.startswith(f"{START}/")
    is_plain = text.isascii() and text.isprintable() and not parts.scheme and not parts.netloc
    if not is_ours or not is_plain or parts.path.startswith(f"{START}/login"):
        return START
    return START if "\\" in text or ".." in text or "//" in parts.path else text
