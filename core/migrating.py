"""Statements that change the schema while the service serves: they give up rather than stand in the way.

A statement that waits for a table's lock holds up everybody who comes after it. So each waits for a moment
only, lets the others pass, and tries again. Each is done once, however often it was begun.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from typing import Final

import asyncpg
from tortoise.migrations.schema_editor import BaseSchemaEditor

from core.database import Connection

#: The service itself waits for a lock for a second; then it answers 503.
_LOCK_WITHIN: Final = "300ms"
_PAUSE: Final = 0.3
_TRIES: Final = 200
_FOREVER: Final = 24 * 3600.0
#: Tables with so many rows that an index on them takes minutes.
BIG: Final = frozenset(
    {
        "attempts",
        "events",
        "inbox",
        "messages",
        "notices",
        "order_search",
        "orders",
        "timers",
        "webhook_attempts",
        "webhooks",
    }
)

_BLOCK: Final = re.compile(r"^-- block: (.+)$", re.MULTILINE)
_INDEX: Final = re.compile(r"^CREATE (UNIQUE )?INDEX (?P<name>\w+) ON (?P<table>\w+)[^;]*;", re.MULTILINE)
_TABLE: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)

#: What a migration's RunPython is given.
Step = Callable[[object, BaseSchemaEditor], Awaitable[None]]


def statements_of(number: int) -> str:
    """Return the SQL file of a migration."""
    return resources.files("core.migrations").joinpath(f"schema_{number:04}.sql").read_text("utf-8")


def apart(sql: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a file without the indexes on tables that may be big, and those: their names and statements."""
    new = set(_TABLE.findall(sql))
    big = [each for each in _INDEX.finditer(sql) if each["table"] in BIG - new]
    for each in big:
        sql = sql.replace(each[0], "")
    return sql, [(each["name"], each[0]) for each in big]


def in_one(number: int) -> Step:
    """Return a step that carries out a file: at once what needs locks, then its indexes on big tables."""

    async def step(_: object, editor: BaseSchemaEditor) -> None:
        sql, big = apart(statements_of(number))
        async with editor.client.acquire_connection() as connection:
            await _once(connection, f"schema_{number:04}", sql)
            await _build(connection, big)

    return step


def in_blocks(number: int) -> Step:
    """Return a step that carries out a file's blocks, each in a transaction of its own."""

    async def step(_: object, editor: BaseSchemaEditor) -> None:
        names_and_blocks = _BLOCK.split(statements_of(number))[1:]
        async with editor.client.acquire_connection() as connection:
            for name, block in zip(names_and_blocks[::2], names_and_blocks[1::2], strict=True):
                await _once(connection, f"schema_{number:04}: {name}", block)

    return step


async def _once(connection: Connection, name: str, sql: str) -> None:
    """Carry out statements as one transaction, unless an earlier call, cut short afterwards, has done so.

    Raises LockNotAvailableError after a minute or two of trying.
    """
    await connection.execute(_DONE_TABLE)
    for left in reversed(range(_TRIES)):
        if await connection.fetchval("SELECT true FROM migrated WHERE name = $1", name):
            return
        try:
            async with connection.transaction(isolation="read_committed"):
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WITHIN}'")
                await connection.execute(sql, timeout=600)
                await connection.execute("INSERT INTO migrated (name) VALUES ($1)", name)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if not left:
                raise
            await asyncio.sleep(_PAUSE)


async def _build(connection: Connection, indexes: Sequence[tuple[str, str]]) -> None:
    """Build indexes beside whoever writes; one that was left half-built is built anew."""
    for name, statement in indexes:
        is_valid = await connection.fetchval(_IS_VALID, name)
        if is_valid is False:
            await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", timeout=_FOREVER)
        if not is_valid:
            concurrently = statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
            await connection.execute(concurrently, timeout=_FOREVER)


_DONE_TABLE: Final = "CREATE TABLE IF NOT EXISTS migrated (name text PRIMARY KEY)"
_IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.' || $1::text)"
