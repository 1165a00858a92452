"""An order and its readers, for cards that are made without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.cards.view import Desk, Frame, View
from bot.texts import texts_in
from bot.tokens import Bearer, Signer
from core.actors import Role, Via
from core.channels import BlockRole, Card
from core.notices.outgoing import StaffFacts
from core.orders.order import By, Customer, Item, Order, OrderId, Reason, Review
from core.orders.status import Status
from core.schedule import Policy

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
#: 08:10 and 11:30 on Tuesday 24 November 2026 in Vietnam.
MORNING = datetime(2026, 11, 24, 1, 10, tzinfo=UTC)
LUNCH = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
LAN = UUID("0199a000-0000-7000-8000-000000000001")
HOA = UUID("0199a000-0000-7000-8000-000000000002")
KITCHEN = UUID("0199a000-0000-7000-8000-00000000000c")
PLATFORM = UUID("0199a000-0000-7000-8000-00000000000d")
SIGNER = Signer(["a secret of this test"])
DESK = Desk("https://chotdon.vn", SIGNER, Policy(), hotline="19001234", reply_number="8041")
BY_PLATFORM = By(Via.API, "PhoX", PLATFORM)
BY_LAN = By(Via.ZALO, "Lan", LAN)

RICE = Order(
    id=OrderId(UUID("0199a000-0000-7000-8000-00000000000a")),
    platform_id=PLATFORM,
    external_id="PX-2026-000123",
    partner_id=KITCHEN,
    code="48274",
    status=Status.PENDING,
    version=1,
    revision=1,
    deliver_at=LUNCH,
    ordered_at=MORNING - timedelta(days=1),
    placed_at=MORNING - timedelta(days=1),
    asked_at=MORNING - timedelta(days=1),
    updated_at=MORNING - timedelta(days=1),
    address="12 Lê Lợi, Quận 1, TP.HCM",
    note="Giao cổng sau",
    items=(Item("Cơm gà", 30, 60_000, "10 phần không da"), Item("Trà đá", 10, 5_000)),
    fees=50_000,
    discount=0,
    total=1_900_000,
    customer=Customer("Nguyễn Văn An", "+84909123456", "an@example.com", "vi"),
    status_changed_at=MORNING - timedelta(days=1),
    status_changed_by=BY_PLATFORM,
)

CONFIRMED = replace(
    RICE, status=Status.CONFIRMED, version=2, status_changed_at=MORNING, status_changed_by=BY_LAN
)
CANCELLED = replace(
    RICE,
    status=Status.CANCELLED,
    version=2,
    status_changed_at=MORNING,
    status_changed_by=BY_LAN,
    reason=Reason(1, "Hết món"),
    final_at=MORNING,
)
EXPIRED = replace(
    RICE,
    status=Status.EXPIRED,
    version=2,
    status_changed_at=LUNCH,
    status_changed_by=By(Via.SYSTEM, "Chốt Đơn"),
    final_at=LUNCH,
)
COMPLETED = replace(
    CONFIRMED,
    status=Status.COMPLETED,
    version=3,
    status_changed_at=LUNCH,
    final_at=LUNCH,
    review=Review(4, "Cơm ngon, giao hơi trễ", "Nguyễn Văn An", LUNCH + timedelta(hours=2)),
)
BY_STATUS = {order.status: order for order in (RICE, CONFIRMED, CANCELLED, EXPIRED, COMPLETED)}


def frame(
    role: Role | None = Role.OWNER, *, locale: str = "vi", now: datetime = MORNING, desk: Desk = DESK
) -> Frame:
    """Return a reader of this role; None is an operator."""
    staff = StaffFacts(LAN, "Lan", role, locale) if role else None
    return Frame(desk, texts_in(locale), SAIGON, now, "Cơm nhà Lan", staff)


def view(
    order: Order = RICE, role: Role | None = Role.OWNER, *, locale: str = "vi", now: datetime = MORNING
) -> View:
    """Return an order before such a reader."""
    bearer = Bearer.STAFF_CHAT if role else Bearer.OPERATOR
    return View(frame(role, locale=locale, now=now), order, "PhoX", bearer)


def text_of(card: Card) -> str:
    """Return all that a card says, line by line, without its links."""
    lines = [card.title, card.badge.word if card.badge else ""]
    for block in card.blocks:
        lines += [f"{block.label}: " if block.label else "", *block.lines]
    return "\n".join([*lines, *(button.label for button in card.buttons), card.short])


def lines_of(card: Card, role: BlockRole) -> tuple[str, ...]:
    """Return the lines of a card's blocks of this role."""
    return tuple(line for block in card.blocks if block.role is role for line in block.lines)


def labels_of(card: Card) -> list[str]:
    """Return what can be pressed."""
    return [button.label for button in card.buttons]
