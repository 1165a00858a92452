"""The OpenAPI 3.1 document of the API, made of the models that bodies are checked by."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from pydantic import BaseModel

from bot.api import examples, models
from bot.api.listing import EventsQuery, OrdersQuery, SettlementQuery, WebhooksQuery
from bot.api.problems import CONTENT_TYPE, DOCS_PATH, KINDS
from bot.keys import SETTINGS

_REF: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_ALWAYS: Final = ("unauthorized", "too_many_requests", "internal", "unavailable")
_WITHOUT_BODY: Final = ("malformed", "too_slow", "too_large")
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
    """One thing that the API does: `answers` are statuses of success, `problems` codes of refusal.

    With `of_version` it is done to one order, in the version that `If-Match` names.
    """

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
    of_version: bool = False

    @property
    def tag(self) -> str:
        """What it is about: the first part of its path."""
        return re.split("[/:]", self.path)[1]


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
    ((200, "The order."), (304, "The order is in the version that `If-None-Match` names.")),
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
    (*_WITH_BODY, "not_found", "order_final", "version_mismatch"),
    body=models.OrderChange,
    of_version=True,
)
CANCEL: Final = Operation(
    "POST",
    "/orders/{id}/cancel",
    "cancelOrder",
    "Cancel an order",
    "While it waits or is confirmed. The kitchen and every platform are told.",
    models.OrderDocument,
    ((200, "The cancelled order."),),
    (*_WITH_BODY, "not_found", "order_final", "version_mismatch"),
    body=models.Cancellation,
    of_version=True,
)
REVIEW: Final = Operation(
    "POST",
    "/orders/{id}/review",
    "reviewOrder",
    "Pass on a customer's review",
    "Of a completed order; a second review replaces the first.",
    models.OrderDocument,
    ((201, "The order with its review."), (200, "The review replaced another one.")),
    (*_WITH_BODY, "not_found", "order_not_completed", "version_mismatch"),
    body=models.ReviewIn,
    of_version=True,
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
EVENTS: Final = Operation(
    "GET",
    "/events",
    "listEvents",
    "Catch up",
    "Everything that webhooks tell you, in one order that never changes behind you, whether or not you have a"
    " webhook address. Go on from `next_after`; what is still being written comes on a later page.",
    models.EventList,
    ((200, "A page of events, the oldest first."),),
    ("invalid",),
    query=EventsQuery,
)
WEBHOOKS: Final = Operation(
    "GET",
    "/webhooks",
    "listWebhooks",
    "Look into the delivery log",
    "Every webhook that you are owed or were sent, the newest first, with its attempts.",
    models.WebhookList,
    ((200, "A page of webhooks."),),
    ("invalid",),
    query=WebhooksQuery,
)
REPLAY: Final = Operation(
    "POST",
    "/webhooks/{id}/replay",
    "replayWebhook",
    "Have a webhook sent again",
    "Now, under the same `webhook-id` and with the same body; if that fails, by the schedule of a new one.",
    models.WebhookDocument,
    ((202, "It is about to be sent."),),
    (*_WITHOUT_BODY, "not_found", "webhooks_off"),
)
TEST: Final = Operation(
    "POST",
    "/webhooks/test",
    "testWebhook",
    "Have a test sent",
    'A signed webhook `{"type": "test", "timestamp": "…", "data": {}}` is sent once; the log tells how it'
    " ended.",
    models.WebhookDocument,
    ((202, "It is about to be sent."),),
    (*_WITHOUT_BODY, "webhooks_off"),
)
OPERATIONS: Final = (
    PLACE,
    PLACE_MANY,
    LIST,
    SHOW,
    CHANGE,
    CANCEL,
    REVIEW,
    SETTLE,
    EVENTS,
    WEBHOOKS,
    TEST,
    REPLAY,
)


TAGS: Final[Mapping[str, str]] = {
    "orders": "Placing orders, and what becomes of them.",
    "settlements": "What kitchens are paid for.",
    "events": "Everything that happened, to catch up by.",
    "webhooks": "What was sent to the platform, and sending it again.",
}

_HEADERS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "ETag": ("The order's version, as `If-Match` and `If-None-Match` take it.", {"type": "string"}),
    "Location": ("Where the order is found.", {"type": "string"}),
    "Idempotent-Replayed": (
        "`true` where this is the first answer to the Idempotency-Key again.",
        {"type": "string", "enum": ["true"]},
    ),
    "Retry-After": ("After so many seconds it may be tried again.", {"type": "integer", "minimum": 0}),
    "RateLimit": (
        "How many calls are left (`r`), and in how many seconds all of them are back (`t`).",
        {"type": "string"},
    ),
    "WWW-Authenticate": ("How to send the key.", {"type": "string"}),
}
_REFUSED_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "401": ("WWW-Authenticate",),
    "412": ("ETag",),
    "429": ("Retry-After", "RateLimit"),
    "503": ("Retry-After",),
}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name][0], "schema": dict(_HEADERS[name][1])} for name in names}


def _tags() -> list[str]:
    return list(dict.fromkeys(operation.tag for operation in OPERATIONS))


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
        "tags": [{"name": name, "description": TAGS.get(name, name)} for name in _tags()],
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
        "tags": [operation.tag],
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
        content["requestBody"] = {
            "required": True,
            "description": (operation.body.__doc__ or "").partition("\n")[0],
            "content": {_JSON: _content(operation.body)},
        }
    return content


def _content(model: type[BaseModel]) -> dict[str, Any]:
    example = examples.EXAMPLES.get(model)
    return {"schema": _ref(model), **({"example": dict(example)} if example else {})}


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if "{id}" in operation.path:
        yield {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The webhook's id."
            if operation.path.startswith("/webhooks")
            else "The order's id.",
            "schema": {"type": "string", "format": "uuid"},
        }


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    whole = _tidied(operation.query.model_json_schema())
    for name, nullable in whole["properties"].items():
        schema = _here(_present(nullable), whole.get("$defs", {}))
        described = {"description": schema.pop("description")} if "description" in schema else {}
        yield {"name": name, "in": "query", **described, "allowEmptyValue": True, "schema": schema}


def _here(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter with what it refers to in its place."""
    rest = {name: part for name, part in schema.items() if name != "$ref"}
    shape = shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    return {**shape, **rest}


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
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"},
        }
    if operation.of_version:
        yield {
            "name": "If-Match",
            "in": "header",
            "description": "Only if the order is in this version, as `ETag` told it; several with commas.",
            "schema": {"type": "string", "pattern": _TAG_LIST},
        }
    if 304 in dict(operation.answers):
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": "Only if the order is in another version than this.",
            "schema": {"type": "string", "pattern": _TAG_LIST},
        }


