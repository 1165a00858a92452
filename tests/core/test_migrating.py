"""Migrations that run while the service serves, and the rules for whoever writes the next one."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from importlib import resources
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from core import ids, migrating
from core.database import Connection, _config, migrate, pending_migrations
from tests.core.test_migrations import _PLACED

_KITCHEN: Final = "0199a000-0000-7000-8000-00000000000a"
_BEFORE: Final = "m0003_in_every_place"
_RELEASED: Final = 3


@pytest.fixture
async def of_before(database_url: str) -> AsyncIterator[str]:
    """Yield the address of a database as the version before left it, with one order in it."""
    name = f"{urlsplit(database_url).path.strip('/')}_before"
    main = await asyncpg.connect(database_url)
    await main.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    try:
        await _migrate_to(url, _BEFORE)
        before = await asyncpg.connect(url)
        await before.execute(_PLACED)
        await before.close()
        yield url
    finally:
        await main.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await main.close()


async def _migrate_to(url: str, name: str) -> None:
    config = _config(url)
    await Tortoise.init(config=config)
    try:
        executor = MigrationExecutor(Tortoise.get_connection("default"), config["apps"])
        await executor.migrate([MigrationTarget("core", name)])
    finally:
        await Tortoise.close_connections()


class ServiceOfBefore:
    """Writes as the version before does, again and again, with its patience for locks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rounds = 0

    async def serve(self, stopped: asyncio.Event) -> None:
        """Place and tap until `stopped`; whatever fails is raised."""
        await self._connection.execute("SET lock_timeout = 1000")
        while not stopped.is_set() or not self.rounds:
            await self._place_and_tap()
            self.rounds += 1

    async def _place_and_tap(self) -> None:
        order, notice, message = ids.new(), ids.new(), ids.new()
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(_ORDER, order)
            await self._connection.execute(_EVENT, ids.new(), order, 1)
            await self._connection.execute(_NOTICE, notice, order)
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.fetch("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", order)
            assert await self._connection.fetchval(_KEY, f"zalo:{order}") is not None
            assert await self._connection.fetchval(_KEY, f"zalo:{order}") is None
            await self._connection.execute(_EVENT, ids.new(), order, 2)
        await self._connection.execute(_MESSAGE, message, notice)
        assert await self._connection.execute(_MESSAGE, ids.new(), notice) == "INSERT 0 0"
        await self._connection.execute(_ATTEMPT, message)


_ORDER: Final = f"""
INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
    ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
    customer, status_changed_at, status_changed_by, fingerprint)
VALUES ($1, '{_KITCHEN}', $1::uuid::text, '{_KITCHEN}', '48274', 'pending', 1, 1, now(), now(), now(), now(),
    now(), '12 Lê Lợi', '', '[]', 0, 0, 100, 'VND', '{{}}', now(), '{{}}', 'x')
"""  # noqa: S608  (constants of ours)
_EVENT: Final = """
INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)
VALUES ($1, $2, $3, 'order.placed', now(), '{}', '{}', '{}')
"""
_NOTICE: Final = """
INSERT INTO notices (id, order_id, kind, occasion, data, owed_at)
VALUES ($1, $2, 'order_new', 'v1', '{}', now())
"""
_KEY: Final = """
INSERT INTO inbox (key, received_at, answer) VALUES ($1, now(), '{}') ON CONFLICT DO NOTHING RETURNING key
"""
_MESSAGE: Final = """
INSERT INTO messages (id, notice_id, leg, person, channel, address_kind, address, state, created_at)
VALUES ($1, $2, 'chat', 'x', 'zalo', 'zalo_user', '1', 'waiting', now()) ON CONFLICT DO NOTHING
"""
_ATTEMPT: Final = """
INSERT INTO attempts (message_id, try, started_at, took, outcome) VALUES ($1, 1, now(), '1s', 'sent')
"""


async def test_a_service_of_before_serves_meanwhile(of_before: str) -> None:
    """Three connections place and tap while the schema changes under them, and afterwards; nothing fails."""
    stopped = asyncio.Event()
    connections = [await asyncpg.connect(of_before) for _ in range(3)]
    services = [ServiceOfBefore(connection) for connection in connections]
    serving = [asyncio.create_task(service.serve(stopped)) for service in services]
    try:
        await migrate(of_before)
        after = [service.rounds for service in services]
        await asyncio.sleep(0.3)
        stopped.set()
        await asyncio.gather(*serving)
        assert all(service.rounds > rounds for service, rounds in zip(services, after, strict=True))
        assert await pending_migrations(of_before) == []
        placed = 1 + sum(service.rounds for service in services)
        for table, count in (("events", 2 * placed - 1), ("messages", placed - 1), ("attempts", placed - 1)):
            assert await connections[0].fetchval(f"SELECT count(*) FROM {table}") == count  # noqa: S608
    finally:
        for connection in connections:
            await connection.close()


