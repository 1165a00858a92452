"""The anchor: PostgreSQL's own pgbench writes the rows that a tap writes, one statement a table.

The rows are those that the product has just written for a real tap, read back from the database: as
many of each table, with the same content, sent by the client each time as a client would have to.
"""

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from bench.stage import Failed
from bench.town import RowKind
from core.database import Database

_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY: Final = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
_FAILED: Final = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


def find() -> Path | None:
    """Return where pgbench is, or None where it is not installed."""
    on_path = shutil.which("pgbench")
    found = [on_path] if on_path else sorted(glob("/usr/lib/postgresql/*/bin/pgbench"))  # noqa: PTH207
    return Path(found[-1]) if found else None


@dataclass(frozen=True, slots=True)
class Script:
    """A pgbench script with the values it sends."""

    text: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Anchor:
    """How fast pgbench was."""

    tps: float
    latency_ms: float


async def script_like(database: Database, order_id: UUID) -> Script:
    """Return a script that writes what the tap on this order wrote, each time for another order."""
    writer = _Writer()
    for table, query in _WRITTEN.items():
        rows = await database.pool.fetch(query, order_id)
        writer.add(table, [dict(row) for row in rows])
    return writer.script()


#: What a tap wrote, table by table. Columns named here are sent as they are.
_WRITTEN: Final = {
    "inbox": "SELECT answer FROM inbox WHERE answer->>'order_id' = $1::uuid::text",
    "orders": "SELECT status, version, revision, status_changed_by FROM orders WHERE id = $1",
    "events": "SELECT version, type, by, data, snapshot FROM events WHERE order_id = $1 AND version = 2",
    "notices": "SELECT kind, revision, data FROM notices WHERE order_id = $1 AND state = 'owed' ORDER BY id",
    "webhooks": "SELECT version, platform_id FROM webhooks WHERE order_id = $1 AND state = 'waiting'",
    "timers": "SELECT kind, step, due_at FROM timers WHERE order_id = $1 AND state = 'live' ORDER BY id",
}


class _Writer:
    """Puts the statements together and gathers the values they send."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._statements: dict[str, str] = {}

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write these rows; an order's is changed, not inserted."""
        if not rows:
            raise Failed(f"the tap wrote nothing into {table}: there is nothing to compare with")
        sent = [
            {name: self._send(table, n, name, value) for name, value in row.items()}
            for n, row in enumerate(rows)
        ]
        self._statements[table] = _update(sent[0]) if table == "orders" else _insert(table, sent)

    def _send(self, table: str, number: int, name: str, value: Any) -> str:
        """Return the place of a value in a statement."""
        variable = f"{table}_{number}_{name}"
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
        self._values[variable] = text
        return f":{variable}{_CASTS.get(name, '')}"

    def script(self) -> Script:
        """Return the transaction."""
        wrote = self._statements
        order = ["inbox", "orders", "events", "notices", "webhooks"]
        lines = [
            r"\set i :i + 1",
            r"\set n :first + :client_id * :count + :i - 1",
            "BEGIN;",
            *(wrote[table] for table in order),
            _KILL_TIMERS,
            wrote["timers"],
            "COMMIT;",
        ]
        return Script("\n".join(lines) + "\n", self._values)


_ORDER_ID: Final = f"bench_id({RowKind.ORDER}, :n)"
_EVENT_ID: Final = f"bench_id({RowKind.PGBENCH_EVENT}, :n)"
_KILL_TIMERS: Final = f"UPDATE timers SET state = 'dead' WHERE order_id = {_ORDER_ID} AND state = 'live';"  # noqa: S608
_CASTS: Final = {
    "answer": "::jsonb",
    "by": "::jsonb",
    "data": "::jsonb",
    "snapshot": "::jsonb",
    "status_changed_by": "::jsonb",
    "version": "::int",
    "revision": "::int",
    "platform_id": "::uuid",
    "due_at": "::timestamptz",
}
#: By table, the columns that are the row's own.
_OWN: Final = {
    "inbox": {"key": "'pgbench ' || :n::text", "received_at": "now()"},
    "events": {"id": _EVENT_ID, "order_id": _ORDER_ID, "at": "now()"},
    "notices": {"id": "uuidv7()", "order_id": _ORDER_ID, "owed_at": "now()"},
    "webhooks": {"id": "uuidv7()", "event_id": _EVENT_ID, "order_id": _ORDER_ID, "next_at": "now()"},
    "timers": {"id": "uuidv7()", "order_id": _ORDER_ID, "state": "'live'"},
}


def _update(sent: Mapping[str, str]) -> str:
    changes = ", ".join(f"{name} = {value}" for name, value in sent.items())
    own = "updated_at = now(), status_changed_at = now(), changed_in = pg_current_xact_id()"
    return f"UPDATE orders SET {changes}, {own} WHERE id = {_ORDER_ID};"  # noqa: S608  (names of columns)


def _insert(table: str, sent: Sequence[Mapping[str, str]]) -> str:
    own = dict(_OWN[table])
    if table == "notices":
        own["occasion"] = "'pgbench'"
    names = ", ".join([*own, *sent[0]])
    rows = ", ".join(f"({', '.join([*own.values(), *row.values()])})" for row in sent)
    return f"INSERT INTO {table} ({names}) VALUES {rows} ON CONFLICT DO NOTHING;"  # noqa: S608


async def run(
    program: Path,
    script: Script,
    *,
    folder: Path,
    database_url: str,
    first: int,
    count: int,
    clients: int,
    within: float,
) -> Anchor:
    """Run the script once for each of `count` orders from `first` on; `count` is a multiple of `clients`."""
    file = folder / "tap.pgbench"
    file.write_text(script.text)
    url = urlsplit(database_url)
    values = {**script.values, "i": "0", "first": str(first), "count": str(count // clients)}
    process = await asyncio.create_subprocess_exec(
        program,
        *("--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(2, clients)}"),
        *(f"--transactions={count // clients}", f"--file={file}"),
        *(f"--define={name}={value}" for name, value in values.items()),
        *(f"--host={url.hostname}", f"--port={url.port}", f"--username={url.username}", url.path[1:]),
        env={"PGPASSWORD": url.password or "", "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), within)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(output.decode(), errors.decode())


def _read(output: str, errors: str) -> Anchor:
    tps, latency, failed = _TPS.search(output), _LATENCY.search(output), _FAILED.search(output)
    if not tps or not latency or (failed and int(failed[1])) or "aborted" in errors:
        raise Failed(f"pgbench: {errors.strip()[-2000:]} {output.strip()[-500:]}")
    return Anchor(float(tps[1]), float(latency[1]))
