"""How the wall writes times, money and status: the way a kitchen reads them."""

import re
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")

_DAYS: Final = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

# A status is never colour alone: a word, and a shape that goes with it.
STATUSES: Final = {
    "pending": ("Chờ xác nhận", "◔"),
    "confirmed": ("Đã xác nhận", "●"),
    "completed": ("Hoàn thành", "✔"),
    "cancelled": ("Huỷ", "✕"),
    "expired": ("Quá hạn xác nhận", "▲"),
}

EVENTS: Final = {
    "order.placed": "Đơn mới",
    "order.changed": "Đơn đổi",
    "order.confirmed": "Đã xác nhận",
    "order.cancelled": "Đã huỷ",
    "order.expired": "Quá hạn",
    "order.completed": "Hoàn thành",
    "order.reviewed": "Có đánh giá",
}


def hour(moment: datetime) -> str:
    """Return 11:30."""
    return f"{moment.astimezone(ZONE):%H:%M}"


def day(moment: datetime) -> str:
    """Return thứ Ba 24/11/2026."""
    here = moment.astimezone(ZONE)
    return f"{_DAYS[here.weekday()]} {here:%d/%m/%Y}"


def short_day(moment: datetime, now: datetime) -> str:
    """Return Hôm nay, or the day."""
    return "Hôm nay" if moment.astimezone(ZONE).date() == now.astimezone(ZONE).date() else day(moment)


def when(text: object) -> str:
    """Return 11:30 thứ Ba 24/11 for an RFC 3339 timestamp, nothing for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    here = moment.astimezone(ZONE)
    return f"{here:%H:%M} {_DAYS[here.weekday()]} {here:%d/%m}"


def money(dong: object) -> str:
    """Return 2.400.000 đ."""
    if not isinstance(dong, int):
        return ""
    return f"{dong:,} đ".replace(",", ".")


def portions(order: dict[str, Any]) -> str:
    """Return the dishes in one line: 20 × Cơm gà, 10 × Trà đá."""
    items = order.get("items") or []
    return ", ".join(f"{item.get('quantity', '')} × {item.get('name', '')}" for item in items)


def linked(text: str) -> Markup:
    """Return the text with its web addresses as links that open in a new tab."""
    parts: list[Markup] = []
    at = 0
    for found in _ADDRESS.finditer(text):
        parts += [escape(text[at : found.start()]), _anchor(found.group())]
        at = found.end()
    return Markup().join([*parts, escape(text[at:])])


def _anchor(address: str) -> Markup:
    return Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(address, address)
