"""What operators are told together: joined when it is routed, never lost, whatever becomes of its carrier."""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from core import alarms, outbox
from core.channels import ChannelName, Refused, Scope, Sent, TryLater, Unclear
from core.database import Database
from core.ledger import Ledger
from core.notices.kinds import NoticeKind
from core.orders.commands import ConfirmOrder
from core.outbox import Due, Ways
from tests.core.kitchens import Kitchen, count, place
from tests.core.outbox.conftest import OPERATORS, Post

GATHER: Final = timedelta(seconds=10)
TWO: Final = (OPERATORS, "second@example.com")


class GatheringPost(Post):
    """A worker that lets operators' alarms wait for each other."""

    @property
    def ways(self) -> Ways:
        """The ways as they are now."""
        return Ways((ChannelName.ZALO,), self._reaches, self.operators, gather=GATHER)


@pytest.fixture
def post(database: Database) -> Post:
    """Return the worker's hands."""
    return GatheringPost(database)


async def raise_(database: Database, *names: str) -> None:
    """Owe an alarm of each name."""
    async with database.pool.acquire() as connection, connection.transaction():
        for name in names:
            await alarms.raise_(connection, name, "x", now=database.clock.now())


async def owe_at_risk(database: Database, order_id: UUID) -> None:
    """Owe the operators an alarm about an order."""
    await database.pool.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
        " VALUES (gen_random_uuid(), $1, $2, 'r1:last', 1, '{}', $3)",
        order_id,
        NoticeKind.ORDER_AT_RISK.value,
        database.clock.now(),
    )


async def carried(database: Database) -> int:
    """Return how many messages go with another one."""
    return await count(database, "messages", "carrier_id IS NOT NULL")


async def test_the_first_waits_and_carries_the_others(database: Database, post: Post) -> None:
    """Nothing can be tried at once; when the time is over one message is due, and tells of all."""
    await raise_(database, "a: gateway")
    assert await post.route() == []
    await raise_(database, "b: gateway", "c: gateway")
    assert await post.route() == []
    assert await post.due() == []
    await post.waits(GATHER)
    (due,) = await post.due()
    outgoing = await outbox.claim(database, due)
    assert outgoing
    assert {each.data["name"] for each in (outgoing, *outgoing.others)} == {
        "a: gateway",
        "b: gateway",
        "c: gateway",
    }
    await post.settle(outgoing, Sent("1"))
    assert await count(database, "messages", "state = 'sent'") == 3


async def test_several_workers_gather_into_one(database: Database, post: Post) -> None:
    """Twenty that are routed at the same moment by five workers are one message to each operator."""
    post.operators = TWO
    await raise_(database, *(f"g{number}: gateway" for number in range(20)))
    ids = [row["id"] for row in await database.pool.fetch("SELECT id FROM notices")]
    parts = [ids[start::5] for start in range(5)]
    await asyncio.gather(*(outbox.route(database, post.ways, notice_ids=part) for part in parts))
    assert await count(database, "messages") == 40
    assert await carried(database) == 38
    await post.waits(GATHER)
    assert len(await post.due()) == 2


async def test_what_was_not_taken_is_joined_by_what_came_since(database: Database, post: Post) -> None:
    """A mail server that is away for a while: one mail when it is back."""
    await raise_(database, "a: gateway")
    await post.route()
    await post.waits(GATHER)
    (due,) = await post.due()
    await post.try_(due, TryLater("away"))
    await raise_(database, "b: gateway")
    await post.route()
    await post.waits(timedelta(minutes=2))
    assert await post.due() == [due]
    outgoing = await outbox.claim(database, due)
    assert outgoing
    assert len(outgoing.others) == 1


async def test_what_may_have_arrived_is_joined_by_nothing(database: Database, post: Post) -> None:
    """A server that knows it drops a second copy, with all that it tells besides."""
    await raise_(database, "a: gateway")
    await post.route()
    await post.waits(GATHER)
    (first,) = await post.due()
    await post.try_(first, Unclear("timeout"))
    await post.waits(timedelta(minutes=1))
    await post.try_(first, Sent())
    await raise_(database, "b: gateway")
    await post.route()
    assert await carried(database) == 0


async def test_a_carrier_whose_order_has_moved_on_passes_the_rest_on(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """What is still true leaves; what is not is dropped."""
    orders = [await place(database, ledger) for _ in range(3)]
    await post.route()
    for order_id in orders:
        await owe_at_risk(database, order_id)
        await post.route()
    assert await carried(database) == 2
    for number, order_id in enumerate(orders[:2]):
        await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key=f"zalo:{number}")
    await post.waits(GATHER)
    mine = "person LIKE 'operator:%'"
    for _ in range(3):
        for due in await post.due():
            if await count(database, "messages", f"{mine} AND id = $1", due):
                await post.try_(due, Sent())
    assert await count(database, "messages", f"{mine} AND state = 'dropped'") == 2
    assert await count(database, "messages", f"{mine} AND state = 'sent'") == 1


async def test_who_cannot_be_told_leaves_all_of_it_on_record(database: Database, post: Post) -> None:
    """Every notice of a message that was refused is one that failed: the console shows them."""
    await raise_(database, "a: gateway", "b: gateway")
    await post.route()
    await post.waits(GATHER)
    (due,) = await post.due()
    await post.try_(due, Refused("550", Scope.MESSAGE))
    assert await count(database, "notices", "state = 'failed'") == 2


async def test_a_thousand_are_ten_and_a_number(database: Database, post: Post) -> None:
    """The message is as long as somebody reads; every alarm ends with it."""
    await raise_(database, *(f"g{number}: gateway" for number in range(1000)))
    while await count(database, "notices", "state = 'owed'"):
        await post.route()
    await post.waits(GATHER)
    (due,) = await post.due()
    outgoing = await outbox.claim(database, due)
    assert outgoing
    assert (len(outgoing.others), outgoing.others_left) == (9, 990)
    await post.settle(outgoing, Sent())
    assert await count(database, "messages", "state = 'sent'") == 1000


async def test_a_minute_lies_between_two_messages(database: Database, post: Post) -> None:
    """Also while the one before is on its way."""
    await raise_(database, "a: gateway")
    await post.route()
    await post.waits(GATHER)
    (due,) = await post.due()
    outgoing = await outbox.claim(database, due)
    assert outgoing
    await raise_(database, "b: gateway")
    await post.route()
    await post.settle(outgoing, Sent())
    await post.waits(GATHER)
    assert await post.due() == []
    await post.waits(timedelta(minutes=1))
    assert len(await post.due()) == 1


async def test_what_is_not_about_the_service_waits_for_nobody(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """A kitchen's new order leaves at once, gathered or not."""
    await place(database, ledger)
    due: list[Due] = await post.route("order_new")
    assert due
    assert await carried(database) == 0
