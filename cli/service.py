"""What a process that stays needs before it starts: uvloop, logs, counters, and a schema that fits."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cli.runtime import VAR, runtime
from core.errors import Misconfigured
from core.settings import Settings

METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def run(work: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run `work` until it ends, with everything it stands on.

    Raises Misconfigured if the schema is behind.
    """
    import uvloop

    with runtime() as settings, counted(VAR):
        from core import logs

        logs.configure(json=settings.is_production, level=settings.log_level)
        asyncio.run(refuse_old_schema(settings.require("database_url")))
        uvloop.run(work(settings))


async def refuse_old_schema(database_url: str) -> None:
    """Raise Misconfigured if this database lacks migrations that this program needs."""
    from core.database import pending_migrations

    if pending := await pending_migrations(database_url):
        raise Misconfigured(
            f"The database's schema is behind ({', '.join(pending)}): run `chotdon migrate` first."
        )


def _forget_gauges() -> None:
    """Take what this process tells of itself out of the sum; what it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # reads the variable when it is imported

    mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped


@contextmanager
def counted(var: Path) -> Iterator[None]:
    """Merge this process's counts with those of every other process of `var`; must come before core.metrics.

    The first of them to start clears away what processes that are gone have counted.
    """
    from sandbox.embedded import membership

    folder = var.absolute() / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with membership.alone(folder / "lock"):
        handle = membership.join(folder / "users")
        if membership.is_only(handle):
            for left in folder.glob("*.db"):
                left.unlink()
    os.environ[METRICS_VARIABLE] = str(folder)
    try:
        yield
    finally:
        _forget_gauges()
        del os.environ[METRICS_VARIABLE]
        os.close(handle)
