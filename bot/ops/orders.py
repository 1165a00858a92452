"""One order before an operator: all of it, and what an operator can do in the kitchen's place.

Who ordered is masked until an operator says why they must know; that is put on record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from bot.cards import masking
from bot.keys import DATABASE, LEDGER, WAKING
from bot.ops.order_view import callable_people, platform_lines, told_here
from bot.ops.session import (
    VIA,
    Operator,
    form_of,
    inside,
    is_nonce_of,
    nonce_of,
    operator_if_any,
    operator_of,
)
from bot.texts.catalogue import Texts
from bot.tokens import Bearer, LinkToken
from bot.web.live import LIVE, Watcher, tell
from bot.web.order_view import Person, Told, order_page, told_of
from bot.web.reading import Reading, read
from core import audit
from core.audit import Signed
from core.errors import NotFound, RuleError
from core.operators import nudging
from core.operators.kitchens import LONGEST_REASON, reason_of
from core.operators.order_reads import told_platforms
from core.orders import answers
from core.orders.commands import OTHER_REASON, CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.events import Event, Json
from core.orders.order import Order, OrderId, Reason
from core.orders.status import Status
from core.partners.staff import staff_of
from core.waking import wake_worker


@dataclass(frozen=True, slots=True)
class Sight:
    """An order before an operator; `customer` is None while it is masked."""

    reading: Reading
    customer: Person | None = None
    email: str = ""

    @property
    def order(self) -> Order:
        """The order as it is now, with its customer."""
        return self.reading.order


async def show(request: web.Request) -> web.StreamResponse:
    """Show the order; changes nothing."""
    operator = await operator_of(request)
    reading = await _reading(request, operator)
    told = await _told_after(request, operator, reading) or _nudged(request, operator.texts)
    return await _page(request, operator, Sight(reading), told)


async def live(request: web.Request) -> web.StreamResponse:
    """Tell the page of somebody signed in when its order changes; a stranger finds nothing here."""
    if await operator_if_any(request) is None:
        raise web.HTTPNotFound
    return await tell(request, request.config_dict[LIVE].watching(Watcher(_order_id(request), None, None)))


# --- Acting -----------------------------------------------------------------------------------------


async def act(request: web.Request) -> web.StreamResponse:
    """Do what a form asks for in the kitchen's place, once, and lead back to what came of it."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    reading = await _reading(request, operator)
    action, nonce = request.match_info["action"], form["nonce"]
    try:
        reason = Reason(None, reason_of(form.get("reason", "")))
    except RuleError as wrong:
        return await _page(request, operator, Sight(reading), _missing(operator.texts, wrong), status=422)
    await request.config_dict[LEDGER].submit(
        _COMMANDS[action](reading.order.id, reason),
        actor=operator.actor,
        key=_key(action, nonce),
        signed=Signed(operator.email, VIA),
    )
    return web.Response(
        status=303, headers={"Location": f"/ops/orders/{reading.order.id}?answered={action}.{nonce}"}
    )


_COMMANDS: Final[Mapping[str, Callable[[OrderId, Reason], Command]]] = MappingProxyType(
    {
        "confirm": lambda order_id, reason: ConfirmOrder(order_id, reason=reason),
        "cancel": CancelOrder,
        "complete": lambda order_id, reason: CompleteOrder(order_id, reason=reason),
    }
)
#: What can be done to an order with this status; a completion that is too early is answered so.
_ACTIONS: Final[Mapping[Status, tuple[str, ...]]] = MappingProxyType(
    {Status.PENDING: ("confirm", "cancel"), Status.CONFIRMED: ("complete", "cancel")}
)


def _key(action: str, nonce: str) -> str:
    """Return the command's key: a form does its deed once."""
    return f"ops:{action}:{nonce}"


async def _told_after(request: web.Request, operator: Operator, reading: Reading) -> Told | None:
    """Return what came of the form that the address names, where its nonce is one of this session's."""
    action, _, nonce = request.query.get("answered", "").partition(".")
    if action not in _COMMANDS or not is_nonce_of(request, operator, nonce):
        return None
    pool = request.config_dict[DATABASE].pool
    stored = await pool.fetchval("SELECT answer FROM inbox WHERE key = $1", _key(action, nonce))
    return told_of(reading, answers.load(stored, replayed=True)) if stored else None


def _missing(texts: Texts, wrong: RuleError) -> Told:
    advice = {
        "reason_missing": texts.t("Ghi lý do rồi bấm lại: lý do được lưu vào nhật ký."),
        "reason_long": texts.t("Lý do dài quá {most} chữ. Viết ngắn hơn.", most=LONGEST_REASON),
    }
    return Told("bad", texts.t("Chưa có gì được làm."), (advice[wrong.code],))


async def nudge(request: web.Request) -> web.StreamResponse:
    """Have the kitchen asked once more."""
    operator = await operator_of(request)
    await form_of(request, operator)
    order_id, database = _order_id(request), request.config_dict[DATABASE]
    signed = Signed(operator.email, VIA)
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        notice_id = await nudging.nudge(connection, order_id, signed=signed, now=database.clock.now())
    if notice_id:
        await wake_worker(request.config_dict[WAKING].wake, [notice_id])
    raise web.HTTPSeeOther(f"/ops/orders/{order_id}?nudged={'1' if notice_id else '0'}")


