"""A kitchen takes no new orders for a while. Open orders stay as they are.

Platforms are told by webhook (`partner.paused`, `partner.resumed`), the kitchen's people by a notice, all
but the one who did it: each change once, together with the change.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from core.database import Connection, Database
from core.orders.order import By
from core.partners import partners, pauses
from core.partners.partners import Partner
from core.partners.pauses import Written
from core.waking import Wake, wake_worker

_AT_ONCE: Final = 100


async def pause(
    database: Database, partner_id: UUID, until: datetime, *, by: By, wake: Wake | None = None
) -> Partner:
    """Let a kitchen take no new orders until a moment (aware); again with another moment moves the end.

    Without `wake` the sweep finds what is owed because of it. Raises RuleError("paused_until_past"),
    NotFound("no_such_partner").
    """
    now = database.clock.now()
    return await _changed(
        database,
        partner_id,
        lambda connection: pauses.begin(connection, partner_id, until, by=by, now=now),
        wake,
    )


async def resume(database: Database, partner_id: UUID, *, by: By, wake: Wake | None = None) -> Partner:
    """Let a kitchen take orders again; nothing happens where it does. Raises NotFound("no_such_partner")."""
    now = database.clock.now()
    return await _changed(
        database, partner_id, lambda connection: pauses.finish(connection, partner_id, by=by, now=now), wake
    )


async def end_due(database: Database) -> int:
    """End the pauses that are over by now; return how many. Whoever is at one already does it."""
    now, ended = database.clock.now(), 0
    for row in await database.pool.fetch(_OVER, now, _AT_ONCE):
        async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            written = await pauses.finish_if_over(connection, row["id"], now=now)
        ended += bool(written.notices)
    return ended


async def _changed(
    database: Database,
    partner_id: UUID,
    change: Callable[[Connection], Awaitable[Written]],
    wake: Wake | None,
) -> Partner:
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        written = await change(connection)
        partner = await partners.by_id(connection, partner_id)
    if wake:
        await wake_worker(wake, written.notices, written.webhooks)
    return partner


_OVER: Final = """
SELECT id FROM partners WHERE paused_until IS NOT NULL AND paused_until <= $1 ORDER BY paused_until LIMIT $2
"""
