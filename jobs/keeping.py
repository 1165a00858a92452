"""The keepers of what grows: parts for the months to come, and what is too old."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from core import partitions
from core.database import Database
from core.keeping import Rules, keep
from core.settings import Settings

_log: Final = structlog.get_logger()
KEEP_EVERY: Final = timedelta(minutes=10)


async def keep_house(database: Database, settings: Settings) -> None:
    """Make parts ahead, forget customers and let go of what is too old; tells how many, never whose."""
    made = await partitions.keep_ahead(database)
    kept = await keep(database, Rules(settings.retain_messages, settings.mask_customers_after))
    if made or kept.masked or kept.rows or kept.parts:
        _log.info(
            "kept house", parts_made=made, parts_dropped=kept.parts, rows=kept.rows, customers=kept.masked
        )


@dataclass(slots=True)
class Housekeeper:
    """Keeps house every ten minutes of product time: at once, too, when somebody moves it on by a month."""

    database: Database
    settings: Settings
    _kept_at: datetime | None = None

    async def look(self) -> None:
        """Keep house if it is time; one that failed is not tried before its next time."""
        now = self.database.clock.now()
        if self._kept_at is not None and abs(now - self._kept_at) < KEEP_EVERY:
            return
        self._kept_at = now
        await keep_house(self.database, self.settings)
