"""What operators were owed a word about and nobody has dealt with yet, by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from aiohttp import web

from bot.cards.alarms import facts_of
from bot.keys import DATABASE
from bot.ops.session import VIA, Operator, form_of, inside, operator_of
from bot.texts.catalogue import Texts, msg
from core.audit import Signed
from core.errors import RuleError
from core.notices.kinds import NoticeKind
from core.operators import items
from core.operators.items import Item
from core.operators.kitchens import LONGEST_REASON, reason_of

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to look at."""

    id: UUID
    href: str
    what: str
    details: str
    since: str


@dataclass(frozen=True, slots=True)
class Heap:
    """All of one kind: `more` are not shown."""

    title: str
    advice: str
    lines: tuple[Line, ...]
    more: int


async def show(request: web.Request) -> web.StreamResponse:
    """Show what is to be looked at; changes nothing."""
    operator = await operator_of(request)
    return await _page(request, operator)


async def handle(request: web.Request) -> web.StreamResponse:
    """Say that one thing is dealt with, and what was done."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    try:
        item_id = UUID(form.get("item", ""))
    except ValueError:
        raise web.HTTPBadRequest from None
    try:
        words = reason_of(form.get("words", ""))
    except RuleError as wrong:
        return await _page(request, operator, told=_wrong(operator.texts, wrong), status=422)
    database, signed = request.config_dict[DATABASE], Signed(operator.email, VIA)
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        is_mine = await items.handle(connection, item_id, words, signed=signed, now=database.clock.now())
    raise web.HTTPSeeOther(f"/ops/items?done={'1' if is_mine else '0'}")


def _wrong(texts: Texts, wrong: RuleError) -> str:
    if wrong.code == "reason_missing":
        return texts.t("Ghi đã làm gì rồi bấm lại: lời ghi được lưu vào nhật ký.")
    return texts.t("Lời ghi dài quá {most} chữ. Viết ngắn hơn.", most=LONGEST_REASON)


async def _page(
    request: web.Request, operator: Operator, *, told: str = "", status: int = 200
) -> web.Response:
    database = request.config_dict[DATABASE]
    now = database.clock.now()
    found = await items.open_items(database.pool, most=MOST, now=now)
    counted = await items.counts(database.pool, now=now)
    return inside(
        request,
        operator,
        "ops/items.html",
        title=operator.texts.t("Việc cần xem"),
        status=status,
        heaps=_heaps(operator, found, counted, now),
        told=told,
        done=_DONE.get(request.query.get("done", ""), ""),
        longest=LONGEST_REASON,
    )


_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {"1": msg("Đã ghi nhận, việc này không còn trong danh sách."), "0": msg("Việc này đã có người xử lý.")}
)


def _heaps(
    operator: Operator, found: Sequence[Item], counted: Mapping[NoticeKind, int], now: datetime
) -> tuple[Heap, ...]:
    heaps = []
    for kind in sorted(counted, key=_ORDER.index):
        lines = tuple(_line(operator, item, now) for item in found if item.kind is kind)
        title, advice = _KINDS[kind]
        heaps.append(
            Heap(operator.texts.t(title), operator.texts.t(advice), lines, counted[kind] - len(lines))
        )
    return tuple(heaps)


def _line(operator: Operator, item: Item, now: datetime) -> Line:
    texts, zone = operator.texts, operator.zone
    facts = facts_of(texts, item.data)
    if item.order_id:
        what = f"{texts.t('Đơn {code}', code=item.code)} · {item.partner_name}"
        when = texts.moment(item.deliver_at, zone, now) if item.deliver_at else ""
        facts = (texts.t("giao {time}", time=when), *facts)
    else:
        what, facts = (facts[0], facts[1:]) if facts else ("—", ())
    return Line(
        id=item.id,
        href=_href(item),
        what=what,
        details=" · ".join(facts),
        since=texts.t("từ {time}", time=texts.happened(item.owed_at, zone, now)),
    )


def _href(item: Item) -> str:
    if item.order_id:
        return f"/ops/orders/{item.order_id}"
    if item.kind is NoticeKind.CODES_USED_UP:
        return f"/ops/partners/{item.data.get('name', '')}"
    return "/ops/platforms" if item.kind is NoticeKind.WEBHOOK_DEAD else ""


#: What each kind is called, and what to do about it; the most urgent first.
_KINDS: Final[Mapping[NoticeKind, tuple[str, str]]] = MappingProxyType(
    {
        NoticeKind.ORDER_AT_RISK: (
            msg("Đơn sắp đến giờ mà chưa ai xác nhận"),
            msg("Gọi cho quán. Quán nhận thì xác nhận thay, không nhận thì huỷ để khách biết sớm."),
        ),
        NoticeKind.UNDELIVERABLE: (
            msg("Tin không gửi được cho ai"),
            msg("Xem lại số điện thoại, Zalo và email của người trong quán, rồi báo họ bằng cách khác."),
        ),
        NoticeKind.WEBHOOK_DEAD: (
            msg("Webhook đã bỏ"),
            msg("Nền tảng không nhận tin. Báo cho họ, rồi gửi lại khi họ đã sẵn sàng."),
        ),
        NoticeKind.NOT_COMPLETED: (
            msg("Đơn đã giao mà chưa báo hoàn thành"),
            msg("Hỏi quán đã giao chưa. Đơn chưa hoàn thành thì quán chưa được trả tiền."),
        ),
        NoticeKind.LOW_REVIEW: (
            msg("Khách chấm từ 2 sao trở xuống"),
            msg("Gọi cho quán và cho khách, hỏi chuyện gì đã xảy ra."),
        ),
        NoticeKind.CODES_USED_UP: (
            msg("Quán hết mã đơn"),
            msg("Quán có quá nhiều đơn đang mở nên đơn mới bị từ chối. Báo hoàn thành hoặc huỷ bớt đơn cũ."),
        ),
    }
)
_ORDER: Final = tuple(_KINDS)
