import os
import re
import socket

import asyncpg
import psutil
import pytest
import redis.asyncio

from core.database import pending_migrations
from tests.loopback import LoopbackGuard
from tests.servers import REDIS_VARIABLE, Servers

NOT_HERE = "192.0.2.1"  # RFC 5737: belongs to nobody


async def test_a_test_gets_a_database_with_the_newest_schema(database_url: str) -> None:
    """Nothing is left to migrate in it."""
    assert await pending_migrations(database_url) == []


@pytest.mark.parametrize("time", ["first", "second"])
async def test_a_test_gets_a_database_of_its_own(database_url: str, time: str) -> None:
    """The table of the first time is not there the second time."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE rice (time text)")
    finally:
        await connection.close()


def test_a_database_is_dropped_even_while_somebody_is_connected(servers: Servers) -> None:
    """A connection that a failing test left open keeps nothing alive."""
    with servers.database(1_000_000) as url:
        name = url.rpartition("/")[2]
        connection = servers.administrator.run(asyncpg.connect(url))
    assert not servers.administrator.has_database(name)
    connection.terminate()


@pytest.mark.parametrize("time", ["first", "second"])
async def test_a_test_gets_an_empty_redis(redis_url: str, time: str) -> None:
    """What the first time wrote is gone the second time."""
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("time", time)


@pytest.mark.skipif(REDIS_VARIABLE in os.environ, reason="the servers are not ours")
def test_the_servers_of_tests_are_those_of_the_run(servers: Servers) -> None:
    """Whichever worker asks, one PostgreSQL and one Valkey run below the run's directory."""
    mine = [
        process.info["name"]
        for process in psutil.process_iter(["name", "cwd"])
        if str(process.info["cwd"]).startswith(str(servers.directory)) and process.ppid() in _starters()
    ]
    assert sorted(mine) == ["postgres", "valkey-server"]


def _starters() -> set[int]:
    """Return this process, its siblings and their parent: whoever may have started the servers."""
    here = psutil.Process()
    parent = here.parent()
    assert parent is not None
    return {here.pid, parent.pid, *(child.pid for child in parent.children())}


def test_a_stray_connection_is_stopped_and_noted() -> None:
    """It fails as on an unplugged network, and the guard remembers where it was to go."""
    guard = LoopbackGuard()
    with socket.socket() as sock, pytest.raises(OSError, match="loopback only"):
        guard("socket.connect", (sock, (NOT_HERE, 443)))
    with pytest.raises(OSError, match=re.escape("openapi.zalo.me")):
        guard("socket.getaddrinfo", ("openapi.zalo.me", 443, 0, 0, 0))
    assert guard.take_strays() == [f"{NOT_HERE}:443", "openapi.zalo.me"]
    assert guard.take_strays() == []


def test_the_guard_is_asked_by_python_itself(loopback_guard: LoopbackGuard) -> None:
    """A connect that is really tried is stopped before the first packet."""
    with socket.socket() as sock, pytest.raises(OSError, match="loopback only"):
        sock.connect((NOT_HERE, 443))
    assert loopback_guard.take_strays() == [f"{NOT_HERE}:443"]


def test_loopback_is_left_alone() -> None:
    """Servers and clients on this machine, by number or by name, are what tests are for."""
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    with server, socket.create_connection(("localhost", address[1]), timeout=5) as client:
        assert client.getpeername() == address
