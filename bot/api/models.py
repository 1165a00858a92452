"""What platforms send and get, as types: they check bodies, and the OpenAPI document is made of them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.api.content import (
    DEAREST_ORDER,
    DEAREST_PORTION,
    MOST_FEES,
    MOST_ITEMS,
    MOST_PORTIONS,
    Email,
    Line,
    Moment,
    Phone,
    RequiredLine,
    RequiredText,
    Text,
)
from bot.api.faults import Body
from core.orders.order import Item, items_total

#: How many orders one request places at most.
MOST_IN_BATCH: Final = 500
#: The default of a part that may be left out but not be null.
_LEFT_OUT: Final[Any] = None

Fees = Annotated[int, Field(ge=0, le=MOST_FEES, description="Integer đồng, added to the items.")]
Discount = Annotated[int, Field(ge=0, le=DEAREST_ORDER, description="Integer đồng, taken off.")]
Total = Annotated[
    int,
    Field(
        ge=0,
        le=DEAREST_ORDER,
        description="Integer đồng: the sum of quantity × unit_price, plus fees, minus discount.",
    ),
]


class _Sent(BaseModel):
    """Something a platform sends: no unknown names, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CustomerIn(_Sent):
    """Who ordered the food. A phone or an email is needed unless the platform tells its own customers."""

    name: RequiredLine
    phone: Phone | None = Field(None, description="Vietnamese unless it has a country code; kept as E.164.")
    email: Email | None = None
    locale: Literal["vi", "en"] = "vi"

    @model_validator(mode="after")
    def _can_be_told(self, info: ValidationInfo) -> Self:
        told_by_us = not isinstance(info.context, Body) or info.context.we_tell_customers
        if told_by_us and not (self.phone or self.email):
            raise PydanticCustomError("contact", "needs a phone or an email")
        return self


class ItemIn(_Sent):
    """One dish of an order."""

    name: RequiredLine
    quantity: int = Field(ge=1, le=MOST_PORTIONS)
    unit_price: int = Field(ge=0, le=DEAREST_PORTION, description="Integer đồng.")
    note: Text = ""

    def to_item(self) -> Item:
        """Return the dish as the rules see it."""
        return Item(self.name, self.quantity, self.unit_price, self.note)


Items = Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]


def to_items(items: list[ItemIn]) -> tuple[Item, ...]:
    """Return the dishes as the rules see them."""
    return tuple(item.to_item() for item in items)


class OrderIn(_Sent):
    """An order to be placed."""

    external_id: RequiredLine = Field(description="The platform's own id; unique among its orders.")
    partner: RequiredLine = Field(description="The kitchen's code.")
    deliver_at: Moment = Field(description="Must lie in the future.")
    ordered_at: Moment | None = Field(None, description="Defaults to now; must not lie in the future.")
    customer: CustomerIn
    address: RequiredText
    note: Text = ""
    items: Items
    fees: Fees = 0
    discount: Discount = 0
    total: Total
    currency: Literal["VND"] = "VND"

    @field_validator("partner", "deliver_at", "ordered_at", mode="after")
    @classmethod
    def _take_down(cls, value: object, info: ValidationInfo) -> object:
        """Let whoever asked see this part even when others are at fault."""
        if isinstance(info.context, Body) and info.field_name:
            info.context.good[info.field_name] = value
        return value

    @field_validator("total", mode="after")
    @classmethod
    def _adds_up(cls, total: int, info: ValidationInfo) -> int:
        known = info.data
        if {"items", "fees", "discount"} <= known.keys():
            due = items_total(to_items(known["items"])) + known["fees"] - known["discount"]
            if total != due:
                raise PydanticCustomError(
                    "total", "must be {due}: the items plus fees minus discount", {"due": due}
                )
        return total


class Batch(_Sent):
    """Orders to be placed in one request."""

    orders: list[OrderIn] = Field(min_length=1, max_length=MOST_IN_BATCH)


