"""The operators' console: where each page is and what it is called. Pure."""

from typing import Final

from bot.texts.catalogue import msg
from bot.web.nav import Place

#: On phones the first four stand at the bottom, the rest behind "Thêm".
PLACES: Final = (
    Place("/ops", msg("Bảng đơn"), "orders"),
    Place("/ops/items", msg("Việc cần xem"), "items"),
    Place("/ops/alarms", msg("Báo động"), "alarms"),
    Place("/ops/search", msg("Tìm"), "search"),
    Place("/ops/partners", msg("Quán"), "partners"),
    Place("/ops/platforms", msg("Nền tảng"), "platforms"),
    Place("/ops/audit", msg("Nhật ký"), "audit"),
    Place("/ops/settings", msg("Cài đặt"), "settings"),
)


def place_of(path: str) -> str:
    """Return the place that a page belongs to: an order's is the board's."""
    parts = path.split("/")[:3]
    wanted = "/".join(parts)
    return wanted if wanted in {place.path for place in PLACES} else "/ops"
