"""What operators' deeds are called in the record. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.texts.catalogue import Texts, msg


def deed_words(texts: Texts, deed: str) -> str:
    """Return what a deed is called; one without words of its own is shown as it is kept."""
    return texts.t(_WORDS[deed]) if deed in _WORDS else deed


def way_words(texts: Texts, via: str) -> str:
    """Return how a deed came; a way without words of its own is shown as it is kept."""
    return texts.t(_WAYS[via]) if via in _WAYS else via


_WAYS: Final = MappingProxyType({"console": msg("trang tổng đài"), "cli": msg("dòng lệnh")})
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "operator.signed_in": msg("Đăng nhập"),
        "operator.signed_out": msg("Thoát"),
        "operator.device_ended": msg("Đăng xuất một thiết bị"),
        "operator.link_made": msg("Tạo đường dẫn vào trang tổng đài"),
        "order.confirmed": msg("Xác nhận đơn thay quán"),
        "order.cancelled": msg("Huỷ đơn"),
        "order.completed": msg("Báo hoàn thành thay quán"),
        "order.nudged": msg("Nhắc lại quán"),
        "customer.shown": msg("Xem khách của đơn"),
        "customer.searched": msg("Tìm khách theo số điện thoại"),
        "item.handled": msg("Đã xử lý việc"),
        "partner.added": msg("Thêm quán"),
        "partner.changed": msg("Đổi cài đặt của quán"),
        "partner.paused": msg("Tạm nghỉ thay quán"),
        "partner.resumed": msg("Mở lại quán"),
        "staff.added": msg("Thêm người của quán"),
        "staff.changed": msg("Đổi người của quán"),
        "staff.removed": msg("Cho người của quán nghỉ"),
        "staff.signed_out": msg("Đăng xuất người của quán"),
        "staff.address_added": msg("Thêm địa chỉ liên lạc"),
        "staff.address_taken": msg("Bỏ địa chỉ liên lạc"),
        "staff.link_codes_drawn": msg("Lấy mã liên kết"),
        "platform.changed": msg("Đổi cài đặt của nền tảng"),
        "platform.enabled": msg("Bật lại nền tảng"),
        "platform.disabled": msg("Tắt webhook của nền tảng"),
        "platform.key_renewed": msg("Đổi khoá API của nền tảng"),
        "platform.secret_renewed": msg("Đổi khoá ký webhook"),
        "person.exported": msg("Xuất dữ liệu của một người"),
        "person.erased": msg("Xoá dữ liệu của một người"),
        "platform.webhooks_replayed": msg("Gửi lại webhook"),
    }
)
