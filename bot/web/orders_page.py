"""The kitchen's orders: what is to be done first, then by status, by day, by words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from bot.cards.view import Frame
from bot.cards.words import STATUS_WORDS
from bot.keys import DATABASE
from bot.texts.catalogue import Texts, msg
from bot.web import periods, places
from bot.web.orders_view import heaps
from bot.web.periods import Period
from bot.web.session import inside, seat_of, view_frame
from core.errors import Malformed
from core.orders import listing
from core.orders.listing import Found, Page, Place, Wanted
from core.orders.status import Status

_PAGE: Final = 25
_TO_DO: Final = "todo"
_ALL: Final = "all"
DAYS: Final = ("today", "tomorrow", "next7", "month")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, already checked. `is_lost`: it named a place that is none."""

    status: str
    period: Period | None
    words: str
    after: Place | None
    is_lost: bool

    @property
    def heaps(self) -> tuple[Status | None, ...]:
        """The heaps to show, one after the other."""
        if self.status == _TO_DO and not self.words:
            return (Status.PENDING, Status.CONFIRMED)
        return (None,) if self.status in {_ALL, _TO_DO} else (Status(self.status),)

    @property
    def newest_first(self) -> bool:
        """The soonest comes first where something is to be done, and within days that were asked for."""
        is_open = self.status in {_TO_DO, Status.PENDING, Status.CONFIRMED}
        return not is_open and self.period is None

    def address(self, **changes: str) -> str:
        """Return the address of a list like this one; an empty value leaves a part out."""
        parts = {
            "status": "" if self.status == _TO_DO else self.status,
            **(self.period.query if self.period else {}),
            "q": self.words,
        }
        query = {name: value for name, value in {**parts, **changes}.items() if value}
        return f"/orders?{urlencode(query)}" if query else "/orders"


async def show(request: web.Request) -> web.Response:
    """Show a page of the list."""
    seat = await seat_of(request)
    frame = view_frame(request, seat)
    asked = _asked(request.query, frame.now.astimezone(frame.zone).date())
    pool = request.config_dict[DATABASE].pool
    wanted = _wanted(asked, seat.partner.id, frame)
    found: Page | Found
    if asked.words:
        found = await listing.search(pool, wanted, asked.words, after=asked.after, most=_PAGE, now=frame.now)
    else:
        found = await listing.page(pool, wanted, after=asked.after, most=_PAGE)
    texts = seat.texts
    return inside(
        request,
        seat,
        "orders.html",
        title=texts.t("Đơn hàng"),
        asked=asked,
        heaps=heaps(frame, found.orders, by_status=len(asked.heaps) > 1),
        statuses=_statuses(asked, texts),
        spans=_spans(asked, texts),
        shown=_shown(asked, texts),
        note=_note(asked, texts),
        empty=_empty(asked, texts),
        more=asked.address(after=places.written(found.next)) if found.next else "",
        looked_until=_looked_until(frame, found),
        begin=asked.address() if asked.after else "",
        clear=asked.address(q=""),
        longest=listing.LONGEST_SEARCH,
    )


def _asked(query: Mapping[str, str], today: date) -> Asked:
    words = listing.words_of(query.get("q", ""))
    usual = _ALL if words else _TO_DO  # who looks for something looks everywhere
    status = query.get("status", usual)
    after, is_lost = _place(query.get("after", ""))
    asked = Asked(
        status if status in {_TO_DO, _ALL, *Status} else usual,
        periods.asked(query, today),
        words,
        after,
        is_lost,
    )
    if after and after.heap >= len(asked.heaps):
        return replace(asked, after=None, is_lost=True)
    return asked


def _place(text: str) -> tuple[Place | None, bool]:
    try:
        return places.read(text), False
    except Malformed:
        return None, True


def _wanted(asked: Asked, partner_id: UUID, frame: Frame) -> Wanted:
    since, before = asked.period.moments(frame.zone) if asked.period else (None, None)
    return Wanted(partner_id, asked.heaps, since, before, newest_first=asked.newest_first)


