import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import asyncpg
import click
import pytest

from cli.main import _COMMANDS, _described
from cli.runtime import runtime
from cli.service import METRICS_VARIABLE, counted, refuse_old_schema
from core.database import pending_migrations
from core.errors import Misconfigured
from sandbox.embedded import process
from tests.servers import Servers, in_database

# A process that stands on servers of its own until it is told to go.
STAYS = """
import time
from cli.runtime import runtime
with runtime():
    print("ready", flush=True)
    time.sleep(60)
"""


def chotdon(*arguments: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as from a shell in `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def staying(directory: Path) -> Iterator["subprocess.Popen[str]"]:
    """Yield a process that stands on the servers of `directory`, in a terminal group of its own."""
    started = subprocess.Popen(
        [sys.executable, "-c", STAYS],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with started:
        assert started.stdout is not None
        try:
            assert started.stdout.readline() == "ready\n"
            yield started
        finally:
            started.kill()


def servers_below(var: Path) -> list[str]:
    """Return the programs that still run for `var`."""
    data = var / "postgres/data"
    found = (
        process.find(data / "postmaster.pid", program="postgres", cwd=data),
        process.find(var / "valkey/pid", program="valkey-server", cwd=var / "valkey"),
    )
    return [server.name() for server in found if server]


def test_help_imports_no_command() -> None:
    """It answers at once, since neither database nor web libraries are loaded for it."""
    code = "import sys, cli.main; cli.main.chotdon(['-h'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    text, _, modules = said.stdout.strip().rpartition("\n")
    assert all(f"  {name} " in text for name in _COMMANDS)
    assert not {"asyncpg", "tortoise", "aiohttp", "redis", "pydantic"} & set(modules.split())


@pytest.mark.parametrize("name", _COMMANDS)
def test_each_command_of_the_help_is_there(name: str) -> None:
    """It can be imported, and says what it does."""
    later = _COMMANDS[name]
    command = getattr(import_module(later.module), later.name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_an_unknown_command_is_told_in_a_line(tmp_path: Path) -> None:
    """A slip gets click's own answer."""
    said = chotdon("sevre", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (2, "")
    assert "No such command 'sevre'" in said.stderr


def test_all_faults_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    """Production without its secrets: one line each, no stack trace, nothing started."""
    said = chotdon("migrate", cwd=tmp_path, CHOTDON_ENV="production", CHOTDON_BASE_URL="http://example.com")
    assert said.returncode == 1
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL"):
        assert f"chotdon: CHOTDON_{name} " in said.stderr
    assert "Traceback" not in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_told_in_a_line(tmp_path: Path) -> None:
    """No stack trace for what is nobody's bug."""
    said = chotdon(
        "migrate",
        cwd=tmp_path,
        CHOTDON_DATABASE_URL=f"postgres://chotdon:secret@127.0.0.1:{process.free_port()}/chotdon",
        CHOTDON_REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert said.returncode == 1
    assert "chotdon: The database cannot be reached" in said.stderr
    assert "Traceback" not in said.stderr
    assert "secret" not in said.stderr


def test_what_nobody_foresaw_is_told_without_a_stack_trace(tmp_path: Path) -> None:
    """A file where var/ should be; only who asks for it sees where."""
    (tmp_path / "var").touch()
    said = chotdon("migrate", cwd=tmp_path)
    assert said.returncode == 1
    assert "chotdon: This should not have happened: " in said.stderr
    assert "Traceback" not in said.stderr
    assert "Traceback" in chotdon("migrate", cwd=tmp_path, CHOTDON_DEBUG="1").stderr


def test_an_error_without_words_is_named() -> None:
    """`TimeoutError()` has no text of its own."""
    assert _described(TimeoutError()) == "The database cannot be reached: TimeoutError."


async def test_own_servers_have_the_newest_schema(tmp_path: Path) -> None:
    """Nobody has to migrate a database that nobody set up; twice is as good as once, and nothing stays."""
    said = chotdon("migrate", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, "The database has the newest schema.\n"), said.stderr
    assert json.loads(chotdon("migrate", "--json", cwd=tmp_path).stdout) == {"schema": "newest"}
    assert servers_below(tmp_path / "var") == []


def test_given_servers_are_taken_as_they_are(tmp_path: Path) -> None:
    """Addresses in the settings: nothing is started, nothing migrated."""
    known = {"database_url": "postgres://a:b@127.0.0.1:1/c", "redis_url": "redis://127.0.0.1:1/0"}
    with runtime(var=tmp_path / "var", **known) as settings:
        assert (settings.database_url, settings.redis_url) == tuple(known.values())
    assert {path.suffix for path in (tmp_path / "var").iterdir()} == {".secret"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_process_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a stop by a supervisor, a closed terminal: no server and no lock stays."""
    with staying(tmp_path) as stays:
        assert servers_below(tmp_path / "var") == ["postgres", "valkey-server"]
        stays.send_signal(number)
        assert stays.wait(30) != 0
    assert servers_below(tmp_path / "var") == []
    assert not list((tmp_path / "var").glob("embedded.*"))


def test_impatience_changes_nothing(tmp_path: Path) -> None:
    """Ctrl-C again and again, at the whole terminal group: the servers are stopped all the same."""
    with staying(tmp_path) as stays:
        while stays.poll() is None:
            os.killpg(stays.pid, signal.SIGINT)
            try:
                stays.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
    assert servers_below(tmp_path / "var") == []


async def test_an_old_schema_is_refused(servers: Servers) -> None:
    """Whoever runs their own database decides when it is migrated."""
    url = in_database(servers.database_url, "template1")
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("CREATE DATABASE test_old")
    try:
        old = in_database(url, "test_old")
        assert await pending_migrations(old)
        with pytest.raises(Misconfigured, match="chotdon migrate"):
            await refuse_old_schema(old)
    finally:
        await connection.execute("DROP DATABASE test_old WITH (FORCE)")
        await connection.close()


async def test_the_newest_schema_is_accepted(database_url: str) -> None:
    """Nothing is lacking."""
    await refuse_old_schema(database_url)


def test_counts_of_processes_that_are_gone_are_cleared_by_the_first(tmp_path: Path) -> None:
    """The second finds the first one's counts, and leaves them."""
    old, present = tmp_path / "metrics/counter_1.db", tmp_path / "metrics/counter_2.db"
    old.parent.mkdir()
    old.touch()
    with counted(tmp_path):
        assert not old.exists()
        assert os.environ[METRICS_VARIABLE] == str(tmp_path / "metrics")
        present.touch()
        with subprocess.Popen(
            [sys.executable, "-c", "from cli.service import *; counted(Path('.')).__enter__()"], cwd=tmp_path
        ) as second:
            assert second.wait(30) == 0
        assert present.exists()
    assert METRICS_VARIABLE not in os.environ
