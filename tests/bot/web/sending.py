"""What was sent about an order, put on record as the worker does."""

from dataclasses import dataclass
from datetime import timedelta

from core import ids
from core.actors import Role
from core.channels import AddressKind, ChannelName
from core.notices.kinds import NoticeKind
from core.orders.order import Order
from tests.bot.web.conftest import Site


@dataclass(frozen=True, slots=True)
class Message:
    """One message and its only attempt; `outcome` None is one that was not tried yet."""

    kind: NoticeKind
    channel: ChannelName
    address_kind: AddressKind
    address: str
    state: str
    outcome: str | None
    cost: int | None = None
    receipt: str | None = None
    role: Role | None = None
    person: str = "operator"


PHONE = "+84901234567"

#: An order of which Zalo did not reach the owner, SMS did; the rest of what can become of a message.
MESSAGES = (
    Message(
        NoticeKind.ORDER_NEW,
        ChannelName.ZALO,
        AddressKind.ZALO_USER,
        "8263749501726354",
        "failed",
        "no_such_recipient",
        role=Role.OWNER,
    ),
    Message(
        NoticeKind.CONFIRM_NUDGE,
        ChannelName.SMS,
        AddressKind.PHONE,
        PHONE,
        "sent",
        "sent",
        820,
        "delivered",
        Role.OWNER,
    ),
    Message(
        NoticeKind.ORDER_CHANGED,
        ChannelName.SMS,
        AddressKind.PHONE,
        PHONE,
        "unclear",
        "unclear",
        1640,
        role=Role.KITCHEN,
    ),
    Message(
        NoticeKind.CUSTOMER_CANCELLED,
        ChannelName.EMAIL,
        AddressKind.EMAIL,
        "an.nguyen@example.com",
        "waiting",
        "try_later",
        person="customer:an.nguyen@example.com",
    ),
    Message(
        NoticeKind.ORDER_AT_RISK,
        ChannelName.EMAIL,
        AddressKind.EMAIL,
        "truc@example.com",
        "waiting",
        None,
        person="operator:truc@example.com",
    ),
    Message(
        NoticeKind.REVIEW_RECEIVED,
        ChannelName.ZALO,
        AddressKind.ZALO_USER,
        "8263749501726354",
        "failed",
        "refused",
        role=Role.MANAGER,
    ),
)


async def tells(site: Site, order: Order, *messages: Message) -> None:
    """Put these messages on record, a minute apart."""
    for number, message in enumerate(messages):
        await _tell(site, order, message, timedelta(minutes=number))


async def _tell(site: Site, order: Order, message: Message, after: timedelta) -> None:
    notice_id, message_id, at = ids.new(), ids.new(), site.now + after
    staff_id = site.staff[message.role] if message.role else None
    await site.database.pool.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at, state)"
        " VALUES ($1, $2, $3, $4, 1, '{}', $5, 'routed')",
        notice_id,
        order.id,
        message.kind.value,
        str(notice_id),
        at,
    )
    await site.database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind,"
        " address, state, receipt, created_at) VALUES ($1, $2, $3, 'chat', $4, $5, $6, $7, $8, $9, $10, $11)",
        message_id,
        notice_id,
        order.id,
        f"staff:{staff_id}" if staff_id else message.person,
        staff_id,
        message.channel.value,
        message.address_kind.value,
        message.address,
        message.state,
        message.receipt,
        at,
    )
    if message.outcome:
        await site.database.pool.execute(
            "INSERT INTO attempts (message_id, try, started_at, took, outcome, cost)"
            " VALUES ($1, 1, $2, $3, $4, $5)",
            message_id,
            at,
            timedelta(seconds=1),
            message.outcome,
            message.cost,
        )
