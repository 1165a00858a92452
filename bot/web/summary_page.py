"""What some days brought the kitchen: counts, money for who may see it, dishes, stars, and a chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.cards.view import Frame
from bot.cards.words import status_word
from bot.keys import DATABASE
from bot.texts.catalogue import Texts, msg
from bot.web import periods
from bot.web.chart import chart
from bot.web.periods import Period
from bot.web.session import inside, seat_of, view_frame
from core.orders.lookups import Heap
from core.orders.status import Status
from core.orders.summary import Piece, Step, Summary, summarise

_DAYS: Final = ("week", "month", "lastmonth")
_USUAL: Final = "week"
#: Days longer than these are shown by weeks, and by months, unless somebody asks.
_BY_DAY: Final = timedelta(days=31)
_BY_WEEK: Final = timedelta(days=120)
_STEPS: Final[Mapping[Step, str]] = MappingProxyType(
    {Step.DAY: msg("Từng ngày"), Step.WEEK: msg("Từng tuần"), Step.MONTH: msg("Từng tháng")}
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to the same page for other days, or in other steps."""

    href: str
    name: str
    is_on: bool
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many orders stand so, and for how much; `money` is empty for who sees none."""

    status: str
    word: str
    count: str
    money: str
    hint: str = ""


async def show(request: web.Request) -> web.Response:
    """Show the summary of some days; who sees no money gets the counts and the dishes."""
    seat = await seat_of(request)
    frame = view_frame(request, seat)
    today = frame.now.astimezone(frame.zone).date()
    period = periods.asked(request.query, today) or periods.known(_USUAL, today) or Period("", today, today)
    step = _step(request.query.get("by", ""), period)
    summary = await summarise(
        request.config_dict[DATABASE].pool,
        seat.partner.id,
        (period.first, period.last),
        step,
        frame.zone,
        now=frame.now,
    )
    texts = seat.texts
    return inside(
        request,
        seat,
        "summary.html",
        title=texts.t("Tổng kết"),
        period=period,
        span=f"{texts.date(period.first)} – {texts.date(period.last)}",
        spans=[_span(key, period, texts) for key in _DAYS],
        steps=[_choice(each, step, period, texts) for each in Step],
        by=step.value,
        sums=_sums(frame, summary),
        summary=summary,
        average=frame.texts.decimal(summary.rated.average) if summary.rated.average else "",
        rows=[_row(frame, piece, step) for piece in summary.pieces],
        has_money=frame.sees_money,
        chart=chart([(_label(piece, step), piece.completed.count) for piece in summary.pieces]),
    )


def _step(asked: str, period: Period) -> Step:
    if asked in set(Step):
        return Step(asked)
    length = period.last - period.first
    return Step.DAY if length < _BY_DAY else Step.WEEK if length < _BY_WEEK else Step.MONTH


def _span(key: str, period: Period, texts: Texts) -> Choice:
    return Choice(f"/summary?days={key}", texts.t(periods.WORDS[key]), period.key == key)


def _choice(each: Step, step: Step, period: Period, texts: Texts) -> Choice:
    query = urlencode({**period.query, "by": each.value})
    return Choice(f"/summary?{query}", texts.t(_STEPS[each]), each is step)


def _sums(frame: Frame, summary: Summary) -> tuple[Sum, ...]:
    texts = frame.texts
    waiting = Sum(
        Status.CONFIRMED.value,
        texts.t("Chờ bấm Hoàn thành"),
        *_heap(frame, summary.waiting),
        hint=texts.t("Đã đến giờ giao mà chưa ai bấm Hoàn thành, nên chưa được tính tiền."),
    )
    ended = (
        (Status.COMPLETED, summary.completed),
        (Status.CANCELLED, summary.cancelled),
        (Status.EXPIRED, summary.expired),
    )
    first, *others = (
        Sum(status.value, status_word(texts, status), *_heap(frame, heap)) for status, heap in ended
    )
    return (first, waiting, *others)


def _heap(frame: Frame, heap: Heap) -> tuple[str, str]:
    return frame.texts.n("{count} đơn", heap.count), frame.texts.money(
        heap.amount
    ) if frame.sees_money else ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    counts: Sequence[int]
    money: str


def _row(frame: Frame, piece: Piece, step: Step) -> Row:
    texts = frame.texts
    name = texts.day(piece.first) if step is Step.DAY else _days(piece, texts)
    counts = (piece.completed.count, piece.cancelled.count, piece.expired.count)
    return Row(name, counts, texts.money(piece.completed.amount) if frame.sees_money else "")


def _days(piece: Piece, texts: Texts) -> str:
    if piece.first == piece.last:
        return texts.date(piece.first)
    return f"{piece.first:%d/%m} – {texts.date(piece.last)}"


def _label(piece: Piece, step: Step) -> str:
    return _month(piece.first) if step is Step.MONTH else f"{piece.first:%d/%m}"


def _month(day: date) -> str:
    return f"{day:%m/%Y}"
