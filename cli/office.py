"""What a command works with: the settings, the database, and the ledger where it changes an order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg
import click
import structlog

from cli.runtime import runtime
from cli.sentences import sentence
from core.database import AWAY, Database, connect
from core.errors import NoFreeCode, RuleError
from core.keys import code_key
from core.ledger import Ledger
from core.settings import Settings
from jobs.queues import Jobs, open_redis
from jobs.wake import RedisWake

_T = TypeVar("_T")
_CONNECTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Office:
    """The settings of this directory, and its database."""

    settings: Settings
    database: Database

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[Ledger]:
        """Open the ledger until the block ends. Without Redis it works too: the worker's sweep finds all."""
        redis = open_redis(self.settings.require("redis_url"))
        try:
            async with Ledger(
                self.database,
                policy=self.settings.policy,
                code_key=code_key(self.settings.require("secret_key")),
                wake=RedisWake(Jobs(redis)),
            ) as ledger:
                yield ledger
        finally:
            await redis.aclose()


def run(work: Callable[[Office], Awaitable[_T]]) -> _T:
    """Do `work` with the database open; what goes wrong is told in one line, with exit status 1."""
    # Standard output is the command's; whatever a part of ours logs goes beside it.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    with runtime() as settings:
        try:
            return asyncio.run(_within(settings, work))
        except RuleError as error:
            raise click.ClickException(sentence(error)) from None
        except NoFreeCode:
            raise click.ClickException("This partner has all of its order codes in use.") from None
        except asyncpg.UndefinedTableError:
            raise click.ClickException("The database's schema is behind; run `chotdon migrate`.") from None
        except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise click.ClickException(f"The database does not let us in: {error}.") from None
        except AWAY:
            raise click.ClickException("The database cannot be reached, or is too busy.") from None


async def _within(settings: Settings, work: Callable[[Office], Awaitable[_T]]) -> _T:
    async with connect(settings.require("database_url"), connections=_CONNECTIONS) as database:
        return await work(Office(settings, database))
