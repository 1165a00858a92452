"""What can be asked of the list of orders and of settlements, and how pages follow each other."""

import base64
import binascii
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from multidict import MultiMapping
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.api.content import Day, DayOrMoment, Line, QueryMoment
from bot.api.faults import Fault, Faulty, checked
from core.orders.events import EventType
from core.orders.queries import After, Wanted
from core.orders.status import Status
from core.partners.pauses import PartnerEventType
from core.platforms.webhook_log import WebhookState

LONGEST_PAGE: Final = 200
PAGE: Final = 50
LONGEST_SETTLEMENT: Final = timedelta(days=366)


def _statuses(value: object) -> frozenset[Status]:
    names = value.split(",") if isinstance(value, str) else []
    try:
        return frozenset(Status(name) for name in names)
    except ValueError:
        known = ", ".join(Status)
        raise PydanticCustomError(
            "status", "must be of {known}; several with commas", {"known": known}
        ) from None


def _number(value: object) -> object:
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        else value
    )


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    forward: bool
    at: datetime
    id: UUID


def _cursor(value: object) -> _Cursor:
    try:
        raw = base64.urlsafe_b64decode(str(value).encode("ascii"))
        cursor = msgspec.json.decode(raw, type=_Cursor)
    except (binascii.Error, UnicodeError, ValueError):
        raise PydanticCustomError("cursor", "is no cursor of ours") from None
    if cursor.at.tzinfo is None:
        raise PydanticCustomError("cursor", "is no cursor of ours")
    return cursor


Statuses = Annotated[
    frozenset[Status],
    PlainValidator(_statuses),
    WithJsonSchema({"type": "string", "description": "One status, or several with commas between them."}),
]
Limit = Annotated[
    int, Field(ge=1, le=LONGEST_PAGE, description="How many a page has at most."), BeforeValidator(_number)
]
CursorText = Annotated[_Cursor, PlainValidator(_cursor), WithJsonSchema({"type": "string"})]


