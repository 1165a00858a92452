"""The OpenAPI 3.1 document of the API, made of the models that bodies are checked by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from pydantic import BaseModel

from bot.api import models
from bot.api.listing import OrdersQuery, SettlementQuery
from bot.api.problems import CONTENT_TYPE, KINDS
from bot.keys import SETTINGS

_REF: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_ALWAYS: Final = ("unauthorized", "too_many_requests", "internal", "unavailable")
_WITH_BODY: Final = (
    "malformed",
    "too_slow",
    "too_large",
    "unsupported_media_type",
    "invalid",
    "idempotency_key_reused",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does: `answers` are statuses of success, `problems` codes of refusal."""

    method: str
    path: str
    name: str
    summary: str
    description: str
    answer: type[BaseModel]
    answers: tuple[tuple[int, str], ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    also_csv: bool = False


PLACE: Final = Operation(
    "POST",
    "/orders",
    "placeOrder",
    "Place an order",
    "The kitchen is asked to confirm it. The same `external_id` again with the same content is answered with"
    " the present order; with other content it is a conflict. A repeat of an `Idempotency-Key` gets the first"
    " answer.",
    models.OrderDocument,
    ((201, "The order was placed."), (200, "It was placed before: the present order.")),
    (*_WITH_BODY, "external_id_taken", "partner_paused", "codes_used_up"),
    body=models.OrderIn,
)
PLACE_MANY: Final = Operation(
    "POST",
    "/orders:batch",
    "placeOrders",
    "Place many orders",
    "Up to 500, at most 2 MB. Each is placed as a single one is, and has its own result; one that is refused"
    " is in nobody's way. Of two with the same `external_id` the first wins. An `Idempotency-Key` names the"
    " whole batch: a repeat of it gets the first answers again, and tries once more what was refused.",
    models.BatchResults,
    ((200, "A result for each order, in order."),),
    _WITH_BODY,
    body=models.Batch,
)
LIST: Final = Operation(
    "GET",
    "/orders",
    "listOrders",
    "List orders",
    "The platform's own orders, the newest placed first; with `updated_after`, the oldest change first.",
    models.OrderList,
    ((200, "A page of orders."),),
    ("invalid",),
    query=OrdersQuery,
)
SHOW: Final = Operation(
    "GET",
    "/orders/{id}",
    "showOrder",
    "Show an order",
    "With everything that happened to it.",
    models.OrderDocument,
    ((200, "The order."),),
    ("not_found",),
)
CHANGE: Final = Operation(
    "PATCH",
    "/orders/{id}",
    "changeOrder",
    "Change an order",
    "Delivery time, items (with fees, discount and total), address, note; what is left out stays. A confirmed"
    " order whose time or items change waits for confirmation again. Nothing changes after a final status.",
    models.OrderDocument,
    ((200, "The order as it is now."),),
    (*_WITH_BODY, "not_found", "order_final"),
    body=models.OrderChange,
)
CANCEL: Final = Operation(
    "POST",
    "/orders/{id}/cancel",
    "cancelOrder",
    "Cancel an order",
    "While it waits or is confirmed. The kitchen and every platform are told.",
    models.OrderDocument,
    ((200, "The cancelled order."),),
    (*_WITH_BODY, "not_found", "order_final"),
    body=models.Cancellation,
)
REVIEW: Final = Operation(
    "POST",
    "/orders/{id}/review",
    "reviewOrder",
    "Pass on a customer's review",
    "Of a completed order; a second review replaces the first.",
    models.OrderDocument,
    ((201, "The order with its review."), (200, "The review replaced another one.")),
    (*_WITH_BODY, "not_found", "order_not_completed"),
    body=models.ReviewIn,
)
SETTLE: Final = Operation(
    "GET",
    "/settlements",
    "showSettlement",
    "Settle",
    "The completed orders, and only those, of some days. `Accept: text/csv` gives the same columns as CSV"
    " (UTF-8), where text that a spreadsheet would run as a formula starts with an apostrophe.",
    models.Settlement,
    ((200, "What was completed."),),
    ("invalid",),
    query=SettlementQuery,
    also_csv=True,
)
OPERATIONS: Final = (PLACE, PLACE_MANY, LIST, SHOW, CHANGE, CANCEL, REVIEW, SETTLE)

_ORDER: Final[dict[str, Any]] = {
    "external_id": "PX-2026-000123",
    "partner": "com-nha-lan",
    "deliver_at": "2026-11-23T11:30:00+07:00",
    "ordered_at": "2026-11-20T10:00:00+07:00",
    "customer": {"name": "Công ty ABC", "phone": "0909123456", "email": "an@example.com", "locale": "vi"},
    "address": "12 Lê Lợi, Quận 1, TP.HCM",
    "note": "Giao cổng sau",
    "items": [{"name": "Cơm gà", "quantity": 20, "unit_price": 45000, "note": ""}],
    "total": 900000,
    "currency": "VND",
}
EXAMPLES: Final[Mapping[type[BaseModel], dict[str, Any]]] = {
    models.OrderIn: _ORDER,
    models.Batch: {"orders": [_ORDER, {**_ORDER, "external_id": "PX-2026-000124"}]},
    models.OrderChange: {"deliver_at": "2026-11-23T12:00:00+07:00", "note": "Giao cổng trước"},
    models.Cancellation: {"reason": "Khách đổi ngày họp"},
    models.ReviewIn: {"rating": 5, "comment": "Cơm ngon, giao đúng giờ", "author": "Chị Hoa"},
}


async def show(request: web.Request) -> web.Response:
    """Answer with the document."""
    content = document(request.config_dict[SETTINGS].base_url)
    return web.Response(body=msgspec.json.encode(content), content_type=_JSON)


@cache
def document(base_url: str) -> dict[str, Any]:
    """Return the OpenAPI document of the service at this address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chốt Đơn",
            "version": "1",
            "description": "Place orders with kitchens, and hear what becomes of them. Money is integer đồng,"
            " timestamps are RFC 3339 with offset.",
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "webhooks": {"order": {"post": _webhook()}, "partner": {"post": _partner_webhook()}},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key that `platform add` showed.",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *_path_parameters(operation),
            *_query_parameters(operation),
            *_header_parameters(operation),
        ],
        "responses": {**_successes(operation), **_refusals((*_ALWAYS, *operation.problems))},
    }
    if operation.body:
        example = {"example": EXAMPLES[operation.body]}
        content["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": _ref(operation.body), **example}},
        }
    return content


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if "{id}" in operation.path:
        yield {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The order's id.",
            "schema": {"type": "string", "format": "uuid"},
        }


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    properties = _tidied(operation.query.model_json_schema())["properties"]
    for name, nullable in properties.items():
        schema = _present(nullable)
        described = {"description": schema.pop("description")} if "description" in schema else {}
        yield {"name": name, "in": "query", **described, "schema": schema}


def _present(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that is there: in a query, null is to leave it out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**{name: part for name, part in schema.items() if name != "anyOf"}, **choices[0]}
    return {**schema, "anyOf": choices} if choices else dict(schema)


def _header_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.body:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Names this request: a repeat within 72 hours gets the first answer again, with"
            " `Idempotent-Replayed: true`. Bare or quoted.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _successes(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {_JSON: {"schema": _ref(operation.answer)}}
    if operation.also_csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {str(status): {"description": text, "content": content} for status, text in operation.answers}


def _refusals(codes: Iterable[str]) -> dict[str, Any]:
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(KINDS[code].status), []).append(f"`{code}`: {KINDS[code].title}.")
    return {
        status: {
            "description": f"{HTTPStatus(int(status)).phrase}. {' '.join(texts)}",
            "content": {CONTENT_TYPE: {"schema": _ref(models.Problem)}},
        }
        for status, texts in sorted(by_status.items())
    }


def _webhook() -> dict[str, Any]:
    return {
        "operationId": "hearOfOrder",
        "summary": "An order's event",
        "description": "Sent to the platform's webhook address for every event, signed by Standard Webhooks"
        " (`webhook-id`, `webhook-timestamp`, `webhook-signature`), until it is answered 2xx. Orders of other"
        " platforms come without customer, address and note.",
        "requestBody": {"content": {_JSON: {"schema": _ref(models.Told)}}},
        "responses": {"2XX": {"description": "Heard. Anything else is tried again."}},
        "security": [],
    }


def _partner_webhook() -> dict[str, Any]:
    return {
        "operationId": "hearOfPartner",
        "summary": "A kitchen's pause",
        "description": "Sent to every platform's webhook address when a kitchen stops taking orders, when the"
        " end of that moves, and when it takes them again; signed and tried again as an order's events are.",
        "requestBody": {"content": {_JSON: {"schema": _ref(models.ToldOfPartner)}}},
        "responses": {"2XX": {"description": "Heard. Anything else is tried again."}},
        "security": [],
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas() -> dict[str, Any]:
    sent: set[type[BaseModel]] = {operation.body for operation in OPERATIONS if operation.body}
    given: set[type[BaseModel]] = {operation.answer for operation in OPERATIONS}
    given |= {models.Problem, models.Told, models.ToldOfPartner}
    schemas: dict[str, Any] = {}
    for model in sorted(sent | given, key=lambda model: model.__name__):
        schema = model.model_json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    tidied: dict[str, Any] = _tidied(schemas)
    return tidied


def _tidied(schema: Any) -> Any:
    """Return a schema without pydantic's titles, and without nulls as defaults of what may not be null."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: _tidied(part)
        for name, part in schema.items()
        if not (name == "default" and part is None) and not (name == "title" and isinstance(part, str))
    }
