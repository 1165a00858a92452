"""The command, called in this process, on this test's own database; and an order to act on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from cli.main import chotdon
from core import ids
from core.actors import Actor, ActorKind, Via
from core.channels import Address, AddressKind
from core.database import Database, connect
from core.errors import Misconfigured
from core.keys import code_key
from core.ledger import Ledger, StaffRef
from core.orders.commands import Command, PlaceOrder
from core.orders.order import Customer, Item, OrderId
from core.partners import partners, staff
from core.platforms import platforms
from core.schedule import Policy

_T = TypeVar("_T")
SECRET = "not much of a secret"
KITCHEN = "com-nha-lan"


async def _asleep(notices: object, webhooks: object) -> None:
    """Wake nobody: no worker runs beside these tests."""


@dataclass(slots=True)
class Operator:
    """Somebody at a terminal."""

    database_url: str
    redis_url: str
    settings: dict[str, str] = field(default_factory=dict)

    def types(self, *words: str) -> Result:
        """Run `chotdon` with these words; nothing but the end of the command may come of it."""
        environment = {
            "CHOTDON_DATABASE_URL": self.database_url,
            "CHOTDON_REDIS_URL": self.redis_url,
            "CHOTDON_SECRET_KEY": SECRET,
            **self.settings,
        }
        result = CliRunner(env=environment).invoke(chotdon, words, prog_name="chotdon")
        if isinstance(result.exception, Misconfigured):  # told by `main`, around the command
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def reads(self, *words: str, exit_code: int = 0) -> Any:
        """Run `chotdon … --json` and return what it printed."""
        result = self.types(*words, "--json")
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def is_refused(self, *words: str, exit_code: int = 1) -> str:
        """Run `chotdon`, which must fail in one clear line, and return it."""
        result = self.types(*words)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        assert result.stdout == ""
        return result.stderr

    def with_database(self, work: Callable[[Database], Awaitable[_T]]) -> _T:
        """Do something behind the operator's back."""

        async def within() -> _T:
            async with connect(self.database_url) as database:
                return await work(database)

        return asyncio.run(within())


@pytest.fixture
def operator(database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Return an operator in a directory of their own, without any settings but the servers."""
    monkeypatch.chdir(tmp_path)
    return Operator(database_url, redis_url)


@pytest.fixture
def kitchen(operator: Operator) -> str:
    """Return the code of a kitchen whose owner is Lan."""
    operator.reads(
        "partner",
        "add",
        "--code",
        KITCHEN,
        "--name",
        "Cơm Nhà Lan",
        "--owner",
        "Lan",
        "--phone",
        "0901234567",
    )
    return KITCHEN


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that a platform placed with the kitchen."""

    id: OrderId
    code: str

    @property
    def named(self) -> str:
        """The order's name in commands."""
        return f"{KITCHEN}/{self.code}"


def place(operator: Operator, external_id: str = "PX-1", *, after: timedelta = timedelta(days=1)) -> Placed:
    """Place an order as a platform does, delivered `after` this time."""

    async def work(database: Database) -> Placed:
        async with Ledger(database, policy=Policy(), code_key=code_key(SECRET), wake=_asleep) as ledger:
            return await _place(database, ledger, external_id, database.clock.now() + after)

    return operator.with_database(work)


async def _place(database: Database, ledger: Ledger, external_id: str, deliver_at: datetime) -> Placed:
    kitchen = await partners.by_code(database.pool, KITCHEN)
    known = await database.pool.fetchval("SELECT id FROM platforms WHERE name = 'pitaya'")
    if known is None:
        await platforms.add("pitaya", now=database.clock.now())
        known = await database.pool.fetchval("SELECT id FROM platforms WHERE name = 'pitaya'")
    order_id = OrderId(ids.new())
    command = PlaceOrder(
        order_id=order_id,
        platform_id=known,
        external_id=external_id,
        partner_id=kitchen.id,
        deliver_at=deliver_at,
        ordered_at=None,
        customer=Customer("Công ty ABC", "+84909123456", "an@example.com", "vi"),
        address="12 Lê Lợi, Quận 1",
        note="Giao cổng sau \x1b[31m",
        items=(Item("Cơm gà", 20, 45_000),),
        fees=0,
        discount=0,
        total=900_000,
    )
    await ledger.submit(command, actor=Actor(ActorKind.PLATFORM, "pitaya", Via.API, id=known))
    code = await database.pool.fetchval("SELECT code FROM orders WHERE id = $1", order_id)
    return Placed(order_id, str(code))


def tap(operator: Operator, command: Command) -> None:
    """Let Lan give a command from her chat."""

    async def work(database: Database) -> None:
        kitchen = await partners.by_code(database.pool, KITCHEN)
        lan = await staff.by_name(database.pool, kitchen.id, "Lan")
        phone = Address(AddressKind.PHONE, "+84901234567")
        async with Ledger(database, policy=Policy(), code_key=code_key(SECRET), wake=_asleep) as ledger:
            await ledger.submit(command, actor=StaffRef(lan.id, Via.SMS, phone))

    operator.with_database(work)


@pytest.fixture
def order(operator: Operator, kitchen: str) -> Placed:
    """Return an order for tomorrow that waits for Lan."""
    return place(operator)
