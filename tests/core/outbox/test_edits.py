"""Cards on Telegram show their order as it is: everybody's, also one that was on its way; groups; moves."""

from datetime import timedelta
from uuid import UUID

import pytest

from core import outbox
from core.actors import operator
from core.channels import Address, AddressKind, ChannelName, NoSuchRecipient, Refused, Sent, TryLater
from core.database import Database
from core.ledger import Ledger
from core.notices.outgoing import Outgoing
from core.orders.commands import CancelOrder, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.models import OrderRow
from core.orders.order import OrderId
from core.outbox import Due
from core.outbox.kitchens import kitchens_of
from core.partners import addresses
from tests.core.kitchens import Kitchen, Person, add_person, place, soon, travel_to
from tests.core.outbox.conftest import Post

GROUP = "-100200300"


@pytest.fixture
async def lan(database: Database, kitchen: Kitchen) -> Person:
    """Let only Lan and Hùng be told, both on Telegram."""
    await database.pool.execute("UPDATE staff SET removed_at = now()")
    await add_person(database, "Hùng Em", telegram="202")
    return await add_person(database, "Lan Anh", telegram="101")


async def sent(post: Post, due: list[Due]) -> dict[str, Outgoing]:
    """Let every message arrive; the gateway calls each by its chat and a number. Return them by chat."""
    arrived: dict[str, Outgoing] = {}
    for number, each in enumerate(due, start=1):
        outgoing = await outbox.claim(post.database, each.id)
        assert outgoing is not None
        chat = outgoing.address.value
        await post.settle(outgoing, Sent(outgoing.edits or f"{chat}:{number}"))
        arrived[chat] = outgoing
    return arrived


async def edits(post: Post) -> list[Outgoing]:
    """Route what is owed and claim what changes earlier messages, by chat."""
    claimed = [await outbox.claim(post.database, due.id) for due in await post.route()]
    return sorted(
        (each for each in claimed if each and each.way == "edit"), key=lambda each: each.edits or ""
    )


async def placed_and_told(database: Database, ledger: Ledger, post: Post) -> OrderId:
    """Place an order that both have a card of."""
    order_id = await place(database, ledger)
    await sent(post, await post.route())
    return order_id


