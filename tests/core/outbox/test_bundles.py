"""Three or more orders that wait are one nudge, which carries the others."""

import asyncio
from datetime import timedelta

import pytest

from core import outbox
from core.channels import NoSuchRecipient, Receipt, ReceiptKind, Sent, TryLater
from core.database import Database
from core.ledger import Ledger
from core.notices.outgoing import Outgoing
from core.orders.commands import ConfirmOrder
from core.orders.order import OrderId
from jobs.timers import fire_due
from tests.core.kitchens import HOA_KITCHEN, Kitchen, Person, add_partner, add_person, count, place
from tests.core.outbox.conftest import Post

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def lan(database: Database, kitchen: Kitchen) -> Person:
    """Return the one person of the kitchen, reached by Zalo, then Telegram."""
    await database.pool.execute("UPDATE staff SET removed_at = now()")
    return await add_person(database, "Lan Anh", zalo="z-lan", telegram="t-lan")


async def orders(database: Database, ledger: Ledger, number: int) -> list[OrderId]:
    """Place so many orders, for deliveries an hour apart."""
    soon = database.clock.now() + timedelta(days=2)
    return [
        await place(
            database, ledger, external_id=f"PX-{each}", deliver_at=soon + timedelta(hours=number - each)
        )
        for each in range(number)
    ]


async def told_of_all(database: Database, ledger: Ledger, post: Post) -> None:
    """Let the word of the new orders go out, and the first nudge become due."""
    for due in await post.route():
        await post.try_(due.id, Sent("new"))
    await post.waits(16 * MINUTE)
    await fire_due(database, ledger)


async def claims(database: Database, post: Post) -> list[Outgoing]:
    """Claim every nudge that is due, one after the other."""
    await post.route()
    claimed = [await outbox.claim(database, message) for message in await post.due()]
    return [outgoing for outgoing in claimed if outgoing]


