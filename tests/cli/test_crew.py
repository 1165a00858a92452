import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cli.serve import reserved
from core.errors import Misconfigured

MEMBER = """
import os, pathlib, time
from cli.crew import end_with_the_crew
end_with_the_crew()
pathlib.Path("members", str(os.getpid())).touch()
time.sleep(60)
"""

KEEPER = """
import signal, sys
from cli.crew import Crew
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.exit(Crew([sys.executable, "-c", sys.argv[1]], 2, steady_after=float(sys.argv[2])).work())
"""


@contextmanager
def keeper(
    directory: Path, member: str = MEMBER, *, steady_after: float = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield a process that keeps two members running."""
    (directory / "members").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, member, str(steady_after)], cwd=directory, start_new_session=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def at_work(directory: Path) -> set[int]:
    """Return the members that have begun and still run."""
    pids = {int(path.name) for path in (directory / "members").iterdir()}
    return {pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"}


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "It never came true."
        time.sleep(0.05)


def test_a_dead_member_is_replaced(tmp_path: Path) -> None:
    """Two work, whatever happens to one of them."""
    with keeper(tmp_path):
        eventually(lambda: len(at_work(tmp_path)) == 2)
        victim, survivor = at_work(tmp_path)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(at_work(tmp_path) - {victim}) == 2)
        assert survivor in at_work(tmp_path)


def test_all_end_with_whoever_keeps_them(tmp_path: Path) -> None:
    """SIGTERM ends the members first."""
    with keeper(tmp_path) as kept:
        eventually(lambda: len(at_work(tmp_path)) == 2)
        kept.terminate()
        assert kept.wait(20) == 0
        assert at_work(tmp_path) == set()


def test_no_member_outlives_a_killed_keeper(tmp_path: Path) -> None:
    """They notice by themselves."""
    with keeper(tmp_path) as kept:
        eventually(lambda: len(at_work(tmp_path)) == 2)
        kept.kill()
        eventually(lambda: at_work(tmp_path) == set())


def test_members_that_cannot_start_are_not_started_for_ever(tmp_path: Path) -> None:
    """The first to die young ends it all, with its own exit status."""
    with keeper(tmp_path, "raise SystemExit(7)", steady_after=10) as kept:
        assert kept.wait(20) == 7


def test_a_port_that_somebody_serves_is_not_shared(tmp_path: Path) -> None:
    """Two services would each get half of the requests, without a word."""
    with reserved("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(Misconfigured, match="--port"):
            reserved("127.0.0.1", first.getsockname()[1])
