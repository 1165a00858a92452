"""The shape of an order as platforms get it: in answers of the API, and in webhooks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from core.orders.events import Event, Json
from core.orders.order import By, Order
from core.orders.queries import Told
from core.orders.snapshot import dump_customer, dump_item, dump_reason, dump_review, load_by
from core.partners.events import PartnerEvent
from core.settlement import SettledOrder, Settlement


class Scope(StrEnum):
    """How much of an order a platform gets: all of its own; of others' nothing that names the customer."""

    FULL = "full"
    REDUCED = "reduced"


#: The type of a webhook that tells of nothing but that it arrives.
TEST: Final = "test"

#: What only the platform that placed an order gets.
_OWN: Final = frozenset({"customer", "address", "note"})
#: The name under a review; the kitchen's answer may call it.
_OWN_OF_REVIEW: Final = frozenset({"author", "answer"})


def scope_for(platform_id: UUID, order: Order) -> Scope:
    """Return how much of the order this platform gets."""
    return Scope.FULL if platform_id == order.platform_id else Scope.REDUCED


def order_document(
    order: Order,
    events: Sequence[Event],
    *,
    zone: ZoneInfo,
    partner_code: str,
    scope: Scope = Scope.FULL,
) -> dict[str, Json]:
    """Return an order with these events of its, oldest first; times carry the zone's offset.

    Reduced, it is without the fields customer, address and note, the dishes' notes, the name under a
    review and the answer to it: absent, not empty, and so in the events too.
    """
    whole: dict[str, Json] = {
        "id": str(order.id),
        "external_id": order.external_id,
        "partner": partner_code,
        "code": order.code,
        "status": order.status.value,
        "status_changed_at": _at(order.status_changed_at, zone),
        "status_changed_by": _by(order.status_changed_by),
        "deliver_at": _at(order.deliver_at, zone),
        "ordered_at": _at(order.ordered_at, zone),
        "customer": dump_customer(order.customer),
        "address": order.address,
        "note": order.note,
        "items": [_item(dump_item(item), scope) for item in order.items],
        "fees": order.fees,
        "discount": order.discount,
        "total": order.total,
        "currency": order.currency,
        "reason": dump_reason(order.reason) if order.reason else None,
        "version": order.version,
        "revision": order.revision,
        "review": _review(dump_review(order.review), zone, scope) if order.review else None,
        "created_at": _at(order.placed_at, zone),
        "updated_at": _at(order.updated_at, zone),
        "events": [_event(event, zone, scope) for event in events],
    }
    return whole if scope is Scope.FULL else _without(whole, _OWN)


def document_of(told: Told, scope: Scope = Scope.FULL) -> dict[str, Json]:
    """Return the document of an order as it was read."""
    return order_document(
        told.order, told.events, zone=told.zone, partner_code=told.partner_code, scope=scope
    )


def webhook_body(told: Told, scope: Scope) -> bytes:
    """Return what a platform is told of the newest event in `told`: the same bytes each time.

    docs/facts.md#standard-webhooks: `type`, `timestamp` (when it happened) and `data`.
    """
    return msgspec.json.encode(webhook_content(told, scope))


def webhook_content(told: Told, scope: Scope) -> dict[str, Json]:
    """Return what a platform is told of the newest event in `told`, as JSON."""
    event = told.events[-1]
    return {
        "type": event.type.value,
        "timestamp": _at(event.at, told.zone),
        "data": document_of(told, scope),
    }


def partner_webhook_body(event: PartnerEvent) -> bytes:
    """Return what every platform is told of a kitchen's event: the same bytes each time."""
    return msgspec.json.encode(partner_webhook_content(event))


def partner_webhook_content(event: PartnerEvent) -> dict[str, Json]:
    """Return what every platform is told of a kitchen's event, as JSON."""
    return {"type": event.type, "timestamp": event.data["at"], "data": dict(event.data)}


def webhook_test_body(asked_at: datetime) -> bytes:
    """Return what a platform is told that asked for a test: the same bytes each time."""
    return msgspec.json.encode({"type": TEST, "timestamp": asked_at.isoformat(), "data": {}})


def settlement_document(settlement: Settlement) -> dict[str, Json]:
    """Return a settlement as JSON."""
    return {
        "items": [dict(settled_row(item)) for item in settlement.items],
        "count": settlement.count,
        "total": settlement.total,
    }


def settled_row(item: SettledOrder) -> dict[str, str | int]:
    """Return one line of a settlement, its columns in order."""
    return {
        "order_id": str(item.order_id),
        "external_id": item.external_id,
        "code": item.code,
        "partner": item.partner,
        "completed_at": item.completed_at.isoformat(),
        "total": item.total,
    }


def _at(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


def _by(by: By) -> dict[str, Json]:
    return {"channel": by.via.value, "name": by.name}


def _without(content: Mapping[str, Json], names: frozenset[str]) -> dict[str, Json]:
    return {name: value for name, value in content.items() if name not in names}


def _item(item: Mapping[str, Json], scope: Scope) -> dict[str, Json]:
    return dict(item) if scope is Scope.FULL else _without(item, _OWN)


def _review(review: Mapping[str, Any], zone: ZoneInfo, scope: Scope) -> dict[str, Json]:
    answer = review.get("answer")
    shown = {
        **review,
        "at": _at(datetime.fromisoformat(review["at"]), zone),
        "answer": _answer(answer, zone) if answer else None,
    }
    return shown if scope is Scope.FULL else _without(shown, _OWN_OF_REVIEW)


def _answer(answer: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Json]:
    at, by = datetime.fromisoformat(answer["at"]), load_by(answer["by"])
    return {"text": answer["text"], "at": _at(at, zone), "by": _by(by)}


def _event(event: Event, zone: ZoneInfo, scope: Scope) -> dict[str, Json]:
    return {
        "type": event.type.value,
        "at": _at(event.at, zone),
        "by": _by(event.by),
        "data": {
            name: _of_data(name, value, zone, scope)
            for name, value in event.data.items()
            if scope is Scope.FULL or name not in _OWN_OF_REVIEW
        },
    }


def _of_data(name: str, value: Any, zone: ZoneInfo, scope: Scope) -> Json:
    if name == "review" and value:
        return _review(value, zone, scope)
    if name == "answer" and value:
        return _answer(value, zone)
    if name == "changes" and value:
        return _changes(value, zone, scope)
    kept: Json = value
    return kept


def _changes(changes: Mapping[str, Any], zone: ZoneInfo, scope: Scope) -> dict[str, Json]:
    told = changes if scope is Scope.FULL else _without(changes, _OWN)
    return {name: _change(name, change, zone, scope) for name, change in told.items()}


def _change(name: str, change: Any, zone: ZoneInfo, scope: Scope) -> dict[str, Json]:
    """Return before and after, in the same words as the order itself."""
    show = _SHOW.get(name)
    return {side: show(value, zone, scope) if show else value for side, value in change.items()}


def _show_moment(value: Any, zone: ZoneInfo, scope: Scope) -> Json:
    return _at(datetime.fromisoformat(value), zone)


def _show_items(value: Any, zone: ZoneInfo, scope: Scope) -> Json:
    return [_item(item, scope) for item in value]


_SHOW: Final[Mapping[str, Callable[[Any, ZoneInfo, Scope], Json]]] = MappingProxyType(
    {"deliver_at": _show_moment, "items": _show_items}
)
