"""A platform and what it was told, in the words of the operators. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.ops.session import Operator
from bot.ops.settings_view import length
from bot.texts.catalogue import Texts, msg
from core.console.platforms import MOST, PlatformStanding
from core.platforms.platforms import Scope
from core.platforms.webhook_log import TEST, Attempt, Delivery, WebhookState

_SECOND: Final = timedelta(seconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class PlatformView:
    """A platform as it is written; `trouble` where it is told nothing, or lacks something."""

    id: UUID
    name: str
    host: str
    facts: tuple[str, ...]
    disabled: str
    lacks: str
    since: str
    given_up: str


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One call, in a line."""

    at: str
    answer: str
    took: str


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One webhook. `order` and `href` are empty for what is of no order; `when` says what comes, or came."""

    id: UUID
    type: str
    order: str
    href: str
    state: str
    word: str
    when: str
    tries: str
    why: str
    attempts: tuple[AttemptLine, ...]


def platform_view(operator: Operator, platform: PlatformStanding, now: datetime) -> PlatformView:
    """Return a platform as it is written."""
    texts = operator.texts
    return PlatformView(
        id=platform.id,
        name=platform.name,
        host=platform.host or "",
        facts=tuple(_facts(operator, platform, now)),
        disabled=_disabled(operator, platform, now),
        lacks=_counted(texts, platform.waiting),
        since=texts.span(now - platform.oldest) if platform.oldest else "",
        given_up=_counted(texts, platform.dead),
    )


def _facts(operator: Operator, platform: PlatformStanding, now: datetime) -> list[str]:
    t = operator.texts.t
    told = t("nghe đơn của mọi nền tảng") if platform.scope is Scope.ALL else t("chỉ nghe đơn của chính mình")
    ours = t("mình báo khách khi huỷ") if platform.notify_customer else t("tự báo khách khi huỷ")
    lines = [told, ours]
    if platform.ask_review:
        lines.append(t("khách được mời đánh giá"))
    if platform.old_secret_until and platform.old_secret_until > now:
        until = operator.texts.moment(platform.old_secret_until, operator.zone, now)
        lines.append(t("khoá ký cũ còn dùng đến {until}", until=until))
    return lines


def _disabled(operator: Operator, platform: PlatformStanding, now: datetime) -> str:
    if platform.disabled_at is None:
        return ""
    when = operator.texts.moment(platform.disabled_at, operator.zone, now)
    return operator.texts.t("Đã tắt lúc {when}: {why}", when=when, why=platform.disabled_why or "?")


def _counted(texts: Texts, count: int) -> str:
    return f"{MOST:,}+".replace(",", ".") if count >= MOST else str(count)


def delivery_line(
    operator: Operator, delivery: Delivery, codes: Mapping[UUID, str], now: datetime
) -> DeliveryLine:
    """Return one webhook as it is written."""
    texts = operator.texts
    code = codes.get(delivery.order_id, "") if delivery.order_id else ""
    return DeliveryLine(
        id=delivery.id,
        type=texts.t("thử") if delivery.type == TEST else delivery.type,
        order=code,
        href=f"/ops/orders/{delivery.order_id}" if code else "",
        state=delivery.state.value,
        word=texts.t(STATES[delivery.state]),
        when=_when(operator, delivery, now),
        tries=texts.n("{count} lần gửi", delivery.tries) if delivery.tries else "",
        why=_answer(texts, delivery.last_status, delivery.why) if delivery.tries else "",
        attempts=tuple(_attempt(operator, each, now) for each in _newest_first(delivery.attempts)),
    )


def _newest_first(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    return tuple(reversed(attempts))


def _when(operator: Operator, delivery: Delivery, now: datetime) -> str:
    texts = operator.texts
    if delivery.delivered_at:
        return texts.moment(delivery.delivered_at, operator.zone, now)
    if delivery.next_at:
        return texts.t("gửi tiếp {when}", when=texts.moment(delivery.next_at, operator.zone, now))
    return ""


def _attempt(operator: Operator, attempt: Attempt, now: datetime) -> AttemptLine:
    texts = operator.texts
    took = f"{attempt.took // _MILLISECOND} ms" if attempt.took < _SECOND else length(texts, attempt.took)
    return AttemptLine(
        f"{attempt.at.astimezone(operator.zone):%H:%M:%S %d/%m}",
        _answer(texts, attempt.status, attempt.why),
        took,
    )


def _answer(texts: Texts, status: int | None, why: str | None) -> str:
    """Return "HTTP 503: …"; what has no answer has its reason only."""
    number = f"HTTP {status}" if status else ""
    said = why if why and why != number else ""
    return ": ".join(part for part in (number, said) if part) or texts.t("không có trả lời")


STATES: Final[Mapping[WebhookState, str]] = MappingProxyType(
    {
        WebhookState.WAITING: msg("Đang chờ gửi"),
        WebhookState.DELIVERED: msg("Đã nhận"),
        WebhookState.DEAD: msg("Đã bỏ"),
    }
)