def _nudged(request: web.Request, texts: Texts) -> Told | None:
    wait = texts.t("Chỉ nhắc được đơn đang chờ xác nhận, và cách nhau ít nhất 5 phút.")
    return {
        "1": Told("good", texts.t("Đang nhắc mọi người xác nhận được của quán.")),
        "0": Told("bad", texts.t("Chưa nhắc."), (wait,)),
    }.get(request.query.get("nudged", ""))


# --- Who ordered ------------------------------------------------------------------------------------


async def reveal(request: web.Request) -> web.StreamResponse:
    """Show who ordered, this once, after putting on record who looked and why."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    reading = await _reading(request, operator)
    try:
        reason = reason_of(form.get("reason", ""))
    except RuleError as wrong:
        return await _page(request, operator, Sight(reading), _missing(operator.texts, wrong), status=422)
    order, database = reading.order, request.config_dict[DATABASE]
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        await audit.record(
            connection,
            who=operator.email,
            via=VIA,
            deed="customer.shown",
            about=f"{await _partner_code(connection, order)}/{order.code}",
            about_id=order.id,
            reason=reason,
            now=database.clock.now(),
        )
    phone = order.customer.phone
    person = Person(order.customer.name, masking.local_phone(phone) if phone else None, phone)
    return await _page(request, operator, Sight(reading, person, order.customer.email or ""), None)


async def _partner_code(queryable: Any, order: Order) -> str:
    return str(await queryable.fetchval("SELECT code FROM partners WHERE id = $1", order.partner_id))


def _veiled(reading: Reading) -> Reading:
    """Return the same without anything that tells who ordered, whatever the order's status."""
    order = reading.order
    customer = replace(
        order.customer,
        name=masking.masked_name(order.customer.name),
        phone=masking.masked_phone(order.customer.phone) if order.customer.phone else None,
        email=masking.masked_email(order.customer.email) if order.customer.email else None,
    )
    veiled = replace(
        order,
        customer=customer,
        address=masking.masked_address(order.address),
        note=masking.without_phones(order.note),
        items=tuple(replace(item, note=masking.without_phones(item.note)) for item in order.items),
    )
    events = [replace(event, data=_without_customer(event)) for event in reading.events]
    return replace(reading, view=replace(reading.view, order=veiled), events=events)


def _without_phones(items: Any) -> list[Json]:
    return [{**item, "note": masking.without_phones(item["note"])} for item in items]


#: How what a platform changed is masked on either side, by its name.
_VEILS: Final[Mapping[str, Callable[[Any], Json]]] = MappingProxyType(
    {"address": masking.masked_address, "note": masking.without_phones, "items": _without_phones}
)


def _without_customer(event: Event) -> Mapping[str, Json]:
    changes = event.data.get("changes")
    if not isinstance(changes, dict):
        return event.data
    return {**event.data, "changes": {name: _veiled_change(name, each) for name, each in changes.items()}}


def _veiled_change(name: str, change: Json) -> Json:
    veil = _VEILS.get(name)
    if veil is None or not isinstance(change, dict):
        return change
    return {side: veil(value) for side, value in change.items()}


# --- Showing ----------------------------------------------------------------------------------------


async def _reading(request: web.Request, operator: Operator) -> Reading:
    """Return the order that the address names, in the operator's language."""
    try:
        reading = await read(request, LinkToken(_order_id(request), 0, Bearer.OPERATOR))
    except NotFound:
        raise web.HTTPNotFound from None
    frame = replace(reading.view.frame, texts=operator.texts)
    return replace(reading, view=replace(reading.view, frame=frame))


def _order_id(request: web.Request) -> OrderId:
    try:
        return OrderId(UUID(request.match_info["order"]))
    except ValueError:
        raise web.HTTPNotFound from None


async def _page(
    request: web.Request, operator: Operator, sight: Sight, told: Told | None, *, status: int = 200
) -> web.Response:
    order, texts = sight.order, operator.texts
    is_open = sight.customer is not None
    page = order_page(sight.reading if is_open else _veiled(sight.reading), told)
    masked = page.person.phone
    page = replace(
        page,
        person=sight.customer or Person(masking.masked_name(order.customer.name), masked, None),
        address=order.address if is_open else page.address,
        told=told_here(page.told, sight.reading.view),
        hotline=None,
    )
    pool = request.config_dict[DATABASE].pool
    nonce = nonce_of(request, operator)
    return inside(
        request,
        operator,
        "ops/order.html",
        title=f"{texts.t('Đơn {code}', code=page.code)} · {page.word}",
        status=status,
        nonce=nonce,
        page=page,
        at=f"/ops/orders/{order.id}",
        back=f"/ops/orders/{order.id}",
        version=order.version,
        live="" if is_open or status != 200 else f"/ops/orders/{order.id}/live",
        hidden={"nonce": nonce},
        asks_reason=False,
        other_reason=OTHER_REASON,
        longest_note=LONGEST_REASON,
        longest_reason=LONGEST_REASON,
        external_id=order.external_id,
        email=sight.email,
        is_open=is_open,
        partner_code=await _partner_code(pool, order),
        people=callable_people(await staff_of(pool, order.partner_id), texts),
        actions=_ACTIONS.get(order.status, ()),
        platforms=platform_lines(await told_platforms(pool, order.id), sight.reading.view),
    )
