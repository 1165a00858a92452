"""A kitchen's quiet hours: what can wait is not told then. Pure; times are the partner's."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one time of the day to another, over midnight where `ends` is not later than `begins`."""

    begins: time
    ends: time
    zone: ZoneInfo

    def over_at(self, now: datetime) -> datetime:
        """Return when it is loud again: `now` itself outside the quiet hours."""
        local = now.astimezone(self.zone)
        today = local.replace(hour=self.ends.hour, minute=self.ends.minute, second=0, microsecond=0)
        at = local.time()
        if self.begins < self.ends:
            return today if self.begins <= at < self.ends else now
        if at < self.ends:
            return today
        return today + timedelta(days=1) if at >= self.begins else now


#: When customers are not asked for anything.
_NIGHT_BEGINS: Final = time(21)
_NIGHT_ENDS: Final = time(8)


def night(zone: ZoneInfo) -> Quiet:
    """Return the hours in which no customer is asked for anything."""
    return Quiet(_NIGHT_BEGINS, _NIGHT_ENDS, zone)
