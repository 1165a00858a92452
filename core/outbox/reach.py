"""What is known of an address on a channel: whether it worked, whether it failed, until when it is out.

All in product time. What failed is tried after what works for a day, then in its turn again; what is out
is not tried at all until then. Hearing from an address forgets its failures (`core.partners.addresses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.channels import Address, ChannelName
from core.database import Connection, Pool

#: How long an address that failed comes after those that work.
DOUBTED_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reached:
    """When messages last reached an address, when one last did not, and until when it is not tried."""

    worked_at: datetime | None
    failed_at: datetime | None
    out_until: datetime | None


async def failed(
    connection: Connection,
    channel: ChannelName,
    address: Address,
    why: str,
    *,
    now: datetime,
    out_for: timedelta | None = None,
) -> None:
    """Remember that a message did not reach this address, which with `out_for` is not tried for so long."""
    await connection.execute(
        _FAILED, channel.value, address.value, now, now + out_for if out_for else None, why
    )


async def worked(
    queryable: Connection | Pool, channel: ChannelName, values: Sequence[str], now: datetime
) -> None:
    """Remember that messages reached these addresses."""
    await queryable.execute(_WORKED, channel.value, sorted(set(values)), now)


async def known(
    queryable: Connection | Pool, values: Sequence[str]
) -> dict[tuple[ChannelName, str], Reached]:
    """Return what is known of these addresses, by channel and address."""
    rows = await queryable.fetch(_KNOWN, list(values))
    return {
        (ChannelName(row["channel"]), row["address"]): Reached(
            row["worked_at"], row["failed_at"], row["out_until"]
        )
        for row in rows
    }


_KNOWN: Final = """
SELECT channel, address, worked_at, failed_at, out_until FROM reach WHERE address = ANY($1::text[])
"""
_FAILED: Final = """
INSERT INTO reach (channel, address, failed_at, out_until, why) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (channel, address) DO UPDATE
    SET failed_at = $3, out_until = greatest(reach.out_until, excluded.out_until), why = $5
"""
_WORKED: Final = """
INSERT INTO reach (channel, address, worked_at) SELECT $1, value, $3 FROM unnest($2::text[]) value
ON CONFLICT (channel, address) DO UPDATE SET worked_at = $3, failed_at = NULL, out_until = NULL, why = NULL
    WHERE reach.worked_at IS NULL OR reach.failed_at IS NOT NULL OR reach.worked_at < $3 - interval '1 hour'
"""