async def test_nobody_waits_behind_a_migration_that_waits(of_before: str) -> None:
    """Somebody reads for a long time: the migration lets the others pass, and is done once the reader is."""
    reader, writer = await asyncpg.connect(of_before), await asyncpg.connect(of_before)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT 1 FROM events")
    migrating_ = asyncio.create_task(migrate(of_before))
    service = ServiceOfBefore(writer)
    try:
        async with asyncio.timeout(20):
            for _ in range(3):
                await asyncio.sleep(0.2)
                await service.serve(_SET)
        assert not migrating_.done()
        await reading.rollback()
        await migrating_
    finally:
        await reader.close()
        await writer.close()
    assert await pending_migrations(of_before) == []


_SET: Final = asyncio.Event()
_SET.set()


async def test_a_migration_that_was_cut_short_is_finished_by_the_next(of_before: str) -> None:
    """What was done is not done again, and an index that was left half-built is built anew."""
    connection = await asyncpg.connect(of_before)
    try:
        sql, indexes = migrating.apart(migrating.statements_of(4))
        await migrating._once(connection, "schema_0004", sql)
        await connection.execute(indexes[0][1])
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", indexes[0][0]
        )
        await migrate(of_before)
        assert await connection.fetchval(migrating._IS_VALID, indexes[0][0]) is True
    finally:
        await connection.close()


async def test_two_machines_migrate_at_once(of_before: str) -> None:
    """One does it, the other waits and finds it done; not even the indexes stand in each other's way."""
    await asyncio.wait_for(asyncio.gather(*(_in_a_process(of_before) for _ in range(2))), 60)
    assert await pending_migrations(of_before) == []


async def _in_a_process(url: str) -> None:
    """Migrate in a process of its own: tortoise-orm's connections are one to a process."""
    code = "import asyncio, sys; from core.database import migrate; asyncio.run(migrate(sys.argv[1]))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", code, url)
    assert await process.wait() == 0


# --- rules for the next one -----------------------------------------------------------------------

#: What looks through or rewrites a table while nobody can use it, and what to do instead.
_LOCKING: Final = {
    r"ADD COLUMN \w+ \w+ NOT NULL(?! DEFAULT)": "give it a default, or let it be null",
    r"ADD COLUMN[^,;]* DEFAULT (?:clock_timestamp|gen_random_uuid|random)\(": "add it, then set its default",
    r"ALTER COLUMN \w+ (?:SET DATA )?TYPE": "add a column and fill it by a keeper",
    r"SET NOT NULL": "a CHECK that is NOT VALID, then VALIDATE",
    r"ADD (?:CONSTRAINT \w+ )?(?:CHECK|FOREIGN KEY)(?![^;]*NOT VALID)": "NOT VALID, then VALIDATE",
    r"ADD (?:CONSTRAINT \w+ )?UNIQUE": "a unique index, built concurrently",
    r"RENAME COLUMN|DROP COLUMN|DROP TABLE": "the version before still uses it: one release later",
    r"^\s*(?:UPDATE|DELETE FROM) ": "a keeper, in batches",
    r"\bVACUUM FULL\b|\bCLUSTER\b|\bREINDEX\b(?! .*CONCURRENTLY)": "never while serving",
    r"CREATE INDEX CONCURRENTLY": "write CREATE INDEX: on big tables it is built concurrently by itself",
}


def faults_of(sql: str) -> list[str]:
    """Return what would stand in the service's way, and what to do instead."""
    without_comments = re.sub(r"--.*", "", sql)
    flags = re.MULTILINE | re.IGNORECASE
    return [advice for found, advice in _LOCKING.items() if re.search(found, without_comments, flags)]


def files() -> list[str]:
    """Return the SQL files of migrations that are not released yet, or were written by these rules."""
    names = sorted(each.name for each in resources.files("core.migrations").iterdir())
    return [name for name in names if name.startswith("schema_") and int(name[7:11]) > _RELEASED]


@pytest.mark.parametrize("name", files())
def test_a_migration_stands_in_nobodys_way(name: str) -> None:
    """Expand now, contract one release later; nothing looks through a table under its lock."""
    assert faults_of(migrating.statements_of(int(name[7:11]))) == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN tip bigint NOT NULL;",
        "ALTER TABLE orders ADD COLUMN seen timestamptz DEFAULT clock_timestamp();",
        "ALTER TABLE orders ALTER COLUMN total TYPE numeric;",
        "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0);",
        "ALTER TABLE orders ADD UNIQUE (code);",
        "ALTER TABLE orders DROP COLUMN note;",
        "UPDATE orders SET note = '';",
    ],
    ids=["not null", "volatile", "type", "set not null", "check", "unique", "drop", "update"],
)
def test_one_that_does_is_refused(sql: str) -> None:
    """The test above would fail."""
    assert faults_of(sql)


def test_indexes_on_big_tables_are_built_apart() -> None:
    """On a table that the migration itself makes, or a small one, they are made at once."""
    sql, indexes = migrating.apart(
        "CREATE TABLE webhook_attempts (id bigint);\nCREATE INDEX a ON webhook_attempts (id);\n"
        "CREATE INDEX b ON orders (code)\n    WHERE code <> '';\nCREATE INDEX c ON partners (code);\n"
    )
    assert [name for name, _ in indexes] == ["b"]
    assert "INDEX a" in sql
    assert "INDEX c" in sql
    assert "INDEX b" not in sql
