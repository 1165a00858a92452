"""What platforms were told of an order, in the operators' words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.cards.masking import local_phone
from bot.cards.view import View
from bot.cards.words import reason_words
from bot.texts.catalogue import Texts, msg
from bot.web.nav import role_word
from bot.web.order_view import Told
from core.channels import AddressKind
from core.operators.order_reads import ToldPlatform
from core.orders.status import Status
from core.partners.staff import Member


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """One event on its way to one platform. `is_bad` where an operator should look."""

    href: str
    platform: str
    event: str
    became: str
    details: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Dialled:
    """Somebody of the kitchen who can be phoned: the number as it is read, and as a phone dials it."""

    name: str
    role: str
    phone: str
    call: str


def callable_people(members: Sequence[Member], texts: Texts) -> tuple[Dialled, ...]:
    """Return whom an operator can phone, in the order in which the kitchen's people are told."""
    return tuple(
        Dialled(member.name, texts.t(role_word(member.role)), local_phone(known.value), known.value)
        for member in members
        for known in member.live(AddressKind.PHONE)
    )


def told_here(told: Told | None, view: View) -> Told | None:
    """Return what the page says first, without what only a kitchen is told to do next."""
    order, texts = view.order, view.texts
    if told is None or told.tone == "bad" or order.status is Status.PENDING:
        return told
    lines = []
    if order.reason:
        lines.append(texts.t("Lý do: {reason}", reason=reason_words(texts, order.reason)))
    if order.status is Status.EXPIRED:
        lines.append(texts.t("Đến giờ giao mà chưa ai xác nhận, nên đơn tự huỷ."))
    if told.tone == "good":
        lines.append(texts.t(_HEAR[order.status]))
    is_done = told.tone == "good" and order.status is Status.COMPLETED
    title = texts.t("Đã báo hoàn thành đơn {code}.", code=order.code) if is_done else told.title
    return Told(told.tone, title, tuple(lines))


#: Who hears of an operator's deed.
_HEAR: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.CONFIRMED: msg("Quán và mọi nền tảng được báo ngay."),
        Status.COMPLETED: msg("Quán và mọi nền tảng được báo ngay."),
        Status.CANCELLED: msg("Quán, khách và mọi nền tảng được báo ngay."),
        Status.EXPIRED: msg("Quán, khách và mọi nền tảng được báo ngay."),
    }
)


def platform_lines(told: Sequence[ToldPlatform], view: View) -> tuple[PlatformLine, ...]:
    """Return what each platform was told, the newest first."""
    return tuple(_line(each, view) for each in told)


def _line(each: ToldPlatform, view: View) -> PlatformLine:
    texts = view.texts
    at = each.delivered_at or each.next_at
    when = texts.happened(at, view.zone, view.now) if at else ""
    words = _TRIED if each.state == "waiting" and each.tries else _STATES[each.state]
    return PlatformLine(
        href=f"/ops/platforms/{each.platform_id}",
        platform=each.platform_name,
        event=each.type,
        became=texts.t(words, time=when),
        details=" · ".join(_details(each, view)),
        is_bad=each.state == "dead" or (each.state == "waiting" and each.tries > 0),
    )


def _details(each: ToldPlatform, view: View) -> list[str]:
    if each.state == "delivered":
        return []
    tries = view.texts.n("đã thử {count} lần", each.tries) if each.tries else ""
    status = f"HTTP {each.last_status}" if each.last_status else ""
    return [piece for piece in (tries, each.why or status) if piece]


_TRIED: Final = msg("chưa nhận, thử lại {time}")
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "waiting": msg("đang gửi"),
        "delivered": msg("đã nhận {time}"),
        "dead": msg("đã bỏ, không thử nữa"),
    }
)
