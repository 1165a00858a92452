"""Pages for people who are not signed in, with one form that is bound to the browser it was shown in."""

import re
import secrets
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from bot.keys import SIGNER
from bot.web.cookies import SecretCookie
from bot.web.forms import Form, check_origin, read_form
from bot.web.middleware import language
from bot.web.nonces import NONCES
from bot.web.pages import PAGES
from core.errors import Malformed, Untrusted

_BROWSER: Final = SecretCookie("chotdon-form")  # binds a form to its browser
_BROWSER_BYTES: Final = 16


async def outside_form(request: web.Request) -> Form:
    """Return the fields of a form that is not another site's; whose it is, `is_of_this_browser` says."""
    check_origin(request)
    return await read_form(request)


def one_time_id(request: web.Request, token: str) -> UUID | None:
    """Return the id that a token of ours carries, None for what is no token of ours."""
    try:
        return request.config_dict[SIGNER].read_one_time(token)
    except (Malformed, Untrusted):
        return None


def is_of_this_browser(request: web.Request, form: Form, name: str) -> bool:
    """Whether the form of this name was shown in the browser that sends it."""
    known = _BROWSER.read(request)
    return known is not None and request.config_dict[NONCES].is_of(form.get("nonce", ""), f"{known} {name}")


def outside(
    request: web.Request, template: str, *, form: str, locale: str, status: int = 200, **shown: Any
) -> web.Response:
    """Return a page for somebody who is not signed in, with the nonce of its form."""
    browser = _browser_of(request)
    response = request.config_dict[PAGES].answer(
        template,
        locale=locale,
        status=status,
        nonce=request.config_dict[NONCES].issue(f"{browser} {form}"),
        **shown,
    )
    _BROWSER.keep(request, response, browser)
    return response


def over(request: web.Request) -> web.Response:
    """Return what is told of a one-time link that does not work, whatever the reason."""
    return request.config_dict[PAGES].answer("login_over.html", locale=language(request), status=410)


def _browser_of(request: web.Request) -> str:
    """Return what this browser is known by; new where it has nothing that we would give."""
    known = _BROWSER.read(request) or ""
    return known if re.fullmatch(r"[A-Za-z0-9_-]{22}", known) else secrets.token_urlsafe(_BROWSER_BYTES)
