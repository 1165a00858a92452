"""A platform with a key, a kitchen, and the API on a real server with a real database."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.api.routes import add_routes
from bot.keys import DATABASE, LEDGER, SETTINGS, WAKING, Waking
from core import ids
from core.actors import Actor, ActorKind, Role, Via
from core.database import Database, connect
from core.ledger import Ledger
from core.orders.answers import Answer
from core.orders.commands import CancelOrder, CompleteOrder, ConfirmOrder
from core.orders.order import OrderId, Reason
from core.partners.models import PartnerRow
from core.platforms import platforms
from core.platforms.platforms import PlatformKeys
from core.schedule import Policy
from core.settings import Settings

ORDERS = "/api/v1/orders"
CODE_KEY = b"k" * 32


@dataclass
class Heard:
    """An answer of the API, read to its end."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    body: Any

    @property
    def faults(self) -> dict[tuple[str | int, ...], str]:
        """The faults by their place."""
        return {tuple(fault["loc"]): fault["msg"] for fault in self.body["errors"]}


class Caller:
    """A platform that calls the API with its key."""

    def __init__(self, http: "TestClient[web.Request, web.Application]", keys: PlatformKeys) -> None:
        self.http = http
        self.keys = keys

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
    ) -> Heard:
        """Call any path with the platform's key."""
        sent = {"Authorization": f"Bearer {self.keys.api_key}", **(headers or {})}
        if data is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        async with self.http.request(
            method, path, json=json, data=data, headers=sent, params=params
        ) as answer:
            raw = await answer.read()
            is_json = "json" in answer.content_type and method != "HEAD"
            return Heard(answer.status, answer.headers, raw, await answer.json() if is_json else None)

    async def place(self, order: Mapping[str, Any], *, key: str | None = None) -> Heard:
        """Place an order."""
        return await self.call("POST", ORDERS, json=order, headers={"Idempotency-Key": key} if key else None)

    async def placed(self, order: Mapping[str, Any]) -> str:
        """Place an order that must be taken, and return its id."""
        heard = await self.place(order)
        assert heard.status == 201, heard.raw
        return str(heard.body["id"])

    async def list(self, **params: str) -> Heard:
        """List orders; `from_` stands for `from`."""
        return await self.call(
            "GET", ORDERS, params={name.rstrip("_"): text for name, text in params.items()}
        )


class Kitchen:
    """Cơm nhà Lan, where Lan taps."""

    def __init__(self, database: Database, ledger: Ledger, partner_id: UUID) -> None:
        self._database = database
        self._ledger = ledger
        self.id = partner_id
        self._lan = Actor(
            ActorKind.STAFF, "Lan", Via.ZALO, id=ids.new(), partner_id=partner_id, role=Role.OWNER
        )

    async def confirms(self, order_id: str) -> Answer:
        """Lan takes the order on."""
        return await self._ledger.submit(ConfirmOrder(OrderId(UUID(order_id))), actor=self._lan)

    async def declines(self, order_id: str) -> Answer:
        """Lan is overloaded."""
        command = CancelOrder(OrderId(UUID(order_id)), Reason(2, "Quá tải"))
        return await self._ledger.submit(command, actor=self._lan)

    async def completes(self, order_id: str) -> Answer:
        """Lan has delivered."""
        return await self._ledger.submit(CompleteOrder(OrderId(UUID(order_id))), actor=self._lan)

    async def delivers(self, order_id: str) -> None:
        """Lan confirms, the delivery time comes, Lan completes."""
        await self.confirms(order_id)
        deliver_at = await self._database.pool.fetchval(
            "SELECT deliver_at FROM orders WHERE id = $1", UUID(order_id)
        )
        await travel_to(self._database, deliver_at)
        await self.completes(order_id)


async def travel_to(database: Database, moment: datetime) -> None:
    """Move product time to this moment."""
    ahead = database.clock.offset + (moment - database.clock.now())
    await database.pool.execute("UPDATE clock SET ahead = $1", ahead)
    await database.set_clock()


class SilentWake:
    """Takes down which rows the worker would be woken for."""

    def __init__(self) -> None:
        self.webhooks: list[UUID] = []

    async def __call__(self, notices: Sequence[UUID], webhooks: Sequence[UUID]) -> None:
        """Take them down."""
        self.webhooks += webhooks


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield open connections to this test's database."""
    async with connect(database_url) as database:
        yield database


@pytest.fixture
def wake() -> SilentWake:
    """Return what takes down which rows the worker would be woken for."""
    return SilentWake()


@pytest.fixture
async def ledger(database: Database, wake: SilentWake) -> AsyncIterator[Ledger]:
    """Yield a running ledger."""
    async with Ledger(
        database,
        policy=Policy(),
        code_key=CODE_KEY,
        wake=wake,
        patience=timedelta(seconds=10),
    ) as ledger:
        yield ledger


@pytest.fixture
def settings() -> Settings:
    """Return settings as they are without an environment."""
    return Settings(_env_file=None)


@pytest.fixture
async def http(
    database: Database, ledger: Ledger, settings: Settings, wake: SilentWake
) -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    """Yield a client of a server that has the API, without a key."""
    app = web.Application()
    app[DATABASE], app[LEDGER], app[SETTINGS] = database, ledger, settings
    app[WAKING] = Waking(wake)
    add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def shop(database: Database, http: "TestClient[web.Request, web.Application]") -> Caller:
    """Return the platform whose orders these are; we tell its customers."""
    return Caller(http, await platforms.add("Cơm Ngon", now=database.clock.now()))


@pytest.fixture
async def rival(database: Database, http: "TestClient[web.Request, web.Application]") -> Caller:
    """Return another platform, which tells its own customers."""
    keys = await platforms.add("Ăn Nhanh", now=database.clock.now(), notify_customer=False)
    return Caller(http, keys)


@pytest.fixture
async def kitchen(database: Database, ledger: Ledger) -> Kitchen:
    """Return a kitchen in Hồ Chí Minh City."""
    partner = await PartnerRow.create(
        id=ids.new(), code="com-nha-lan", name="Cơm nhà Lan", created_at=database.clock.now()
    )
    return Kitchen(database, ledger, partner.id)


@pytest.fixture
def order(database: Database, kitchen: Kitchen) -> dict[str, Any]:
    """Return the order of the interface document, delivered the day after tomorrow."""
    deliver_at = (database.clock.now() + timedelta(days=2)).replace(microsecond=0)
    return {
        "external_id": "PX-2026-000123",
        "partner": "com-nha-lan",
        "deliver_at": deliver_at.isoformat(),
        "customer": {
            "name": "Công ty ABC",
            "phone": "0909123456",
            "email": "an@example.com",
            "locale": "vi",
        },
        "address": "12 Lê Lợi, Quận 1, TP.HCM",
        "note": "Giao cổng sau",
        "items": [{"name": "Cơm gà", "quantity": 20, "unit_price": 45000, "note": "ít cay"}],
        "total": 900000,
        "currency": "VND",
    }