class _Query(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class OrdersQuery(_Query):
    """Which orders are wanted."""

    status: Statuses = Field(default_factory=frozenset)
    partner: Line | None = Field(None, description="The kitchen's code.")
    from_: DayOrMoment | None = Field(
        None,
        alias="from",
        description="Delivered from then on. A day is one of the kitchen's zone,"
        " or of the service's without `partner`.",
    )
    to: DayOrMoment | None = Field(None, description="Delivered until then; a day is included as a whole.")
    updated_after: QueryMoment | None = Field(
        None,
        description="Changed after that, oldest change first. Take it a minute earlier than the newest"
        " `updated_at` you have, and tell repeats by `version`: so nothing slips through that was changed"
        " at the same moment.",
    )
    cursor: CursorText | None = Field(None, description="The `next_cursor` of the page before.")
    limit: Limit = PAGE

    @model_validator(mode="after")
    def _cursor_fits(self) -> Self:
        if self.cursor and self.cursor.forward != (self.updated_after is not None):
            raise PydanticCustomError("cursor", "the cursor belongs to another question")
        return self

    @property
    def after(self) -> After | None:
        """The place where the page starts."""
        return After(self.cursor.at, self.cursor.id) if self.cursor else None

    def wanted(self, platform_id: UUID, *, partner_id: UUID | None, zone: ZoneInfo) -> Wanted:
        """Return the question to the database; days are those of `zone`."""
        return Wanted(
            platform_id,
            statuses=self.status,
            partner_id=partner_id,
            delivered_from=_start(self.from_, zone) if self.from_ else None,
            delivered_before=_end(self.to, zone) if self.to else None,
            updated_after=self.updated_after,
        )


def _start(at: date, zone: ZoneInfo) -> datetime:
    return at if isinstance(at, datetime) else datetime.combine(at, time(), tzinfo=zone)


def _end(at: date, zone: ZoneInfo) -> datetime:
    """Return the first moment that lies behind: a timestamp is included, and a day as a whole."""
    if isinstance(at, datetime):
        return at + timedelta(microseconds=1)
    return datetime.combine(at + timedelta(days=1), time(), tzinfo=zone)


def cursor_of(query: OrdersQuery, place: After | None) -> str | None:
    """Return the opaque text by which the next page is asked for."""
    if place is None:
        return None
    cursor = _Cursor(query.updated_after is not None, place.at, place.id)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


class SettlementQuery(_Query):
    """Which days are settled: both included, of the kitchen's zone, by the time of completion."""

    partner: Line | None = Field(None, description="The kitchen's code; without it, all kitchens.")
    from_: Day | None = Field(None, alias="from", description="Default: the first day of `to`'s month.")
    to: Day | None = Field(None, description="Default: today. At most 366 days after `from`.")

    def days(self, today: date) -> tuple[date, date]:
        """Return the first and the last day; raises Faulty for too many, or the wrong way round."""
        last = self.to or today
        first = self.from_ or last.replace(day=1)
        if not timedelta() <= last - first <= LONGEST_SETTLEMENT:
            raise Faulty(Fault(("to",), "must be the same day as from, or up to 366 days later"))
        return first, last


_EVENTS: Final = frozenset(map(str, (*EventType, *PartnerEventType)))


def _types(value: object) -> frozenset[str]:
    names = frozenset(value.split(",") if isinstance(value, str) else [])
    if not names <= _EVENTS:
        raise PydanticCustomError(
            "event_type", "must be of {known}; several with commas", {"known": ", ".join(sorted(_EVENTS))}
        )
    return names


def _id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise PydanticCustomError("id", "must be an id of ours") from None


_AN_ID: Final = WithJsonSchema({"type": "string", "format": "uuid"})
Types = Annotated[
    frozenset[str],
    PlainValidator(_types),
    WithJsonSchema({"type": "string", "description": "One type of event, or several with commas between."}),
]
Id = Annotated[UUID, PlainValidator(_id), _AN_ID]


class EventsQuery(_Query):
    """Which events are wanted."""

    after: Id | None = Field(
        None,
        description="The `next_after` of the page before, any event's `id`, or a `webhook-id`: what happened"
        " after that. Without it, from the beginning.",
    )
    type: Types = Field(default_factory=frozenset)
    limit: Limit = PAGE


class WebhooksQuery(_Query):
    """Which webhooks of the log are wanted."""

    state: WebhookState | None = Field(
        None, strict=False, description="`waiting` to be tried, `delivered`, or `dead`: given up."
    )
    cursor: Id | None = Field(None, description="The `next_cursor` of the page before.")
    limit: Limit = PAGE


def events_query(given: MultiMapping[str]) -> EventsQuery:
    """Return the question that a query string asks; raises Faulty with all its faults."""
    return checked(EventsQuery, _single(given))


def webhooks_query(given: MultiMapping[str]) -> WebhooksQuery:
    """Return the question that a query string asks; raises Faulty with all its faults."""
    return checked(WebhooksQuery, _single(given))


def orders_query(given: MultiMapping[str]) -> OrdersQuery:
    """Return the question that a query string asks; raises Faulty with all its faults."""
    return checked(OrdersQuery, _single(given))


def settlement_query(given: MultiMapping[str]) -> SettlementQuery:
    """Return the question that a query string asks; raises Faulty with all its faults."""
    return checked(SettlementQuery, _single(given))


def _single(given: MultiMapping[str]) -> Mapping[str, Any]:
    """Return one value a name, without those left empty (`?status=&partner=`); statuses may be repeated."""
    values = {name: given.getall(name) for name in given}
    twice = [name for name, found in values.items() if len(found) > 1 and name != "status"]
    if twice:
        raise Faulty(*(Fault((name[:100],), "stands twice") for name in twice))
    return {name: joined for name, found in values.items() if (joined := ",".join(found))}
