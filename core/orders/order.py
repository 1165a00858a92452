"""An order as the rules see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NewType
from uuid import UUID

from core.actors import Via
from core.orders.status import Status

OrderId = NewType("OrderId", UUID)

#: How long after delivery a kitchen still sees who ordered and where to.
CUSTOMER_SHOWN_FOR: Final = timedelta(days=30)
#: So few stars, or fewer, are an operator's matter.
LOW_RATING: Final = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One dish of an order; `unit_price` in đồng."""

    name: str
    quantity: int
    unit_price: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who ordered the food; `phone` in E.164."""

    name: str
    phone: str | None
    email: str | None
    locale: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an order was cancelled; `code` is of the short list, None for words of a platform or operator."""

    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class By:
    """Who made a change and by which way; `id` is a staff member's or a platform's."""

    via: Via
    name: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """What the kitchen said to it."""

    text: str
    at: datetime
    by: By


@dataclass(frozen=True, slots=True)
class Review:
    """What a customer said afterwards; `rating` from 1 to 5."""

    rating: int
    comment: str
    author: str
    at: datetime
    answer: ReviewAnswer | None = None

    @property
    def mark(self) -> int:
        """A number of 32 bits that tells this review from one that replaces it."""
        return int(self.at.timestamp() * 1_000_000) % 2**32

    @property
    def is_low(self) -> bool:
        """Whether somebody of ours should look into it."""
        return self.rating <= LOW_RATING


@dataclass(frozen=True, slots=True)
class Order:
    """One order with its present content. Money in đồng, times aware and UTC.

    `version` rises with every event; `revision` when time, items, address or note change.
    `asked_at` is since when it waits for the confirmation it has or needs; `updated_at` is the
    time of its last event; `final_at` is set by a final status.
    """

    id: OrderId
    platform_id: UUID
    external_id: str
    partner_id: UUID
    code: str
    status: Status
    version: int
    revision: int
    deliver_at: datetime
    ordered_at: datetime
    placed_at: datetime
    asked_at: datetime
    updated_at: datetime
    address: str
    note: str
    items: tuple[Item, ...]
    fees: int
    discount: int
    total: int
    customer: Customer
    status_changed_at: datetime
    status_changed_by: By
    reason: Reason | None = None
    review: Review | None = None
    final_at: datetime | None = None
    currency: str = "VND"

    @property
    def portions(self) -> int:
        """How many portions it has in all."""
        return sum(item.quantity for item in self.items)


def items_total(items: tuple[Item, ...]) -> int:
    """Return the price of all items in đồng, before fees and discount."""
    return sum(item.quantity * item.unit_price for item in items)