@dataclass(frozen=True, slots=True)
class Chip:
    """A way to another list; `is_on` where it is this one."""

    href: str
    name: str
    shape: str
    is_on: bool


def _statuses(asked: Asked, texts: Texts) -> tuple[Chip, ...]:
    words = {status.value: words for status, words in STATUS_WORDS.items()}
    names = {_TO_DO: msg("Cần làm"), _ALL: msg("Tất cả"), **words}
    return tuple(
        Chip(
            asked.address(status="" if key == _TO_DO else key),
            texts.t(name),
            key if key in words else "",
            asked.status == key,
        )
        for key, name in names.items()
    )


def _spans(asked: Asked, texts: Texts) -> tuple[Chip, ...]:
    chosen = asked.period.key if asked.period else ""
    bare = replace(asked, period=None)
    always = Chip(bare.address(), texts.t("Mọi ngày"), "", is_on=asked.period is None)
    return (
        always,
        *(Chip(bare.address(days=key), texts.t(periods.WORDS[key]), "", key == chosen) for key in DAYS),
    )


def _shown(asked: Asked, texts: Texts) -> str:
    """Return what is shown, in short: "Cần làm · Mọi ngày"."""
    days = periods.words(texts, asked.period) if asked.period else texts.t("Mọi ngày")
    return " · ".join((*(chip.name for chip in _statuses(asked, texts) if chip.is_on), days))


def _looked_until(frame: Frame, found: Page | Found) -> str:
    """Return the day that a search came to, where it did not come to the end."""
    if not isinstance(found, Found) or found.has_more or found.next is None:
        return ""
    return frame.texts.date(found.next.at.astimezone(frame.zone).date())


def _note(asked: Asked, texts: Texts) -> str:
    return texts.t("Đường dẫn này không còn đúng, nên danh sách bắt đầu lại từ đầu.") if asked.is_lost else ""


def _empty(asked: Asked, texts: Texts) -> tuple[str, str]:
    """Return what a list without orders says: that it is empty, and what will be here and when."""
    if asked.words:
        return texts.t("Không thấy đơn nào khớp."), texts.t(
            "Thử mã đơn, tên khách hoặc tên món; có dấu hay không đều được."
        )
    if asked.after:
        return texts.t("Hết rồi."), texts.t("Không còn đơn nào phía sau.")
    title, when = _EMPTY[asked.status]
    if asked.period:
        return texts.t(title), texts.t("Không có đơn nào trong những ngày này. Chọn ngày khác hoặc Mọi ngày.")
    return texts.t(title), texts.t(when)


_EMPTY: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        _TO_DO: (
            msg("Không có việc gì phải làm."),
            msg("Đơn mới hiện ở đây ngay khi có khách đặt, và bạn được nhắn cùng lúc."),
        ),
        _ALL: (msg("Chưa có đơn nào."), msg("Đơn đầu tiên hiện ở đây ngay khi có khách đặt.")),
        Status.PENDING: (
            msg("Không có đơn nào chờ xác nhận."),
            msg("Đơn mới hiện ở đây ngay khi có khách đặt."),
        ),
        Status.CONFIRMED: (
            msg("Không có đơn nào phải giao."),
            msg("Đơn bạn xác nhận hiện ở đây cho đến khi giao xong."),
        ),
        Status.COMPLETED: (
            msg("Chưa có đơn hoàn thành."),
            msg("Giao xong, bấm Hoàn thành thì đơn sang đây và được tính tiền."),
        ),
        Status.CANCELLED: (msg("Chưa có đơn bị huỷ."), msg("Đơn bị huỷ hiện ở đây, kèm lý do.")),
        Status.EXPIRED: (
            msg("Chưa có đơn quá hạn."),
            msg("Đơn đến giờ giao mà chưa ai xác nhận sẽ tự huỷ và hiện ở đây."),
        ),
    }
)
