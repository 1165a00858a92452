"""An order as JSON and back: what an event keeps of the order as it was then."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.actors import Via
from core.orders.events import Json
from core.orders.order import By, Customer, Item, Order, OrderId, Reason, Review, ReviewAnswer
from core.orders.status import Status


def dump(order: Order) -> dict[str, Json]:
    """Return the whole order as JSON; times as RFC 3339 in UTC."""
    return {
        "id": str(order.id),
        "platform_id": str(order.platform_id),
        "external_id": order.external_id,
        "partner_id": str(order.partner_id),
        "code": order.code,
        "status": order.status.value,
        "version": order.version,
        "revision": order.revision,
        "deliver_at": order.deliver_at.isoformat(),
        "ordered_at": order.ordered_at.isoformat(),
        "placed_at": order.placed_at.isoformat(),
        "asked_at": order.asked_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "address": order.address,
        "note": order.note,
        "items": [dump_item(item) for item in order.items],
        "fees": order.fees,
        "discount": order.discount,
        "total": order.total,
        "currency": order.currency,
        "customer": dump_customer(order.customer),
        "status_changed_at": order.status_changed_at.isoformat(),
        "status_changed_by": dump_by(order.status_changed_by),
        "reason": dump_reason(order.reason) if order.reason else None,
        "review": dump_review(order.review) if order.review else None,
        "final_at": order.final_at.isoformat() if order.final_at else None,
    }


def dump_item(item: Item) -> dict[str, Json]:
    """Return one dish as JSON."""
    return {"name": item.name, "quantity": item.quantity, "unit_price": item.unit_price, "note": item.note}


def dump_customer(customer: Customer) -> dict[str, Json]:
    """Return the customer as JSON."""
    return {
        "name": customer.name,
        "phone": customer.phone,
        "email": customer.email,
        "locale": customer.locale,
    }


def dump_by(by: By) -> dict[str, Json]:
    """Return who did it as JSON."""
    return {"via": by.via.value, "name": by.name, "id": str(by.id) if by.id else None}


def dump_reason(reason: Reason) -> dict[str, Json]:
    """Return the reason as JSON."""
    return {"code": reason.code, "text": reason.text}


def dump_review(review: Review) -> dict[str, Json]:
    """Return the review as JSON."""
    return {
        "rating": review.rating,
        "comment": review.comment,
        "author": review.author,
        "at": review.at.isoformat(),
        "answer": dump_answer(review.answer) if review.answer else None,
    }


def dump_answer(answer: ReviewAnswer) -> dict[str, Json]:
    """Return what the kitchen said to a review as JSON."""
    return {"text": answer.text, "at": answer.at.isoformat(), "by": dump_by(answer.by)}


def load(data: Mapping[str, Any]) -> Order:
    """Return the order that `dump` wrote."""
    return Order(
        id=OrderId(UUID(data["id"])),
        platform_id=UUID(data["platform_id"]),
        external_id=data["external_id"],
        partner_id=UUID(data["partner_id"]),
        code=data["code"],
        status=Status(data["status"]),
        version=data["version"],
        revision=data["revision"],
        deliver_at=datetime.fromisoformat(data["deliver_at"]),
        ordered_at=datetime.fromisoformat(data["ordered_at"]),
        placed_at=datetime.fromisoformat(data["placed_at"]),
        asked_at=datetime.fromisoformat(data["asked_at"]),
        updated_at=datetime.fromisoformat(data["updated_at"]),
        address=data["address"],
        note=data["note"],
        items=tuple(load_item(item) for item in data["items"]),
        fees=data["fees"],
        discount=data["discount"],
        total=data["total"],
        currency=data["currency"],
        customer=load_customer(data["customer"]),
        status_changed_at=datetime.fromisoformat(data["status_changed_at"]),
        status_changed_by=load_by(data["status_changed_by"]),
        reason=load_reason(data["reason"]) if data["reason"] else None,
        review=load_review(data["review"]) if data["review"] else None,
        final_at=datetime.fromisoformat(data["final_at"]) if data["final_at"] else None,
    )


def load_item(data: Mapping[str, Any]) -> Item:
    """Return one dish."""
    return Item(data["name"], data["quantity"], data["unit_price"], data["note"])


def load_customer(data: Mapping[str, Any]) -> Customer:
    """Return the customer."""
    return Customer(data["name"], data["phone"], data["email"], data["locale"])


def load_by(data: Mapping[str, Any]) -> By:
    """Return who did it."""
    return By(Via(data["via"]), data["name"], UUID(data["id"]) if data["id"] else None)


def load_reason(data: Mapping[str, Any]) -> Reason:
    """Return the reason."""
    return Reason(data["code"], data["text"])


def load_review(data: Mapping[str, Any]) -> Review:
    """Return the review; those of before kitchens could answer have no such part."""
    answer = data.get("answer")
    return Review(
        data["rating"],
        data["comment"],
        data["author"],
        datetime.fromisoformat(data["at"]),
        load_answer(answer) if answer else None,
    )


def load_answer(data: Mapping[str, Any]) -> ReviewAnswer:
    """Return what the kitchen said to a review."""
    return ReviewAnswer(data["text"], datetime.fromisoformat(data["at"]), load_by(data["by"]))
