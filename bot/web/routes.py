"""The routes of the pages that people open from mails and chats."""

from aiohttp import web

from bot.keys import SETTINGS
from bot.web import front, order_routes, signing_in
from bot.web.middleware import secure
from bot.web.nonces import NONCES, Nonces
from bot.web.pages import PAGES, Pages, show_static
from core.keys import derive


def add_routes(app: web.Application) -> None:
    """Add the pages, their style sheet and the headers of every answer.

    The application needs LEDGER, DATABASE, SETTINGS and SIGNER of `bot.keys`, and `middlewares()`.
    """
    app[PAGES] = Pages()
    app[NONCES] = Nonces(derive(app[SETTINGS].require("secret_key"), "form nonces"))
    app.on_response_prepare.append(secure)
    app.router.add_get("/static/{name:[a-z]+[.](?:css|js)}", show_static)
    app.router.add_get("/", front.show)
    app.router.add_get("/zalo_verifier{code:[^/]*}.html", front.verify_zalo)
    _add_sign_in(app.router)
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
