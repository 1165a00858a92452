"""Calls to the Bot API over aiohttp, beneath python-telegram-bot: bounded, no redirects, no proxies.

The bot's token stands in every address called: neither it nor what carries it gets into an exception's words.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import msgspec
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

# A call is bounded to 5 s (interface.md). Connecting has less, so that the longer one running out means
# that the request had been sent.
_BUDGET: Final = 5.0
_CONNECT: Final = 3.0
_MOST_ANSWER: Final = 256 * 1024
_AT_ONCE: Final = 100
#: Nobody is believed who says to wait longer; seconds.
_LONGEST_WAIT: Final = 3600


class NotSent(NetworkError):
    """No connection: nothing reached the Bot API."""


class Unanswered(TimedOut):
    """It was sent, and what became of it nobody said."""


class TooMany(NetworkError):
    """It said no, and how long to wait: the library's own `RetryAfter` warns about itself when it is made."""

    def __init__(self, after: timedelta) -> None:
        super().__init__("429")
        self.after = after


class NotTelegrams(TelegramError):
    """An answer that says yes and is not the Bot API's."""


class AiohttpRequest(BaseRequest):
    """What python-telegram-bot makes its calls with. Its connections are opened by the first call."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """How many seconds a call may take."""
        return _BUDGET

    async def initialize(self) -> None:
        """Do nothing: the first call opens the connections."""

    async def shutdown(self) -> None:
        """Let go of the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(  # noqa: PLR0917  (the library's own signature)
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """Make one call; the timeouts are always ours. Raises NotSent, Unanswered, TooMany, NotTelegrams."""
        try:
            status, body = await self._called(url, method, request_data)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered(type(error).__name__) from None
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TooMany(_wait(_read(body)))
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and "result" not in _read(body):
            raise NotTelegrams(f"HTTP {status} with an answer that is not Telegram's")
        return status, body

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Return the answer; the library's own would write all of what it cannot read into the log."""
        if not (read := _read(payload)):
            raise TelegramError("an answer that is not Telegram's")
        return read

    async def _called(self, url: str, method: str, data: RequestData | None) -> tuple[int, bytes]:
        fields = data.json_parameters if data else None
        async with self._opened().request(method, url, data=fields, allow_redirects=False) as response:
            return response.status, await _body(response)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # On a kept connection that Telegram has closed meanwhile nobody could tell what arrived.
                connector=aiohttp.TCPConnector(limit=_AT_ONCE, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=_BUDGET, connect=_CONNECT),
                trust_env=False,
            )
        return self._session


def _read(body: bytes) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return {}


def _wait(answer: dict[str, Any]) -> timedelta:
    """Return how long Telegram says to wait; docs/facts.md#telegram-rates: whole seconds."""
    parameters = answer.get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    seconds = told if isinstance(told, int) and not isinstance(told, bool) else 1
    return timedelta(seconds=min(max(seconds, 1), _LONGEST_WAIT))


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the answer, or enough of it to see that it is not the Bot API's."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MOST_ANSWER:
            break
    return bytes(body)
