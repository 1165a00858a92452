"""What every test may ask for, and what none may do."""

import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest

from cli.runtime import ENV_FILE_VARIABLE
from tests.loopback import LoopbackGuard
from tests.servers import Servers, clean_up, running

_RUN: Final = pytest.StashKey[Path]()
_GUARD: Final = pytest.StashKey[LoopbackGuard]()
_WORKER_INPUT: Final = "chotdon_run"
#: Where Linux keeps files in memory, and how much of it a run may need.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (mkdtemp makes a directory that is ours alone)
_ROOM: Final = 8 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a directory, forget this machine's settings, and watch the sockets."""
    given = _given_by_controller(config)
    config.stash[_RUN] = Path(given) if given else _new_directory()
    config.stash[_GUARD] = guard = LoopbackGuard()
    sys.addaudithook(guard)
    for name in [name for name in os.environ if _is_a_setting(name)]:
        del os.environ[name]
    os.environ[ENV_FILE_VARIABLE] = ""
    hypothesis.settings.register_profile(
        "same", deadline=None, derandomize=True
    )  # a busy machine is no fault
    hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000)
    hypothesis.settings.load_profile(os.environ.get("CHOTDON_TEST_EXAMPLES", "same"))


def _new_directory() -> Path:
    """Return a directory for the run's servers: in memory where there is room, as they write gigabytes."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    runs_programs = roomy and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
    return Path(tempfile.mkdtemp(prefix="chotdon-tests-", dir=_MEMORY if runs_programs else None))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell xdist's workers where the run's servers live."""
    node.workerinput[_WORKER_INPUT] = str(node.config.stash[_RUN])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no server and no file behind; workers leave that to whoever started them."""
    if _given_by_controller(config) is None:
        clean_up(config.stash[_RUN])


def _given_by_controller(config: pytest.Config) -> str | None:
    given: dict[str, str] = getattr(config, "workerinput", {})
    return given.get(_WORKER_INPUT)


def _is_a_setting(name: str) -> bool:
    return name.startswith("CHOTDON_") and not name.startswith(("CHOTDON_TEST_", "CHOTDON_REQUIRE_"))


@pytest.fixture
def loopback_guard(pytestconfig: pytest.Config) -> LoopbackGuard:
    """Return whoever watches this run's sockets."""
    return pytestconfig.stash[_GUARD]


@pytest.fixture(autouse=True)
def _only_loopback(loopback_guard: LoopbackGuard) -> Iterator[None]:
    """Fail a test that tries to reach another machine, even if it swallowed the error."""
    loopback_guard.take_strays()
    yield
    strays = loopback_guard.take_strays()
    assert not strays, f"This test tried to reach {', '.join(strays)}"


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Yield the PostgreSQL and the Valkey of this run."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with running(pytestconfig.stash[_RUN], worker=worker) as servers:
        yield servers


@pytest.fixture(scope="session")
def _database_numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def database_url(servers: Servers, _database_numbers: Iterator[int]) -> Iterator[str]:
    """Yield the address of a fresh database with the newest schema, this test's own."""
    with servers.database(next(_database_numbers)) as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> Iterator[str]:
    """Yield the address of an empty logical database, this test's own."""
    with servers.redis() as url:
        yield url
