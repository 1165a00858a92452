"""Sealed named values that several processes share, such as a gateway's tokens; changed under a row lock."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from core.clock import real_now
from core.database import Connection, Database

_LOCK: Final = """
INSERT INTO secrets (name, updated_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
"""


class SealedRow:
    """One named value, with its row locked until the block ends."""

    def __init__(self, connection: Connection, seal: Fernet, name: str) -> None:
        self._connection = connection
        self._seal = seal
        self._name = name

    async def read(self) -> str | None:
        """Return the value as it is now under the lock, or None when there is none."""
        sealed = await self._connection.fetchval("SELECT sealed FROM secrets WHERE name = $1", self._name)
        return _open(self._seal, sealed)

    async def write(self, value: str) -> None:
        """Set the value; it is committed when the block ends without an error."""
        await self._connection.execute(
            "UPDATE secrets SET sealed = $2, updated_at = $3 WHERE name = $1",
            self._name,
            self._seal.encrypt(value.encode()),
            real_now(),
        )


class Secrets:
    """Reads and changes sealed values. `key` is the service's secret key."""

    def __init__(self, database: Database, key: str) -> None:
        self._database = database
        digest = hashlib.sha256(b"chotdon sealed values " + key.encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(digest))

    async def read(self, name: str) -> str | None:
        """Return a value without locking it, or None when there is none or it was sealed by another key."""
        sealed = await self._database.pool.fetchval("SELECT sealed FROM secrets WHERE name = $1", name)
        return _open(self._seal, sealed)

    @asynccontextmanager
    async def locked(self, name: str, *, wait: float = 10) -> AsyncIterator[SealedRow]:
        """Hold the row of `name` so that one process at a time changes it; waits up to `wait` seconds."""
        async with self._database.pool.acquire() as connection:
            await connection.execute(_LOCK, name, real_now())
            async with connection.transaction(isolation="read_committed"):
                await connection.execute(f"SET LOCAL lock_timeout = '{int(wait * 1000)}ms'")
                await connection.execute("SELECT 1 FROM secrets WHERE name = $1 FOR UPDATE", name)
                yield SealedRow(connection, self._seal, name)


def _open(seal: Fernet, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    try:
        return seal.decrypt(sealed).decode()
    except InvalidToken:
        return None
