import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from core.errors import Misconfigured
from sandbox.embedded import process
from sandbox.embedded.servers import Addresses, embedded_servers

# Another process of the same working directory; it says where the servers are, then waits to be told to go.
USER = """
import sys
from pathlib import Path
from sandbox.embedded.servers import embedded_servers
with embedded_servers(Path(sys.argv[1]), postgres=True, valkey=True) as addresses:
    print(addresses.database_url, addresses.redis_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_user(var: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that uses the servers of `var`, started and ready."""
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(var)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with user:
        assert user.stdout is not None
        assert user.stdout.readline().startswith("postgres://")
        yield user
        user.kill()


def a_stranger() -> subprocess.Popen[bytes]:
    """Return a process that has nothing to do with any server."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def living(var: Path) -> dict[str, int]:
    """Return the pids of the servers that work below `var`, by program."""
    found = {
        "postgres": process.find(
            var / "postgres/data/postmaster.pid", program="postgres", cwd=var / "postgres/data"
        ),
        "valkey-server": process.find(var / "valkey/pid", program="valkey-server", cwd=var / "valkey"),
    }
    return {name: server.pid for name, server in found.items() if server}


def lock_files(var: Path) -> set[str]:
    """Return what tells that somebody uses `var`."""
    return {path.name for path in var.iterdir() if path.is_file()}


async def remember(addresses: Addresses, dish: str) -> None:
    """Write a dish into the database."""
    connection = await asyncpg.connect(addresses.database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS dishes (name text)")
        await connection.execute("INSERT INTO dishes VALUES ($1)", dish)
    finally:
        await connection.close()


async def remembered(addresses: Addresses) -> list[str]:
    """Return the dishes in the database."""
    connection = await asyncpg.connect(addresses.database_url)
    try:
        return [row["name"] for row in await connection.fetch("SELECT name FROM dishes")]
    finally:
        await connection.close()


async def test_both_servers_answer_and_go_with_their_last_user(tmp_path: Path) -> None:
    """Nothing of them stays but their data, which the next start finds."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as first:
        await remember(first, "Cơm gà")
        assert first.redis_url is not None
        with redis.Redis.from_url(first.redis_url) as client:
            assert client.ping()
        assert set(living(var)) == {"postgres", "valkey-server"}
    assert (living(var), lock_files(var)) == ({}, set())

    with embedded_servers(var, postgres=True, valkey=True) as second:
        assert await remembered(second) == ["Cơm gà"]
        assert second == first, "ports and passwords are those of the last time"


async def test_vietnamese_is_lowered_searched_and_sorted_by_letters(tmp_path: Path) -> None:
    """Whatever locales this machine has, the database knows Đ, and has the two extensions."""
    with embedded_servers(tmp_path / "var", postgres=True, valkey=False) as addresses:
        connection = await asyncpg.connect(addresses.database_url)
        try:
            await connection.execute("CREATE EXTENSION unaccent")
            await connection.execute("CREATE EXTENSION pg_trgm")
            assert await connection.fetchval("SELECT lower('ĐƯỜNG')") == "đường"
            assert await connection.fetchval("SELECT unaccent('Bún đậu')") == "Bun dau"
            assert await connection.fetchval("SHOW fsync") == "on"
        finally:
            await connection.close()


async def test_nobody_gets_in_without_the_password_or_from_another_machine(tmp_path: Path) -> None:
    """Both servers listen on loopback only, and ask."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        assert addresses.database_url is not None
        assert addresses.redis_url is not None
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(addresses.database_url.replace("chotdon:", "chotdon:not-"))
        with (
            redis.Redis.from_url("redis://" + addresses.redis_url.rpartition("@")[2]) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        for pid in living(var).values():
            listening = [c.laddr.ip for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
            assert listening == ["127.0.0.1"]


def test_other_users_of_this_machine_see_no_password(tmp_path: Path) -> None:
    """Neither in a file nor on a command line."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        passwords = [
            str(url).split(":")[2].split("@")[0] for url in (addresses.database_url, addresses.redis_url)
        ]
        assert var.stat().st_mode & 0o077 == 0
        for pid in living(var).values():
            command = " ".join(psutil.Process(pid).cmdline())
            assert not any(password in command for password in passwords)


