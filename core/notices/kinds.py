"""The table of what is said, when, to whom and by which way (N1 to N9, C1, operators' alarms), as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from core.orders.status import Status


class NoticeKind(StrEnum):
    """Something we owe somebody."""

    ORDER_NEW = "order_new"  # N1
    CONFIRM_NUDGE = "confirm_nudge"  # N2
    ORDER_EXPIRED = "order_expired"  # N3
    ORDER_CHANGED = "order_changed"  # N4, by the platform
    ORDER_CANCELLED = "order_cancelled"  # N4, by the platform or an operator
    ORDER_CONFIRMED = "order_confirmed"  # N4, by an operator
    OPERATOR_COMPLETED = "operator_completed"  # N4, by an operator
    DELIVERY_TOMORROW = "delivery_tomorrow"  # N5
    COMPLETE_REQUEST = "complete_request"  # N6
    COMPLETE_REMINDER = "complete_reminder"  # N7
    ORDER_COMPLETED = "order_completed"  # N8
    REVIEW_RECEIVED = "review_received"  # N9
    COLLEAGUE_ACTED = "colleague_acted"  # who was told hears who settled it
    CUSTOMER_CANCELLED = "customer_cancelled"  # C1
    CUSTOMER_REVIEW = "customer_review"  # how it was, by a link; only for platforms that want it
    MORNING_SHEET = "morning_sheet"  # what is delivered today
    KITCHEN_PAUSED = "kitchen_paused"  # who did not do it themselves hears that the kitchen takes no orders
    KITCHEN_RESUMED = "kitchen_resumed"  # ... and that it takes them again
    LOGIN_CODE = "login_code"  # to the phone or mailbox somebody wants to sign in by
    OPERATOR_LOGIN = "operator_login"  # to the mailbox of an operator who wants to sign in
    ANSWER = "answer"  # to whoever asked or tapped
    ORDER_AT_RISK = "order_at_risk"  # O*
    NOT_COMPLETED = "not_completed"  # O*
    LOW_REVIEW = "low_review"  # O*
    UNDELIVERABLE = "undeliverable"  # O*
    WEBHOOK_DEAD = "webhook_dead"  # O*
    CODES_USED_UP = "codes_used_up"  # O*
    TROUBLE = "trouble"  # O*: token, wallet, signature, timers; `data` says which


class Audience(StrEnum):
    """Who is owed a notice."""

    RECIPIENTS = "recipients"
    LADDER = "ladder"
    TOLD = "told"
    CUSTOMER = "customer"
    PERSON = "person"
    OPERATORS = "operators"


class Way(StrEnum):
    """How a notice goes: by mail, by the first chat that works, or into a card that was sent before."""

    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    EDIT = "edit"  # a card that was sent shows the order as it is now


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. A notice is dropped once its order's status is not in `while_status`.

    `same_revision` drops it too when time, items, address or note have changed since. With `told_too`
    it also goes to staff who are no recipients but were told of this order, on the chat that told them.
    What `may_wait` is not told on a chat during a kitchen's quiet hours, but when they are over; a customer
    is then not told at night at all. Where a `courtesy` reaches nobody, that is nobody's trouble.
    """

    audience: Audience
    ways: tuple[Way, ...]
    while_status: frozenset[Status]
    same_revision: bool = False
    told_too: bool = False
    may_wait: bool = False
    courtesy: bool = False


_BOTH: Final = (Way.EMAIL, Way.CHAT)
_ANY: Final = frozenset(Status)
_PENDING: Final = frozenset({Status.PENDING})
_CONFIRMED: Final = frozenset({Status.CONFIRMED})
_OPEN: Final = frozenset({Status.PENDING, Status.CONFIRMED})