async def test_everybodys_card_is_changed_and_nobody_gets_another_message(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Also the card of who tapped; the order in it is the one as it is now."""
    order_id = await placed_and_told(database, ledger, post)
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    changed = [await outbox.claim(database, due.id) for due in await post.route()]
    assert sorted((each.way, each.edits) for each in changed if each) == [
        ("edit", "101:2"),
        ("edit", "202:1"),
    ]
    assert {each.order.status for each in changed if each and each.order} == {"confirmed"}


async def test_whose_card_is_on_another_channel_gets_a_message(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Zalo changes nothing that was sent."""
    await add_person(database, "Mai Chị", zalo="z-mai")
    order_id = await placed_and_told(database, ledger, post)
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    ways = [(due.channel, (await outbox.claim(database, due.id))) for due in await post.route()]
    assert sorted((channel.value, each.way) for channel, each in ways if each) == [
        ("telegram", "edit"),
        ("telegram", "edit"),
        ("zalo", "chat"),
    ]


async def test_every_older_card_is_changed_and_one_of_them_may_be_resent(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """A chat whose cards are too old to be changed gets one short message, not one for each."""
    order_id = await placed_and_told(database, ledger, post)
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, staff_id, channel, address_kind,"
        " address, rung, state, gateway_id, created_at, sent_at, card_of)"
        " SELECT gen_random_uuid(), notice_id, order_id, leg, person, staff_id, channel, address_kind,"
        " address, 7, 'sent', '101:99', created_at + '1 s',"
        " sent_at + '1 s', card_of FROM messages WHERE gateway_id = '101:2'"
    )
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    assert [(each.edits, each.is_first) for each in await edits(post)] == [
        ("101:2", False),
        ("101:99", True),
        ("202:1", True),
    ]


async def test_a_group_is_not_how_its_linker_was_told(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Mai linked the kitchen's group and is on Zalo herself: there she hears what a colleague did."""
    mai = await add_person(database, "Mai Chị", zalo="z-mai")
    group = Address(AddressKind.TELEGRAM_CHAT, GROUP)
    await addresses.add(database.pool, mai.id, group, now=database.clock.now())
    order_id = await placed_and_told(database, ledger, post)
    await database.pool.execute(  # the group was told last
        "UPDATE messages SET created_at = created_at + interval '1 s' WHERE person LIKE 'group:%'"
    )
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    due = [await outbox.claim(database, each.id) for each in await post.route()]
    assert [each.address.value for each in due if each and each.way == "chat"] == ["z-mai"]


async def test_a_changed_card_is_not_told_once_more(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Who was told by Telegram, then by SMS, is told next by Telegram: a change in between is no message."""
    order_id = await placed_and_told(database, ledger, post)
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    await sent(post, await post.route())
    order = (await OrderRow.get(id=order_id)).to_order()
    async with database.pool.acquire() as connection:
        known = await kitchens_of(connection, [order], now=database.clock.now())
    assert set(map(tuple, known[order_id].told.values())) == {(ChannelName.TELEGRAM,)}


async def test_what_operators_were_told_stays_as_it_was(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """An alarm in their chat is no card: nothing takes its place there."""
    order_id = await placed_and_told(database, ledger, post)
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, order_id, leg, person, channel, address_kind, address, rung,"
        " state, gateway_id, created_at, sent_at, card_of)"
        " SELECT gen_random_uuid(), notice_id, order_id, leg, 'operators', channel, address_kind, '909', 0,"
        " 'sent', '909:1', created_at, sent_at, card_of FROM messages WHERE gateway_id = '101:2'"
    )
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    assert [each.edits for each in await edits(post)] == ["101:2", "202:1"]


async def test_a_message_that_shows_another_order_by_now_is_left_alone(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """A list's message was changed into one order's card, and then into another's."""
    order_id = await placed_and_told(database, ledger, post)
    other = await place(database, ledger)
    await database.pool.execute(
        "INSERT INTO messages (id, notice_id, leg, person, staff_id, channel, address_kind, address, rung,"
        " state, gateway_id, edits, created_at, sent_at, card_of)"
        " SELECT gen_random_uuid(), notice_id, leg, 'later', staff_id, channel, address_kind, address, 0,"
        " 'sent', gateway_id, gateway_id, created_at, sent_at + '1 s', $1"
        " FROM messages WHERE gateway_id = '202:1'",
        other,
    )
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    assert [each.edits for each in await edits(post)] == ["101:2"]


async def test_a_card_that_was_on_its_way_is_changed_as_soon_as_it_is_there(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Who confirmed while it left could not know of it."""
    order_id = await place(database, ledger)
    first, second = [await outbox.claim(database, due.id) for due in await post.route()]
    assert first
    assert second
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    await post.route()
    (again,) = await post.settle(first, Sent("202:1"))
    outgoing = await outbox.claim(database, again.id)
    assert outgoing
    assert (outgoing.way, outgoing.edits) == ("edit", "202:1")
    assert outgoing.order
    assert outgoing.order.status == "confirmed"


async def test_a_change_that_is_overtaken_while_it_leaves_is_followed_by_another(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Completed while the card was being changed to confirmed: it ends as completed."""
    order_id = await place(database, ledger, deliver_at=soon(database, timedelta(minutes=50)))
    await sent(post, await post.route("order_new"))
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    first, second = await edits(post)
    await ledger.submit(CompleteOrder(order_id), actor=lan.on_the_web())
    (again,) = await post.settle(first, Sent(first.edits))
    outgoing = await outbox.claim(database, again.id)
    assert outgoing
    assert outgoing.order
    assert (outgoing.edits, outgoing.order.status) == (first.edits, "completed")
    assert await post.settle(outgoing, Sent(first.edits)) == []
    assert second.edits != first.edits


async def test_a_card_that_cannot_be_changed_alarms_nobody(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """It is nobody's trouble; what can be tried later is."""
    order_id = await placed_and_told(database, ledger, post)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=lan.on_the_web())
    first, second = await edits(post)
    await post.settle(first, Refused("message can't be edited"))
    await post.settle(second, TryLater("busy", timedelta(seconds=3)))
    assert (await post.state(first.id))[0] == "failed"
    state, wait = await post.state(second.id)
    assert state == "waiting"
    assert wait
    assert wait > timedelta(seconds=2)
    assert "undeliverable" not in {kind for kind, _ in await post.owed()}


async def test_cards_of_who_is_gone_alarm_nobody(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Where a card of theirs is all that there was to change; their chats have ended."""
    order_id = await placed_and_told(database, ledger, post)
    await ledger.submit(ConfirmOrder(order_id), actor=operator("Trang"))
    changed = await edits(post)
    assert len(changed) == 2
    for outgoing in changed:
        assert await post.settle(outgoing, NoSuchRecipient("blocked", gone=True)) == []
    assert not await database.pool.fetchval("SELECT count(*) FROM notices WHERE kind = 'undeliverable'")
    assert await addresses.staff_at(database.pool, Address(AddressKind.TELEGRAM_CHAT, "101")) == []


async def test_who_is_gone_is_followed_by_the_next_channel(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Blocked: the address has ended until it is heard from, and SMS takes over at once."""
    await addresses.add(
        database.pool,
        lan.id,
        Address(AddressKind.PHONE, "+84909111222"),
        now=database.clock.now(),
    )
    await place(database, ledger)
    outgoing = [await outbox.claim(database, due.id) for due in await post.route()]
    lans = next(each for each in outgoing if each and each.address.value == "101")
    (following,) = await post.settle(lans, NoSuchRecipient("blocked", gone=True))
    assert following.channel is ChannelName.SMS
    chat = Address(AddressKind.TELEGRAM_CHAT, "101")
    assert await addresses.staff_at(database.pool, chat) == []
    await addresses.heard(database.pool, chat, now=database.clock.now())
    assert [seat.staff_id for seat in await addresses.staff_at(database.pool, chat)] == [lan.id]


async def test_the_kitchens_group_has_a_card_of_its_own(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Beside everybody's own chat; what fails there is no reason to tell anybody twice."""
    await addresses.add(
        database.pool, lan.id, Address(AddressKind.TELEGRAM_CHAT, GROUP), now=database.clock.now()
    )
    await place(database, ledger)
    due = await post.route()
    told = [await outbox.claim(database, each.id) for each in due]
    assert sorted(each.address.value for each in told if each) == [GROUP, "101", "202"]
    group = next(each for each in told if each and each.address.is_group)
    assert group.person == f"group:{GROUP}"
    assert await post.settle(group, NoSuchRecipient("kicked", gone=True)) == []
    assert (await addresses.staff_at(database.pool, Address(AddressKind.TELEGRAM_CHAT, "101"))) != []
    assert "undeliverable" not in {kind for kind, _ in await post.owed()}


async def test_the_group_is_nudged_too(database: Database, lan: Person, ledger: Ledger, post: Post) -> None:
    """Everybody of the kitchen reads it."""
    await addresses.add(
        database.pool, lan.id, Address(AddressKind.TELEGRAM_CHAT, GROUP), now=database.clock.now()
    )
    order_id = await place(database, ledger)
    await sent(post, await post.route())
    await database.pool.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
        " VALUES (gen_random_uuid(), $1, 'confirm_nudge', 'r1:x', 1, $2, $3)",
        order_id,
        {"reach": "all_who_act"},
        database.clock.now(),
    )
    told = [await outbox.claim(database, each.id) for each in await post.route("confirm_nudge")]
    assert sorted(each.address.value for each in told if each) == [GROUP, "101", "202"]


async def test_a_group_that_moved_is_told_at_its_new_place(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """The same message is tried there at once, and whatever else waited for the old place."""
    await addresses.add(
        database.pool, lan.id, Address(AddressKind.TELEGRAM_CHAT, GROUP), now=database.clock.now()
    )
    await place(database, ledger)
    await place(database, ledger)
    due = [await outbox.claim(database, each.id) for each in await post.route()]
    first, second = [each for each in due if each and each.address.is_group]
    (again,) = await post.settle(first, NoSuchRecipient("migrated", moved_to="-100999"))
    assert again.id == first.id
    outgoing = await outbox.claim(database, again.id)
    assert outgoing
    assert outgoing.address.value == "-100999"
    assert await _address(database, second.id) == "-100999"
    assert await addresses.staff_at(database.pool, Address(AddressKind.TELEGRAM_CHAT, GROUP)) == []


async def _address(database: Database, message_id: UUID) -> str:
    return str(await database.pool.fetchval("SELECT address FROM messages WHERE id = $1", message_id))


async def test_cards_of_days_ago_are_changed_too(
    database: Database, lan: Person, ledger: Ledger, post: Post
) -> None:
    """Whether the gateway still lets us is its own to say."""
    order_id = await placed_and_told(database, ledger, post)
    await travel_to(database, database.clock.now() + timedelta(hours=47))
    await ledger.submit(ConfirmOrder(order_id), actor=lan.on_the_web())
    assert [each.edits for each in await edits(post)] == ["101:2", "202:1"]
