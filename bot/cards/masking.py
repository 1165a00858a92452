"""A customer's name, phone and address, for eyes that should not see the whole of them. Pure."""

import re
from datetime import datetime
from typing import Final

from core.orders.order import CUSTOMER_SHOWN_FOR, Order
from core.orders.status import Status

_DOT: Final = "•"
#: Eight digits or more, with signs between them.
_DIALLED: Final = re.compile(r"\+?\d(?:[ .()\-]{0,2}\d){7,}")
_TAKEN_ON: Final = frozenset({Status.CONFIRMED, Status.COMPLETED})


def shows_customer(order: Order, now: datetime) -> bool:
    """Whether a kitchen sees who ordered: once it has taken the order on, until 30 days after delivery."""
    return order.status in _TAKEN_ON and shows_address(order, now)


def shows_address(order: Order, now: datetime) -> bool:
    """Whether a kitchen sees where to: from the first card on, until 30 days after delivery."""
    return now < order.deliver_at + CUSTOMER_SHOWN_FOR


def customer_name(order: Order, now: datetime) -> str:
    """Return the customer's name as a kitchen may see it now."""
    return order.customer.name if shows_customer(order, now) else masked_name(order.customer.name)


def customer_phone(order: Order, now: datetime) -> str | None:
    """Return the customer's phone as a kitchen may see it now, or None where there is none."""
    phone = order.customer.phone
    if phone is None:
        return None
    return local_phone(phone) if shows_customer(order, now) else masked_phone(phone)


def masked_customer(order: Order) -> str:
    """Return the customer's name and phone, both masked whatever the order's status."""
    phone = order.customer.phone
    name = masked_name(order.customer.name)
    return f"{name} · {masked_phone(phone)}" if phone else name


def address(order: Order, now: datetime) -> str:
    """Return where the food goes, as a kitchen may see it now."""
    return order.address if shows_address(order, now) else masked_address(order.address)


def masked_name(name: str) -> str:
    """Return "N••• V•• A•" for "Nguyễn Văn An"."""
    return " ".join(_masked_word(word) for word in name.split())


def masked_phone(phone: str) -> str:
    """Return "09•••456" for "+84909123456"."""
    shown = local_phone(phone)
    return f"{shown[:2]}{_DOT * 3}{shown[-3:]}" if len(shown) >= 8 else _DOT * 3


def masked_address(text: str) -> str:
    """Return the town alone: "•••, TP.HCM"."""
    town = text.rpartition(",")[2].strip()
    return f"{_DOT * 3}, {town}" if "," in text and town else _DOT * 3


def masked_email(email: str) -> str:
    """Return "a•••@example.com" for "an@example.com"."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}{_DOT * 3}@{host}"


def without_phones(text: str) -> str:
    """Return a text with everything masked that could be dialled: platforms write phones anywhere."""
    return _DIALLED.sub(_DOT * 3, text)


def local_phone(phone: str) -> str:
    """Return a number as it is dialled at home: "0909123456" for "+84909123456"."""
    return f"0{phone.removeprefix('+84')}" if phone.startswith("+84") else phone


def _masked_word(word: str) -> str:
    return word[0] + _DOT * min(3, len(word) - 1) if len(word) > 1 else _DOT
