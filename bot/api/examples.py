"""An example of every body and every answer of the API; tests hold each against its model."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from bot.api import models

_AT: Final = "2026-11-20T10:00:00+07:00"
_BY: Final = {"channel": "zalo", "name": "Lan"}
_CUSTOMER: Final = {
    "name": "Công ty ABC",
    "phone": "0909123456",
    "email": "an@example.com",
    "locale": "vi",
}
_ITEM: Final = {"name": "Cơm gà", "quantity": 20, "unit_price": 45000, "note": ""}
_ORDER: Final[dict[str, Any]] = {
    "external_id": "PX-2026-000123",
    "partner": "com-nha-lan",
    "deliver_at": "2026-11-23T11:30:00+07:00",
    "ordered_at": _AT,
    "customer": _CUSTOMER,
    "address": "12 Lê Lợi, Quận 1, TP.HCM",
    "note": "Giao cổng sau",
    "items": [_ITEM],
    "fees": 0,
    "discount": 0,
    "total": 900000,
    "currency": "VND",
}
_CHANGE: Final[dict[str, Any]] = {
    "deliver_at": "2026-11-23T12:00:00+07:00",
    "items": [{**_ITEM, "quantity": 22}],
    "fees": 0,
    "discount": 0,
    "total": 990000,
    "address": "12 Lê Lợi, Quận 1, TP.HCM",
    "note": "Giao cổng trước",
}
_EVENT: Final = {
    "type": "order.confirmed",
    "at": "2026-11-20T10:12:00+07:00",
    "by": _BY,
    "data": {"from": "pending", "to": "confirmed"},
}
_DOCUMENT: Final[dict[str, Any]] = {
    **_ORDER,
    "id": "0199a000-0000-7000-8000-0000000000ff",
    "code": "48274",
    "status": "confirmed",
    "status_changed_at": _EVENT["at"],
    "status_changed_by": _BY,
    "customer": {**_CUSTOMER, "phone": "+84909123456"},
    "reason": None,
    "version": 2,
    "revision": 1,
    "review": None,
    "created_at": _AT,
    "updated_at": _EVENT["at"],
    "events": [
        {
            "type": "order.placed",
            "at": _AT,
            "by": {"channel": "api", "name": "Cơm Ngon"},
            "data": {"from": None, "to": "pending"},
        },
        _EVENT,
    ],
}
_FAULT: Final = {"loc": ["items", 0, "quantity"], "msg": "Input should be greater than or equal to 1"}
_PROBLEM: Final = {
    "type": "https://chotdon.example/api/docs#problem-invalid",
    "title": "The request has faults",
    "status": 422,
    "code": "invalid",
    "detail": "See errors.",
    "errors": [_FAULT],
    "order_status": "cancelled",
}
_RESULTS: Final = [
    {"index": 0, "status": 201, "order": _DOCUMENT},
    {"index": 1, "status": 422, "problem": _PROBLEM},
]
_SETTLED: Final = {
    "order_id": _DOCUMENT["id"],
    "external_id": "PX-2026-000123",
    "code": "48274",
    "partner": "com-nha-lan",
    "completed_at": "2026-11-23T12:10:00+07:00",
    "total": 900000,
}
_TOLD: Final = {"type": "order.confirmed", "timestamp": _EVENT["at"], "data": _DOCUMENT}
_WEBHOOK: Final[dict[str, Any]] = {
    "id": "0199a000-0000-7000-8000-0000000000e1",
    "event_id": "0199a000-0000-7000-8000-0000000000e0",
    "type": "order.confirmed",
    "order_id": _DOCUMENT["id"],
    "version": 2,
    "state": "waiting",
    "tries": 1,
    "last_status": 503,
    "why": "HTTP 503",
    "next_at": "2026-11-20T03:12:05+00:00",
    "delivered_at": None,
    "attempts": [{"at": "2026-11-20T03:12:00+00:00", "took_ms": 41, "status": 503, "why": "HTTP 503"}],
}
_PAUSE: Final = {
    "partner": "com-nha-lan",
    "paused_until": "2026-11-25T00:00:00+07:00",
    "at": "2026-11-23T09:12:00+07:00",
    "by": _BY,
}

EXAMPLES: Final[Mapping[type[BaseModel], Mapping[str, Any]]] = {
    models.OrderIn: _ORDER,
    models.Batch: {"orders": [_ORDER, {**_ORDER, "external_id": "PX-2026-000124"}]},
    models.OrderChange: _CHANGE,
    models.Cancellation: {"reason": "Khách đổi ngày họp"},
    models.ReviewIn: {"rating": 5, "comment": "Cơm ngon, giao đúng giờ", "author": "Chị Hoa"},
    models.OrderDocument: _DOCUMENT,
    models.OrderList: {"items": [_DOCUMENT], "next_cursor": None},
    models.BatchResults: {"results": _RESULTS},
    models.Settlement: {"items": [_SETTLED], "count": 1, "total": 900000},
    models.Problem: _PROBLEM,
    models.Told: _TOLD,
    models.EventList: {
        "items": [{**_TOLD, "id": _WEBHOOK["event_id"], "webhook_id": _WEBHOOK["id"]}],
        "next_after": _WEBHOOK["event_id"],
        "has_more": False,
    },
    models.WebhookDocument: _WEBHOOK,
    models.WebhookList: {"items": [_WEBHOOK], "next_cursor": None},
    models.ToldOfPartner: {"type": "partner.paused", "timestamp": _PAUSE["at"], "data": _PAUSE},
}
