"""What operators do to platforms: change them, renew their keys, switch their webhooks off and on.

Each deed is written down in its own transaction (`core/audit.py`). Times are product time.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core import audit
from core.database import Connection, Database, Row
from core.errors import NotFound, RuleError
from core.orders.events import Json
from core.partners.addresses import Queryable
from core.partners.partners import NONE, Nothing
from core.platforms.platforms import Scope, hash_of, new_api_key, new_webhook_secret
from core.platforms.public_addresses import check_webhook_url
from core.platforms.webhook_log import Operator

#: How long the key or secret of before is good at most, beside the new one.
LONGEST_KEEP: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PlatformState:
    """A platform as operators see it: nothing of its keys, but until when the ones of before are good."""

    id: UUID
    name: str
    webhook_url: str | None
    scope: Scope
    notify_customer: bool
    ask_review: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    secret_before_until: datetime | None
    api_key_before_until: datetime | None


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """What is to be different. None leaves a part as it is; `NONE` takes the address away."""

    webhook_url: str | Nothing | None = None
    scope: Scope | None = None
    notify_customer: bool | None = None
    ask_review: bool | None = None


async def listed(database: Database) -> list[PlatformState]:
    """Return all platforms by name."""
    now = database.clock.now()
    return [_state(row, now) for row in await database.pool.fetch(f"{_READ} ORDER BY name")]


async def named(database: Database, name: str) -> PlatformState:
    """Return a platform by its name. Raises NotFound("no_such_platform")."""
    return _state(await _found(database.pool, name), database.clock.now())


async def change(
    database: Database, name: str, changed: PlatformChange, *, by: Operator, allow_private: bool = False
) -> PlatformState:
    """Change a platform. What waits for it goes to its new address; without one it waits on.

    Raises NotFound("no_such_platform"), RuleError("webhook_url_refused").
    """
    if isinstance(changed.webhook_url, str):
        await check_webhook_url(changed.webhook_url, allow_private=allow_private)
    values = _values(changed)
    async with _deed(database, name, "platform.changed", by, data=_told(values)) as (connection, platform_id):
        for column, value in values.items():
            await connection.execute(
                f"UPDATE platforms SET {column} = $2 WHERE id = $1",  # noqa: S608 - a column of ours
                platform_id,
                value,
            )
    return await named(database, name)


async def disable(database: Database, name: str, *, reason: str, by: Operator) -> PlatformState:
    """Send a platform nothing more; what it is owed waits. Raises NotFound("no_such_platform")."""
    now = database.clock.now()
    async with _deed(database, name, "platform.disabled", by, reason=reason) as (connection, platform_id):
        await connection.execute(
            "UPDATE platforms SET disabled_at = $2, disabled_why = $3 WHERE id = $1", platform_id, now, reason
        )
    return await named(database, name)


async def enable(database: Database, name: str, *, by: Operator) -> PlatformState:
    """Send a platform what it is owed, from now on and each by a new schedule.

    Raises NotFound("no_such_platform").
    """
    now = database.clock.now()
    async with _deed(database, name, "platform.enabled", by) as (connection, platform_id):
        await connection.execute(_ENABLE, platform_id)
        await connection.execute(_NOW, platform_id, now)
    return await named(database, name)


async def renew_secret(database: Database, name: str, *, keep: timedelta, by: Operator) -> str:
    """Return a new webhook secret, which cannot be read again; for `keep` the one before signs as well.

    Raises NotFound("no_such_platform"), RuleError("keep_too_long").
    """
    secret = new_webhook_secret()
    until = _until(database, keep)
    async with _deed(database, name, "platform.secret_renewed", by) as (connection, platform_id):
        await connection.execute(_ANOTHER_TO_SIGN, platform_id, secret, until)
    return secret


async def renew_key(database: Database, name: str, *, keep: timedelta, by: Operator) -> str:
    """Return a new API key, which cannot be read again; the one before is good for as long as `keep`.

    Raises NotFound("no_such_platform"), RuleError("keep_too_long").
    """
    key = new_api_key()
    until = _until(database, keep)
    async with _deed(database, name, "platform.key_renewed", by) as (connection, platform_id):
        await connection.execute(_ANOTHER_KEY, platform_id, hash_of(key), until)
    return key


def _until(database: Database, keep: timedelta) -> datetime:
    if keep > LONGEST_KEEP:
        raise RuleError("keep_too_long", days=LONGEST_KEEP.days)
    return database.clock.now() + keep


@asynccontextmanager
async def _deed(
    database: Database,
    name: str,
    deed: str,
    by: Operator,
    *,
    reason: str = "",
    data: Mapping[str, Json] = MappingProxyType({}),
) -> AsyncIterator[tuple[Connection, UUID]]:
    """Hold the platform's row, and write the deed down when the block ends well."""
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        row = await _found(connection, name, "FOR NO KEY UPDATE")
        yield connection, row["id"]
        await audit.record(
            connection,
            who=by.who,
            via=by.via,
            deed=deed,
            about=row["name"],
            about_id=row["id"],
            reason=reason,
            now=database.clock.now(),
            data=data,
        )


