"""Who gives a command."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a staff member is to the kitchen."""

    OWNER = "owner"
    MANAGER = "manager"
    KITCHEN = "kitchen"
    CASHIER = "cashier"

    @property
    def may_act(self) -> bool:
        """May confirm, cancel and complete orders."""
        return self is not Role.CASHIER

    @property
    def sees_money(self) -> bool:
        """May see totals and settlements."""
        return self is not Role.KITCHEN

    @property
    def runs_kitchen(self) -> bool:
        """May stop and start taking orders."""
        return self in {Role.OWNER, Role.MANAGER}

    @property
    def is_told(self) -> bool:
        """Receives the partner's notices without being added to them."""
        return self in {Role.OWNER, Role.MANAGER}


class Via(StrEnum):
    """The way a command came; `email` is the page reached from a mail."""

    ZALO = "zalo"
    TELEGRAM = "telegram"
    SMS = "sms"
    EMAIL = "email"
    WEB = "web"
    API = "api"
    OPERATOR = "operator"
    SYSTEM = "system"
    CUSTOMER = "customer"


class ActorKind(StrEnum):
    """Which sort of person or machine gives a command."""

    STAFF = "staff"
    PLATFORM = "platform"
    OPERATOR = "operator"
    SYSTEM = "system"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who gives commands, as found inside the transaction.

    `id` is the staff member's or the platform's; `partner_id` and `role` are a staff member's.
    """

    kind: ActorKind
    name: str
    via: Via
    id: UUID | None = None
    partner_id: UUID | None = None
    role: Role | None = None


#: Whoever got an order's review link; events do not name them.
CUSTOMER = Actor(ActorKind.CUSTOMER, "Khách", Via.CUSTOMER)
SYSTEM = Actor(ActorKind.SYSTEM, "Chốt Đơn", Via.SYSTEM)


def operator(name: str) -> Actor:
    """Return the operator of this name."""
    return Actor(ActorKind.OPERATOR, name, Via.OPERATOR)
