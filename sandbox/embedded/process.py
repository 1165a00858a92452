"""Starting, finding and stopping a server that outlives the process which started it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from core.errors import Misconfigured

LOOPBACK: Final = "127.0.0.1"

_LOOK_EVERY: Final = 0.02  # seconds
# A server inherits nothing of ours: no locale, no time zone, no credentials, no library path.
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a server runs as."""

    uid: int
    gid: int


def unprivileged(owned: Path) -> Account | None:
    """Return whom a server that refuses to run as root runs as; None: as whoever asks.

    Data that belong to somebody stay theirs; new data go to `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if owned.exists() and (owner := owned.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None,
    stdin: str = "",
    fds: Sequence[int] = (),
) -> None:
    """Run `command` to its end.

    Raises Misconfigured with what it said, if it fails.
    """
    done = subprocess.run(
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        cwd=cwd,  # entered before the change of user, so that its parents need not be open to that user
        env=_ENVIRONMENT,
        umask=0o077,
        pass_fds=fds,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode:
        program = Path(command[0]).name
        raise Misconfigured(f"{program} ended with {done.returncode}: {done.stdout.strip()[-2000:]}")


def launch(command: Sequence[str | Path], *, cwd: Path, account: Account | None, log: Path) -> psutil.Process:
    """Start a server in a session of its own, out of reach of the terminal's Ctrl-C."""
    if log.exists():
        log.replace(log.with_suffix(".old"))
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=_ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    process = psutil.Process(started.pid)
    # Whoever leaves last stops it, which need not be us; this thread takes its exit code whenever it
    # comes, so that no zombie stays.
    threading.Thread(target=started.wait, name=f"reaper of {process.name()}", daemon=True).start()
    return process


def wait_until(ready: Callable[[], bool], process: psutil.Process, *, log: Path, within: float) -> None:
    """Wait for a server that was just launched.

    Raises Misconfigured with the end of its log if it dies or is not ready `within` so many seconds.
    """
    deadline = time.monotonic() + within
    while not ready():
        if not is_alive(process):
            raise Misconfigured(f"{log.parent.name} did not start: {_tail(log)}")
        if time.monotonic() > deadline:
            stop(process, signal.SIGTERM, signal.SIGKILL)
            raise Misconfigured(f"{log.parent.name} was not ready within {within:.0f} s: {_tail(log)}")
        time.sleep(_LOOK_EVERY)


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace").strip()[-2000:]


def find(pid_file: Path, *, program: str, cwd: Path) -> psutil.Process | None:
    """Return the live server whose pid stands in `pid_file`.

    Pids are used again: it must be the right program, working in the right directory.
    """
    try:
        process = psutil.Process(int(pid_file.read_text().split(maxsplit=1)[0]))
        matches = process.name() == program and cwd.samefile(process.cwd())
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if matches and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Say whether it still runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop(process: psutil.Process, *signals: signal.Signals, patience: float = 20) -> None:
    """Send each signal in turn, with `patience` seconds after each, until the process has ended."""
    for each in signals:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(each)
        deadline = time.monotonic() + patience
        while is_alive(process) and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        if not is_alive(process):
            return


def free_port(*, preferred: int = 0) -> int:
    """Return a port of the loopback interface that nobody listens on: `preferred` if it can be had."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return int(probe.getsockname()[1])
    raise Misconfigured(f"There is no free port on {LOOPBACK}.")


def which(program: str) -> str:
    """Return the path of a program of the system, looked for where servers look too."""
    return shutil.which(program, path=_ENVIRONMENT["PATH"]) or program
