"""How statuses, reasons, people and ways are called, and how an order stands, in a sentence. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from bot.texts import Texts, msg
from core.actors import Via
from core.orders.commands import OTHER_REASON
from core.orders.order import By, Reason
from core.orders.status import Status

STATUS_WORDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.PENDING: msg("Chờ xác nhận"),
        Status.CONFIRMED: msg("Đã xác nhận"),
        Status.CANCELLED: msg("Huỷ"),
        Status.EXPIRED: msg("Quá hạn xác nhận"),
        Status.COMPLETED: msg("Hoàn thành"),
    }
)

#: The short list as people read it. What is stored is core.orders.commands.REASONS.
REASON_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: msg("Hết món"),
        2: msg("Quá tải"),
        3: msg("Đóng cửa"),
        4: msg("Ngoài vùng giao"),
        5: msg("Sai giá hoặc thực đơn"),
        6: msg("Khác"),
    }
)

_WAYS: Final[Mapping[Via, str]] = MappingProxyType(
    {
        Via.ZALO: msg("qua Zalo"),
        Via.TELEGRAM: msg("qua Telegram"),
        Via.SMS: msg("qua SMS"),
        Via.EMAIL: msg("qua email"),
        Via.WEB: msg("qua trang web"),
    }
)

#: What somebody did to an order, by the status it then had.
_DEEDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.CONFIRMED: msg("Đơn {code} đã được {who} xác nhận {when}"),
        Status.CANCELLED: msg("Đơn {code} đã được {who} huỷ {when}"),
        Status.COMPLETED: msg("Đơn {code} đã được {who} báo hoàn thành {when}"),
    }
)


def status_word(texts: Texts, status: Status) -> str:
    """Return "Chờ xác nhận" and its like."""
    return texts.t(STATUS_WORDS[status])


def reason_words(texts: Texts, reason: Reason) -> str:
    """Return a reason in the reader's language; free words stay as they were written."""
    if reason.code is None or (reason.code == OTHER_REASON and reason.text != REASON_WORDS[OTHER_REASON]):
        return reason.text
    return texts.t(REASON_WORDS[reason.code])


def who(texts: Texts, by: By) -> str:
    """Return the name of who did it: staff and platforms by theirs, our own people as "tổng đài"."""
    if by.via is Via.OPERATOR:
        return texts.t("tổng đài ({name})", name=by.name) if by.name else texts.t("tổng đài")
    return texts.t(_UNNAMED[by.via]) if by.via in _UNNAMED else by.name


#: Who is not called by a name.
_UNNAMED: Final[Mapping[Via, str]] = MappingProxyType(
    {Via.SYSTEM: msg("hệ thống"), Via.CUSTOMER: msg("khách")}
)


def way(texts: Texts, via: Via) -> str:
    """Return "qua Zalo" and its like; nothing where the name says it all."""
    return texts.t(_WAYS[via]) if via in _WAYS else ""


def state_sentence(
    texts: Texts, code: str, status: Status, by: By, at: datetime, *, zone: ZoneInfo, now: datetime
) -> str:
    """Return "Đơn 48273 đã được Lan xác nhận lúc 09:12 qua Zalo"."""
    if status is Status.PENDING:
        return texts.t("Đơn {code} đang chờ xác nhận", code=code)
    when = texts.t("lúc {time}", time=texts.happened(at, zone, now))
    if status is Status.EXPIRED:
        return texts.t("Đơn {code} đã quá hạn xác nhận {when}", code=code, when=when)
    return deed_sentence(texts, code, status, by, when)


def deed_sentence(texts: Texts, code: str, status: Status, by: By, when: str) -> str:
    """Return who did what; `when` ("lúc 09:12") may be empty."""
    if status not in _DEEDS:
        return texts.t("Đơn {code} đã thay đổi", code=code)
    circumstances = " ".join(part for part in (when, way(texts, by.via)) if part)
    sentence = texts.t(_DEEDS[status], code=code, who=who(texts, by), when=circumstances)
    return sentence.rstrip()
