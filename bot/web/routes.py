"""The routes of the pages that people open from mails and chats."""

from typing import Final

from aiohttp import web

from bot.keys import SETTINGS
from bot.web import front, help_page, invite_page, order_routes, settings_page, signing_in, staff_page
from bot.web.middleware import secure
from bot.web.nonces import NONCES, Nonces
from bot.web.pages import PAGES, pages, show_static
from core.keys import derive

_MEMBER: Final = "/staff/{staff:[^/]+}"
_INVITE: Final = "/invite/{token:[^/]+}"


def add_routes(app: web.Application) -> None:
    """Add the pages, their style sheet and the headers of every answer.

    The application needs LEDGER, DATABASE, SETTINGS and SIGNER of `bot.keys`, and `middlewares()`.
    """
    app[PAGES] = pages()
    app[NONCES] = Nonces(derive(app[SETTINGS].require("secret_key"), "form nonces"))
    app.on_response_prepare.append(secure)
    app.router.add_get("/static/{name:(?:[a-z]+[.](?:css|js)|guide-[a-z]+[.]png)}", show_static)
    app.router.add_get("/", front.show)
    app.router.add_get("/help", help_page.show)
    app.router.add_get("/zalo_verifier{code:[^/]*}.html", front.verify_zalo)
    _add_sign_in(app.router)
    _add_staff(app.router)
    _add_settings(app.router)
    order_routes.add_routes(app)


def _add_sign_in(router: web.UrlDispatcher) -> None:
    router.add_get("/login", signing_in.ask_where)
    router.add_post("/login", signing_in.send_code)
    router.add_get("/login/code", signing_in.ask_code)
    router.add_post("/login/code", signing_in.try_code)
    router.add_get("/login/{token:[^/]+}", signing_in.ask_in)
    router.add_post("/login/{token:[^/]+}", signing_in.go_in)
    router.add_post("/logout", signing_in.sign_out)
    router.add_get("/seats", signing_in.ask_seat)
    router.add_post("/seats", signing_in.take_seat)


def _add_staff(router: web.UrlDispatcher) -> None:
    router.add_get("/staff", staff_page.show)
    router.add_get("/staff/new", staff_page.ask_new)
    router.add_post("/staff/new", staff_page.add)
    router.add_get(_MEMBER, staff_page.ask_change)
    router.add_post(_MEMBER, staff_page.change)
    router.add_post(f"{_MEMBER}/address", staff_page.add_address)
    router.add_post(f"{_MEMBER}/address/end", staff_page.take_address)
    router.add_post(f"{_MEMBER}/out", staff_page.end_sessions)
    router.add_get(f"{_MEMBER}/remove", staff_page.ask_remove)
    router.add_post(f"{_MEMBER}/remove", staff_page.remove)
    router.add_post(f"{_MEMBER}/invite", invite_page.make)
    router.add_get(f"{_MEMBER}/invite/{{link:[^/]+}}", invite_page.show_made)
    router.add_get(_INVITE, invite_page.show)
    router.add_post(_INVITE, invite_page.draw)
    router.add_post(f"{_INVITE}/web", invite_page.go_in)


def _add_settings(router: web.UrlDispatcher) -> None:
    router.add_get("/settings", settings_page.show)
    router.add_post("/settings/language", settings_page.choose_language)
    router.add_post("/settings/link", settings_page.link_chat)
    router.add_post("/settings/devices", settings_page.end_device)
    router.add_post("/settings/quiet", settings_page.set_quiet)
    router.add_post("/settings/sheet", settings_page.set_sheet)
    router.add_post("/settings/pause", settings_page.pause)
    router.add_post("/settings/resume", settings_page.resume)
