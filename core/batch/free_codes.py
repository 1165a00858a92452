"""Setting aside a partner's codes that no order uses."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.database import Connection
from core.orders.codes import CODES, code_at

#: A code rests this long after its order's final status.
CODE_RESTS: Final = timedelta(days=30)
_AT_ONCE: Final = 64


async def free_codes(
    connection: Connection, partner_id: UUID, *, drawn: int, count: int, key: bytes, now: datetime
) -> tuple[list[str], int]:
    """Return up to `count` free codes and how far the partner's counter has come; the partner is locked."""
    free: list[str] = []
    looked, counter = 0, drawn
    while len(free) < count and looked < CODES:
        step = min(max(_AT_ONCE, count), CODES - looked)
        codes = [code_at((drawn + looked + n) % CODES, key=key, partner_id=partner_id) for n in range(step)]
        taken = set(await connection.fetchval(_TAKEN, partner_id, codes, now - CODE_RESTS) or ())
        for n, code in enumerate(codes):
            if code not in taken and len(free) < count:
                free.append(code)
                counter = (drawn + looked + n + 1) % CODES
        looked += step
    return free, counter


_TAKEN: Final = """
SELECT array_agg(code) FROM orders
WHERE partner_id = $1 AND code = ANY($2::text[]) AND (final_at IS NULL OR final_at > $3)
"""
