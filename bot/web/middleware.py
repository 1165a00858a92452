"""What every answer of the web process has in common: safe headers, and faults that people can read."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.texts.catalogue import msg, texts_in
from bot.web.pages import PAGES
from core.database import AWAY

_log: Final = structlog.get_logger()

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
            " img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
    }
)

#: Read by machines; their faults are told in a line, not in a page.
_MACHINES: Final = ("/api/", "/webhooks/", "/healthz", "/readyz", "/heartbeat", "/metrics", "/openapi.json")
_RETRY_AFTER: Final = "5"


def middlewares() -> Sequence[Middleware]:
    """Return the middlewares of the web process, the outermost first."""
    return (tell_faults,)


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Give an answer the headers that it does not have yet; connected to `on_response_prepare`."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


@web.middleware
async def tell_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page, or a line for machines, where a handler found a fault or failed."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400 or _is_for_machines(request):
            raise
        return _with_headers_of(refusal, fault(request, refusal.status))
    except AWAY as away:
        _log.warning("database away", route=_route(request), error=type(away).__name__)
        return fault(request, 503)
    except Exception:  # noqa: BLE001  (the outermost: nobody gets a stack trace)
        _log.exception("request failed", route=_route(request))
        return fault(request, 500)


def fault(request: web.Request, status: int, *, locale: str | None = None) -> web.Response:
    """Return what is told of a fault with this status."""
    title, advice = _WORDS.get(status, _WORDS[400])
    if _is_for_machines(request):
        response = web.Response(text=f"{status}\n", status=status)
    else:
        locale = locale or language(request)
        t = texts_in(locale).t
        response = request.config_dict[PAGES].answer(
            "fault.html",
            locale=locale,
            status=status,
            title=t(title),
            advice=t(advice),
            number=status,
            is_console=request.path.startswith("/ops"),
        )
    if status == 503:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response


def _with_headers_of(refusal: web.HTTPException, response: web.Response) -> web.Response:
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in refusal.headers:
            response.headers[name] = refusal.headers[name]
    return response


def _is_for_machines(request: web.Request) -> bool:
    return request.path.startswith(_MACHINES)


def language(request: web.Request) -> str:
    """Return English for a browser that puts it first, else Vietnamese."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "vi"


def _route(request: web.Request) -> str:
    """Return the route without what a person's link carries."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"


_WORDS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        400: (msg("Máy không hiểu được yêu cầu này"), msg("Quay lại trang trước, tải lại rồi thử lần nữa.")),
        403: (
            msg("Không bấm được từ đây"),
            msg(
                "Mở lại trang hoặc đường dẫn trong tin nhắn rồi bấm ở đó."
                " Việc này cũng có thể là của vai khác trong quán."
            ),
        ),
        404: (
            msg("Không có trang này"),
            msg("Đường dẫn có thể bị thiếu hoặc sai chữ. Mở lại đúng đường dẫn trong thư hoặc tin nhắn."),
        ),
        405: (msg("Không mở trang này kiểu đó được"), msg("Mở lại đường dẫn trong thư hoặc tin nhắn.")),
        410: (
            msg("Trang của đơn này đã đóng"),
            msg("Đơn đã xong hơn 30 ngày nên trang không mở nữa. Cần xem lại, hãy hỏi tổng đài."),
        ),
        413: (msg("Nội dung gửi lên dài quá"), msg("Quay lại, viết ngắn hơn rồi gửi lần nữa.")),
        415: (msg("Máy không hiểu được yêu cầu này"), msg("Quay lại trang trước, tải lại rồi thử lần nữa.")),
        500: (
            msg("Có lỗi ở phía chúng tôi"),
            msg("Chưa chắc việc đã xong. Đợi một phút rồi mở lại trang để xem đơn đang thế nào."),
        ),
        503: (
            msg("Hệ thống đang bận"),
            msg("Đợi vài giây rồi tải lại trang. Bấm hai lần cũng không sao, chỉ tính một lần."),
        ),
    }
)
