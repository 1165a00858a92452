"""An order that a platform wants placed: from what it sent to the command, with every fault named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot.api.faults import Body, Fault, Faulty, checked
from bot.api.models import OrderIn, to_items
from bot.api.problems import RULE_FAULTS
from core import ids
from core.database import Database
from core.errors import RuleError
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import PlaceOrder
from core.orders.order import Customer, OrderId
from core.platforms.platforms import Platform


class Kitchens:
    """Kitchens by their codes, each looked up once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[str, UUID | None] = {}

    async def id_of(self, code: str) -> UUID | None:
        """Return the id of the kitchen with this code, None where there is none."""
        if code not in self._found:
            # Asked for every order placed: a statement of our own instead of the ORM's.
            self._found[code] = await self._database.pool.fetchval(_BY_CODE, code)
        return self._found[code]


_BY_CODE: Final = "SELECT id FROM partners WHERE code = $1"


@dataclass(frozen=True, slots=True)
class Placing:
    """An order ready to be placed; `good` are the parts that rules are checked on."""

    command: PlaceOrder
    good: Mapping[str, Any]
    kitchens: Kitchens
    now: datetime

    async def refused(self, error: RuleError) -> Exception:
        """Return the refusal of the order domain, with every other fault of the same body."""
        first = RULE_FAULTS.get(error.code)
        if first is None:
            return error
        others = await _rule_faults(self.good, self.kitchens, self.now)
        return Faulty(first, *(fault for fault in others if fault != first))


async def understood(content: object, *, platform: Platform, kitchens: Kitchens, now: datetime) -> Placing:
    """Return what a body asks for; raises Faulty with all of its faults."""
    body = Body(we_tell_customers=platform.notify_customer)
    try:
        order = checked(OrderIn, content, body)
    except Faulty as faulty:
        raise Faulty(*faulty.faults, *await _rule_faults(body.good, kitchens, now)) from None
    partner_id = await kitchens.id_of(order.partner)
    if partner_id is None:
        raise Faulty(*await _rule_faults(body.good, kitchens, now))
    return Placing(_command(order, platform, partner_id), body.good, kitchens, now)


def status_of(answer: Answer) -> int:
    """Return 201 for an order that was placed now, 200 for a repeat."""
    return 201 if answer.kind is AnswerKind.DONE else 200


async def _rule_faults(good: Mapping[str, Any], kitchens: Kitchens, now: datetime) -> list[Fault]:
    """Return which rules the parts of a body break that are well-formed."""
    broken: list[str] = []
    if "partner" in good and await kitchens.id_of(good["partner"]) is None:
        broken.append("no_such_partner")
    if "deliver_at" in good and good["deliver_at"] <= now:
        broken.append("deliver_at_past")
    if good.get("ordered_at") and good["ordered_at"] > now:
        broken.append("ordered_at_future")
    return [RULE_FAULTS[code] for code in broken]


def _command(order: OrderIn, platform: Platform, partner_id: UUID) -> PlaceOrder:
    customer = order.customer
    return PlaceOrder(
        OrderId(ids.new()),
        platform_id=platform.id,
        external_id=order.external_id,
        partner_id=partner_id,
        deliver_at=order.deliver_at,
        ordered_at=order.ordered_at,
        customer=Customer(customer.name, customer.phone, customer.email, customer.locale),
        address=order.address,
        note=order.note,
        items=to_items(order.items),
        fees=order.fees,
        discount=order.discount,
        total=order.total,
    )
