"""The partner's pages: where each is, what it is called, and who is shown the way there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.texts.catalogue import msg
from core.actors import Role


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its path, its name, the picture beside it, and whether it tells of money."""

    path: str
    name: str
    shape: str
    is_money: bool = False


#: On phones the first four that a role may see stand at the bottom, the rest behind "Thêm".
PLACES: Final = (
    Place("/orders", msg("Đơn hàng"), "orders"),
    Place("/summary", msg("Tổng kết"), "summary"),
    Place("/settlement", msg("Đối soát"), "settlement", is_money=True),
    Place("/reviews", msg("Đánh giá"), "reviews"),
    Place("/staff", msg("Nhân viên"), "staff"),
    Place("/settings", msg("Cài đặt"), "settings"),
    Place("/help", msg("Trợ giúp"), "help"),
)


def shown_to(place: Place, role: Role) -> bool:
    """Whether the way to this page is shown to this role."""
    return role.sees_money or not place.is_money


def role_word(role: Role) -> str:
    """Return the Vietnamese for a role, a sentence of the catalogue."""
    return _ROLES[role]


_ROLES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.OWNER: msg("Chủ quán"),
        Role.MANAGER: msg("Quản lý"),
        Role.KITCHEN: msg("Bếp"),
        Role.CASHIER: msg("Thu ngân"),
    }
)
