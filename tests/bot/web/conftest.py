"""A kitchen, its staff, an order, and a browser without JavaScript."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.keys import DATABASE, LEDGER, SETTINGS, SIGNER, WAKING, Waking
from bot.tokens import Bearer, LinkToken, Signer
from bot.web.middleware import middlewares
from bot.web.routes import add_routes
from core.actors import Actor, ActorKind, Role, Via, operator
from core.clock import real_now
from core.database import Database, connect
from core.ledger import Ledger, StaffRef
from core.orders.commands import (
    CancelOrder,
    ChangeOrder,
    Command,
    CompleteOrder,
    ConfirmOrder,
    PlaceOrder,
    ReviewOrder,
)
from core.orders.decide import reason_of
from core.orders.models import OrderRow
from core.orders.order import Customer, Item, Order, OrderId
from core.partners import sessions
from core.partners.models import PartnerRow, PlatformRow, StaffRow
from core.settings import Settings

#: 08:10 on Tuesday 24 November 2026 in Vietnam.
MORNING = datetime(2026, 11, 24, 1, 10, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
SECRET = "a secret for tests, long enough to be one"


async def _wake(notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
    """Nobody is there to be woken."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A page as a browser got it."""

    status: int
    html: str
    headers: dict[str, str]
    url: str

    @property
    def text(self) -> str:
        """What a reader reads."""
        body = re.sub(r"<(head|svg)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def nonce(self, action: str) -> str:
        """Return the nonce of the form for this deed; raises LookupError where there is no such form."""
        found = re.search(rf'action="/o/[^"]+/{action}".*?name="nonce" value="([^"]+)"', self.html, re.DOTALL)
        if found is None:
            raise LookupError(f"no form to {action}")
        return unescape(found[1])

    def offers(self, action: str) -> bool:
        """Whether there is a form for this deed."""
        return f'/{action}"' in self.html


@dataclass(slots=True)
class Site:
    """The pages in front of a real database, a kitchen with staff, and ways to make things happen."""

    database: Database
    ledger: Ledger
    settings: Settings
    client: "TestClient[web.Request, web.Application]"
    signer: Signer
    partner_id: UUID
    platform_id: UUID
    staff: dict[Role, UUID] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """Product time."""
        return self.database.clock.now()

    async def goes_to(self, moment: datetime) -> None:
        """Move product time."""
        ahead = moment - real_now()
        await self.database.pool.execute("UPDATE clock SET ahead = $1", ahead)
        await self.database.set_clock()

    async def places(self, **changes: Any) -> Order:
        """Have the platform place an order."""
        command = PlaceOrder(
            order_id=OrderId(uuid4()),
            platform_id=self.platform_id,
            external_id=str(uuid4()),
            partner_id=self.partner_id,
            deliver_at=NOON,
            ordered_at=None,
            customer=Customer("Nguyễn Văn An", "+84909123456", "an@example.com", "vi"),
            address="12 Lê Lợi, Quận 1, TP.HCM",
            note="Giao cổng sau",
            items=(Item("Cơm gà", 20, 60_000, "không hành"), Item("Cơm sườn", 20, 60_000)),
            fees=50_000,
            discount=0,
            total=2_450_000,
        )
        command = replace(command, **changes)
        await self.ledger.submit(command, actor=self.platform)
        return await self.order(command.order_id)

    @property
    def platform(self) -> Actor:
        """The platform, as whoever gives commands."""
        return Actor(ActorKind.PLATFORM, "Đặt Cơm", Via.API, id=self.platform_id)

    async def order(self, order_id: OrderId) -> Order:
        """Return the order as it is now."""
        return (await OrderRow.get(id=order_id)).to_order()

    async def does(self, command: Command, *, role: Role = Role.MANAGER, via: Via = Via.ZALO) -> None:
        """Have a staff member give a command elsewhere."""
        await self.ledger.submit(command, actor=StaffRef(self.staff[role], via))

    async def confirmed(self, **changes: Any) -> Order:
        """Return an order that the manager has confirmed on Zalo."""
        order = await self.places(**changes)
        await self.does(ConfirmOrder(order.id))
        return await self.order(order.id)

    async def completed(self) -> Order:
        """Return an order that was confirmed, delivered and reviewed."""
        order = await self.confirmed()
        await self.goes_to(NOON)
        await self.does(CompleteOrder(order.id))
        await self.ledger.submit(
            ReviewOrder(order.id, 4, "Ngon, giao đúng giờ", "Chị An"), actor=self.platform
        )
        return await self.order(order.id)

    async def changed(self, order: Order, **parts: Any) -> Order:
        """Have the platform change an order."""
        await self.ledger.submit(ChangeOrder(order.id, **parts), actor=self.platform)
        return await self.order(order.id)

    async def cancelled_by_operator(self, order: Order) -> Order:
        """Have an operator cancel an order."""
        await self.ledger.submit(CancelOrder(order.id, reason_of(6, "Khách đổi ý")), actor=operator("Hà"))
        return await self.order(order.id)

    def path(
        self, order: Order, *, role: Role | None = Role.OWNER, bearer: Bearer = Bearer.STAFF_MAIL
    ) -> str:
        """Return the address of the link that somebody was sent."""
        staff_id = self.staff[role] if role else None
        return f"/o/{self.signer.link(LinkToken(order.id, order.revision, bearer, staff_id))}"

    async def opens(self, path: str, **headers: str) -> Answered:
        """Open a page."""
        async with self.client.get(path, headers=headers) as response:
            return Answered(response.status, await response.text(), dict(response.headers), str(response.url))

    async def sends(self, path: str, fields: dict[str, str], **headers: str) -> Answered:
        """Send a form and follow where it leads."""
        async with self.client.post(path, data=fields, headers=headers) as response:
            return Answered(response.status, await response.text(), dict(response.headers), str(response.url))

    async def presses(self, path: str, action: str, **fields: str) -> Answered:
        """Open a page and press one of its buttons."""
        nonce = (await self.opens(path)).nonce(action)
        return await self.sends(f"{path}/{action}", {"nonce": nonce, **fields})

    async def signs_in(self, role: Role, *, via: str = "zalo") -> str:
        """Give the browser a session of this member, in the place of the one it has; return its secret."""
        secret = await sessions.begin(
            self.database.pool,
            self.staff[role],
            via=via,
            device="Chrome · Android",
            address=None,
            now=self.now,
        )
        self.client.session.cookie_jar.update_cookies({"chotdon": secret}, self.client.make_url("/"))
        return secret

    async def leaves(self, role: Role) -> None:
        """Have somebody leave the kitchen."""
        await StaffRow.filter(id=self.staff[role]).update(removed_at=self.now)

    async def counted(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(await self.database.pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608  (ours)


def settings_for(**changes: Any) -> Settings:
    """Return settings for a test."""
    known = {"secret_key": SECRET, "hotline": "19001234", "base_url": "http://chotdon.example", **changes}
    return Settings(_env_file=None, **known)


def application(settings: Settings, database: Database, ledger: Ledger) -> web.Application:
    """Return the pages on these parts."""
    app = web.Application(middlewares=middlewares())
    app[SETTINGS], app[DATABASE], app[LEDGER], app[SIGNER] = settings, database, ledger, Signer([SECRET])
    app[WAKING] = Waking(_wake)
    add_routes(app)
    return app


@pytest.fixture
def settings() -> Settings:
    """Return the usual settings; a test module may have its own."""
    return settings_for()


@pytest.fixture
async def site(database_url: str, settings: Settings) -> AsyncIterator[Site]:
    """Yield the pages at ten past eight, with a kitchen but without an order."""
    async with connect(database_url, connections=4) as database:
        ledger = Ledger(database, policy=settings.policy, code_key=b"k" * 32, wake=_wake)
        async with ledger, TestClient(TestServer(application(settings, database, ledger))) as client:
            site = Site(database, ledger, settings, client, Signer([SECRET]), uuid4(), uuid4())
            await site.goes_to(MORNING)
            await _settle_in(site)
            yield site


async def _settle_in(site: Site) -> None:
    long_ago = MORNING - timedelta(days=100)
    await PlatformRow.create(
        id=site.platform_id, name="Đặt Cơm", api_key_hash=b"x", webhook_secret="whsec_x", created_at=long_ago
    )
    await PartnerRow.create(id=site.partner_id, code="com-nha-lan", name="Cơm Nhà Lan", created_at=long_ago)
    names = {Role.OWNER: "Lan", Role.MANAGER: "Minh", Role.KITCHEN: "Tú", Role.CASHIER: "Hoa"}
    for role, name in names.items():
        site.staff[role] = uuid4()
        await StaffRow.create(
            id=site.staff[role], partner_id=site.partner_id, name=name, role=role.value, added_at=long_ago
        )
