"""A small Zalo on loopback: it answers what a test told it to, and remembers what it heard."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from zalo_oa.client import TokenPair, ZaloConfig, open_session

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> dict[str, object]:
    """Return one of the vendor's payload samples."""
    content: dict[str, object] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return content


@dataclass(frozen=True, slots=True)
class Heard:
    """One call as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body, read as JSON."""
        content: dict[str, object] = json.loads(self.body)
        return content


@dataclass(frozen=True, slots=True)
class Says:
    """One answer: its status, its bytes, and how long it takes."""

    body: bytes
    status: int = 200
    after: float = 0.0


@dataclass(slots=True)
class FakeZalo:
    """Answers in the order it was told to; the last answer is repeated."""

    heard: list[Heard] = field(default_factory=list)
    answers: deque[Says] = field(default_factory=deque)
    url: str = ""

    def says(self, content: object, *, status: int = 200, after: float = 0.0) -> None:
        """Queue an answer; bytes go out as they are, the rest as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append(Says(body, status, after))

    async def answer(self, request: web.Request) -> web.Response:
        """Play the next answer."""
        self.heard.append(Heard(request.method, request.path, dict(request.headers), await request.read()))
        says = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(says.after)
        return web.Response(body=says.body, status=says.status, headers={"Location": "/elsewhere"})


@dataclass(slots=True)
class FixedTokens:
    """Tokens one after the other; `replaced` lists those that were given back."""

    tokens: list[str]
    replaced: list[str] = field(default_factory=list)

    async def access_token(self) -> str:
        """Return the present one."""
        return self.tokens[0]

    async def replace(self, stale: str) -> str:
        """Go on to the next one."""
        self.replaced.append(stale)
        self.tokens.pop(0)
        return self.tokens[0]

    async def aclose(self) -> None:
        """Nothing is under way."""


@pytest.fixture
async def zalo() -> AsyncIterator[FakeZalo]:
    """A Zalo that listens on a free port of loopback."""
    fake = FakeZalo()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session as the wiring would open one."""
    async with open_session() as opened:
        yield opened


@pytest.fixture
def config(zalo: FakeZalo) -> ZaloConfig:
    """All three hosts in one."""
    return config_at(zalo.url)


def config_at(url: str) -> ZaloConfig:
    """Return the settings of one app whose Zalo is at `url`."""
    return ZaloConfig(
        app_id="360846524940903967",
        app_secret="APP-SECRET",
        oa_id="388613280878808645",
        oa_secret="OA-SECRET",
        openapi_url=url,
        business_url=url,
        oauth_url=url,
    )


def pair(number: int, *, age: timedelta = timedelta()) -> TokenPair:
    """Return the nth pair of tokens, `age` old at NOW."""
    return TokenPair(f"access-{number}", f"refresh-{number}", NOW - age)
