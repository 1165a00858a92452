"""The column that tells what just happened, one line a hop."""

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from sandbox.feed import Feed

_SHOWN: Final = 80

# Where a hop happened, and the sign that stands for it.
PLACES: Final = {
    "zalo": ("Zalo", "Z"),
    "telegram": ("Telegram", "T"),
    "sms": ("SMS", "S"),
    "mail": ("Thư", "@"),
    "platform": ("Nền tảng", "P"),
    "clock": ("Đồng hồ", "◷"),
}


class HopList:
    """Every hop, the newest first."""

    key = "hops"
    label = "Diễn biến"
    hears = ("",)

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def view(self, query: Mapping[str, str]) -> dict[str, object]:
        """Return the newest hops with the place each one happened at."""
        hops = self._feed.hops[-_SHOWN:][::-1]
        places = [PLACES.get(hop.kind.partition(".")[0], (hop.kind, "•")) for hop in hops]
        return {"hops": list(zip(hops, places, strict=True))}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return nothing: there is nothing to press here."""
        return []
