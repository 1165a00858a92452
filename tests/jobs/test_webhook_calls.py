"""One call to a platform: whatever it does is a reply; nothing but a public address is connected to."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook, WebhookVerificationError

from core.clock import real_now
from core.platforms.platforms import new_webhook_secret
from core.platforms.webhooks import OwedWebhook
from jobs.webhook_calls import Caller, Reply, headers_of, open_session, retry_after
from tests.jobs.receivers import Behave, listening, says, streams

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
BODY = b'{"type":"order.confirmed","data":{}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def owed(url: str, *secrets: str) -> OwedWebhook:
    """Return a webhook for this address."""
    return OwedWebhook(UUID(int=7), UUID(int=8), 2, UUID(int=9), url, secrets or (SECRET,), 1)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """Yield what calls loopback as well."""
    async with open_session(allow_private=True) as session:
        yield Caller(session, allow_private=True)


async def answer_to(behave: Behave, caller: Caller) -> tuple[Reply, float]:
    """Return how a call of such a receiver ended, and after how many seconds."""
    async with listening(behave) as receiver:
        started = time.perf_counter()
        reply = await caller.call(owed(receiver.url), BODY)
        return reply, time.perf_counter() - started


async def test_the_body_arrives_as_it_is_signed(caller: Caller) -> None:
    """The headers of Standard Webhooks over the exact bytes."""
    async with listening(says(OK)) as receiver:
        assert await caller.call(owed(receiver.url), BODY) == Reply(200)
    (request,) = receiver.connections
    head, _, body = request.partition(b"\r\n\r\n")
    assert body == BODY
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert Webhook(SECRET).verify(body, headers)
    assert headers["webhook-id"] == str(UUID(int=7))


def test_two_secrets_sign_while_one_is_renewed() -> None:
    """Who has the new one and who still has the old one can both check it; a stranger cannot."""
    old, new, stranger = (new_webhook_secret() for _ in range(3))
    headers: dict[str, str] = dict(headers_of(owed("https://shop.example/", new, old), BODY))  # type: ignore[arg-type]
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(BODY, headers)
    assert [part[:3] for part in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
async def test_only_2xx_is_success(caller: Caller, status: int) -> None:
    """A redirect is a failure as well, and is not followed."""
    async with listening(says(OK)) as elsewhere:
        raw = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
        reply, _ = await answer_to(says(raw), caller)
        assert elsewhere.connections == []
    if status >= 200:
        assert (reply.status, reply.why) == (status, f"HTTP {status}")
    else:
        assert reply.status is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_will_do(caller: Caller, status: int) -> None:
    """Whatever its body."""
    raw = f"HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n".encode()
    assert (await answer_to(says(raw), caller))[0] == Reply(status)


_HOSTILE: dict[str, Behave] = {
    "hangs-up": says(b""),
    "garbage": says(b"\x00\xff\xfe garbage \r\n\r\n" * 20),
    "no-status": says(b"HTTP/1.1 \r\n\r\n"),
    "endless-status-line": streams(b"HTTP/1.1 200 ", b"x" * 10_000),
    "endless-header": streams(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10_000),
    "endless-headers": streams(b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n" * 200),
    "slow-header": streams(b"HTTP/1.1 200 OK\r\nX: ", b"x", every=0.2),
    "endless-interim": streams(b"", b"HTTP/1.1 102 Processing\r\n\r\n", every=0.05),
    "bad-length": says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "two-lengths": says(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
}


@pytest.mark.parametrize("behave", _HOSTILE.values(), ids=_HOSTILE)
async def test_whatever_a_receiver_does_is_a_reply(caller: Caller, behave: Behave) -> None:
    """A failure within the time of one call, never an exception."""
    reply, took = await answer_to(behave, caller)
    assert reply.status is None
    assert reply.why
    assert took < 8


_LONG: dict[str, Behave] = {
    "for-ever": streams(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65_536),
    "slowly": streams(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", every=0.1),
    "chunk-bomb": streams(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 5_000),
    "zip-bomb": streams(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 999999\r\n\r\n", b"\0" * 9_000
    ),
}


@pytest.mark.parametrize("behave", _LONG.values(), ids=_LONG)
async def test_the_body_of_an_answer_holds_nothing_up(caller: Caller, behave: Behave) -> None:
    """The status stands; of the rest a few kilobytes are read, for half a second."""
    reply, took = await answer_to(behave, caller)
    assert reply == Reply(200)
    assert took < 3


async def test_a_silent_receiver_costs_five_seconds(caller: Caller) -> None:
    """And is told apart from one that refuses."""
    reply, took = await answer_to(_silent, caller)
    assert (reply.status, reply.why) == (None, "no answer in time")
    assert took < 8


async def _silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def test_nobody_listens(caller: Caller) -> None:
    """A refused connection is a failure like any other."""
    async with listening(says(OK)) as receiver:
        url = receiver.url
    assert (await caller.call(owed(url), BODY)).status is None


async def test_cookies_are_not_kept() -> None:
    """Nothing that one answer sets comes with the next call; by a name, as no jar keeps those of numbers."""
    raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with (
        listening(says(raw)) as receiver,
        open_session(allow_private=True, resolver=Names(["127.0.0.1"])) as session,
    ):
        caller = Caller(session, allow_private=True)
        for _ in range(2):
            assert await caller.call(owed(f"http://shop.example:{receiver.port}/"), BODY) == Reply(200)
    assert len(receiver.connections) == 2
    assert not any(b"Cookie" in request for request in receiver.connections)


# --- Retry-After ----------------------------------------------------------------------------------

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta()),
        ("Mon, 23 Nov 2026 09:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 09:00:30 -0000", timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 08:00:00 GMT", timedelta()),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("99999999999999999999", None),
        ("Mon, 99 Nov 2026 09:00:30 GMT", None),
        ("\u0661\u0662", None),
    ],
    ids=[
        "seconds",
        "zero",
        "date",
        "date without a zone",
        "past",
        "none",
        "words",
        "negative",
        "fraction",
        "huge",
        "no-date",
        "foreign",
    ],
)
def test_how_long_a_platform_asks_for(text: str, wait: timedelta | None) -> None:
    """Seconds or a moment of HTTP; nonsense is as if it were not there."""
    assert retry_after(text, now=NOW) == wait


async def test_retry_after_is_heard_of_failures_only(caller: Caller) -> None:
    """A success that carries it is a success."""
    raw = b"HTTP/1.1 %d X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
    assert (await answer_to(says(raw % 503), caller))[0].retry_after == timedelta(minutes=1)
    assert (await answer_to(says(raw % 200), caller))[0] == Reply(200)


# --- where calls may go -----------------------------------------------------------------------------


class Names(AbstractResolver):
    """Finds the addresses it is given, whatever the name, one list a time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the next answer."""
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_name_that_leads_inside_is_not_connected_to() -> None:
    """The name passed when it was added; what counts is where it leads when it is used."""
    async with listening(says(OK)) as receiver:
        names = Names(["127.0.0.1", "127.0.0.2"])
        async with open_session(allow_private=False, resolver=names) as session:
            reply = await Caller(session, allow_private=False).call(
                owed(f"https://shop.example:{receiver.port}/"), BODY
            )
        assert (reply.status, reply.why) == (None, "private address")
        assert receiver.connections == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/", "private address"),
        ("https://[::1]/", "private address"),
        ("https://[::ffff:127.0.0.1]/", "private address"),
        ("https://[64:ff9b::7f00:1]/", "private address"),
        ("https://localhost/", "private address"),
        ("http://shop.example/", "not https"),
        ("ftp://shop.example/", "not https"),
    ],
)
async def test_what_was_allowed_once_is_refused_now(url: str, why: str) -> None:
    """An address of a development database does not open our network in production."""
    async with open_session(allow_private=False) as session:
        assert await Caller(session, allow_private=False).call(owed(url), BODY) == Reply(None, why)


async def test_the_environments_proxies_are_ignored(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook goes to its platform, not through whoever set a variable."""
    async with listening(says(OK)) as proxy, listening(says(OK)) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await caller.call(owed(receiver.url), BODY) == Reply(200)
        assert proxy.connections == []
        assert len(receiver.connections) == 1


async def test_the_timestamp_is_real_time(caller: Caller) -> None:
    """Receivers refuse what is older than five minutes by their clock."""
    headers: dict[str, str] = dict(headers_of(owed("https://shop.example/"), BODY))  # type: ignore[arg-type]
    assert abs(int(headers["webhook-timestamp"]) - real_now().timestamp()) < 60
