"""A message about to go out, with all that its card is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from core.actors import Role
from core.channels import Address, ChannelName
from core.notices.kinds import NoticeKind
from core.orders.events import Json
from core.orders.order import Order
from core.quiet import Quiet


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """A kitchen as cards need it."""

    id: UUID
    code: str
    name: str
    locale: str
    zone: ZoneInfo
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """The staff member a message is for."""

    id: UUID
    name: str
    role: Role
    locale: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message: a notice on one channel to one address.

    `order`, `partner` and `platform_name` are those of the notice's order as they are now; `staff`
    is None for customers and operators; `data` is the notice's own. `tries` counts this try; `was`
    is the state it was claimed in, `lost` how often a claim of it was never settled. `owed_at` is
    product time, UTC, as the process that owed it knew it. `has_ended`: the address was given up since.
    `together` is every order of the kitchen that waits, soonest delivery first, where one nudge stands
    for all of them; else empty. `others` are the alarms that an operator's message tells of besides its own,
    the most urgent first, and `others_left` how many more there are. `edits` is what the gateway calls the
    earlier message that is to show this one's card. `is_first`: no other channel was tried for its person
    before; of changes of cards, the one that is sent anew where that cannot be changed any more.
    """

    id: UUID
    notice_id: UUID
    kind: NoticeKind
    occasion: str
    revision: int
    data: Mapping[str, Json]
    owed_at: datetime
    channel: ChannelName
    address: Address
    order: Order | None
    partner: PartnerFacts | None
    platform_name: str
    staff: StaffFacts | None
    tries: int
    way: str = "chat"
    person: str = ""
    was: str = "waiting"
    lost: int = 0
    gateway_id: str | None = None
    receipt: str | None = None
    has_ended: bool = False
    together: tuple[Order, ...] = ()
    others: tuple["Outgoing", ...] = ()
    others_left: int = 0
    edits: str | None = None
    is_first: bool = True
