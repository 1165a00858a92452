"""Receipts: a gateway tells how far messages of ours came."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from core.channels import ChannelName, Receipt, ReceiptKind
from core.clock import real_now
from core.database import Database
from core.outbox import reach

_RANK: Final = {ReceiptKind.FAILED: 1, ReceiptKind.DELIVERED: 2, ReceiptKind.SEEN: 3}


#: How long a receipt that names a message as only the gateway does yet is kept. Real time.
_KEPT_FOR: Final = timedelta(minutes=2)


async def receipt(database: Database, channel: ChannelName, told: Receipt) -> int:
    """Take down how far messages came; only ever forward. Returns how many messages it moved.

    One that failed is handed to the next channel at the next look at what is due. A gateway's webhook
    can be faster than we are at writing down its name for a message: what names none is kept a while.
    """
    moved = await _take_down(database, channel, told)
    if not moved and told.ids:
        ids = list(told.ids)
        await database.pool.execute(_KEEP, channel.value, ids, told.kind.value, told.dong, real_now())
    return moved


async def take_early(database: Database) -> int:
    """Try again the receipts that came before we knew their messages; return how many found theirs."""
    rows = await database.pool.fetch("SELECT * FROM early_receipts")
    found = 0
    for row in rows:
        told = Receipt(ReceiptKind(row["kind"]), ids=(row["gateway_id"],), dong=row["dong"])
        found += await _take_down(database, ChannelName(row["channel"]), told)
    await database.pool.execute(_FORGET, [row["id"] for row in rows], real_now() - _KEPT_FOR)
    return found


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


_KEEP: Final = """
INSERT INTO early_receipts (channel, gateway_id, kind, dong, at)
SELECT $1, name, $3, $4, $5 FROM unnest($2::text[]) name ON CONFLICT DO NOTHING
"""
# Of those that were looked at: what has its message by now, or will have none.
_FORGET: Final = """
DELETE FROM early_receipts e WHERE id = ANY($1::bigint[]) AND (at < $2 OR EXISTS (
    SELECT 1 FROM messages m WHERE m.channel = e.channel AND m.gateway_id = e.gateway_id))
"""
_RECEIPT: Final = """
WITH moved AS (
    UPDATE messages SET receipt = $4,
        state = CASE WHEN $5 >= 2 AND state IN ('waiting', 'unclear') THEN 'sent'
            WHEN $5 = 1 AND state = 'sent' THEN 'unclear' ELSE state END,
        next_at = CASE WHEN $5 >= 2 AND state IN ('waiting', 'unclear') THEN NULL
            WHEN $5 = 1 AND state IN ('sent', 'unclear') THEN $7::timestamptz ELSE next_at END
    WHERE channel = $1 AND (gateway_id = ANY($2::text[]) OR id = ANY($3::uuid[])) AND carrier_id IS NULL
        AND coalesce(array_position(ARRAY['failed', 'delivered', 'seen'], receipt), 0) < $5
    RETURNING id, address
), carried AS (
    UPDATE messages m SET receipt = $4,
        state = CASE WHEN $5 >= 2 AND m.state IN ('waiting', 'unclear') THEN 'sent' ELSE m.state END
    FROM moved WHERE m.carrier_id = moved.id
), charged AS (
    UPDATE attempts a SET cost = $6::integer FROM moved
    WHERE a.message_id = moved.id AND $6::integer IS NOT NULL AND a.outcome IN ('sent', 'unclear')
)
SELECT address FROM moved
"""
