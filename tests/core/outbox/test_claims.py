"""One worker at a time holds a message, for the length of a lease in real time."""

import asyncio
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from core import outbox
from core.channels import Sent, Unclear
from core.database import Database
from core.ledger import Ledger
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.outbox import LEASE
from tests.core.kitchens import Kitchen, place
from tests.core.outbox.conftest import Post, only

MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("three_ways")


async def lose(database: Database, message_id: UUID) -> None:
    """Let the lease of a worker that died run out."""
    await database.pool.execute(
        "UPDATE messages SET leased_until = leased_until - $2::interval WHERE id = $1",
        message_id,
        LEASE + timedelta(seconds=1),
    )


async def test_a_claim_is_exclusive(database: Database, ledger: Ledger, post: Post) -> None:
    """Ten workers want the same message: one gets it, and nobody else while the lease lasts."""
    await place(database, ledger)
    message = only(await post.route())
    claims = await asyncio.gather(*(outbox.claim(database, message) for _ in range(10)))
    assert len([claim for claim in claims if claim]) == 1
    assert await outbox.claim(database, message) is None
    assert await post.due() == []


async def test_a_claim_carries_all_that_a_card_needs(database: Database, ledger: Ledger, post: Post) -> None:
    """The order as it is now, the kitchen, the person, the platform, the address."""
    order_id = await place(database, ledger)
    outgoing = await outbox.claim(database, only(await post.route()))
    assert outgoing is not None
    assert outgoing.order is not None
    assert outgoing.order.id == order_id
    assert outgoing.order.total == 1_220_000
    assert outgoing.partner is not None
    assert (outgoing.partner.code, outgoing.partner.zone.key) == ("com-nha-lan", "Asia/Ho_Chi_Minh")
    assert outgoing.staff is not None
    assert (outgoing.staff.name, outgoing.staff.locale) == ("Lan Anh", "vi")
    assert (outgoing.platform_name, outgoing.address.value, outgoing.tries) == ("Cơm Ngon", "z-lan", 1)


async def test_who_has_left_is_told_nothing_more(database: Database, ledger: Ledger, post: Post) -> None:
    """Also what was on its way to them already."""
    await place(database, ledger)
    message = only(await post.route())
    await database.pool.execute("UPDATE staff SET removed_at = now()")
    assert await outbox.claim(database, message) is None
    assert await post.state(message) == ("dropped", None)
    assert await post.due() == []


async def test_a_lost_claim_is_taken_over(database: Database, ledger: Ledger, post: Post) -> None:
    """A worker died: when its lease is over the message can be tried again."""
    await place(database, ledger)
    message = only(await post.route())
    await outbox.claim(database, message)
    await lose(database, message)
    assert await post.due() == [message]
    again = await outbox.claim(database, message)
    assert again is not None
    assert (again.tries, again.lost) == (2, 1)
    assert not outbox.must_give_way(again)


async def test_leases_are_real_time(database: Database, ledger: Ledger, post: Post) -> None:
    """Moving product time by a day does not take a message from a worker that is about to send it."""
    await place(database, ledger)
    message = only(await post.route())
    await outbox.claim(database, message)
    await post.waits(timedelta(hours=20))
    assert await outbox.claim(database, message) is None


async def test_what_was_lost_twice_is_not_sent_a_third_time(
    database: Database, ledger: Ledger, post: Post
) -> None:
    """Two workers died over it, perhaps after sending: the next channel takes over."""
    await place(database, ledger)
    message = only(await post.route())
    for _ in range(2):
        assert await outbox.claim(database, message)
        await lose(database, message)
    following = await post.try_(message, Sent("never"))
    assert post.sent == []
    assert (await post.state(message))[0] == "unclear"
    await post.try_(only(following), Sent("1"))
    assert post.sent == [("telegram", "t-lan")]


async def test_not_even_where_there_is_no_other_channel(
    database: Database, ledger: Ledger, post: Post
) -> None:
    """At most two copies: the message ends as unclear."""
    await database.pool.execute("DELETE FROM addresses WHERE kind <> 'zalo_user'")
    await place(database, ledger)
    message = only(await post.route())
    for _ in range(2):
        assert await outbox.claim(database, message)
        await lose(database, message)
    assert await post.try_(message, Sent("never")) == []
    assert await post.state(message) == ("unclear", None)
    assert post.sent == []


async def test_a_settled_claim_is_not_lost(database: Database, ledger: Ledger, post: Post) -> None:
    """Only leases that ran out count."""
    await place(database, ledger)
    message = only(await post.route())
    await post.try_(message, Sent("1"))
    lost = await database.pool.fetchval("SELECT lost FROM messages WHERE id = $1", message)
    assert lost == 0
    assert await outbox.claim(database, message) is None


async def test_please_confirm_does_not_leave_after_a_final_status(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Cancelled between routing and claim: the message is dropped, and says why."""
    order_id = await place(database, ledger)
    message = only(await post.route())
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.shop)
    assert await outbox.claim(database, message) is None
    assert await post.state(message) == ("dropped", None)


async def test_nor_after_somebody_confirmed(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """The message waits for its next try when the order moves on."""
    order_id = await place(database, ledger)
    message = only(await post.route())
    lan = await database.pool.fetchval("SELECT id FROM staff WHERE name = 'Lan Anh'")
    person = type(kitchen.lan)(lan, "Lan Anh")
    await ledger.submit(ConfirmOrder(order_id), actor=person.on_the_web())
    assert await post.try_(message, Sent("never")) == []
    assert post.sent == []


async def test_a_message_is_not_tried_before_its_time(database: Database, ledger: Ledger, post: Post) -> None:
    """Neither by the sweep nor by a job that came early."""
    await place(database, ledger)
    message = only(await post.route())
    await database.pool.execute("UPDATE messages SET next_at = next_at + interval '1 hour'")
    assert await post.due() == []
    assert await outbox.claim(database, message) is None
    await post.waits(timedelta(hours=1))
    assert await post.due() == [message]


async def test_the_longest_waiting_goes_first(database: Database, ledger: Ledger, post: Post) -> None:
    """After an outage, of one deadline, in the order in which they fell due."""
    deliver_at = database.clock.now() + timedelta(days=2)
    for _ in range(3):
        await place(database, ledger, deliver_at=deliver_at)
    messages = [each.id for each in await post.route()]
    for hours, message in enumerate(messages):
        await database.pool.execute(
            "UPDATE messages SET next_at = next_at - $2::interval WHERE id = $1",
            message,
            timedelta(hours=hours),
        )
    assert await post.due() == messages[::-1]


async def test_quiet_hours_that_begin_while_a_message_waits(
    database: Database, ledger: Ledger, post: Post
) -> None:
    """Zalo was down from before them until the middle of the night: what can wait waits for their end."""
    order = await place(database, ledger)
    await database.pool.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at) SELECT"
        " gen_random_uuid(), id, 'confirm_nudge', '1', revision, '{\"reach\": \"next_channel\"}'::jsonb, $2"
        " FROM orders WHERE id = $1",
        order,
        database.clock.now(),
    )
    nudge, new = only(await post.route("confirm_nudge")), only(await post.route("order_new"))
    local = database.clock.now().astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    begins, ends = (local - MINUTE).time(), (local + timedelta(hours=3)).time()
    await database.pool.execute("UPDATE partners SET quiet_from = $1, quiet_to = $2", begins, ends)

    assert await outbox.claim(database, nudge) is None
    state, left = await post.state(nudge)
    assert state == "waiting"
    assert left is not None
    assert timedelta(hours=2, minutes=58) < left <= timedelta(hours=3)
    assert await database.pool.fetchval("SELECT tries FROM messages WHERE id = $1", nudge) == 0
    assert await outbox.claim(database, new)


async def test_quiet_hours_keep_nothing_that_may_have_arrived(
    database: Database, ledger: Ledger, post: Post
) -> None:
    """It was sent before they began; that no receipt came is looked into all the same."""
    order = await place(database, ledger)
    message = only(await post.route())
    await post.try_(message, Unclear("timed out"))
    await database.pool.execute("UPDATE notices SET kind = 'confirm_nudge' WHERE order_id = $1", order)
    await database.pool.execute("UPDATE partners SET quiet_from = '00:00', quiet_to = '23:59'")
    await post.waits(timedelta(minutes=2))
    outgoing = await outbox.claim(database, message)
    assert outgoing
    assert outbox.must_give_way(outgoing)
