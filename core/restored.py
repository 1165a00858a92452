"""A database that was restored into another cluster, brought into order.

Who pages forward through orders and events sees rows of transactions that are over (`changed_in`,
`made_in`). A new cluster counts its transactions from the start: rows of the old one seem to lie
ahead, and would stay hidden until it has counted as far.
"""

from typing import Final

from core.database import Database

_WITHIN: Final = 6 * 3600.0
#: The first transaction of any cluster: long over.
_FIRST: Final = "3"
_COLUMNS: Final = {"orders": "changed_in", "events": "made_in", "partner_events": "made_in"}


async def set_right(database: Database) -> dict[str, int]:
    """Let every row be of a transaction that is over; return how many lay ahead, by table.

    To be called once after a restore, before the service starts; again it finds nothing.
    """
    found: dict[str, int] = {}
    for table, column in _COLUMNS.items():
        status = await database.pool.execute(
            f"UPDATE {table} SET {column} = '{_FIRST}'::xid8 WHERE {column} >= pg_current_xact_id()",  # noqa: S608
            timeout=_WITHIN,
        )
        found[table] = int(status.split()[-1])
    return found
