"""A kitchen in the words of the operators: its score, its people's addresses, what it waits for. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.words import status_word
from bot.ops.session import Operator
from bot.texts.catalogue import Texts, msg
from bot.web.nav import role_word
from core.actors import Via
from core.channels import Address, AddressKind, ChannelName
from core.console.partners import Kitchen, Known, NextTimer
from core.console.scores import Score, Standing
from core.orders.order import Order
from core.orders.status import Status
from core.partners.addresses import masked
from core.partners.sessions import Session
from core.partners.staff import KnownAddress, Member
from core.schedule import TimerKind


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of addresses: on each channel, and when a gateway last took a message for one."""

    known: Mapping[str, Sequence[Known]]
    sent: Mapping[str, datetime]


# --- The score --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A score as it is written; what nothing is known of is empty. `counted` says of how many orders."""

    orders: int
    confirm: str
    confirm_of: str
    median: str
    complete: str
    complete_of: str
    rating: str
    rated: int


@dataclass(frozen=True, slots=True)
class WayShare:
    """How many of the kitchen's own confirmations came by one way."""

    name: str
    count: int
    percent: int


def score_view(texts: Texts, score: Score) -> ScoreView:
    """Return a score as it is written."""
    return ScoreView(
        orders=score.orders,
        confirm=_percent(score.confirm_share),
        confirm_of=f"{score.confirmed}/{score.asked}",
        median=_length(texts, score),
        complete=_percent(score.complete_share),
        complete_of=f"{score.completed}/{score.due}",
        rating=texts.decimal(score.rating) if score.rating is not None else "",
        rated=score.rated,
    )


def months_of(texts: Texts, standing: Standing) -> list[tuple[str, ScoreView]]:
    """Return each month with orders, this one first: "11/2026" and its score."""
    return [(_month(first), score_view(texts, score)) for first, score in standing.months if score.orders]


def ways_of(texts: Texts, score: Score) -> list[WayShare]:
    """Return by which ways a kitchen confirms, the most used first."""
    counted = sorted(score.ways.items(), key=lambda way: -way[1])
    total = sum(score.ways.values())
    return [WayShare(texts.t(_WAYS[via]), count, round(100 * count / total)) for via, count in counted]


def _month(first: date) -> str:
    return f"{first:%m/%Y}"


def _percent(share: float | None) -> str:
    """Return "96 %"; neither everything nor nothing is said of what is only nearly so."""
    if share is None:
        return ""
    whole = round(100 * share)
    if 0 < share < 1:
        whole = min(99, max(1, whole))
    return f"{whole} %"


def _length(texts: Texts, score: Score) -> str:
    if score.median is None:
        return ""
    seconds = score.median.total_seconds()
    return texts.n("{count} giây", round(seconds)) if seconds < 60 else texts.span(score.median)


_WAYS: Final[Mapping[Via, str]] = MappingProxyType(
    {
        Via.ZALO: "Zalo",
        Via.TELEGRAM: "Telegram",
        Via.SMS: "SMS",
        Via.EMAIL: msg("Thư (email)"),
        Via.WEB: msg("Trang web"),
    }
)


# --- What a kitchen waits for -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NextLine:
    """What falls due next."""

    href: str
    code: str
    what: str
    at: str
    relative: str
    machine: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order of a kitchen."""

    href: str
    code: str
    status: str
    word: str
    at: str
    machine: str
    portions: str
    total: str


def next_line(operator: Operator, timer: NextTimer, now: datetime) -> NextLine:
    """Return what falls due next, in words."""
    texts = operator.texts
    return NextLine(
        f"/ops/orders/{timer.order_id}",
        timer.code,
        texts.t(_TIMERS[timer.kind]),
        texts.moment(timer.due_at, operator.zone, now),
        texts.relative(timer.due_at, now),
        timer.due_at.isoformat(timespec="seconds"),
    )


def order_line(operator: Operator, order: Order, now: datetime) -> OrderLine:
    """Return an order in one line."""
    texts = operator.texts
    return OrderLine(
        f"/ops/orders/{order.id}",
        order.code,
        order.status.value,
        status_word(texts, order.status),
        texts.moment(order.deliver_at, operator.zone, now),
        order.deliver_at.isoformat(timespec="seconds"),
        texts.portions(order.portions),
        texts.money(order.total),
    )


def kitchen_pause(operator: Operator, kitchen: Kitchen, now: datetime) -> str:
    """Return until when a kitchen takes no orders, empty where it does."""
    until = kitchen.paused_until
    return operator.texts.moment(until, operator.zone, now) if until else ""


def open_words(texts: Texts, kitchen: Kitchen) -> list[tuple[str, str, int]]:
    """Return how many orders are open: status, its word, count."""
    counted = ((Status.PENDING, kitchen.pending), (Status.CONFIRMED, kitchen.confirmed))
    return [(status.value, status_word(texts, status), count) for status, count in counted]


_TIMERS: Final[Mapping[TimerKind, str]] = MappingProxyType(
    {
        TimerKind.EXPIRY: msg("quá hạn nếu vẫn chưa xác nhận"),
        TimerKind.CONFIRM_LADDER: msg("nhắc xác nhận lần nữa"),
        TimerKind.DAY_BEFORE: msg("báo trước một ngày"),
        TimerKind.COMPLETION_LADDER: msg("nhắc bấm Hoàn thành"),
    }
)


# --- Its people -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddressLine:
    """One address: what it is, what is known of it line by line. `name` stands for it in forms."""

    name: str
    kind: str
    value: str
    state: str
    works: bool
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One member. `has_chat` is whether a chat of theirs is linked and lives."""

    id: UUID
    name: str
    role: str
    is_told: bool
    has_chat: bool
    devices: int
    addresses: tuple[AddressLine, ...]


