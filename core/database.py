"""The connections to PostgreSQL: tortoise-orm for reading, asyncpg for the ledger and the outbox."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import msgspec
from tortoise import Tortoise
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.api.migrate import migrate as migrate_apps
from tortoise.migrations.executor import MigrationExecutor, PlanStep

from core.clock import ProductClock
from core.errors import Unavailable

if TYPE_CHECKING:
    PooledConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PooledConnection
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes take no parameters when they run
    PooledConnection = asyncpg.pool.PoolConnectionProxy
    Connection = asyncpg.Connection | PooledConnection
    Pool = asyncpg.Pool

#: A row as it is read: names to values.
Row: TypeAlias = Mapping[str, Any] | asyncpg.Record

_APP: Final = "core"
_MODELS: Final = ("core.orders.models", "core.partners.models", "core.notices.models")
_MIGRATING: Final = 7_214_902_611  # the key of the advisory lock that migrating processes queue at
_ASK_AGAIN: Final = 0.2

#: What asyncpg and tortoise-orm raise when the server is away, starting or shutting down.
AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that broke in the middle of a statement
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    DBConnectionError,
    Unavailable,
)

#: Nothing waits for ever: seconds to connect and for a command; milliseconds for a lock.
_LIMITS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "timeout": 5,
        "command_timeout": 10,
        "server_settings": {"lock_timeout": "1000", "TimeZone": "UTC", "application_name": "chotdon"},
    }
)
_CLOSE_WITHIN: Final = 10.0


def _config(url: str, limits: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    scheme, rest = url.split("://", 1)
    connection = expand_db_url(f"asyncpg://{rest}" if scheme in {"postgres", "postgresql"} else url)
    connection["credentials"] |= {"reset": _leave_as_it_is, **limits}
    return {
        "connections": {"default": connection},
        "apps": {
            _APP: {
                "models": list(_MODELS),
                "migrations": "core.migrations",
                "default_connection": "default",
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def _leave_as_it_is(connection: Connection) -> None:
    """Spare every read a second trip to the server: nobody here changes anything of a session.

    (Whoever does, resets it by itself. asyncpg still rolls back what was left open.)
    """


async def migrate(database_url: str) -> None:
    """Bring the database to the newest schema. Safe to run twice and from two machines at once."""
    guard = await asyncpg.connect(database_url)
    try:
        # Asked again and again: who waits in a statement would hold up indexes that are built concurrently.
        # (The other one is another process: there is no event to wait for.)
        while not await guard.fetchval("SELECT pg_try_advisory_lock($1)", _MIGRATING):  # noqa: ASYNC110
            await asyncio.sleep(_ASK_AGAIN)
        try:
            await migrate_apps(config=_config(database_url))
        finally:
            await Tortoise.close_connections()
    finally:
        await guard.close()


async def pending_migrations(database_url: str) -> list[str]:
    """Return the names of migrations that this database still lacks."""
    config = _config(database_url)
    await Tortoise.init(config=config)
    try:
        executor = MigrationExecutor(Tortoise.get_connection("default"), config["apps"])
        steps: Sequence[PlanStep] = await executor.plan()
        return [step.migration.name for step in steps]
    finally:
        await Tortoise.close_connections()


async def _prepare(connection: Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=_encode, decoder=msgspec.json.decode, schema="pg_catalog"
        )


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


@dataclass(slots=True)
class Database:
    """Open connections. `pool` is for the ledger, the inbox and the outbox; models read by their own."""

    pool: Pool
    clock: ProductClock

    async def set_clock(self) -> None:
        """Read how far product time is ahead, so that `clock` tells it."""
        ahead = await self.pool.fetchval("SELECT ahead FROM clock")
        self.clock.offset = ahead if isinstance(ahead, timedelta) else timedelta()

    async def follow_clock(self) -> None:
        """Keep `clock` as the database says, once a second, until cancelled."""
        while True:
            await asyncio.sleep(1)
            try:
                await self.set_clock()
            except AWAY:
                continue


@asynccontextmanager
async def connect(database_url: str, *, connections: int = 8) -> AsyncIterator[Database]:
    """Open both sorts of connections and follow product time until the block ends.

    Raises one of AWAY when the server cannot be reached at the start; later losses are survived.
    """
    pool = await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=connections,
        init=_prepare,
        reset=_leave_as_it_is,
        **_LIMITS,
    )
    try:
        await Tortoise.init(config=_config(database_url, _LIMITS))
        database = Database(pool, ProductClock())
        await database.set_clock()
        following = asyncio.create_task(database.follow_clock())
        try:
            yield database
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    finally:
        await Tortoise.close_connections()
        await _close(pool)


@asynccontextmanager
async def beside(database: Database, database_url: str, *, connections: int) -> AsyncIterator[Database]:
    """Open connections of its own for work that must not queue behind everybody else's, until the block ends.

    They follow the same clock; models read by the other database's.
    """
    pool = await asyncpg.create_pool(
        database_url, min_size=1, max_size=connections, init=_prepare, reset=_leave_as_it_is, **_LIMITS
    )
    try:
        yield Database(pool, database.clock)
    finally:
        await _close(pool)


async def _close(pool: Pool) -> None:
    """Wait for whoever still has a connection, though not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_WITHIN):
            await pool.close()  # when it is cut short it terminates what is left
