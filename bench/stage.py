"""What the benchmarks run on: servers of their own in a directory of their own, and real processes."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import psutil

from core.database import migrate
from core.settings import PREFIX
from sandbox.embedded.process import free_port
from sandbox.embedded.servers import embedded_servers

SECRET_KEY: Final = "only-for-measuring-and-never-for-people"  # noqa: S105  (of a database that is thrown away)
_ROOT: Final = Path(__file__).parents[1]
_CHOTDON: Final = Path(sys.executable).with_name("chotdon")
_ENDS_WITHIN: Final = 30.0
_ANSWERS_WITHIN: Final = 30.0
_MOST_LINE: Final = 64 * 1024 * 1024


class Failed(Exception):
    """A process did not do what the benchmark needs of it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The servers and the directory of one run."""

    folder: Path
    server_url: str
    redis_url: str
    patience: float

    @property
    def basics(self) -> dict[str, str]:
        """The settings of a service in production, but for its database and its gateways."""
        return {
            "ENV": "production",
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": SECRET_KEY,
            "BASE_URL": "http://127.0.0.1:8080",
            "WEBHOOK_ALLOW_PRIVATE": "true",
        }

    async def new_database(self, name: str) -> str:
        """Make a database with the newest schema; return its address."""
        connection = await asyncpg.connect(self.server_url)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        url = urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))
        await migrate(url)
        return url


@asynccontextmanager
async def open_stage(*, patience: float) -> AsyncIterator[Stage]:
    """Start PostgreSQL (fsync on, as it comes) and Valkey; stop and remove everything afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="chotdon-bench-") as folder,
        embedded_servers(Path(folder) / "servers", postgres=True, valkey=True) as servers,
    ):
        if servers.database_url is None or servers.redis_url is None:
            raise Failed("the embedded servers did not tell where they are")
        yield Stage(Path(folder), servers.database_url, servers.redis_url, patience)


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was started here, with its log."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def rss(self) -> int:
        """How much memory it holds now, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    async def ask(self, *words: object) -> Any:
        """Return its answer to one line. Raises Failed when it is gone or silent."""
        if self.process.stdin is None:
            raise Failed(f"{self.name} takes no lines")
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        return await self.heard()

    async def heard(self) -> Any:
        """Return the next line it says."""
        if self.process.stdout is None:
            raise Failed(f"{self.name} says nothing")
        line = await asyncio.wait_for(self.process.stdout.readline(), _ANSWERS_WITHIN * 10)
        if not line:
            raise Failed(f"{self.name} ended: {self.last_words()}")
        return json.loads(line)

    def last_words(self) -> str:
        """Return the end of its log."""
        return self.log.read_text("utf-8", "replace").strip()[-3000:]

    async def end(self) -> None:
        """Ask it to end, and make sure that it does."""
        if self.process.stdin:
            self.process.stdin.close()
        elif self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _ENDS_WITHIN)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def child(
    stage: Stage, name: str, command: Sequence[str], settings: Mapping[str, str], *, talks: bool
) -> AsyncIterator[Child]:
    """Run a process until the block ends; one that `talks` answers lines, another one writes to its log."""
    log = stage.folder / f"{name}.log"
    pipe = asyncio.subprocess.PIPE if talks else None
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=stage.folder,
            env=_environment(settings),
            stdin=pipe or asyncio.subprocess.DEVNULL,
            stdout=pipe or output,
            stderr=output,
            limit=_MOST_LINE,
        )
    started = Child(name, process, log)
    try:
        yield started
    finally:
        await started.end()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    chosen = {PREFIX + name: value for name, value in settings.items() if name.isupper()}
    return {**ours, "PYTHONPATH": str(_ROOT), **chosen}


@asynccontextmanager
async def helper(
    stage: Stage, module: str, settings: Mapping[str, str], *, name: str = ""
) -> AsyncIterator[Child]:
    """Run a module of this folder that answers lines."""
    command = [sys.executable, "-P", "-m", f"bench.{module}"]
    async with child(stage, name or module, command, settings, talks=True) as started:
        yield started


@dataclass(frozen=True, slots=True)
class Web:
    """The web process and where it listens."""

    child: Child
    port: int


@asynccontextmanager
async def web(stage: Stage, settings: Mapping[str, str], port: int) -> AsyncIterator[Web]:
    """Run `chotdon serve` until the block ends."""
    command = [str(_CHOTDON), "serve", f"--port={port}"]
    async with child(stage, "serve", command, settings, talks=False) as started:
        await _until_ready(started, f"http://127.0.0.1:{port}/readyz")
        yield Web(started, port)


async def _until_ready(started: Child, url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(round(_ANSWERS_WITHIN / 0.1)):
            if started.process.returncode is not None:
                raise Failed(f"{started.name} did not start: {started.last_words()}")
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise Failed(f"{started.name} was not ready in time: {started.last_words()}")


@asynccontextmanager
async def worker(stage: Stage, settings: Mapping[str, str]) -> AsyncIterator[Child]:
    """Run `chotdon worker` until the block ends."""
    async with child(stage, "worker", [str(_CHOTDON), "worker"], settings, talks=False) as started:
        yield started


def port_for_web() -> int:
    """Return a free port."""
    return free_port()
