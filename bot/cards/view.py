"""An order as one reader sees it at one moment. Pure."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.texts.catalogue import Texts
from bot.tokens import Bearer, ButtonToken, LinkToken, Purpose, Signer
from core.notices.outgoing import StaffFacts
from core.orders.order import Order, OrderId
from core.orders.status import Status
from core.schedule import Policy


@dataclass(frozen=True, slots=True)
class Desk:
    """What every card needs to know of this service.

    `reply_number` is the number that SMS words are sent to, `reply_prefix` the routing keyword that they
    begin with there; `sms_links` lets links stand in an SMS.
    """

    base_url: str
    signer: Signer
    policy: Policy
    hotline: str | None = None
    reply_number: str | None = None
    reply_prefix: str | None = None
    sms_links: bool = False

    @property
    def host(self) -> str:
        """The host that our pages are at."""
        return urlsplit(self.base_url).hostname or "localhost"


@dataclass(frozen=True, slots=True)
class Frame:
    """A reader without an order before them: what lists and plain answers are written in."""

    desk: Desk
    texts: Texts
    zone: ZoneInfo
    now: datetime
    partner_name: str
    staff: StaffFacts | None = None
    by_mail: bool = False
    in_group: bool = False

    @property
    def sees_money(self) -> bool:
        """Staff by their role, but not in a group; everybody else who gets our cards is an operator."""
        return self.staff is None or (self.staff.role.sees_money and not self.in_group)

    @property
    def may_act(self) -> bool:
        """Whether buttons are of any use to this reader; in a group, to one of its readers."""
        return self.staff is not None and (self.staff.role.may_act or self.in_group)

    def asks(self, purpose: Purpose, *, number: int = 0, order_id: UUID | None = None) -> str | None:
        """Return the payload of a button that asks something; None for who is no staff."""
        if self.staff is None:
            return None
        return self.desk.signer.button(
            ButtonToken(OrderId(order_id or UUID(int=0)), number, purpose, self.staff.id)
        )


@dataclass(frozen=True, slots=True)
class View:
    """An order before a reader: staff by `staff`, a customer or an operator without."""

    frame: Frame
    order: Order
    platform_name: str
    bearer: Bearer

    @property
    def texts(self) -> Texts:
        """The reader's language."""
        return self.frame.texts

    @property
    def zone(self) -> ZoneInfo:
        """The kitchen's zone."""
        return self.frame.zone

    @property
    def now(self) -> datetime:
        """Product time."""
        return self.frame.now

    @property
    def may_confirm(self) -> bool:
        """Confirm and cancel apply now, for this reader."""
        in_time = self.now <= self.order.deliver_at
        return self.frame.may_act and self.order.status is Status.PENDING and in_time

    @property
    def may_complete(self) -> bool:
        """Complete applies now, for this reader."""
        in_time = self.now >= self.order.deliver_at - self.frame.desk.policy.complete_early
        return self.frame.may_act and self.order.status is Status.CONFIRMED and in_time

    @property
    def may_thank(self) -> bool:
        """A review waits for the kitchen's answer, and this reader may give it; in a group, one of them."""
        review, staff = self.order.review, self.frame.staff
        runs_kitchen = staff is not None and (staff.role.runs_kitchen or self.frame.in_group)
        return runs_kitchen and review is not None and review.answer is None

    def payload(self, purpose: Purpose) -> str | None:
        """Return the payload of a button about this order, bound to what the reader sees of it."""
        return self.frame.asks(purpose, number=self.order.revision, order_id=self.order.id)

    def titled(self, sentence: str) -> str:
        """Return a sentence whose blank `code` is the order's."""
        return self.texts.t(sentence, code=self.order.code)

    @property
    def link_ref(self) -> str:
        """The last part of the details link."""
        staff = self.frame.staff
        token = LinkToken(self.order.id, self.order.revision, self.bearer, staff.id if staff else None)
        return self.frame.desk.signer.link(token)

    @property
    def link(self) -> str:
        """The address of the order's page, for this reader; from a group whoever opens it has to sign in."""
        if self.frame.in_group:
            return f"{self.frame.desk.base_url}/orders/{self.order.code}"
        return f"{self.frame.desk.base_url}/o/{self.link_ref}"