RULES: Final[Mapping[NoticeKind, Rule]] = MappingProxyType(
    {
        NoticeKind.ORDER_NEW: Rule(Audience.RECIPIENTS, _BOTH, _PENDING, same_revision=True),
        NoticeKind.CONFIRM_NUDGE: Rule(
            Audience.LADDER, (Way.CHAT,), _PENDING, same_revision=True, may_wait=True
        ),
        NoticeKind.ORDER_EXPIRED: Rule(
            Audience.RECIPIENTS, _BOTH, frozenset({Status.EXPIRED}), told_too=True
        ),
        NoticeKind.ORDER_CHANGED: Rule(Audience.RECIPIENTS, _BOTH, _OPEN, same_revision=True, told_too=True),
        NoticeKind.ORDER_CANCELLED: Rule(
            Audience.RECIPIENTS, _BOTH, frozenset({Status.CANCELLED}), told_too=True
        ),
        NoticeKind.ORDER_CONFIRMED: Rule(Audience.RECIPIENTS, _BOTH, _CONFIRMED, told_too=True),
        NoticeKind.OPERATOR_COMPLETED: Rule(
            Audience.RECIPIENTS, (Way.CHAT,), frozenset({Status.COMPLETED}), told_too=True, may_wait=True
        ),
        NoticeKind.DELIVERY_TOMORROW: Rule(Audience.RECIPIENTS, _BOTH, _CONFIRMED, may_wait=True),
        NoticeKind.COMPLETE_REQUEST: Rule(Audience.RECIPIENTS, _BOTH, _CONFIRMED, may_wait=True),
        NoticeKind.COMPLETE_REMINDER: Rule(Audience.RECIPIENTS, _BOTH, _CONFIRMED, may_wait=True),
        NoticeKind.ORDER_COMPLETED: Rule(Audience.RECIPIENTS, (Way.EMAIL,), frozenset({Status.COMPLETED})),
        NoticeKind.REVIEW_RECEIVED: Rule(
            Audience.RECIPIENTS, _BOTH, frozenset({Status.COMPLETED}), may_wait=True
        ),
        NoticeKind.COLLEAGUE_ACTED: Rule(Audience.TOLD, (Way.CHAT,), _ANY, may_wait=True),
        NoticeKind.CUSTOMER_CANCELLED: Rule(
            Audience.CUSTOMER, (Way.EMAIL, Way.SMS), frozenset({Status.CANCELLED, Status.EXPIRED})
        ),
        NoticeKind.CUSTOMER_REVIEW: Rule(
            Audience.CUSTOMER,
            (Way.EMAIL, Way.SMS),
            frozenset({Status.COMPLETED}),
            may_wait=True,
            courtesy=True,
        ),
        NoticeKind.MORNING_SHEET: Rule(Audience.RECIPIENTS, _BOTH, _ANY),
        NoticeKind.KITCHEN_PAUSED: Rule(Audience.RECIPIENTS, (Way.CHAT,), _ANY, may_wait=True),
        NoticeKind.KITCHEN_RESUMED: Rule(Audience.RECIPIENTS, (Way.CHAT,), _ANY, may_wait=True),
        NoticeKind.LOGIN_CODE: Rule(Audience.PERSON, (Way.CHAT,), _ANY),
        NoticeKind.OPERATOR_LOGIN: Rule(Audience.PERSON, (Way.CHAT,), _ANY),
        NoticeKind.ANSWER: Rule(Audience.PERSON, (Way.CHAT,), _ANY),
        NoticeKind.ORDER_AT_RISK: Rule(Audience.OPERATORS, _BOTH, _PENDING),
        NoticeKind.NOT_COMPLETED: Rule(Audience.OPERATORS, _BOTH, _CONFIRMED),
        NoticeKind.LOW_REVIEW: Rule(Audience.OPERATORS, _BOTH, frozenset({Status.COMPLETED})),
        NoticeKind.UNDELIVERABLE: Rule(Audience.OPERATORS, _BOTH, _ANY),
        NoticeKind.WEBHOOK_DEAD: Rule(Audience.OPERATORS, _BOTH, _ANY),
        NoticeKind.CODES_USED_UP: Rule(Audience.OPERATORS, _BOTH, _ANY),
        NoticeKind.TROUBLE: Rule(Audience.OPERATORS, _BOTH, _ANY),
    }
)

#: Each change of an order's status or content owes one of these: the cards sent before are then out of date.
OUTDATING: Final = frozenset(
    {
        NoticeKind.COLLEAGUE_ACTED,
        NoticeKind.ORDER_CHANGED,
        NoticeKind.ORDER_CONFIRMED,
        NoticeKind.ORDER_CANCELLED,
        NoticeKind.ORDER_EXPIRED,
        NoticeKind.OPERATOR_COMPLETED,
    }
)

#: The notices that ask for the same thing again and again: of these only the newest is worth telling.
LADDERS: Final = (
    frozenset({NoticeKind.CONFIRM_NUDGE}),
    frozenset({NoticeKind.COMPLETE_REQUEST, NoticeKind.COMPLETE_REMINDER}),
)


def is_obsolete(kind: NoticeKind, status: Status, *, revision: int, revision_now: int) -> bool:
    """Whether an order has moved on, so that this notice must not go out any more."""
    rule = RULES[kind]
    return status not in rule.while_status or (rule.same_revision and revision != revision_now)
