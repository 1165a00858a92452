"""HTTP requests as they come from outside: Zalo's signed webhooks, a platform's orders."""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from bench.town import DELIVERY_IN, Kitchen, RowKind, Town, row_id
from bot.tokens import ButtonToken, Purpose, Signer
from core.orders.order import OrderId
from zalo_oa import signature
from zalo_oa.render import PAYLOAD_MARK


class Phones:
    """What Zalo posts when owners tap the confirm button of their cards."""

    def __init__(self, town: Town, *, secret_key: str, app_id: str, oa_id: str, oa_secret: str) -> None:
        self._town = town
        self._signer = Signer([secret_key])
        self._app_id, self._oa_id, self._oa_secret = app_id, oa_id, oa_secret

    def taps(self, orders: Iterable[int], *, now: datetime) -> Iterator[bytes]:
        """Yield one signed request for each order, all different."""
        stamp = str(int(now.timestamp() * 1000))
        for number in orders:
            raw = json.dumps(self._event(number, stamp), ensure_ascii=False, separators=(",", ":")).encode()
            mac = signature.sign(raw, app_id=self._app_id, secret=self._oa_secret)
            yield _request("/webhooks/zalo", raw, {signature.HEADER: mac, "X-ZEvent-Server": "OA OpenAPI"})

    def _event(self, number: int, stamp: str) -> dict[str, Any]:
        kitchen = self._town.kitchen(number)
        token = ButtonToken(OrderId(row_id(RowKind.ORDER, number)), 1, Purpose.CONFIRM, kitchen.owner_id)
        text = PAYLOAD_MARK + self._signer.button(token)
        return {
            "app_id": self._app_id,
            "sender": {"id": kitchen.zalo_user},
            "user_id_by_app": kitchen.zalo_user,
            "recipient": {"id": self._oa_id},
            "event_name": "user_send_text",
            "message": {"text": text, "msg_id": secrets.token_hex(10)},
            "timestamp": stamp,
        }


_ITEMS: Final = (
    {"name": "Cơm gà", "quantity": 20, "unit_price": 45_000, "note": ""},
    {"name": "Canh chua cá", "quantity": 20, "unit_price": 25_000, "note": "ít cay"},
)
_CUSTOMER: Final = {"name": "Công ty ABC", "phone": "0909123456", "email": "an@example.com", "locale": "vi"}


def orders(town: Town, api_key: str, numbers: Iterable[int], *, now: datetime) -> Iterator[bytes]:
    """Yield one request for each order to be placed; numbers must differ for ever."""
    deliver_at = (now + DELIVERY_IN).isoformat(timespec="seconds")
    for number in numbers:
        raw = json.dumps(_order(town.kitchen(number), number, deliver_at), ensure_ascii=False).encode()
        yield _request("/api/v1/orders", raw, {"Authorization": f"Bearer {api_key}"})


def batches(town: Town, api_key: str, numbers: Sequence[int], *, now: datetime, size: int) -> Iterator[bytes]:
    """Yield requests that place these orders, so many in each."""
    deliver_at = (now + DELIVERY_IN).isoformat(timespec="seconds")
    for start in range(0, len(numbers), size):
        some = [_order(town.kitchen(number), number, deliver_at) for number in numbers[start : start + size]]
        raw = json.dumps({"orders": some}, ensure_ascii=False).encode()
        yield _request("/api/v1/orders:batch", raw, {"Authorization": f"Bearer {api_key}"})


def cancels(api_key: str, order_ids: Iterable[OrderId]) -> Iterator[bytes]:
    """Yield requests that cancel these orders."""
    raw = json.dumps({"reason": "Khách đổi ngày họp"}, ensure_ascii=False).encode()
    for order_id in order_ids:
        path = f"/api/v1/orders/{order_id}/cancel"
        yield _request(path, raw, {"Authorization": f"Bearer {api_key}"})


def _order(kitchen: Kitchen, number: int, deliver_at: str) -> dict[str, Any]:
    return {
        "external_id": f"NEW-{number}",
        "partner": kitchen.code,
        "deliver_at": deliver_at,
        "customer": _CUSTOMER,
        "address": "12 Lê Lợi, Quận 1, TP.HCM",
        "note": "Giao cổng sau",
        "items": _ITEMS,
        "total": sum(int(str(item["quantity"])) * int(str(item["unit_price"])) for item in _ITEMS),
        "currency": "VND",
    }


def _request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
