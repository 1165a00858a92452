"""Why a request was not carried out, as RFC 9457 problem documents."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api.faults import Fault, Faulty, as_json
from bot.api.versions import etag
from bot.keys import SETTINGS
from core.database import AWAY
from core.errors import Conflict, NoFreeCode, RuleError

CONTENT_TYPE: Final = "application/problem+json"
DOCS_PATH: Final = "/api/docs"
_BACK_SOON: Final = timedelta(seconds=5)
_CODES_COME_BACK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of problem, the same for every occurrence of it."""

    status: int
    title: str
    advice: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "malformed": Kind(400, "The request cannot be read", "Send one JSON object as UTF-8; see `detail`."),
        "unauthorized": Kind(
            401, "A valid API key is needed", "Send `Authorization: Bearer` with the key of `platform add`."
        ),
        "not_found": Kind(
            404, "There is no such thing here", "An order is seen by the platform that placed it."
        ),
        "method_not_allowed": Kind(405, "This address does not take that method", "See `Allow`."),
        "too_slow": Kind(408, "The body did not arrive in time", "Send it within 20 seconds."),
        "external_id_taken": Kind(
            409,
            "This external_id was used for another order",
            "Change the order by PATCH, or use another id.",
        ),
        "order_final": Kind(
            409,
            "The order has a final status",
            "Nothing changes it any more; `order_status` tells which it is.",
        ),
        "order_not_completed": Kind(409, "Only completed orders are reviewed", "See `order_status`."),
        "webhooks_off": Kind(
            409,
            "No webhooks are sent to you",
            "There is no address, or it answered 410 and was switched off: ask the operators.",
        ),
        "partner_paused": Kind(409, "The kitchen takes no orders at present", "`detail` tells until when."),
        "version_mismatch": Kind(
            412,
            "The order is not in the version that If-Match names",
            "Read the order anew: `ETag` tells its version.",
        ),
        "too_large": Kind(413, "The body is too large", "A body has at most 256 kB, that of a batch 2 MB."),
        "unsupported_media_type": Kind(
            415, "The body must be JSON", "Send `Content-Type: application/json`, not compressed."
        ),
        "invalid": Kind(422, "The request has faults", "`errors` names all of them, each with its place."),
        "idempotency_key_reused": Kind(
            422, "This Idempotency-Key was used for another request", "Use a new key for a new request."
        ),
        "too_many_requests": Kind(
            429, "There were too many calls", "Wait for as many seconds as `Retry-After` says."
        ),
        "internal": Kind(500, "Something of ours failed", "Try again with the same Idempotency-Key."),
        "codes_used_up": Kind(
            503, "The kitchen has no order code left", "Try again later: codes come back with old orders."
        ),
        "unavailable": Kind(
            503, "Not available just now", "Try again with the same Idempotency-Key; it may have been done."
        ),
    }
)


class Problem(Exception):
    """A request is not carried out because of `code`; `more` stands in the document beside it."""

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        more: Mapping[str, Any] = MappingProxyType({}),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.more = more
        self.headers = headers


def invalid(*faults: Fault) -> Problem:
    """Return the problem of a body or query with these faults."""
    return Problem("invalid", more={"errors": as_json(faults)})


#: What is told as a problem.
REFUSALS: Final = (Problem, Faulty, RuleError, NoFreeCode, web.HTTPException, *AWAY)


@web.middleware
async def tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal as a problem document, and keep answers out of caches."""
    try:
        answer = await handler(request)
    except REFUSALS as error:
        answer = _response(problem_of(error), request)
    except Exception:  # noqa: BLE001  (the outermost of the API: nobody gets a stack trace)
        structlog.get_logger().exception("request failed")
        answer = _response(Problem("internal"), request)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def problem_of(error: BaseException) -> Problem:
    """Return one of `REFUSALS` as the problem that it is."""
    match error:
        case Problem():
            return error
        case Faulty():
            return invalid(*error.faults)
        case RuleError():
            return _of_rule(error)
        case web.HTTPException():
            return _of_http(error)
        case NoFreeCode():
            return Problem("codes_used_up", headers=_retry_after(_CODES_COME_BACK))
        case _:
            # By name only: the sentence of a database error may carry what somebody sent.
            structlog.get_logger().warning("api_unavailable", fault=type(error.__cause__ or error).__name__)
            return Problem("unavailable", headers=_retry_after(_BACK_SOON))


def _of_rule(error: RuleError) -> Problem:
    match error:
        case Conflict(code="external_id"):
            return Problem("external_id_taken")
        case Conflict(code="idempotency_key_reused"):
            return Problem("idempotency_key_reused")
        case RuleError(code="version_mismatch", facts={"version": int() as version}):
            return Problem("version_mismatch", headers={"ETag": etag(version)})
        case RuleError(code="partner_paused", facts={"until": datetime() as until}):
            return Problem("partner_paused", detail=f"It is back at {until.isoformat()}.")
        case _:
            return invalid(RULE_FAULTS.get(error.code, Fault((), error.code)))


#: Rules of the order domain that a body breaks, and where it does.
RULE_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "deliver_at_past": Fault(("deliver_at",), "must lie in the future"),
        "ordered_at_future": Fault(("ordered_at",), "must not lie in the future"),
        "total_wrong": Fault(("total",), "must be the items plus fees minus discount"),
        "total_negative": Fault(("discount",), "must not be more than the items plus fees"),
        "no_such_partner": Fault(("partner",), "is not a kitchen we know"),
        "bad_data": Fault((), "cannot be stored"),
    }
)


def _of_http(error: web.HTTPException) -> Problem:
    """Return the problem that aiohttp's router or reader found."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return Problem("method_not_allowed", headers={"Allow": ", ".join(sorted(error.allowed_methods))})
    codes = {404: "not_found", 413: "too_large", 415: "unsupported_media_type"}
    return Problem(codes.get(error.status, "malformed"))


def _retry_after(wait: timedelta) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait.total_seconds()))}


def document_of(problem: Problem, *, base_url: str) -> dict[str, Any]:
    """Return the problem document of RFC 9457."""
    kind = KINDS[problem.code]
    return {
        "type": f"{base_url}{DOCS_PATH}#problem-{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "code": problem.code,
        **({"detail": problem.detail} if problem.detail else {}),
        **problem.more,
    }


def _response(problem: Problem, request: web.Request) -> web.Response:
    document = document_of(problem, base_url=request.config_dict[SETTINGS].base_url)
    return web.Response(
        body=msgspec.json.encode(document),
        status=KINDS[problem.code].status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )
