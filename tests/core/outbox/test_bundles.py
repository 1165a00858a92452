"""Three or more orders that wait are one nudge, which carries the others."""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from core import outbox
from core.channels import ChannelName, NoSuchRecipient, Receipt, ReceiptKind, Sent, TryLater
from core.clock import real_now
from core.database import Database
from core.ledger import Ledger
from core.notices.outgoing import Outgoing
from core.orders.commands import ConfirmOrder
from core.orders.order import OrderId
from jobs.timers import fire_due
from tests.core.kitchens import HOA_KITCHEN, Kitchen, Person, add_partner, add_person, count, place
from tests.core.outbox.conftest import Post

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

_NUDGE: Final = """
INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)
SELECT gen_random_uuid(), $1, 'confirm_nudge', 'by hand', revision,
    '{"reach": "next_channel"}'::jsonb, $2 FROM orders WHERE id = $1
"""


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


# --- who joins whom ---------------------------------------------------------------------------------


async def nudge_of(database: Database, order: OrderId) -> UUID:
    """Return the notice of the newest nudge about an order."""
    found: UUID = await database.pool.fetchval(
        "SELECT id FROM notices WHERE kind = 'confirm_nudge' AND order_id = $1 ORDER BY owed_at DESC LIMIT 1",
        order,
    )
    return found


async def claimed_apart_from(
    database: Database, ledger: Ledger, post: Post, late: OrderId
) -> tuple[Outgoing, UUID]:
    """Claim the one nudge about all orders but for `late`'s own, which is routed only then; return both."""
    await told_of_all(database, ledger, post)
    notice = await nudge_of(database, late)
    others = await database.pool.fetch(
        "SELECT id FROM notices WHERE kind = 'confirm_nudge' AND id <> $1", notice
    )
    await outbox.route(database, post.ways, notice_ids=[row["id"] for row in others])
    claimed = [await outbox.claim(database, message) for message in await post.due()]
    (nudge,) = [outgoing for outgoing in claimed if outgoing]
    await outbox.route(database, post.ways, notice_ids=[notice])
    message = await database.pool.fetchval("SELECT id FROM messages WHERE notice_id = $1", notice)
    return nudge, message


async def ended(database: Database, message: UUID) -> tuple[str, UUID | None]:
    """Return a message's state and who carried it."""
    row = await database.pool.fetchrow("SELECT state, carrier_id FROM messages WHERE id = $1", message)
    assert row is not None
    return row["state"], row["carrier_id"]