class OrderChange(_Sent):
    """Changes of an order: what is left out stays as it is."""

    deliver_at: Moment = Field(_LEFT_OUT, description="Must lie in the future.")
    items: Items = Field(_LEFT_OUT, description="All dishes anew; fees and discount stay unless given.")
    fees: Fees = _LEFT_OUT
    discount: Discount = _LEFT_OUT
    total: Total = _LEFT_OUT
    address: RequiredText = _LEFT_OUT
    note: Text = _LEFT_OUT

    @field_validator("*", mode="before")
    @classmethod
    def _is_not_null(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError("null", "must not be null; leave it out to keep what is there")
        return value

    @field_validator("fees", "discount", "total", mode="after")
    @classmethod
    def _comes_with_items(cls, value: int, info: ValidationInfo) -> int:
        if isinstance(info.context, Body) and "items" not in info.context.names:
            raise PydanticCustomError("items", "can be changed together with items only")
        return value


class Cancellation(_Sent):
    """Why the platform cancels an order, in words."""

    reason: Annotated[RequiredText, Field(max_length=500)]


class ReviewIn(_Sent):
    """What a customer said of a completed order."""

    rating: int = Field(ge=1, le=5)
    comment: Text = ""
    author: Line = ""


# --- what platforms get -------------------------------------------------------------------------


class _Given(BaseModel):
    """Something a platform gets."""

    model_config = ConfigDict(extra="forbid")


class By(_Given):
    """Who did it and by which way."""

    channel: Literal["zalo", "telegram", "sms", "email", "web", "api", "operator", "system", "customer"]
    name: str = Field(description="A staff member's, a platform's or an operator's name; never a customer's.")


class Reason(_Given):
    """Why an order was cancelled."""

    code: int | None = Field(description="1 to 6 of the kitchen's list; null for words of others.")
    text: str


class ReviewAnswer(_Given):
    """What the kitchen said to a review."""

    text: str
    at: datetime
    by: By


class Review(_Given):
    """What a customer said. Other platforms than the one that placed the order get no names and no answer."""

    rating: int
    comment: str
    author: str = Field(_LEFT_OUT, description="Absent for other platforms.")
    at: datetime
    answer: ReviewAnswer | None = Field(_LEFT_OUT, description="Absent for other platforms.")


class Customer(_Given):
    """Who ordered the food; `phone` is E.164."""

    name: str
    phone: str | None
    email: str | None
    locale: str


class OrderedItem(_Given):
    """One dish of an order. `note` is absent for other platforms than the one that placed it."""

    name: str
    quantity: int
    unit_price: int
    note: str = Field(_LEFT_OUT, description="Absent for other platforms.")


class OrderEvent(_Given):
    """One thing that happened to an order."""

    type: Literal[
        "order.placed",
        "order.changed",
        "order.confirmed",
        "order.cancelled",
        "order.expired",
        "order.completed",
        "order.reviewed",
        "order.review_answered",
    ]
    at: datetime
    by: By
    data: dict[str, Any] = Field(
        description="`from` and `to` (statuses); of a change `changes` (name → before, after);"
        " `reason`; `review`; `answer`."
    )


class OrderDocument(_Given):
    """An order. Times carry the kitchen's offset; money is integer đồng.

    `version` rises with every event, `revision` only when time, items, address or note change.
    """

    id: str = Field(json_schema_extra={"format": "uuid"})
    external_id: str
    partner: str
    code: str = Field(description="Five digits; what the kitchen calls the order by.")
    status: Literal["pending", "confirmed", "cancelled", "expired", "completed"]
    status_changed_at: datetime
    status_changed_by: By
    deliver_at: datetime
    ordered_at: datetime
    customer: Customer = Field(_LEFT_OUT, description="Absent for other platforms.")
    address: str = Field(_LEFT_OUT, description="Absent for other platforms.")
    note: str = Field(_LEFT_OUT, description="Absent for other platforms.")
    items: list[OrderedItem]
    fees: int
    discount: int
    total: int
    currency: Literal["VND"]
    reason: Reason | None
    version: int
    revision: int
    review: Review | None
    created_at: datetime
    updated_at: datetime
    events: list[OrderEvent]


class OrderList(_Given):
    """A page of orders; `next_cursor` is null on the last one."""

    items: list[OrderDocument]
    next_cursor: str | None


class BatchResult(_Given):
    """What became of one order of a batch: the answer that it would have had by itself."""

    index: int = Field(description="Its place in the batch, from 0.")
    status: int = Field(description="201 placed, 200 placed before, or that of the problem.")
    order: OrderDocument = Field(_LEFT_OUT, description="The order, where it is placed.")
    problem: "Problem" = Field(_LEFT_OUT, description="Why it is not placed.")


class BatchResults(_Given):
    """What became of each order of a batch, in order."""

    results: list[BatchResult]


class SettledOrder(_Given):
    """One completed order."""

    order_id: str = Field(json_schema_extra={"format": "uuid"})
    external_id: str
    code: str
    partner: str
    completed_at: datetime
    total: int


class Settlement(_Given):
    """What was completed in some days, and what it comes to."""

    items: list[SettledOrder]
    count: int
    total: int


class Fault(_Given):
    """One thing wrong with a request. `loc` leads to it, from the outside in."""

    loc: list[str | int]
    msg: str


class Problem(_Given):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field(json_schema_extra={"format": "uri"})
    title: str
    status: int
    code: str = Field(description="The last part of `type`.")
    detail: str = Field(_LEFT_OUT, description="What to do about it, where there is more to say.")
    errors: list[Fault] = Field(_LEFT_OUT, description="Every fault of a body or query (422).")
    order_status: str = Field(_LEFT_OUT, description="The order's status, where that is the reason (409).")


class Told(_Given):
    """What a webhook carries: the order as of the event, which is the last of its `events`."""

    type: str
    timestamp: datetime = Field(description="When it happened.")
    data: OrderDocument


class Pause(_Given):
    """How a kitchen takes orders from now on."""

    partner: str = Field(description="The kitchen's code.")
    paused_until: datetime | None = Field(
        description="Until then orders get 409 `partner_paused`; null when the kitchen takes them again."
    )
    at: datetime = Field(description="When it was changed, or when the pause ran out.")
    by: By


class ToldOfPartner(_Given):
    """What a webhook about a kitchen carries."""

    type: Literal["partner.paused", "partner.resumed"]
    timestamp: datetime = Field(description="When it happened.")
    data: Pause


class HappenedToOrder(Told):
    """An order's event, as its webhook tells it."""

    id: str = Field(json_schema_extra={"format": "uuid"}, description="The event's: `after` takes it.")
    webhook_id: str | None = Field(
        json_schema_extra={"format": "uuid"},
        description="The `webhook-id` under which you were told; null when you are told nothing.",
    )


class HappenedToPartner(ToldOfPartner):
    """A kitchen's event, as its webhook tells it."""

    id: str = Field(json_schema_extra={"format": "uuid"}, description="The event's: `after` takes it.")
    webhook_id: str | None = Field(
        json_schema_extra={"format": "uuid"},
        description="The `webhook-id` under which you were told; null when you are told nothing.",
    )


class EventList(_Given):
    """A page of events. It may be empty and still have more behind it: go on from `next_after`."""

    items: list[HappenedToOrder | HappenedToPartner]
    next_after: str | None = Field(
        json_schema_extra={"format": "uuid"},
        description="Where the next page starts; keep it for later, too.",
    )
    has_more: bool = Field(description="Whether there is more at once.")


class WebhookAttempt(_Given):
    """One call to the platform's address."""

    at: datetime
    took_ms: int
    status: int | None = Field(description="Null when there was no answer.")
    why: str | None = Field(description="How it failed.")


class WebhookDocument(_Given):
    """One webhook of the log. Attempts are kept for a while only."""

    id: str = Field(json_schema_extra={"format": "uuid"}, description="The `webhook-id` of every attempt.")
    event_id: str | None = Field(json_schema_extra={"format": "uuid"}, description="Null for a test.")
    type: str
    order_id: str | None = Field(
        json_schema_extra={"format": "uuid"}, description="Null for what is of no order."
    )
    version: int | None = Field(description="The order's, as of the event.")
    state: Literal["waiting", "delivered", "dead"] = Field(description="`dead`: given up.")
    tries: int
    last_status: int | None
    why: str | None
    next_at: datetime | None = Field(description="When it is tried again; null unless it waits.")
    delivered_at: datetime | None
    attempts: list[WebhookAttempt]


class WebhookList(_Given):
    """A page of the log, newest first; `next_cursor` is null on the last one."""

    items: list[WebhookDocument]
    next_cursor: str | None
