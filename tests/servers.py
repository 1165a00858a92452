"""One PostgreSQL and one Valkey for a whole run of tests, however many workers it has.

The embedded ones, started when the first test asks; or those that CHOTDON_TEST_DATABASE_URL and
CHOTDON_TEST_REDIS_URL name. Each test gets a database of its own, copied from one that was
migrated once.
"""

import asyncio
import os
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import redis

from core.database import migrate
from sandbox.embedded import membership
from sandbox.embedded.servers import Options, embedded_servers

DATABASE_VARIABLE: Final = "CHOTDON_TEST_DATABASE_URL"
REDIS_VARIABLE: Final = "CHOTDON_TEST_REDIS_URL"

# A test's data need not outlive a power cut. Whoever tests durability starts a server of its own.
HASTY: Final = Options(
    postgres={
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "400",
    },
    valkey={"databases": "64"},
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of this run, as this process reaches them; `worker` counts xdist's workers from 0."""

    directory: Path
    database_url: str
    redis_url: str
    worker: int
    administrator: "Administrator"

    @contextmanager
    def database(self, number: int) -> Iterator[str]:
        """Yield the address of a fresh, migrated database; it is dropped afterwards."""
        template = self._template()
        name = f"{template}_{self.worker}_{number}"
        self.administrator.copy(template, name)
        try:
            yield in_database(self.database_url, name)
        finally:
            self.administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def redis(self) -> Iterator[str]:
        """Yield the address of an empty logical database that no other worker uses."""
        url = urlunsplit(urlsplit(self.redis_url)._replace(path=f"/{self.worker}"))
        with redis.Redis.from_url(url) as client:
            client.flushdb()
            try:
                yield url
            finally:
                client.flushdb()

    def _template(self) -> str:
        """Return the name of the migrated database that others copy, made by the first who asks."""
        name = template_name(self.directory)
        with membership.alone(self.directory / "template.lock"):
            if not self.administrator.has_database(name):
                self._make_template(name)
        return name

    def _make_template(self, name: str) -> None:
        making = f"{name}_making"
        self.administrator.execute(f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)')
        self.administrator.execute(f'CREATE DATABASE "{making}"')
        self.administrator.run(migrate(in_database(self.database_url, making)))
        self.administrator.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')


class Administrator:
    """A connection that makes and drops databases, on an event loop of its own beside the tests' loops."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection[asyncpg.Record] = self.run(asyncpg.connect(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._connection.close())
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for `work`; only from outside any running loop."""
        return self._loop.run_until_complete(work)

    def execute(self, statement: str) -> None:
        """Run one statement."""
        self.run(self._connection.execute(statement))

    def copy(self, template: str, name: str) -> None:
        """Make a database from another one; by its files, where PostgreSQL (from 15 on) has other ways."""
        by_files = " STRATEGY FILE_COPY" if self._connection.get_server_version().major >= 15 else ""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{by_files}')

    def has_database(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        return bool(self.databases(name))

    def databases(self, pattern: str) -> list[str]:
        """Return the names that are LIKE `pattern`."""
        query = "SELECT datname FROM pg_database WHERE datname LIKE $1"
        return [row["datname"] for row in self.run(self._connection.fetch(query, pattern))]


@contextmanager
def running(directory: Path, *, worker: int) -> Iterator[Servers]:
    """Yield the servers of the run that `directory` belongs to, until the last of its processes leaves."""
    database_url, redis_url = os.environ.get(DATABASE_VARIABLE), os.environ.get(REDIS_VARIABLE)
    with embedded_servers(
        directory / "var", postgres=not database_url, valkey=not redis_url, options=HASTY
    ) as embedded:
        database_url = database_url or embedded.database_url or ""
        with Administrator(database_url) as administrator:
            yield Servers(
                directory, database_url, redis_url or embedded.redis_url or "", worker, administrator
            )


def clean_up(directory: Path) -> None:
    """Leave nothing of a run behind, whatever its processes died of."""
    if url := os.environ.get(DATABASE_VARIABLE):
        with Administrator(url) as administrator:
            for name in administrator.databases(template_name(directory) + "%"):
                administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    if (directory / "var").exists():
        with embedded_servers(directory / "var", postgres=False, valkey=False):
            pass  # the last to leave stops what still runs
    shutil.rmtree(directory)


def template_name(directory: Path) -> str:
    """Return the name of a run's template; the names of its other databases begin with it."""
    return f"test_{directory.name.rpartition('-')[2].lower()}"


def in_database(url: str, name: str) -> str:
    """Return `url` with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
