"""Cards to be mailed in tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.channels import Badge, Block, BlockRole, Button, ButtonStyle, CalendarEntry, Card

MORNING = datetime(2026, 11, 24, 1, 10, tzinfo=UTC)
ORDER = "01234567-89ab-cdef-0123-456789abcdef"
PAGE = "https://chotdon.example/o/abc"


def rice(**changes: Any) -> Card:
    """Return the card of a new order."""
    card = Card(
        kind="order_new",
        locale="vi",
        title="Đơn mới, cần xác nhận",
        short="48273",
        badge=Badge("pending", "Chờ xác nhận", "48273"),
        blocks=(
            Block(BlockRole.WHEN, ("11:30 thứ Ba 24/11", "còn 3 giờ 20 phút"), "Giao lúc"),
            Block(BlockRole.AMOUNT, ("40 suất · 2.400.000 đ",)),
            Block(BlockRole.DISHES, ("20 × Cơm gà", "20 × Cơm sườn <ít cay> & 'nước mắm'")),
            Block(BlockRole.WHERE, ("12 Lê Lợi, Quận 1, TP.HCM",), "Giao đến"),
        ),
        buttons=(
            Button("Xác nhận đơn hàng", url=f"{PAGE}?a=1&b=2#confirm", style=ButtonStyle.PRIMARY),
            Button("Huỷ đơn hàng", url=f"{PAGE}#cancel", style=ButtonStyle.DANGER),
            Button("Gọi tổng đài", phone="19001234"),
            Button("Xem chi tiết đơn hàng", url=PAGE),
        ),
        thread=ORDER,
    )
    return replace(card, **changes)


def delivery(**changes: Any) -> CalendarEntry:
    """Return the order's delivery for a calendar."""
    entry = CalendarEntry(
        uid=f"order-{ORDER}@chotdon.example",
        starts_at=datetime(2026, 11, 24, 4, 30, tzinfo=UTC),
        summary="Giao đơn 48273",
        location="12 Lê Lợi, Quận 1",
        sequence=2,
    )
    return replace(entry, **changes)
