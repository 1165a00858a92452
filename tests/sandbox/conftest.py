"""What every test of the fakes needs: a product that listens, a clock moved by hand, a caller."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web

from sandbox.listener import Listener
from sandbox.zalo import FakeZalo


@dataclass(slots=True)
class HandClock:
    """A clock that moves by hand."""

    moment: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self.moment += by


@dataclass(slots=True)
class Arrival:
    """One webhook as the product got it."""

    raw: bytes
    headers: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        """The parsed body."""
        return dict(json.loads(self.raw))


@dataclass(slots=True)
class Ear:
    """Stands where the product listens: keeps every webhook and answers `status`."""

    arrivals: list[Arrival] = field(default_factory=list)
    status: int = 200
    listener: Listener = field(init=False)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/webhooks/zalo", self._hear)
        self.listener = Listener(app)
        await self.listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.listener.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.listener.url}/webhooks/zalo"

    async def _hear(self, request: web.Request) -> web.Response:
        self.arrivals.append(Arrival(await request.read(), dict(request.headers)))
        return web.Response(status=self.status)


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls a fake's API as the product would, with a good token unless told otherwise."""

    session: aiohttp.ClientSession
    url: str
    token: str

    async def post(self, path: str, body: object, **headers: str) -> dict[str, Any]:
        """Post JSON; `headers` replace the usual ones."""
        sent = {"access_token": self.token, **headers}
        async with self.session.post(self.url + path, json=body, headers=sent) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Ask for a page of the API."""
        headers = {"access_token": self.token}
        async with self.session.get(self.url + path, params=query, headers=headers) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def form(self, path: str, fields: dict[str, str], **headers: str) -> dict[str, Any]:
        """Post a form, as the token endpoint wants it."""
        async with self.session.post(self.url + path, data=fields, headers=headers) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def cs(self, message: object, to: str = "111") -> dict[str, Any]:
        """Send a consultation message."""
        return await self.post("/v3.0/oa/message/cs", {"recipient": {"user_id": to}, "message": message})


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 09:00 in Vietnam on 24 November 2026."""
    return HandClock()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    """Yield a listening product."""
    async with Ear() as listening:
        yield listening


@pytest.fixture
async def zalo(clock: HandClock, ear: Ear) -> AsyncIterator[FakeZalo]:
    """Yield a running fake whose webhooks reach `ear`."""
    async with FakeZalo(clock=clock) as fake:
        fake.webhook_url = ear.url
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a client session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def product(zalo: FakeZalo, session: aiohttp.ClientSession) -> Caller:
    """Return a caller that holds a good access token."""
    return Caller(session, zalo.url, zalo.issue_tokens().access_token)
