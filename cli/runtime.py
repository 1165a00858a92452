"""What every command runs on: the settings, and the servers that the settings do not name.

Outside production a missing DATABASE_URL or REDIS_URL means servers of our own, started here,
shared with every other `chotdon` process of this directory, and brought to the newest schema.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from core.settings import Settings

VAR: Final = Path("var")
#: Names another file than `.env`; empty, none is read.
ENV_FILE_VARIABLE: Final = "CHOTDON_ENV_FILE"

# These would end Python without a `finally`; Ctrl-C raises KeyboardInterrupt by itself.
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_ALL_ENDING: Final = (signal.SIGINT, *_ENDING)


@contextmanager
def runtime(*, var: Path = VAR, **known: Any) -> Iterator[Settings]:
    """Yield the settings, with the address of every server filled in; `known` wins over the environment.

    Raises Misconfigured with every fault of the settings, or when a server does not start.
    """
    settings = Settings.load(var=var, env_file=env_file(), **known)
    with _ended_by_signals():
        if settings.database_url and settings.redis_url:
            yield settings
        else:
            yield from _on_own_servers(settings, var)


def env_file() -> Path | None:
    """Return the file that settings are read from beside the environment."""
    name = os.environ.get(ENV_FILE_VARIABLE, ".env")
    return Path(name) if name else None


def _on_own_servers(settings: Settings, var: Path) -> Iterator[Settings]:
    from sandbox.embedded.servers import embedded_servers

    owns_database, owns_redis = not settings.database_url, not settings.redis_url
    with embedded_servers(var, postgres=owns_database, valkey=owns_redis) as own, _unhurried_end():
        if own.database_url:
            _migrate(own.database_url)
        yield settings.model_copy(
            update={
                "database_url": own.database_url or settings.database_url,
                "redis_url": own.redis_url or settings.redis_url,
            }
        )


def _migrate(database_url: str) -> None:
    from core.database import migrate

    asyncio.run(migrate(database_url))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block as an exception does, so that it is left in order."""
    if not _is_told_of_signals():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ALL_ENDING}
    for number in _ENDING:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _unhurried_end() -> Iterator[None]:
    """Ignore a second Ctrl-C while the servers stop: it would leave them running."""
    try:
        yield
    finally:
        if _is_told_of_signals():
            for number in _ALL_ENDING:
                signal.signal(number, signal.SIG_IGN)


def _is_told_of_signals() -> bool:
    return threading.current_thread() is threading.main_thread()


def _exit(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
