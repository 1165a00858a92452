"""One kitchen: its score, its people and how they are reached, its orders, its settings and its pause."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import web

from bot.keys import DATABASE, WAKING
from bot.ops.partner_view import (
    Knowledge,
    kitchen_pause,
    member_line,
    months_of,
    next_line,
    open_words,
    order_line,
    score_view,
    ways_of,
)
from bot.ops.partners import LANGUAGES, fault_words, hand_of
from bot.ops.session import Operator, form_of, inside, operator_of
from bot.texts.catalogue import Texts, msg
from bot.web.forms import Form, end_of_day, time_of
from core.console import partners as reads
from core.console import scores
from core.database import Pool
from core.errors import NotFound, RuleError
from core.operators import kitchens
from core.operators.kitchens import LONGEST_REASON, reason_of
from core.partners import partners, sessions, staff
from core.partners.partners import NONE, Partner, PartnerChange
from core.partners.staff import Member
from core.waking import wake_worker

_ORDERS: Final = 10
_TIMERS: Final = 5

#: What the page tells after a form of it was carried out; the address names it.
DONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "added": msg("Đã thêm quán. Mời chủ quán nối Zalo hoặc Telegram để nhận đơn."),
        "saved": msg("Đã lưu."),
        "paused": msg("Quán đã nghỉ. Các nền tảng được báo ngay."),
        "resumed": msg("Quán nhận đơn lại. Các nền tảng được báo ngay."),
        "removed": msg("Đã cho nghỉ. Nút bấm, đường dẫn và thiết bị của người này không dùng được nữa."),
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operator before a kitchen, and the form that was sent, empty where none was."""

    operator: Operator
    partner: Partner
    form: Form


async def asked_of(request: web.Request, *, posts: bool = False) -> Asked:
    """Return who is before which kitchen; raises what `operator_of` and `form_of` do, and 404."""
    operator = await operator_of(request)
    form = await form_of(request, operator) if posts else {}
    try:
        partner = await partners.by_code(request.config_dict[DATABASE].pool, request.match_info["code"])
    except NotFound:
        raise web.HTTPNotFound from None
    return Asked(operator, partner, form)


async def show(request: web.Request) -> web.Response:
    """Show a kitchen."""
    return await _page(request, await asked_of(request))


async def change(request: web.Request) -> web.Response:
    """Change what is set of a kitchen."""

    async def save(asked: Asked) -> str:
        database, hand = request.config_dict[DATABASE], hand_of(asked.operator)
        await kitchens.change(database, asked.partner.code, _wanted(asked.form), hand=hand)
        return "saved"

    return await _carried_out(request, save)


async def pause(request: web.Request) -> web.Response:
    """Let a kitchen take no new orders until a day is over."""

    async def save(asked: Asked) -> str:
        database, reason = request.config_dict[DATABASE], reason_of(asked.form.get("reason", ""))
        until = end_of_day(asked.form.get("until", "").strip(), asked.partner.zone, now=database.clock.now())
        written = await kitchens.pause(
            database, asked.partner, until, reason=reason, hand=hand_of(asked.operator)
        )
        await wake_worker(request.config_dict[WAKING].wake, written.notices, written.webhooks)
        return "paused"

    return await _carried_out(request, save)


async def resume(request: web.Request) -> web.Response:
    """Let a kitchen take new orders again."""

    async def save(asked: Asked) -> str:
        database, reason = request.config_dict[DATABASE], reason_of(asked.form.get("reason", ""))
        written = await kitchens.resume(database, asked.partner, reason=reason, hand=hand_of(asked.operator))
        await wake_worker(request.config_dict[WAKING].wake, written.notices, written.webhooks)
        return "resumed"

    return await _carried_out(request, save)


async def _carried_out(request: web.Request, save: Callable[[Asked], Awaitable[str]]) -> web.Response:
    """Carry a form out and lead back to the page that says so; or say in it what is wrong."""
    asked = await asked_of(request, posts=True)
    try:
        done = await save(asked)
    except RuleError as refusal:
        fault = fault_words(asked.operator.texts, refusal)
        return await _page(request, asked, fault=fault, status=422)
    raise web.HTTPSeeOther(f"/ops/partners/{asked.partner.code}?done={done}")


# --- Reading forms ----------------------------------------------------------------------------------


def _wanted(form: Form) -> PartnerChange:
    start, end, sheet = (time_of(form.get(name, "")) for name in ("from", "to", "sheet"))
    if (start is None) != (end is None):
        raise RuleError("quiet_hours_half")
    return PartnerChange(
        locale=form.get("locale", ""),
        timezone=form.get("timezone", "").strip(),
        quiet=(start, end) if start is not None and end is not None else NONE,
        sheet_at=NONE if sheet is None else sheet,
    )


# --- Showing ----------------------------------------------------------------------------------------


async def _page(request: web.Request, asked: Asked, *, fault: str = "", status: int = 200) -> web.Response:
    database, operator, partner = request.config_dict[DATABASE], asked.operator, asked.partner
    pool, now, texts = database.pool, database.clock.now(), asked.operator.texts
    kitchen = await reads.kitchen(pool, partner.id, now=now)
    if kitchen is None:
        raise web.HTTPNotFound
    standing = await scores.standing(pool, partner.id, partner.zone, now=now)
    members = await staff.staff_of(pool, partner.id)
    knowledge = await knowledge_of(pool, partner, members)
    devices = await sessions.of_staff(pool, [member.id for member in members], now=now)
    timers = await reads.next_timers(pool, partner.id, most=_TIMERS)
    orders = await reads.last_orders(pool, partner.id, most=_ORDERS)
    return inside(
        request,
        operator,
        "ops/partner.html",
        title=partner.name,
        status=status,
        partner=partner,
        paused=kitchen_pause(operator, kitchen, now),
        open=open_words(texts, kitchen),
        spans=[
            (texts.n("{count} ngày qua", days), score_view(texts, score))
            for days, score in ((30, standing.last_30), (90, standing.last_90))
        ],
        months=months_of(texts, standing),
        ways=ways_of(texts, standing.last_90),
        members=[member_line(operator, member, knowledge, devices, now=now) for member in members],
        timers=[next_line(operator, timer, now) for timer in timers],
        orders=[order_line(operator, order, now) for order in orders],
        set=_set(partner, asked.form),
        languages=LANGUAGES,
        today=now.astimezone(partner.zone).date().isoformat(),
        typed={name: asked.form.get(name, "")[:400] for name in ("until", "reason")},
        longest_reason=LONGEST_REASON,
        told=fault,
        done="" if fault else done_words(request, texts),
    )


async def knowledge_of(queryable: Pool, partner: Partner, members: Sequence[Member]) -> Knowledge:
    """Return what is known of these people's addresses."""
    values = [each.value for member in members for each in member.addresses]
    return Knowledge(await reads.known(queryable, values), await reads.last_sent(queryable, partner.id))


def _set(partner: Partner, form: Form) -> Mapping[str, str]:
    """Return what the form of the settings shows: what was typed, else what is set."""
    start, end = (f"{at:%H:%M}" for at in partner.quiet) if partner.quiet else ("", "")
    now = {
        "from": start,
        "to": end,
        "sheet": f"{partner.sheet_at:%H:%M}" if partner.sheet_at else "",
        "locale": partner.locale,
        "timezone": partner.zone.key,
    }
    return {name: form.get(name, value)[:64] for name, value in now.items()}


def done_words(request: web.Request, texts: Texts) -> str:
    """Return what is told of a form that was carried out."""
    done = request.query.get("done", "")
    return texts.t(DONE[done]) if done in DONE else ""
