"""What can be asked of an order, in the imperative."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core.orders.order import Customer, Item, OrderId, Reason

#: Why a kitchen declines, by the number that stands for it; 6 takes free words.
REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "Hết món",
        2: "Quá tải",
        3: "Đóng cửa",
        4: "Ngoài vùng giao",
        5: "Sai giá hoặc thực đơn",
        6: "Khác",
    }
)
OTHER_REASON: Final = 6
#: How many letters a kitchen's answer to a review has at most.
LONGEST_ANSWER: Final = 300
#: What a kitchen says to a review that presses a button, by the customer's language.
THANKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vi": "Cảm ơn bạn đã đánh giá. Hẹn gặp lại bạn!",
        "en": "Thank you for your review. We hope to see you again!",
    }
)


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A platform places an order. `ordered_at` None means now."""

    order_id: OrderId
    platform_id: UUID
    external_id: str
    partner_id: UUID
    deliver_at: datetime
    ordered_at: datetime | None
    customer: Customer
    address: str
    note: str
    items: tuple[Item, ...]
    fees: int
    discount: int
    total: int


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A platform changes an order; None leaves a part as it is. Without a `total` it is reckoned.

    `versions` are those of the order that it goes by; None for whichever it has.
    """

    order_id: OrderId
    deliver_at: datetime | None = None
    items: tuple[Item, ...] | None = None
    fees: int | None = None
    discount: int | None = None
    total: int | None = None
    address: str | None = None
    note: str | None = None
    versions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class ConfirmOrder:
    """Somebody takes the order on. `revision` is the content they saw; None where they typed a code.

    `reason` is an operator's, who does it in the partner's place; it is kept with the event.
    """

    order_id: OrderId
    revision: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Somebody cancels the order. A partner must be looking at `revision`, where one is given.

    `versions` are those of the order that a platform goes by; None for whichever it has.
    """

    order_id: OrderId
    reason: Reason
    revision: int | None = None
    versions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class CompleteOrder:
    """Somebody says that the food was delivered. `reason` is an operator's, kept with the event."""

    order_id: OrderId
    revision: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """What a customer said. By a platform, a second review replaces the first; by link there is only one.

    `versions` are those of the order that it goes by; None for whichever it has.
    """

    order_id: OrderId
    rating: int
    comment: str
    author: str
    versions: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """A kitchen answers what a customer said, once for each review; without a `text` it says its thanks.

    `mark` is that of the review they saw; None where they typed a code.
    """

    order_id: OrderId
    text: str
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class FireTimer:
    """A timer of the order is due; the ledger checks under the order's lock that it still lives."""

    order_id: OrderId
    timer_id: UUID


Command = (
    PlaceOrder
    | ChangeOrder
    | ConfirmOrder
    | CancelOrder
    | CompleteOrder
    | ReviewOrder
    | AnswerReview
    | FireTimer
)