async def test_three_waiting_orders_are_one_message(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Soonest delivery first; when it is sent, all three have been told."""
    placed = await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)

    (nudge,) = await claims(database, post)
    assert [order.id for order in nudge.together] == placed[::-1]
    await post.settle(nudge, Sent("msg-1"))

    told = "state = 'sent' AND receipt IS NULL AND (id = $1 OR carrier_id = $1)"
    assert await count(database, "messages", told, nudge.id) == 3
    assert await post.due() == []
    assert await count(database, "attempts", "message_id = $1", nudge.id) == 1


async def test_two_are_two(database: Database, lan: Person, ledger: Ledger, post: Post) -> None:
    """Each with its own buttons."""
    await orders(database, ledger, 2)
    await told_of_all(database, ledger, post)
    nudges = await claims(database, post)
    assert [nudge.together for nudge in nudges] == [(), ()]


async def test_workers_that_claim_at_once_send_one(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Ten deliveries at noon come due in the same second, in fifty slots."""
    await orders(database, ledger, 10)
    await told_of_all(database, ledger, post)
    await post.route()
    claimed = await asyncio.gather(*(outbox.claim(database, message) for message in await post.due()))
    (nudge,) = [outgoing for outgoing in claimed if outgoing]
    assert len(nudge.together) == 10
    await post.settle(nudge, Sent("msg-1"))
    assert await count(database, "messages", "carrier_id = $1 AND state = 'sent'", nudge.id) == 9


async def test_one_that_comes_minutes_later_has_been_told(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Its order stood in the list; nobody is told twice within five minutes."""
    placed = await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    late = await database.pool.fetchval(
        "SELECT id FROM notices WHERE kind = 'confirm_nudge' AND order_id = $1", placed[0]
    )
    rows = await database.pool.fetch(
        "SELECT id FROM notices WHERE kind = 'confirm_nudge' AND order_id <> $1", placed[0]
    )
    await outbox.route(database, post.ways, notice_ids=[row["id"] for row in rows])
    claimed = [await outbox.claim(database, message) for message in await post.due()]
    (nudge,) = [outgoing for outgoing in claimed if outgoing]
    await post.settle(nudge, Sent("msg-1"))

    await post.waits(2 * MINUTE)
    await outbox.route(database, post.ways, notice_ids=[late])
    assert [await outbox.claim(database, message) for message in await post.due()] == [None]
    assert (
        await count(
            database, "messages", "notice_id = $1 AND carrier_id = $2 AND state = 'sent'", late, nudge.id
        )
        == 1
    )


async def test_the_channel_that_takes_over_takes_over_from_all(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Zalo cannot reach Lan: one message by Telegram tells of all three."""
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    first = nudge.channel
    await post.settle(nudge, NoSuchRecipient("-227"))

    (again,) = await claims(database, post)
    assert again.channel is not first
    assert len(again.together) == 3
    await post.settle(again, Sent("msg-2"))
    assert (
        await count(
            database,
            "messages",
            "channel = $1 AND state = 'sent' AND leg = 'chat'"
            " AND notice_id IN (SELECT id FROM notices WHERE kind = 'confirm_nudge')",
            again.channel.value,
        )
        == 3
    )
    assert await post.due() == []


async def test_without_a_receipt_one_message_takes_over(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Zalo took it and told nothing: Telegram tells of all three, once."""
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    await post.settle(nudge, Sent("msg-1", receipt_within=MINUTE))
    await post.waits(2 * MINUTE)
    assert await post.due() == [nudge.id]
    await post.try_(nudge.id, Sent("never asked"))

    (again,) = await claims(database, post)
    assert (again.channel is not nudge.channel, len(again.together)) == (True, 3)
    await post.settle(again, Sent("msg-2"))
    assert await post.due() == []


async def test_what_was_carried_goes_by_itself_when_fewer_wait(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The gateway was down; meanwhile one of three was confirmed: the others are told one by one."""
    placed = await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    await post.settle(nudge, TryLater("connection refused"))
    carried = [order for order in placed if nudge.order and order != nudge.order.id]
    await ledger.submit(ConfirmOrder(carried[0]), actor=lan.taps())

    await post.waits(MINUTE)
    left = await claims(database, post)
    left += await claims(database, post)
    assert {outgoing.order.id for outgoing in left if outgoing.order} == set(placed) - {carried[0]}
    assert [outgoing.together for outgoing in left if outgoing.kind == "confirm_nudge"] == [(), ()]


async def test_the_carriers_own_order_settled_lets_the_others_go(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Its message is dropped; three others that wait are told by one of them."""
    placed = await orders(database, ledger, 4)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    assert nudge.order
    await post.settle(nudge, TryLater("connection refused"))
    await ledger.submit(ConfirmOrder(nudge.order.id), actor=lan.taps())

    await post.waits(MINUTE)
    tried = [*await claims(database, post), *await claims(database, post)]
    (again,) = [outgoing for outgoing in tried if outgoing.kind == "confirm_nudge"]
    assert {order.id for order in again.together} == set(placed) - {nudge.order.id}


async def test_a_receipt_is_everybodys(database: Database, lan: Person, ledger: Ledger, post: Post) -> None:
    """The phone showed the list: all three were seen."""
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    await post.settle(nudge, Sent("msg-1", receipt_within=MINUTE))
    await outbox.receipt(database, nudge.channel, Receipt(ReceiptKind.SEEN, ids=("msg-1",)))
    assert await count(database, "messages", "receipt = 'seen' AND state = 'sent'") == 3


async def test_another_kitchens_orders_are_not_in_the_list(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Two here and one there are not three."""
    placed = await orders(database, ledger, 3)
    other = await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    await database.pool.execute("UPDATE orders SET partner_id = $2 WHERE id = $1", placed[2], other)
    await told_of_all(database, ledger, post)
    assert {nudge.together for nudge in await claims(database, post)} == {()}
