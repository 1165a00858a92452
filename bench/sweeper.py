"""The worker's sweep in a process of its own, made to sweep by hand: a number in, so many times in ms out."""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from core.database import connect
from core.settings import Settings
from jobs.worker import Service, open_service


async def _main() -> None:
    settings = Settings.load(var=Path("var"), env_file=None)
    async with (
        connect(settings.require("database_url")) as database,
        open_service(settings, database) as service,
    ):
        print(json.dumps("ready"), flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            (times,) = json.loads(line)
            print(json.dumps([await _sweep(service) for _ in range(times)]), flush=True)


async def _sweep(service: Service) -> float:
    started = time.perf_counter()
    await service.sweeper.sweep()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    uvloop.run(_main())
