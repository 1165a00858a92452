"""The service as it runs for real: `chotdon serve` and `chotdon worker` as processes, among the fakes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from core.database import connect
from core.settings import Settings
from jobs.worker import open_service
from sandbox.mailbox import Mailbox
from sandbox.zalo import FakeZalo
from tests.stories.world import World, _gateways

_READY_WITHIN: Final = 30.0
#: How long anything may take on a busy machine before a story gives up.
PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """One process of ours; `log` is what it writes to standard error."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def dies(self) -> None:
        """Kill it as a power cut would."""
        self.process.kill()
        self.process.wait()

    async def ends(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it logged, each line read as JSON."""
        return [dict(json.loads(line)) for line in self.log.read_text("utf-8").splitlines()]

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return the lines about one sort of event."""
        return [line for line in self.lines if line.get("event") == event]


@dataclass(slots=True)
class Town:
    """A world whose service is processes: start them, kill them, and look at what they wrote."""

    world: World
    folder: Path
    environment: dict[str, str]
    started: list[Running] = field(default_factory=list)

    def starts(self, *words: str, **environment: str) -> Running:
        """Start `chotdon` with these words."""
        log = self.folder / f"{words[0]}-{len(self.started)}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                self._command(*words),
                cwd=self.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        running = Running(process, log)
        self.started.append(running)
        return running

    async def serves(self, **environment: str) -> Running:
        """Start the web process and wait until it is ready."""
        port = self.world.url.rpartition(":")[2]
        running = self.starts("serve", f"--port={port}", **environment)
        await until(self._is_ready)
        return running

    async def works(self, **environment: str) -> Running:
        """Start a worker and wait until it has begun."""
        running = self.starts("worker", **environment)
        await until(lambda: _is(bool(running.told("worker started"))))
        return running

    async def types(self, *words: str) -> str:
        """Run one command to its end, as an operator does; return what it printed."""
        done = await asyncio.to_thread(
            subprocess.run,
            self._command(*words),
            cwd=self.folder,
            env={**self.environment, "CHOTDON_ENV": "development"},
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        return done.stdout.decode()

    async def leases_lapse(self) -> None:
        """Let the seconds pass after which a dead worker's claims are free again."""
        for statement in (_LAPSE_MESSAGES, _LAPSE_WEBHOOKS):
            await self.world.database.pool.execute(statement)

    async def _is_ready(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.world.url}/readyz") as answer,
            ):
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "cli.main", *words]


_LAPSE_MESSAGES: Final = """
UPDATE messages SET leased_until = now() - interval '1 s' WHERE leased_until > now()
"""
_LAPSE_WEBHOOKS: Final = """
UPDATE webhooks SET leased_until = now() - interval '1 s' WHERE leased_until > now()
"""


async def until(is_so: Callable[[], Awaitable[bool]], *, within: float = _READY_WITHIN) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within):
        while not await is_so():  # noqa: ASYNC110 - processes tell nobody when they are ready
            await asyncio.sleep(0.05)


async def _is(so: bool) -> bool:
    return so


@asynccontextmanager
async def open_town(database_url: str, redis_url: str, folder: Path, **changed: Any) -> AsyncIterator[Town]:
    """Open the fakes and whoever looks on; no process runs yet, and none is left behind."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(database_url))
        zalo = await stack.enter_async_context(FakeZalo(clock=database.clock.now))
        mailbox = await stack.enter_async_context(Mailbox(clock=database.clock.now))
        url = f"http://127.0.0.1:{_free_port()}"
        known: dict[str, Any] = {"database_url": database_url, "redis_url": redis_url, "base_url": url}
        known |= (
            _gateways(zalo, mailbox) | {"env": "production", "sweep_every": timedelta(seconds=0.5)} | changed
        )
        settings = Settings(**known)
        service = await stack.enter_async_context(open_service(settings, database))
        zalo.webhook_url = f"{url}/webhooks/zalo"
        world = World(settings, database, service.ledger, service, zalo, mailbox, url)
        await stack.enter_async_context(world.stack)
        town = Town(world, folder, _environment(known))
        stack.callback(_end_all, town)
        yield town


def _environment(known: dict[str, Any]) -> dict[str, str]:
    ours = {f"CHOTDON_{name.upper()}": _text(value) for name, value in known.items()}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "CHOTDON_ENV_FILE": "", **ours}


def _text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case timedelta():
            return f"PT{value.total_seconds()}S"
        case bool():
            return str(value).lower()
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _end_all(town: Town) -> None:
    for running in town.started:
        if running.process.poll() is None:
            running.dies()