async def _found(queryable: Queryable, name: str, lock: str = "") -> Row:
    row = await queryable.fetchrow(f"{_READ} WHERE name = $1 {lock}", name)
    if row is None:
        raise NotFound("no_such_platform", name=name)
    return row


def _values(changed: PlatformChange) -> dict[str, str | bool | None]:
    given: dict[str, str | bool | Nothing | None] = {
        "webhook_url": changed.webhook_url,
        "scope": changed.scope.value if changed.scope else None,
        "notify_customer": changed.notify_customer,
        "ask_review": changed.ask_review,
    }
    return {
        column: None if isinstance(value, Nothing) else value
        for column, value in given.items()
        if value is not None
    }


def _told(values: Mapping[str, str | bool | None]) -> dict[str, Json]:
    """Return what was changed, for the record; an address may carry a secret in its path or query."""
    return {column: value if column != "webhook_url" else bool(value) for column, value in values.items()}


def _state(row: Row, now: datetime) -> PlatformState:
    return PlatformState(
        id=row["id"],
        name=row["name"],
        webhook_url=row["webhook_url"],
        scope=Scope(row["scope"]),
        notify_customer=row["notify_customer"],
        ask_review=row["ask_review"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        disabled_why=row["disabled_why"],
        secret_before_until=_ahead(row["secret_before_until"], now),
        api_key_before_until=_ahead(row["api_key_before_until"], now),
    )


def _ahead(until: datetime | None, now: datetime) -> datetime | None:
    return until if until and until > now else None


_READ: Final = """
SELECT id, name, webhook_url, scope, notify_customer, ask_review, created_at, disabled_at, disabled_why,
    secret_before_until, api_key_before_until FROM platforms
"""
_ENABLE: Final = "UPDATE platforms SET disabled_at = NULL, disabled_why = NULL WHERE id = $1"
_NOW: Final = """
UPDATE webhooks SET next_at = $2, tries = 0 WHERE id IN (
    SELECT id FROM webhooks WHERE platform_id = $1 AND state = 'waiting' ORDER BY id FOR NO KEY UPDATE
)
"""
_ANOTHER_TO_SIGN: Final = """
UPDATE platforms SET secret_before = webhook_secret, secret_before_until = $3, webhook_secret = $2
WHERE id = $1
"""
_ANOTHER_KEY: Final = """
UPDATE platforms SET api_key_hash_before = api_key_hash, api_key_before_until = $3, api_key_hash = $2
WHERE id = $1
"""

__all__ = [
    "LONGEST_KEEP",
    "NONE",
    "PlatformChange",
    "PlatformState",
    "change",
    "disable",
    "enable",
    "listed",
    "named",
    "renew_key",
    "renew_secret",
]