async def test_the_servers_stay_for_whoever_is_left(tmp_path: Path) -> None:
    """Two processes share them; only the second to leave stops them."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        with another_user(var) as user:
            both = living(var)
            user.communicate()
        assert living(var) == both
        await remember(addresses, "Phở")
    assert living(var) == {}


async def test_who_started_them_may_leave_first(tmp_path: Path) -> None:
    """The servers do not hang on the process that started them."""
    var = tmp_path / "var"
    with another_user(var) as user:
        started = living(var)
        with embedded_servers(var, postgres=True, valkey=True) as addresses:
            user.communicate()
            assert living(var) == started
            await remember(addresses, "Bún chả")
    assert living(var) == {}


def test_a_killed_user_counts_as_gone(tmp_path: Path) -> None:
    """The servers of a process that was killed are found, used, and stopped by the next one."""
    var = tmp_path / "var"
    with another_user(var) as user:
        user.kill()
        user.wait()
        left_behind = living(var)
        assert set(left_behind) == {"postgres", "valkey-server"}
        with embedded_servers(var, postgres=True, valkey=True):
            assert living(var) == left_behind
    assert (living(var), lock_files(var)) == ({}, set())


async def test_data_survive_a_kill_of_everything(tmp_path: Path) -> None:
    """As after a power cut: what was committed is there at the next start."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        await remember(addresses, "Bánh xèo")
        for pid in living(var).values():
            os.kill(pid, signal.SIGKILL)
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        assert await remembered(addresses) == ["Bánh xèo"]


async def test_a_pid_that_now_belongs_to_a_stranger_stops_nobody(tmp_path: Path) -> None:
    """After a reboot the old pid may be anybody's: it is neither waited for nor signalled."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True) as addresses:
        await remember(addresses, "Cháo")
    with a_stranger() as stranger:
        stale = f"{stranger.pid}\n/proc/self/cwd\n1795400414\n5432\n\n127.0.0.1\n"
        (var / "postgres/data/postmaster.pid").write_text(stale)
        (var / "valkey/pid").write_text(f"{stranger.pid}\n")
        with embedded_servers(var, postgres=True, valkey=True) as addresses:
            assert await remembered(addresses) == ["Cháo"]
        assert stranger.poll() is None
        stranger.kill()


def test_a_port_that_was_taken_meanwhile_is_changed(tmp_path: Path) -> None:
    """Somebody else listens where the servers did the last time: they move."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=False, valkey=True) as before:
        pass
    port = int(str(before.redis_url).rpartition(":")[2].split("/")[0])
    with (
        socket.create_server(("127.0.0.1", port)),
        embedded_servers(var, postgres=False, valkey=True) as after,
    ):
        assert after != before


def test_ctrl_c_in_the_terminal_does_not_reach_them(tmp_path: Path) -> None:
    """They live in sessions of their own: whoever is interrupted stops them in good order."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True):
        for pid in living(var).values():
            assert os.getsid(pid) == pid


def test_a_removed_var_leaves_no_server_behind(tmp_path: Path) -> None:
    """Somebody deletes the directory under the running servers: they are stopped all the same."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=True):
        servers = [psutil.Process(pid) for pid in living(var).values()]
        var.rename(tmp_path / "trash")
    assert [process.is_alive(server) for server in servers] == [False, False]
    assert not var.exists()


def test_what_keeps_a_server_from_starting_is_told(tmp_path: Path) -> None:
    """Damaged data give one error with PostgreSQL's own words, and no lock stays."""
    var = tmp_path / "var"
    with embedded_servers(var, postgres=True, valkey=False):
        pass
    (var / "postgres/data/global/pg_control").write_bytes(b"")
    with (
        pytest.raises(Misconfigured, match=r"postgres did not start: .*pg_control"),
        embedded_servers(var, postgres=True, valkey=True),
    ):
        pytest.fail("It must not start.")
    assert (living(var), lock_files(var)) == ({}, set())


def test_nothing_is_started_that_was_not_asked_for(tmp_path: Path) -> None:
    """Who has a database of his own gets a Valkey only."""
    with embedded_servers(tmp_path / "var", postgres=False, valkey=True) as addresses:
        assert addresses.database_url is None
        assert set(living(tmp_path / "var")) == {"valkey-server"}
