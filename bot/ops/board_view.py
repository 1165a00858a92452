"""The board in the operators' words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.texts.catalogue import Texts, msg
from bot.web.sent_view import OUTSIDERS, WAYS, became
from core.operators.board import Urgency, Waiting
from core.outbox.history import Try
from core.schedule import Reach, Rung

_HOUR: Final = timedelta(hours=1)
_FOUR: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class TriedWay:
    """How far one way to a person came: "Zalo đã đến máy 09:12"."""

    way: str
    became: str
    at: str


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """Somebody who was asked to confirm, by each way the newest try."""

    name: str
    ways: tuple[TriedWay, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One order on the board. `tone` is "late", "soon" or empty; the words say the same."""

    href: str
    tone: str
    left: str
    when: str
    machine: str
    code: str
    kitchen: str
    portions: str
    platform: str
    waits: str
    told: tuple[ToldPerson, ...]
    coming: str
    alarmed: str


def line_of(waiting: Waiting, texts: Texts, now: datetime) -> Line:
    """Return an order as the board shows it."""
    order, zone = waiting.order, waiting.zone
    return Line(
        href=f"/ops/orders/{order.id}",
        tone=_tone(order.deliver_at - now),
        left=texts.relative(order.deliver_at, now),
        when=texts.moment(order.deliver_at, zone, now),
        machine=order.deliver_at.isoformat(timespec="seconds"),
        code=order.code,
        kitchen=waiting.partner_name,
        portions=texts.portions(order.portions),
        platform=waiting.platform_name,
        waits=texts.t("chờ từ {time}", time=texts.happened(order.asked_at, zone, now)),
        told=_told(waiting, texts, now),
        coming=_coming(waiting, texts, now),
        alarmed=texts.t("Đã báo tổng đài {time}", time=texts.happened(waiting.alarmed_at, zone, now))
        if waiting.alarmed_at
        else "",
    )


def _tone(left: timedelta) -> str:
    if left < _HOUR:
        return "late"
    return "soon" if left < _FOUR else ""


def _told(waiting: Waiting, texts: Texts, now: datetime) -> tuple[ToldPerson, ...]:
    newest: dict[str, dict[str, Try]] = {}
    for each in waiting.tries:
        newest.setdefault(each.person, {})[each.channel] = each
    return tuple(
        ToldPerson(
            texts.t(OUTSIDERS[person]) if person in OUTSIDERS else person,
            tuple(_way(waiting, each, texts, now) for each in sorted(ways.values(), key=_by_time)),
        )
        for person, ways in newest.items()
    )


def _by_time(each: Try) -> tuple[datetime, int]:
    """Sort ways by when, and of one moment the chats before the mail."""
    return each.at.replace(second=0, microsecond=0), list(WAYS).index(each.channel)


def _way(waiting: Waiting, each: Try, texts: Texts, now: datetime) -> TriedWay:
    name = texts.t(WAYS.get(each.channel, each.channel))
    return TriedWay(
        name[:1].upper() + name[1:], texts.t(became(each)), texts.happened(each.at, waiting.zone, now)
    )


def _coming(waiting: Waiting, texts: Texts, now: datetime) -> str:
    rung = waiting.next_rung
    if rung is None:
        return texts.t("Hết lượt nhắc, gọi cho quán ngay")
    time = texts.happened(rung.due_at, waiting.zone, now)
    return texts.t(_coming_words(rung), time=time)


def _coming_words(rung: Rung) -> str:
    return _WITH_US[rung.reach] if rung.operators else _WITHOUT_US[rung.reach]


_WITHOUT_US: Final[Mapping[Reach, str]] = MappingProxyType(
    {
        Reach.NEXT_CHANNEL: msg("{time} nhắc lại bằng kênh kế tiếp"),
        Reach.NEXT_STAFF: msg("{time} nhắc người kế tiếp của quán"),
        Reach.ALL_WHO_ACT: msg("{time} nhắc mọi người xác nhận được"),
        Reach.RECIPIENTS: msg("{time} nhắc lại"),
        Reach.NOBODY: msg("{time} báo tổng đài"),
    }
)
_WITH_US: Final[Mapping[Reach, str]] = MappingProxyType(
    dict.fromkeys(Reach, msg("{time} nhắc lần cuối và báo tổng đài"))
    | {Reach.NOBODY: msg("{time} báo tổng đài")}
)

#: What each part of the board is called.
PARTS: Final[Mapping[Urgency, str]] = MappingProxyType(
    {
        Urgency.SILENT: msg("Hết lượt nhắc"),
        Urgency.HOUR: msg("Dưới 1 giờ"),
        Urgency.FOUR: msg("1 đến 4 giờ"),
        Urgency.DAY: msg("4 đến 24 giờ"),
        Urgency.LATER: msg("Sau 24 giờ"),
    }
)


def lines_of(waiting: Sequence[Waiting], texts: Texts, now: datetime) -> tuple[Line, ...]:
    """Return the orders as the board shows them."""
    return tuple(line_of(each, texts, now) for each in waiting)
