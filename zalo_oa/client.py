"""Calls to Zalo: what was said, what came back, and whether it was certainly not taken.

Answers are values. docs/facts.md#zalo-errors: an error comes with HTTP 200, so the status
alone never means success.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiohttp import ClientTimeout

from zalo_oa.errors import Fault, Host, fault

# A call is bounded to 5 s, a refresh of the token and the repeat included. Connecting has
# less, so that the longer one running out means that the request had been sent.
_BUDGET: Final = 5.0
_CONNECT: Final = 3.0

# See docs/facts.md#zalo-token: an access token lives 25 h.
ACCESS_LIFE: Final = timedelta(hours=25)

_DELIVERED: Final = 1
_TOO_MANY: Final = 429
_MAX_ANSWER: Final = 256 * 1024
_MAX_TEXT: Final = 200

_Shape = TypeVar("_Shape", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class ZaloConfig:
    """One app, one Official Account, and where Zalo's servers are.

    `app_secret` is for OAuth; `oa_secret` signs webhooks. They are two different values.
    """

    app_id: str
    app_secret: str = field(repr=False)
    oa_id: str
    oa_secret: str = field(repr=False)
    openapi_url: str = "https://openapi.zalo.me"
    business_url: str = "https://business.openapi.zalo.me"
    oauth_url: str = "https://oauth.zaloapp.com"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the refresh token that replaces it, once.

    `life` counts from `obtained_at`, which is aware and UTC.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    obtained_at: datetime
    life: timedelta = ACCESS_LIFE


@dataclass(frozen=True, slots=True)
class Accepted:
    """Zalo took the message; that it reached a phone is told by a webhook, or never."""

    message_id: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Declined:
    """Zalo answered with an error code: nothing was delivered."""

    fault: Fault
    text: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The call certainly had no effect: refused connection, HTTP 429, 5xx or the like.

    `after` is how long Zalo wants to be left alone, where it said so.
    """

    why: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """The call was sent and may have had its effect; repeating it may do it twice."""

    why: str


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How far a ZBS message came: whether it reached the phone, as Zalo knows now."""

    delivered: bool


@dataclass(frozen=True, slots=True)
class OfficialAccount:
    """The account that our token speaks for."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Window:
    """When a user last interacted with the account; None if never."""

    last_interaction: datetime | None


Failure: TypeAlias = Declined | Undelivered | Unclear


class AccessTokens(Protocol):
    """Where a client gets its access token from."""

    async def access_token(self) -> str:
        """Return a token that should work now."""

    async def replace(self, stale: str) -> str:
        """Return another token than `stale`, which Zalo refused."""

    async def aclose(self) -> None:
        """Finish what is under way."""


