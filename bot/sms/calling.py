"""One call to an SMS gateway over HTTP: what came back, or whether it surely had no effect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import aiohttp
import msgspec

from core.channels import Charge, Refused, Scope, TryLater, Unclear

# A call is bounded to 5 s (interface.md). Connecting has less, so that the longer one running out means
# that the request had been sent.
_BUDGET: Final = 5.0
_CONNECT: Final = 3.0
_MOST_ANSWER: Final = 64 * 1024

#: Nobody is believed who says to wait longer.
_LONGEST_WAIT: Final = timedelta(hours=1)
_EPOCH: Final = 1_000_000_000

_Shape = TypeVar("_Shape", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a gateway. Keys may stand in `params`: neither those nor the URL are ever logged.

    `authorization` is the header of that name.
    """

    method: str
    url: str
    params: Mapping[str, str] | None = None
    json: object = None
    form: Mapping[str, str] | None = None
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a gateway answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def open_session() -> aiohttp.ClientSession:
    """Return a session for a gateway; needs a running event loop.

    Each call has a connection of its own: on a kept one that the gateway has closed meanwhile,
    nobody could tell whether the call arrived. No cookie is kept.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=_BUDGET, connect=_CONNECT),
    )


async def call(
    session: aiohttp.ClientSession, request: Request, charge: Charge | None = None
) -> Reply | TryLater | Unclear:
    """Make one call; TryLater where it surely had no effect, Unclear where nobody can tell.

    `charge` is what it costs if it had.
    """
    try:
        async with session.request(
            request.method,
            request.url,
            params=request.params,
            data=_body_of(request),
            headers=_headers_of(request),
            allow_redirects=False,  # a redirect would carry the keys to wherever it points
        ) as response:
            return Reply(response.status, response.headers, await _body(response))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        return TryLater(type(error).__name__)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Unclear(type(error).__name__, charge)


def parsed(reply: Reply, shape: type[_Shape]) -> _Shape | None:
    """Return the answer's JSON in this shape, None where it is another."""
    try:
        return msgspec.json.decode(reply.body, type=shape, strict=False)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return None


def unreadable(reply: Reply, gateway: str, charge: Charge) -> TryLater | Refused | Unclear:
    """Say what an answer means that is none of the gateway's own.

    With 200 it may have taken the message; with anything else it did not.
    """
    why = f"HTTP {reply.status}"
    if reply.status == 429:
        return TryLater(why, wait_told(reply.headers, now=datetime.now(UTC)))
    if reply.status >= 500 or reply.status == 408:
        return TryLater(why)
    if 200 <= reply.status < 300:
        return Unclear(f"{why} with an answer that is not {gateway}'s", charge)
    return Refused(
        why, Scope.EVERYBODY, alarm=f"{gateway} không nhận lời gọi ({why}): kiểm tra địa chỉ và khoá"
    )


def wait_told(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long a gateway says to wait; None where it does not say, never more than an hour.

    docs/facts.md#retry-after: seconds or a date. docs/facts.md#speedsms-rate: `X-Rate-Limit-Reset`, whose
    unit is not told: a number as great as a moment's is a moment, any other seconds.
    """
    told = headers.get("Retry-After") or headers.get("X-Rate-Limit-Reset") or ""
    wait = _wait_of(told.strip(), now)
    return None if wait is None else min(max(wait, timedelta()), _LONGEST_WAIT)


def _wait_of(told: str, now: datetime) -> timedelta | None:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", told, re.ASCII):
        seconds = float(told)
        return timedelta(seconds=seconds - now.timestamp() if seconds >= _EPOCH else seconds)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now


def _body_of(request: Request) -> bytes | Mapping[str, str] | None:
    return request.form if request.json is None else msgspec.json.encode(request.json)


def _headers_of(request: Request) -> Mapping[str, str]:
    headers = {"Accept": "application/json"}
    if request.json is not None:
        headers["Content-Type"] = "application/json"
    if request.authorization is not None:
        headers["Authorization"] = request.authorization
    return headers


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer, or enough of it to see that it is not one of a gateway's."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MOST_ANSWER:
            break
    return bytes(body)