_TAG_LIST: Final = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'


def _successes(operation: Operation) -> dict[str, Any]:
    return {str(status): _success(operation, status, text) for status, text in operation.answers}


def _success(operation: Operation, status: int, text: str) -> dict[str, Any]:
    names = ["RateLimit"]
    if operation.answer is models.OrderDocument:
        names.append("ETag")
    if operation.body:
        names.append("Idempotent-Replayed")
    if operation is PLACE and status == 201:
        names.append("Location")
    said: dict[str, Any] = {"description": text, "headers": _headers(*names)}
    if status != 304:
        said["content"] = {_JSON: _content(operation.answer)}
        if operation.also_csv:
            said["content"]["text/csv"] = {"schema": {"type": "string"}, "example": _CSV}
    return said


_CSV: Final = (
    "order_id,external_id,code,partner,completed_at,total\r\n"
    "0199a000-0000-7000-8000-0000000000ff,PX-2026-000123,48274,com-nha-lan,2026-11-23T12:10:00+07:00,900000\r\n"
)


def _refusals(codes: Iterable[str]) -> dict[str, Any]:
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(KINDS[code].status), []).append(code)
    return {status: _refusal(status, found) for status, found in sorted(by_status.items())}


def _refusal(status: str, codes: Sequence[str]) -> dict[str, Any]:
    texts = [f"`{code}`: {KINDS[code].title}." for code in codes]
    kind = KINDS[codes[0]]
    example = {
        "type": f"https://chotdon.example{DOCS_PATH}#problem-{codes[0]}",
        "title": kind.title,
        "status": kind.status,
        "code": codes[0],
    }
    headers = _headers(*_REFUSED_WITH.get(status, ()))
    return {
        "description": f"{HTTPStatus(int(status)).phrase}. {' '.join(texts)}",
        **({"headers": headers} if headers else {}),
        "content": {CONTENT_TYPE: {"schema": _ref(models.Problem), "example": example}},
    }


def _webhook() -> dict[str, Any]:
    return {
        "operationId": "hearOfOrder",
        "summary": "An order's event",
        "description": "Sent to the platform's webhook address for every event, signed by Standard Webhooks"
        " (`webhook-id`, `webhook-timestamp`, `webhook-signature`), until it is answered 2xx. Orders of other"
        " platforms come without customer, address and note.",
        "tags": ["webhooks"],
        "requestBody": {"description": "The event.", "content": {_JSON: _content(models.Told)}},
        "responses": {"2XX": {"description": "Heard. Anything else is tried again."}},
        "security": [],
    }


def _partner_webhook() -> dict[str, Any]:
    return {
        "operationId": "hearOfPartner",
        "summary": "A kitchen's pause",
        "description": "Sent to every platform's webhook address when a kitchen stops taking orders, when the"
        " end of that moves, and when it takes them again; signed and tried again as an order's events are.",
        "tags": ["webhooks"],
        "requestBody": {"description": "The event.", "content": {_JSON: _content(models.ToldOfPartner)}},
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