async def test_a_list_of_a_while_ago_is_no_excuse(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The nudge of the next step comes hours after the list that named its order: it is told."""
    placed = await orders(database, ledger, 3)
    nudge, message = await claimed_apart_from(database, ledger, post, placed[0])
    await post.settle(nudge, Sent("msg-1"))
    await database.pool.execute(
        "UPDATE messages SET created_at = created_at - interval '6 min' WHERE id = $1", nudge.id
    )
    again = await outbox.claim(database, message)
    assert again
    assert len(again.together) == 3


async def test_a_list_without_the_order_is_no_excuse(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """It was placed after the list was made."""
    placed = await orders(database, ledger, 4)
    nudge, message = await claimed_apart_from(database, ledger, post, placed[0])
    await post.settle(nudge, Sent("msg-1"))
    await database.pool.execute(
        "UPDATE messages SET orders_told = array_remove(orders_told, $2) WHERE id = $1", nudge.id, placed[0]
    )
    again = await outbox.claim(database, message)
    assert again
    assert len(again.together) == 4


async def test_what_failed_has_told_nobody(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The list was refused: who comes after it does not lean on it."""
    placed = await orders(database, ledger, 3)
    nudge, message = await claimed_apart_from(database, ledger, post, placed[0])
    post.on = {nudge.channel}
    await post.settle(nudge, NoSuchRecipient("-227"))
    again = await outbox.claim(database, message)
    assert again
    assert len(again.together) == 3


async def test_two_people_are_told_each(database: Database, lan: Person, ledger: Ledger, post: Post) -> None:
    """Both have Zalo: each gets one list, and what was carried for one is not the other's."""
    hung = await add_person(database, "Hùng", zalo="z-hung", telegram="t-hung")
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    nudges = await claims(database, post)
    assert {nudge.staff.id for nudge in nudges if nudge.staff} == {lan.id, hung.id}
    for nudge in nudges:
        carried = "carrier_id = $1 AND person = $2"
        assert await count(database, "messages", carried, nudge.id, nudge.person) == 2
        assert await count(database, "messages", "carrier_id = $1", nudge.id) == 2


async def test_a_joiner_ends_as_the_call_that_was_under_way(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """It joins in the moment in which the list is refused: whoever takes over takes over from it, too."""
    for number in range(8):
        await database.pool.execute("UPDATE orders SET status = 'cancelled'")
        await database.pool.execute("UPDATE messages SET created_at = created_at - interval '1 h'")
        await database.pool.execute("DELETE FROM reach")
        soon = database.clock.now() + timedelta(days=2)
        placed = [
            await place(database, ledger, external_id=f"N-{number}-{each}", deliver_at=soon)
            for each in range(3)
        ]
        nudge, message = await claimed_apart_from(database, ledger, post, placed[0])
        joined, following = await asyncio.gather(
            outbox.claim(database, message), post.settle(nudge, NoSuchRecipient("-227"))
        )
        if joined is None:
            assert await ended(database, message) == ("failed", nudge.id)
            notice = await nudge_of(database, placed[0])
            assert await count(database, "messages", "notice_id = $1", notice) == 2
        for each in following:
            await post.try_(each.id, Sent("msg-2"))


async def test_who_joins_while_a_call_is_recorded_is_recorded_with_it(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The end of the call waits for whoever is joining, so that nothing hangs on what has ended."""
    placed = await orders(database, ledger, 3)
    nudge, message = await claimed_apart_from(database, ledger, post, placed[0])
    async with database.pool.acquire() as connection:
        joining = connection.transaction()
        await joining.start()
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"nudge:{nudge.channel}:{nudge.person}"
        )
        await connection.execute(
            "UPDATE messages SET carrier_id = $2, next_at = NULL WHERE id = $1", message, nudge.id
        )
        settling = asyncio.create_task(post.settle(nudge, Sent("msg-1")))
        await asyncio.sleep(0.3)
        assert not settling.done()
        await joining.commit()
        await settling
    assert await ended(database, message) == ("sent", nudge.id)


async def one_more(database: Database, ledger: Ledger, post: Post) -> OrderId:
    """Place one more order, tell of it, and owe a nudge about it."""
    late = await place(database, ledger, external_id="late", deliver_at=database.clock.now() + 50 * HOUR)
    for due in await post.route("order_new"):
        await post.try_(due.id, Sent("new"))
    await database.pool.execute(_NUDGE, late, database.clock.now())
    return late


# --- who is carried ---------------------------------------------------------------------------------


async def test_only_nudges_are_carried(database: Database, lan: Person, ledger: Ledger, post: Post) -> None:
    """The word of a new order that still waits for the gateway has more to say than its code."""
    post.on = {ChannelName.ZALO}
    await orders(database, ledger, 3)
    for due in await post.route():
        await post.try_(due.id, TryLater("connection refused"))
    await post.waits(16 * MINUTE)
    await fire_due(database, ledger)
    rows = await database.pool.fetch("SELECT id FROM notices WHERE kind = 'confirm_nudge'")
    first, *others = await outbox.route(database, post.ways, notice_ids=[row["id"] for row in rows])
    assert await outbox.claim(database, first.id)
    carried = await database.pool.fetch("SELECT id FROM messages WHERE carrier_id = $1", first.id)
    assert {row["id"] for row in carried} == {each.id for each in others}


async def test_what_is_not_due_or_may_have_arrived_is_not_carried(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """One waits for the end of the quiet hours, one for a receipt, one is in another worker's hands."""
    await orders(database, ledger, 5)
    await told_of_all(database, ledger, post)
    await post.route()
    first, quiet, unclear, held, free = await post.due()
    now = database.clock.now()
    await database.pool.execute("UPDATE messages SET next_at = $2 WHERE id = $1", quiet, now + MINUTE)
    await database.pool.execute("UPDATE messages SET state = 'unclear' WHERE id = $1", unclear)
    await database.pool.execute(
        "UPDATE messages SET leased_until = $2 WHERE id = $1", held, real_now() + MINUTE
    )
    assert await outbox.claim(database, first)
    carried = await database.pool.fetch("SELECT id FROM messages WHERE carrier_id = $1", first)
    assert [row["id"] for row in carried] == [free]


async def test_what_is_past_its_delivery_does_not_wait_any_more(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The sweep has not expired it yet, but nobody is asked to confirm it: two are left, one by one."""
    placed = await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    await database.pool.execute(
        "UPDATE orders SET deliver_at = $2 WHERE id = $1", placed[0], database.clock.now() - MINUTE
    )
    assert {nudge.together for nudge in await claims(database, post)} == {()}


async def test_a_list_that_is_carried_brings_along_what_it_was_to_carry(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Zalo was down for the first list; the next nudge takes it with it, and nobody is left behind."""
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    await post.settle(nudge, TryLater("connection refused"))
    late = await one_more(database, ledger, post)
    await post.waits(MINUTE)
    await post.route()
    message = await database.pool.fetchval(
        "SELECT m.id FROM messages m JOIN notices n ON n.id = m.notice_id"
        " WHERE m.order_id = $1 AND n.kind = 'confirm_nudge'",
        late,
    )
    again = await outbox.claim(database, message)
    assert again
    assert await count(database, "messages", "carrier_id = $1", again.id) == 3
    await post.settle(again, Sent("msg-2"))
    assert await count(database, "messages", "carrier_id = $1 AND state = 'sent'", again.id) == 3


async def test_a_list_that_joins_another_brings_along_what_it_was_to_carry(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The next nudge has told of all, before the first list was due again."""
    await orders(database, ledger, 3)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    await post.settle(nudge, TryLater("connection refused"))
    await one_more(database, ledger, post)
    (again,) = [each for each in await claims(database, post) if each.kind == "confirm_nudge"]
    assert len(again.together) == 4
    await post.settle(again, Sent("msg-2"))
    await post.waits(MINUTE)
    assert await outbox.claim(database, nudge.id) is None
    assert await count(database, "messages", "carrier_id = $1 AND state = 'sent'", again.id) == 3


async def test_a_list_that_may_have_arrived_lets_the_others_go_when_its_own_order_is_settled(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """No receipt came, and there is nothing left to hand over of its own: the others are told again."""
    placed = await orders(database, ledger, 4)
    await told_of_all(database, ledger, post)
    (nudge,) = await claims(database, post)
    assert nudge.order
    await post.settle(nudge, Sent("msg-1", receipt_within=MINUTE))
    await ledger.submit(ConfirmOrder(nudge.order.id), actor=lan.taps())
    await post.waits(2 * MINUTE)
    tried = [*await claims(database, post), *await claims(database, post)]
    (again,) = [outgoing for outgoing in tried if outgoing.kind == "confirm_nudge"]
    assert {order.id for order in again.together} == set(placed) - {nudge.order.id}
