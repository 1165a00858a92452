"""One number that grows whenever the board may look otherwise: looked for once for all who watch it."""

from typing import Final

from core.partners.addresses import Queryable


async def version(queryable: Queryable) -> int:
    """Return the number. Each of its parts only grows, and each is the end of an index."""
    return int(await queryable.fetchval(_VERSION))


_VERSION: Final = """
SELECT coalesce((SELECT made_in::text::bigint FROM events WHERE made_in IS NOT NULL
                  ORDER BY events.made_in DESC LIMIT 1), 0)
     + coalesce((SELECT max(id) FROM attempts), 0)
     + coalesce((SELECT max(id) FROM webhook_attempts), 0)
     + coalesce((SELECT max(id) FROM alarms_over), 0)
     + coalesce((SELECT max(id) FROM audit), 0)
"""
