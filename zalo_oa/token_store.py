"""The token pair among the service's sealed values: the store that `credentials` asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from core.secrets import SealedRow, Secrets
from zalo_oa.client import TokenPair


class _Kept(msgspec.Struct):
    """A pair as it is kept; `life` in seconds."""

    access: str
    refresh: str
    obtained_at: datetime
    life: float


_kept: Final = msgspec.json.Decoder(_Kept)


@dataclass(frozen=True, slots=True)
class _Held:
    """The pair, while its row is locked."""

    pair: TokenPair | None
    row: SealedRow

    async def save(self, pair: TokenPair) -> None:
        """Set the pair; it is committed when the lock is left."""
        await self.row.write(_written(pair))


class SealedTokens:
    """Keeps the pair of one Official Account."""

    def __init__(self, secrets: Secrets, oa_id: str) -> None:
        self._secrets = secrets
        self._name = f"zalo tokens {oa_id}"

    async def load(self) -> TokenPair | None:
        """Return the stored pair without waiting for a lock."""
        return _read(await self._secrets.read(self._name))

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[_Held]:
        """Hold the pair against every other process until the block is left."""
        async with self._secrets.locked(self._name) as row:
            yield _Held(_read(await row.read()), row)


def _written(pair: TokenPair) -> str:
    kept = _Kept(pair.access, pair.refresh, pair.obtained_at, pair.life.total_seconds())
    return msgspec.json.encode(kept).decode()


def _read(text: str | None) -> TokenPair | None:
    if text is None:
        return None
    kept = _kept.decode(text)
    return TokenPair(kept.access, kept.refresh, kept.obtained_at, timedelta(seconds=kept.life))
