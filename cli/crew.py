"""Several processes of the same kind, kept running by one that does nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

_LOOK_EVERY: Final = 0.1  # seconds
_PATIENCE: Final = 30.0


@dataclass(slots=True)
class Crew:
    """`size` processes that run `command`; one that dies is replaced.

    One that dies within `steady_after` seconds would only die again: then all are stopped.
    """

    command: Sequence[str]
    size: int
    steady_after: float = 3.0
    _members: dict[int, "_Member"] = field(default_factory=dict)

    def work(self) -> int:
        """Keep them running until one cannot start, whose exit status is returned.

        Whatever ends this early (SystemExit on SIGTERM, Ctrl-C) ends them all first.
        """
        try:
            while (failed := self._replace_dead()) is None:
                time.sleep(_LOOK_EVERY)
            return failed
        finally:
            self._dismiss()

    def _replace_dead(self) -> int | None:
        for place in range(self.size):
            member = self._members.get(place)
            if member and member.process.poll() is None:
                continue
            if member and member.age < self.steady_after:
                return member.process.returncode or 1
            self._members[place] = _Member.start(self.command)
        return None

    def _dismiss(self) -> None:
        for member in self._members.values():
            member.process.terminate()
        deadline = time.monotonic() + _PATIENCE
        for member in self._members.values():
            member.leave(within=max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True, slots=True)
class _Member:
    process: "subprocess.Popen[bytes]"
    started: float

    @classmethod
    def start(cls, command: Sequence[str]) -> "_Member":
        # A session of its own: Ctrl-C reaches the crew's process alone, which then ends all in order.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        return cls(process, time.monotonic())

    @property
    def age(self) -> float:
        return time.monotonic() - self.started

    def leave(self, *, within: float) -> None:
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def end_with_the_crew() -> None:
    """End this process when the one that keeps the crew is gone, however it went.

    It holds the other end of our standard input, which the kernel closes with it.
    """
    threading.Thread(target=_wait_for_the_end, name="crew", daemon=True).start()


def _wait_for_the_end() -> None:
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
