"""Bodies that come too slowly, and bodies that nobody asked for."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from bot.api import bodies
from bot.api.problems import tell_problems
from bot.keys import SETTINGS
from core.settings import Settings


async def _length(request: web.Request) -> web.Response:
    raw = await bodies.read(request, within=0.2)
    return web.Response(text=str(len(raw)))


async def _nothing(request: web.Request) -> web.Response:
    await bodies.read_nothing(request)
    return web.Response()


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    """Yield a server that waits for a body as long as a fifth of a second."""
    app = web.Application(middlewares=[tell_problems])
    app[SETTINGS] = Settings(_env_file=None)
    app.router.add_post("/", _length)
    app.router.add_post("/nothing", _nothing)
    async with TestServer(app) as server:
        yield server


async def _said(server: BaseTestServer, part: bytes) -> bytes:
    """Send the head of a request that promises ten bytes, a part of them, and return the answer."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    writer.write(head + part)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(2_000), 10)
    finally:
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(server: BaseTestServer) -> None:
    """408 `too_slow`: whoever sends a byte now and then holds nothing up."""
    said = await _said(server, b"[1")

    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in said


async def test_a_body_that_comes_in_time_is_read(server: BaseTestServer) -> None:
    """The bound is for slow ones only."""
    said = await _said(server, b"0123456789")

    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"10")


@pytest.mark.parametrize("body", [b"", b"{}", b" {}\n"], ids=["none", "object", "spaces"])
async def test_what_takes_no_body_takes_an_empty_one(server: BaseTestServer, body: bytes) -> None:
    """Many clients send an empty object with every POST."""
    async with ClientSession() as session, session.post(server.make_url("/nothing"), data=body) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("body", [b"{", b"null", b'{"to": "x"}', b"x" * 300_000], ids=[*"abcd"])
async def test_what_takes_no_body_refuses_one(server: BaseTestServer, body: bytes) -> None:
    """Whoever sends something expects something of it."""
    async with ClientSession() as session, session.post(server.make_url("/nothing"), data=body) as answer:
        assert answer.status in {400, 413}