def open_session() -> aiohttp.ClientSession:
    """Return a session for both clients; needs a running event loop.

    Each call has a connection of its own: on a kept one that Zalo has closed meanwhile,
    nobody could tell whether the call arrived. No cookie is kept.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class ZaloClient:
    """The Official Account and ZBS calls we use.

    Every call raises `credentials.TokenTrouble` when there is no token to make it with.
    A token that Zalo refuses is replaced once, and the call repeated once.
    """

    def __init__(self, config: ZaloConfig, session: aiohttp.ClientSession, tokens: AccessTokens) -> None:
        self._config = config
        self._session = session
        self._tokens = tokens

    async def send_cs(self, user_id: str, message: Mapping[str, object]) -> Accepted | Failure:
        """Send a consultation message, within 7 days of the user's last interaction."""
        body = {"recipient": {"user_id": user_id}, "message": message}
        return _sent(await self._oa("POST", "/v3.0/oa/message/cs", body))

    async def send_template_by_uid(
        self, user_id: str, template_id: str, data: Mapping[str, str]
    ) -> Accepted | Failure:
        """Send an approved ZBS template to a user; not for templates with response buttons."""
        body = {"user_id": user_id, "template_id": template_id, "template_data": data}
        return _sent(await self._oa("POST", "/v3.0/oa/message/template", body))

    async def send_template_by_phone(
        self, phone: str, template_id: str, data: Mapping[str, str], *, tracking_id: str
    ) -> Accepted | Failure:
        """Send an approved ZBS template to a phone written as 84 and nine digits.

        `tracking_id` (at most 48 letters and digits) comes back in every event about it.
        """
        body = {
            "phone": phone,
            "template_id": template_id,
            "template_data": data,
            "tracking_id": tracking_id,
        }
        return _sent(await self._zbs("POST", "/message/template", body))

    async def status(self, message_id: str) -> DeliveryStatus | Failure:
        """Return how far a ZBS message came that was sent by phone.

        docs/facts.md#zbs-status: 1 is delivered, 0 not yet, -1 a message that Zalo does not know.
        """
        query = urlencode({"message_id": message_id})
        data = _decoded(await self._zbs("GET", f"/message/status?{query}", None), _Status)
        return DeliveryStatus(data.status == _DELIVERED) if isinstance(data, _Status) else data

    async def get_oa(self) -> OfficialAccount | Failure:
        """Return the account our token belongs to: the cheapest proof that it works."""
        answer = await self._oa("GET", "/v2.0/oa/getoa", None)
        data = _decoded(answer, _Account)
        return OfficialAccount(str(data.oa_id), data.name) if isinstance(data, _Account) else data

    async def quota(self, user_id: str) -> Window | Failure:
        """Return when the user last interacted, which decides what may be sent."""
        data = _decoded(await self._oa("POST", "/v3.0/oa/quota/message", {"user_id": user_id}), _Quota)
        return Window(moment(data.last_interaction)) if isinstance(data, _Quota) else data

    async def close(self) -> None:
        """Finish a refresh that is under way, then let go of connections."""
        await self._tokens.aclose()
        await self._session.close()

    async def _oa(self, method: str, path: str, body: object) -> bytes | Failure:
        return await self._authorized(Host.OA, method, self._config.openapi_url + path, body)

    async def _zbs(self, method: str, path: str, body: object) -> bytes | Failure:
        return await self._authorized(Host.ZBS, method, self._config.business_url + path, body)

    async def _authorized(self, host: Host, method: str, url: str, body: object) -> bytes | Failure:
        data = None if body is None else msgspec.json.encode(body)
        request = _Request(method, url, data, asyncio.get_running_loop().time() + _BUDGET)
        try:
            async with asyncio.timeout_at(request.until):
                token = await self._tokens.access_token()
            answer = await self._call(host, request, token)
            if not (isinstance(answer, Declined) and answer.fault.refresh):
                return answer
            async with asyncio.timeout_at(request.until):
                token = await self._tokens.replace(token)
        except TimeoutError:
            return Undelivered("no access token in time")
        return await self._call(host, request, token)

    async def _call(self, host: Host, request: "_Request", token: str) -> bytes | Failure:
        # See docs/facts.md#zalo-headers: a bare header, not Authorization. The proof is
        # optional unless the console asks for it; sent always, it suits both.
        headers = {
            "access_token": token,
            "appsecret_proof": _proof(self._config.app_secret, token),
            "Content-Type": "application/json",
        }
        reply = await _exchange(self._session, request, headers)
        return _judged(host, reply) if isinstance(reply, _Reply) else reply


