"""Receipts: a gateway tells how far messages of ours came."""

import asyncio
from typing import Final
from uuid import UUID

from core.channels import ChannelName, Receipt, ReceiptKind
from core.database import Database
from core.outbox import reach

_RANK: Final = {ReceiptKind.FAILED: 1, ReceiptKind.DELIVERED: 2, ReceiptKind.SEEN: 3}


#: A gateway's webhook can be faster than we are at writing down its name for a message.
_LOOK_AGAIN_AFTER: Final = 0.5


async def receipt(database: Database, channel: ChannelName, told: Receipt) -> int:
    """Take down how far messages came; only ever forward. Returns how many messages it moved.

    One that failed is handed to the next channel at the next look at what is due.
    Where it moves none it looks once more half a second later.
    """
    moved = await _take_down(database, channel, told)
    if moved:
        return moved
    await asyncio.sleep(_LOOK_AGAIN_AFTER)
    return await _take_down(database, channel, told)


async def _take_down(database: Database, channel: ChannelName, told: Receipt) -> int:
    now = database.clock.now()
    keys = [UUID(key) for key in told.keys if _is_uuid(key)]
    rows = await database.pool.fetch(
        _RECEIPT, channel.value, list(told.ids), keys, told.kind.value, _RANK[told.kind], told.dong, now
    )
    if rows and told.kind is not ReceiptKind.FAILED:
        await reach.worked(database.pool, channel, [row["address"] for row in rows], now)
    return len(rows)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


_RECEIPT: Final = """
WITH moved AS (
    UPDATE messages SET receipt = $4,
        state = CASE WHEN $5 >= 2 AND state = 'unclear' THEN 'sent'
            WHEN $5 = 1 AND state = 'sent' THEN 'unclear' ELSE state END,
        next_at = CASE WHEN $5 >= 2 AND state = 'unclear' THEN NULL
            WHEN $5 = 1 AND state IN ('sent', 'unclear') THEN $7::timestamptz ELSE next_at END
    WHERE channel = $1 AND (gateway_id = ANY($2::text[]) OR id = ANY($3::uuid[])) AND carrier_id IS NULL
        AND coalesce(array_position(ARRAY['failed', 'delivered', 'seen'], receipt), 0) < $5
    RETURNING id, address
), carried AS (
    UPDATE messages m SET receipt = $4,
        state = CASE WHEN $5 >= 2 AND m.state = 'unclear' THEN 'sent' ELSE m.state END
    FROM moved WHERE m.carrier_id = moved.id
), charged AS (
    UPDATE attempts a SET cost = $6::integer FROM moved
    WHERE a.message_id = moved.id AND $6::integer IS NOT NULL AND a.outcome IN ('sent', 'unclear')
)
SELECT address FROM moved
"""
