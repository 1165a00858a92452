"""What every answer of the wall carries, and which calls it takes at all."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take calls for this machine only, posts from the wall's own page only, and set the headers."""
    if urlsplit(f"//{request.host}").hostname not in _LOCAL:
        raise web.HTTPMisdirectedRequest
    if request.method == "POST" and not _from_own_page(request):
        raise web.HTTPForbidden
    return await handler(request)


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set what no page may go without; a mail brings its own policy."""
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"


def _from_own_page(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return request.content_type == "application/json" and (
        origin is None or urlsplit(origin).netloc == request.host
    )