class OAuthClient:
    """The two calls that give a pair of tokens."""

    def __init__(self, config: ZaloConfig, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._session = session

    async def exchange_code(self, code: str, *, verifier: str, now: datetime) -> TokenPair | Failure:
        """Turn a consent's code (10 minutes, once) into the first pair."""
        grant = {"code": code, "grant_type": "authorization_code", "code_verifier": verifier}
        return await self._token(grant, now)

    async def refresh(self, refresh_token: str, *, now: datetime) -> TokenPair | Failure:
        """Turn a refresh token into the next pair; success kills the old token at once."""
        return await self._token({"refresh_token": refresh_token, "grant_type": "refresh_token"}, now)

    async def _token(self, grant: Mapping[str, str], now: datetime) -> TokenPair | Failure:
        url = f"{self._config.oauth_url}/v4/oa/access_token"
        form = {**grant, "app_id": self._config.app_id}
        request = _Request("POST", url, form, asyncio.get_running_loop().time() + _BUDGET)
        reply = await _exchange(self._session, request, {"secret_key": self._config.app_secret})
        return _pair(reply, now) if isinstance(reply, _Reply) else reply


def moment(milliseconds: str | int | None) -> datetime | None:
    """Return Zalo's epoch milliseconds, a string or a number, as aware UTC; None if unusable."""
    try:
        return datetime.fromtimestamp(int(milliseconds or "") / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class _Request:
    """`until` is on the event loop's clock."""

    method: str
    url: str
    data: bytes | Mapping[str, str] | None
    until: float

    def timeout(self) -> ClientTimeout:
        left = max(self.until - asyncio.get_running_loop().time(), 0.05)
        return ClientTimeout(total=left, connect=min(left, _CONNECT))


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    retry_after: str | None = None


class _Envelope(msgspec.Struct):
    error: int
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Message(msgspec.Struct):
    message_id: str | int = ""
    msg_id: str | int = ""  # by phone
    sent_time: str | int | None = None


class _Status(msgspec.Struct):
    status: int


class _Account(msgspec.Struct):
    oa_id: str | int
    name: str = ""


class _Quota(msgspec.Struct):
    last_interaction: str | int | None = None


class _Tokens(msgspec.Struct):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: str | int | float | None = None
    error: int = 0
    error_name: str | None = None
    error_description: str | None = None


async def _exchange(
    session: aiohttp.ClientSession, request: _Request, headers: Mapping[str, str]
) -> _Reply | Undelivered | Unclear:
    try:
        async with session.request(
            request.method,
            request.url,
            headers=headers,
            data=request.data,
            timeout=request.timeout(),
            allow_redirects=False,  # a redirect would carry the token to wherever it points
        ) as response:
            return _Reply(response.status, await _body(response), response.headers.get("Retry-After"))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        return Undelivered(type(error).__name__)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Unclear(type(error).__name__)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer, or enough of it to see that it is not one of Zalo's."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MAX_ANSWER:
            break
    return bytes(body)


def _judged(host: Host, reply: _Reply) -> bytes | Failure:
    if reply.status == _TOO_MANY:
        return _refused_for_now(reply)
    envelope = _parsed(reply.body, _Envelope)
    if envelope is not None and envelope.error:
        return Declined(fault(host, envelope.error), (envelope.message or "")[:_MAX_TEXT])
    if reply.status != 200:
        return _refused_for_now(reply)
    return _garbage() if envelope is None else bytes(envelope.data)


def _refused_for_now(reply: _Reply) -> Undelivered:
    """Return what a bare HTTP status means; `Retry-After` counts where it is a number of seconds."""
    seconds = (reply.retry_after or "").strip()
    after = timedelta(seconds=int(seconds)) if re.fullmatch(r"[0-9]{1,6}", seconds, re.ASCII) else None
    return Undelivered(f"HTTP {reply.status}", after)


def _sent(answer: bytes | Failure) -> Accepted | Failure:
    data = _decoded(answer, _Message)
    if not isinstance(data, _Message):
        return data
    message_id = str(data.message_id or data.msg_id)
    return Accepted(message_id, moment(data.sent_time)) if message_id else _garbage()


def _pair(reply: _Reply, now: datetime) -> TokenPair | Failure:
    """Read the token endpoint's answer.

    Only two tokens are a success: this host reports errors with HTTP 200 and in a shape of
    its own (docs/facts.md#zalo-oauth-errors).
    """
    tokens = _parsed(reply.body, _Tokens)
    if tokens is not None and tokens.access_token and tokens.refresh_token:
        return TokenPair(tokens.access_token, tokens.refresh_token, now, _life(tokens.expires_in))
    if tokens is not None and tokens.error:
        text = tokens.error_name or tokens.error_description or ""
        return Declined(fault(Host.OAUTH, tokens.error), text[:_MAX_TEXT])
    return Undelivered(f"HTTP {reply.status}") if reply.status != 200 else _garbage()


def _life(expires_in: str | float | None) -> timedelta:
    """Return the seconds Zalo names (as a string); a pair is too dear to lose over nonsense."""
    try:
        seconds = int(expires_in or 0)
    except (ValueError, OverflowError):
        return ACCESS_LIFE
    return timedelta(seconds=seconds) if 0 < seconds <= ACCESS_LIFE.total_seconds() else ACCESS_LIFE


def _proof(app_secret: str, token: str) -> str:
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _garbage() -> Unclear:
    return Unclear("an answer that is not Zalo's")


def _decoded(answer: bytes | Failure, shape: type[_Shape]) -> _Shape | Failure:
    if not isinstance(answer, bytes):
        return answer
    return _parsed(answer, shape) or _garbage()


def _parsed(raw: bytes, shape: type[_Shape]) -> _Shape | None:
    try:
        return msgspec.json.decode(raw, type=shape, strict=False)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return None