def member_line(
    operator: Operator, member: Member, knowledge: Knowledge, devices: Sequence[Session], *, now: datetime
) -> MemberLine:
    """Return one member with everything that is known of how they are reached."""
    chats = (AddressKind.ZALO_USER, AddressKind.TELEGRAM_CHAT)
    return MemberLine(
        id=member.id,
        name=member.name,
        role=operator.texts.t(role_word(member.role)),
        is_told=member.is_recipient,
        has_chat=any(member.live(kind) for kind in chats),
        devices=sum(1 for session in devices if session.staff_id == member.id),
        addresses=tuple(_address(operator, each, knowledge, now=now) for each in member.addresses),
    )


def form_name(operator: Operator, known: KnownAddress) -> str:
    """Return what stands for an address in a form."""
    text = f"{operator.session.id} {known.kind.value} {known.value}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _address(
    operator: Operator, address: KnownAddress, knowledge: Knowledge, *, now: datetime
) -> AddressLine:
    texts, known = operator.texts, knowledge.known.get(address.value, ())
    kind = _GROUP if Address(address.kind, address.value).is_group else _KINDS[address.kind]
    is_dialled = address.kind in {AddressKind.PHONE, AddressKind.EMAIL}
    sent = knowledge.sent.get(address.value)
    state, works = _state(operator, address, known, sent=sent, now=now)
    return AddressLine(
        form_name(operator, address),
        texts.t(kind),
        _dialled(address) if is_dialled else masked(address.kind, address.value),
        state,
        works,
        tuple(_more(operator, address, known, now)),
    )


def _dialled(address: KnownAddress) -> str:
    """Return a phone as one dials it here, a mailbox as it is: operators call and write."""
    return f"0{address.value[3:]}" if address.value.startswith("+84") else address.value


def _state(
    operator: Operator,
    address: KnownAddress,
    known: Sequence[Known],
    *,
    sent: datetime | None,
    now: datetime,
) -> tuple[str, bool]:
    """Say whether messages reach it: what is known last counts."""
    t = operator.texts.t
    if address.ended_at:
        return t("đã ngắt lúc {when}", when=_when(operator, address.ended_at, now)), False
    worked = max((each.worked_at for each in known if each.worked_at), default=None)
    failed = max((each.failed_at for each in known if each.failed_at), default=None)
    if failed and (worked is None or failed > worked):
        return t("tin lúc {when} không đến", when=_when(operator, failed, now)), False
    if worked:
        return t("tin lúc {when} đã đến", when=_when(operator, worked, now)), True
    if sent:
        return t("gửi lần cuối {when}", when=_when(operator, sent, now)), True
    return t("gần đây chưa gửi gì đến đây"), True


def _more(operator: Operator, address: KnownAddress, known: Sequence[Known], now: datetime) -> list[str]:
    t, lines = operator.texts.t, []
    if address.heard_at and address.heard_at.year > 1970:
        lines.append(t("nhắn cho mình lần cuối {when}", when=_when(operator, address.heard_at, now)))
    for each in known:
        if each.failed_at and each.why:
            lines.append(f"{_CHANNELS[each.channel]}: {each.why}")
        if each.out_until and each.out_until > now:
            until = _when(operator, each.out_until, now)
            lines.append(t("{channel} nghỉ gửi đến {when}", channel=_CHANNELS[each.channel], when=until))
    return lines


def _when(operator: Operator, at: datetime, now: datetime) -> str:
    return operator.texts.brief_moment(at, operator.zone, now)


_GROUP: Final = msg("Nhóm Telegram")
_KINDS: Final[Mapping[AddressKind, str]] = MappingProxyType(
    {
        AddressKind.ZALO_USER: "Zalo",
        AddressKind.TELEGRAM_CHAT: "Telegram",
        AddressKind.PHONE: msg("Điện thoại"),
        AddressKind.EMAIL: "Email",
    }
)
_CHANNELS: Final[Mapping[ChannelName, str]] = MappingProxyType(
    {
        ChannelName.ZALO: "Zalo",
        ChannelName.TELEGRAM: "Telegram",
        ChannelName.SMS: "SMS",
        ChannelName.EMAIL: "Email",
    }
)
