"""An example of everything that goes over the API; tests hold each against its model."""

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
_REASON: Final = {"code": 2, "text": "Quá tải"}
_ANSWER: Final = {"text": "Cảm ơn chị, hẹn lần sau ạ", "at": "2026-11-23T14:05:00+07:00", "by": _BY}
_REVIEW: Final = {
    "rating": 5,
    "comment": "Cơm ngon, giao đúng giờ",
    "author": "Chị Hoa",
    "at": "2026-11-23T13:40:00+07:00",
    "answer": _ANSWER,
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
_PAUSE: Final = {
    "partner": "com-nha-lan",
    "paused_until": "2026-11-25T00:00:00+07:00",
    "at": "2026-11-23T09:12:00+07:00",
    "by": _BY,
}

EXAMPLES: Final[Mapping[type[BaseModel], Mapping[str, Any]]] = {
    models.OrderIn: _ORDER,
    models.CustomerIn: _CUSTOMER,
    models.ItemIn: _ITEM,
    models.Batch: {"orders": [_ORDER, {**_ORDER, "external_id": "PX-2026-000124"}]},
    models.OrderChange: _CHANGE,
    models.Cancellation: {"reason": "Khách đổi ngày họp"},
    models.ReviewIn: {"rating": 5, "comment": "Cơm ngon, giao đúng giờ", "author": "Chị Hoa"},
    models.By: _BY,
    models.Reason: _REASON,
    models.Review: _REVIEW,
    models.ReviewAnswer: _ANSWER,
    models.Customer: {**_CUSTOMER, "phone": "+84909123456"},
    models.OrderedItem: _ITEM,
    models.OrderEvent: _EVENT,
    models.OrderDocument: _DOCUMENT,
    models.OrderList: {"items": [_DOCUMENT], "next_cursor": None},
    models.BatchResult: _RESULTS[0],
    models.BatchResults: {"results": _RESULTS},
    models.SettledOrder: _SETTLED,
    models.Settlement: {"items": [_SETTLED], "count": 1, "total": 900000},
    models.Fault: _FAULT,
    models.Problem: _PROBLEM,
    models.Told: {"type": "order.confirmed", "timestamp": _EVENT["at"], "data": _DOCUMENT},
    models.Pause: _PAUSE,
    models.ToldOfPartner: {"type": "partner.paused", "timestamp": _PAUSE["at"], "data": _PAUSE},
}


def of_name(name: str) -> Mapping[str, Any] | None:
    """Return the example of the model that is called so."""
    return next((example for model, example in EXAMPLES.items() if model.__name__ == name), None)
