"""Orders by API: place, show, list, change, cancel, review."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from bot.api import bodies
from bot.api.calls import Call
from bot.api.faults import Body, Faulty, checked
from bot.api.listing import cursor_of, orders_query
from bot.api.models import Cancellation, OrderChange, ReviewIn, to_items
from bot.api.placing import Kitchens, status_of, understood
from bot.api.problems import RULE_FAULTS, Problem
from bot.api.shapes import document_of
from bot.api.versions import etag, is_known, wanted_versions
from core.errors import RuleError, Unavailable
from core.orders import queries
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, ChangeOrder, Command, ReviewOrder
from core.orders.order import OrderId, Reason
from core.orders.queries import Told
from core.partners.models import PartnerRow

ORDERS_PATH: Final = "/api/v1/orders"


@dataclass(frozen=True, slots=True)
class _Done:
    """A command's answer, and the order as of it."""

    answer: Answer
    told: Told


async def place(call: Call) -> web.Response:
    """Place an order: 201, or 200 with the present order for a repeat of the same one."""
    content = await bodies.read_json(call.request)
    placing = await understood(
        content, platform=call.platform, kitchens=Kitchens(call.database), now=call.now
    )
    try:
        done = await _submit(call, placing.command, content)
    except RuleError as error:
        raise await placing.refused(error) from None
    return _order(done, status=status_of(done.answer))


async def show(call: Call) -> web.Response:
    """Show one of the platform's orders; 304 to who has it in this version."""
    told = await _own(call, _order_id(call))
    headers = {"ETag": etag(told.order.version)}
    if is_known(call.request, told.order.version):
        return web.Response(status=304, headers=headers)
    return _json(document_of(told), headers=headers)


async def change(call: Call) -> web.Response:
    """Change an order; one without a difference is answered with the order as it is."""
    order_id = _order_id(call)
    content = await bodies.read_json(call.request)
    names = frozenset(content) if isinstance(content, dict) else frozenset[str]()
    wanted = checked(OrderChange, content, Body(names=names))
    versions = wanted_versions(call.request)
    command = ChangeOrder(
        order_id,
        deliver_at=wanted.deliver_at,
        items=to_items(wanted.items) if wanted.items else None,
        fees=wanted.fees,
        discount=wanted.discount,
        total=wanted.total,
        address=wanted.address,
        note=wanted.note,
        versions=versions,
    )
    done = await _submit(call, command, content)
    if done.answer.kind is AnswerKind.STATE:
        raise _settled("order_final", done)
    return _order(done)


async def cancel(call: Call) -> web.Response:
    """Cancel an order in the platform's words."""
    order_id = _order_id(call)
    content = await bodies.read_json(call.request)
    reason = Reason(None, checked(Cancellation, content).reason)
    command = CancelOrder(order_id, reason, versions=wanted_versions(call.request))
    done = await _submit(call, command, content)
    if done.answer.kind is not AnswerKind.DONE:
        raise _settled("order_final", done)
    return _order(done)


async def review(call: Call) -> web.Response:
    """Take a customer's review: 201, or 200 when it replaces one."""
    order_id = _order_id(call)
    content = await bodies.read_json(call.request)
    said = checked(ReviewIn, content)
    command = ReviewOrder(
        order_id, said.rating, said.comment, said.author, versions=wanted_versions(call.request)
    )
    done = await _submit(call, command, content)
    if done.answer.kind is AnswerKind.NOTHING:
        return _order(done)
    if done.answer.kind is not AnswerKind.DONE:
        raise _settled("order_not_completed", done)
    replaced = done.told.events[-1].data.get("replaced")
    return _order(done, status=200 if replaced else 201)


async def list_orders(call: Call) -> web.Response:
    """List the platform's orders, page by page."""
    query = orders_query(call.request.query)
    partner = await partner_of(query.partner)
    wanted = query.wanted(
        call.platform.id,
        partner_id=partner.id if partner else None,
        zone=ZoneInfo(partner.timezone) if partner else call.zone,
    )
    page = await queries.page(wanted, after=query.after, limit=query.limit)
    items = [document_of(told) for told in page.items]
    return _json({"items": items, "next_cursor": cursor_of(query, page.next)})


async def partner_of(code: str | None) -> PartnerRow | None:
    """Return the kitchen that a query names, None when it names none; raises Faulty for an unknown one."""
    if code is None:
        return None
    partner = await PartnerRow.get_or_none(code=code)
    if partner is None:
        raise Faulty(RULE_FAULTS["no_such_partner"])
    return partner


async def _submit(call: Call, command: Command, content: Any) -> _Done:
    """Carry out a command; raises Problem when there is no such order for this platform."""
    key = call.inbox_key
    fingerprint = bodies.fingerprint(call.request, content) if key else None
    answer = await call.ledger.submit(command, actor=call.actor, key=key, fingerprint=fingerprint)
    if answer.order_id is None or answer.kind is AnswerKind.FORBIDDEN:
        raise Problem("not_found")
    told = await queries.as_of(answer.order_id, answer.version)
    if told is None:
        raise Unavailable
    return _Done(answer, told)


def _settled(code: str, done: _Done) -> Problem:
    status = done.answer.status or done.told.order.status
    return Problem(code, more={"order_status": status.value}, headers=_replayed(done.answer))


def _order_id(call: Call) -> OrderId:
    try:
        return OrderId(UUID(call.request.match_info["id"]))
    except ValueError:
        raise Problem("not_found") from None


async def _own(call: Call, order_id: OrderId) -> Told:
    told = await queries.as_of(order_id)
    if told is None or told.order.platform_id != call.platform.id:
        raise Problem("not_found")
    return told


def _order(done: _Done, *, status: int = 200) -> web.Response:
    headers = {"ETag": etag(done.told.order.version), **_replayed(done.answer)}
    if status == 201 and done.answer.asked == "place":
        headers["Location"] = f"{ORDERS_PATH}/{done.told.order.id}"
    return _json(document_of(done.told), status=status, headers=headers)


def _replayed(answer: Answer) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if answer.replayed else {}


def _json(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content), status=status, content_type="application/json", headers=headers
    )
