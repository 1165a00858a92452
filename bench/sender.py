"""Runs the load generator beside the product, and reads what it found."""

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import pack
from bench.stage import Failed, Stage

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, request by request: start (epoch), seconds, and the body where it was kept.

    `again` is how often a request was answered 503 and sent again; its seconds count to the last answer.
    """

    seconds: float
    statuses: Mapping[str, int]
    started: Sequence[float]
    took: Sequence[float]
    bodies: Sequence[str]
    again: int

    @property
    def a_second(self) -> float:
        """How many were answered a second."""
        return len(self.took) / self.seconds

    def must_all_be(self, *expected: str) -> None:
        """Raise Failed if any answer was another one."""
        if not set(self.statuses) <= set(expected):
            raise Failed(f"answered {dict(self.statuses)} where all should be {' or '.join(expected)}")


async def send(
    stage: Stage,
    port: int,
    requests: Iterable[bytes],
    *,
    connections: int,
    rate: float = 0.0,
    keep_bodies: bool = False,
) -> Answers:
    """Send requests from a process of its own: as fast as they are answered, or `rate` a second."""
    file = stage.folder / "requests"
    file.write_bytes(pack(requests))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bench.load", str(file)),
        *(f"--port={port}", f"--connections={connections}", f"--rate={rate}", f"--within={stage.patience}"),
        *(["--keep-bodies"] if keep_bodies else []),
        cwd=_ROOT,
        env={"PYTHONPATH": str(_ROOT), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Failed(f"the load generator ended: {errors.decode()[-2000:]}")
    answers = Answers(**json.loads(output))
    if answers.again:
        print(f"{answers.again} times answered 503 and sent again", file=sys.stderr)
    return answers
