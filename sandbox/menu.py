"""Orders such as a platform in Vietnam really gets: dishes, customers, notes, sizes, delivery times."""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Dish:
    """Something a kitchen cooks; the price is in đồng."""

    name: str
    unit_price: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who orders lunch for others."""

    name: str
    phone: str
    email: str
    address: str


MAINS: Final = (
    Dish("Cơm gà xối mỡ", 45_000, ("5 phần không da", "Thêm nước mắm gừng")),
    Dish("Cơm sườn bì chả", 50_000, ("Mỡ hành để riêng",)),
    Dish("Cơm tấm sườn trứng", 48_000, ("3 phần trứng chín kỹ",)),
    Dish("Cơm cá kho tộ", 52_000, ("Ít cay",)),
    Dish("Cơm bò lúc lắc", 65_000, ("2 phần không hành tây",)),
    Dish("Cơm chay thập cẩm", 40_000, ("Không hành tỏi",)),
    Dish("Bún bò Huế", 55_000, ("Nước dùng để riêng",)),
    Dish("Bún thịt nướng", 45_000, ("Đậu phộng để riêng",)),
    Dish("Bún chả Hà Nội", 50_000),
    Dish("Phở bò tái nạm", 60_000, ("Bánh phở để riêng",)),
    Dish("Mì Quảng gà", 48_000, ("Thêm bánh tráng",)),
    Dish("Bánh mì thịt nguội", 25_000, ("4 ổ không ớt",)),
    Dish("Gỏi cuốn tôm thịt (2 cuốn)", 30_000),
    Dish("Hủ tiếu Nam Vang", 52_000),
)

EXTRAS: Final = (
    Dish("Canh chua cá lóc", 15_000),
    Dish("Canh rong biển đậu hũ", 10_000),
    Dish("Rau muống xào tỏi", 20_000),
    Dish("Chả giò (3 cuốn)", 25_000),
    Dish("Trà đá", 5_000),
    Dish("Trà tắc", 15_000, ("Ít đường",)),
    Dish("Nước mía", 12_000),
    Dish("Chè đậu xanh", 18_000),
    Dish("Trái cây theo mùa", 15_000),
)

CUSTOMERS: Final = (
    Customer(
        "Công ty Sao Mai",
        "0909123456",
        "hanhchinh@saomai.example",
        "12 Lê Lợi, phường Bến Nghé, Quận 1, TP.HCM",
    ),
    Customer(
        "Trường mầm non Hoa Sen",
        "0912345678",
        "vanphong@hoasen.example",
        "45 Nguyễn Thị Minh Khai, Quận 3, TP.HCM",
    ),
    Customer(
        "Nha khoa Nụ Cười", "0938765432", "letan@nucuoi.example", "210 Điện Biên Phủ, quận Bình Thạnh, TP.HCM"
    ),
    Customer(
        "Chị Thu Hằng", "0987654321", "thuhang@example.com", "Chung cư Mỹ Đức, 220 Xô Viết Nghệ Tĩnh, TP.HCM"
    ),
    Customer(
        "Anh Quốc Bảo", "0903456789", "quocbao@example.com", "78/5 Phan Xích Long, quận Phú Nhuận, TP.HCM"
    ),
    Customer(
        "Xưởng in Tân Tiến",
        "0977112233",
        "xuong@tantien.example",
        "Lô B7, KCN Tân Bình, quận Tân Phú, TP.HCM",
    ),
    Customer(
        "Câu lạc bộ chạy bộ Thủ Thiêm",
        "0966554433",
        "clb@thuthiem.example",
        "Công viên Sala, TP. Thủ Đức, TP.HCM",
    ),
)

NOTES: Final = (
    "Giao cổng sau, gọi bảo vệ trước 5 phút",
    "Để ở quầy lễ tân tầng 3",
    "Cho xin thêm đũa và khăn giấy",
    "Xuất hoá đơn giúp công ty",
    "Chia làm hai thùng, mỗi thùng 10 phần",
    "",
)

REVIEWS: Final = (
    (5, "Cơm nóng, giao đúng giờ. Cả phòng khen gà giòn!"),
    (5, "Đồ ăn ngon, gói gọn gàng. Lần sau đặt tiếp."),
    (4, "Ngon, nhưng canh hơi nguội."),
    (3, "Thiếu hai phần trà đá, còn lại ổn."),
)

SIZES: Final = (8, 12, 15, 20, 24, 30, 40, 60)


def sample_order(
    *,
    partner: str,
    now: datetime,
    chance: random.Random,
    deliver_in: timedelta = timedelta(hours=3),
    customer: Customer | None = None,
) -> dict[str, Any]:
    """Return the body of `POST /api/v1/orders` for a believable order.

    The delivery falls on the next quarter of an hour after `now + deliver_in`; an order for another day
    is for lunch, 11:30 in Vietnam.
    """
    who = customer or chance.choice(CUSTOMERS)
    items = _items(chance)
    return {
        "external_id": f"CN-{now.astimezone(_ZONE):%Y%m%d}-{chance.randrange(16**6):06X}",
        "partner": partner,
        "deliver_at": delivery_time(now, deliver_in).isoformat(),
        "ordered_at": now.astimezone(_ZONE).isoformat(timespec="seconds"),
        "customer": {"name": who.name, "phone": who.phone, "email": who.email, "locale": "vi"},
        "address": who.address,
        "note": chance.choice(NOTES),
        "items": items,
        "total": sum(item["quantity"] * item["unit_price"] for item in items),
        "currency": "VND",
    }


def sample_review(chance: random.Random, *, author: str = "") -> dict[str, Any]:
    """Return the body of `POST /api/v1/orders/{id}/review`."""
    rating, comment = chance.choice(REVIEWS)
    return {"rating": rating, "comment": comment, "author": author or chance.choice(CUSTOMERS).name}


def delivery_time(now: datetime, deliver_in: timedelta) -> datetime:
    """Return when a kitchen would be asked to deliver, in Vietnam's time."""
    wanted = (now + deliver_in).astimezone(_ZONE)
    if wanted.date() > now.astimezone(_ZONE).date() and deliver_in >= timedelta(days=1):
        return datetime.combine(wanted.date(), time(11, 30), _ZONE)
    late = timedelta(minutes=wanted.minute % 15, seconds=wanted.second, microseconds=wanted.microsecond)
    return wanted if not late else wanted - late + timedelta(minutes=15)


def _items(chance: random.Random) -> list[dict[str, Any]]:
    size = chance.choice(SIZES)
    mains = chance.sample(MAINS, 2 if size >= 20 else 1)
    portions = [size] if len(mains) == 1 else [size - size // 3, size // 3]
    extras = chance.sample(EXTRAS, chance.randrange(0, 3))
    return [
        *(_item(dish, quantity, chance) for dish, quantity in zip(mains, portions, strict=True)),
        *(_item(dish, size, chance) for dish in extras),
    ]


def _item(dish: Dish, quantity: int, chance: random.Random) -> dict[str, Any]:
    note = chance.choice(("", *dish.notes))
    return {"name": dish.name, "quantity": quantity, "unit_price": dish.unit_price, "note": note}
