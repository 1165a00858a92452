"""Notices become messages, one for each person and way, by the addresses as they are then."""

import asyncio
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from core import alarms, outbox
from core.channels import Address, AddressKind, ChannelName, Sent
from core.clock import real_now
from core.database import Database
from core.ledger import Ledger
from core.orders.commands import CancelOrder, ChangeOrder, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.order import Customer
from tests.core.kitchens import Kitchen, add_person, count, place, soon, travel_to
from tests.core.outbox.conftest import OPERATORS, Post

LAN_ZALO = Address(AddressKind.ZALO_USER, "zalo-lan")


async def test_a_new_order_reaches_its_recipients(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Lan by mail and Zalo, Hùng by Zalo; neither the cook nor the cashier."""
    await place(database, ledger)
    due = await post.route()
    assert len(due) == 3
    assert sorted(await post.messages()) == [
        ("email", "lan@example.com", "waiting"),
        ("zalo", "zalo-hung", "waiting"),
        ("zalo", "zalo-lan", "waiting"),
    ]
    assert await post.owed() == [("order_new", "routed")]


async def test_a_notice_is_routed_once(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """However many workers were woken for it at the same moment."""
    await place(database, ledger)
    routed = await asyncio.gather(*(post.route("order_new") for _ in range(6)))
    assert sum(map(len, routed)) == 3
    assert await post.route() == []
    assert await count(database, "messages") == 3


async def test_one_wake_routes_all_that_it_names(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """A batch of the ledger owes hundreds of notices, and nothing else wakes the worker for them."""
    await asyncio.gather(*(place(database, ledger) for _ in range(110)))
    assert len(await post.route("order_new")) == 330
    assert await count(database, "notices", "state = 'owed'") == 0


async def test_what_is_dropped_hides_nothing(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """After an outage the oldest notices have all moved on; what comes after them is found at once."""
    for _ in range(3):
        await ledger.submit(ConfirmOrder(await place(database, ledger)), actor=kitchen.lan.on_the_web())
    await place(database, ledger)
    assert len(await outbox.route(database, post.ways, most=2)) == 3


async def test_one_channels_backlog_hides_no_other_channel(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """However many messages wait for a gateway that hangs, the sweep finds the mails behind them."""
    await place(database, ledger)
    await post.route()
    due = await outbox.due(database, most=1)
    assert sorted(message.channel for message in due) == [ChannelName.EMAIL, ChannelName.ZALO]


async def test_what_has_moved_on_is_not_routed(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Confirmed before the worker looked: nobody is asked to confirm."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.on_the_web())
    assert await post.route() == []
    assert ("order_new", "dropped") in await post.owed()
    assert await count(database, "messages") == 0


async def test_old_content_is_not_routed(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Changed before the worker looked: only the change is told."""
    order_id = await place(database, ledger)
    await ledger.submit(ChangeOrder(order_id, note="Giao cổng trước"), actor=kitchen.shop)
    await post.route()
    assert dict(await post.owed()) == {"order_new": "dropped", "order_changed": "routed"}


async def test_somebody_who_left_is_not_told(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Nor is an address that has ended."""
    await place(database, ledger)
    await database.pool.execute("UPDATE staff SET removed_at = now() WHERE name = 'Lan'")
    await database.pool.execute("UPDATE addresses SET ended_at = now() WHERE value = 'zalo-hung'")
    await add_person(database, "Bảo", notify=True, zalo="zalo-bao")
    await post.route()
    assert await post.messages() == [("zalo", "zalo-bao", "waiting")]


async def test_colleagues_hear_on_the_chat_that_told_them(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Hùng was told by Zalo; Lan, who tapped, is not told what she did; Mai never heard of it."""
    order_id = await place(database, ledger)
    for each in await post.route():
        await post.try_(each.id, Sent("1"))
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    (message,) = await post.route()
    told = await database.pool.fetchrow("SELECT channel, address FROM messages WHERE id = $1", message.id)
    assert told is not None
    assert tuple(told) == ("zalo", "zalo-hung")


async def test_the_customer_hears_by_both_ways(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """SMS and mail, both when both are given."""
    order_id = await place(database, ledger)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    await post.route("customer_cancelled")
    assert sorted(await post.messages()) == [
        ("email", "an@example.com", "waiting"),
        ("sms", "+84909123456", "waiting"),
    ]


async def test_the_customer_hears_by_the_way_there_is(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Only a phone was given, or SMS is off."""
    without_mail = Customer("An", "+84909123456", None, "vi")
    order_id = await place(database, ledger, customer=without_mail)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.shop)
    await post.route("customer_cancelled")
    assert await post.messages() == [("sms", "+84909123456", "waiting")]


async def test_a_platforms_own_customers_are_told_by_it(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Ăn Nhanh tells its customers itself: nothing is owed to them."""
    order_id = await place(database, ledger, platform_id=kitchen.rival.id)
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.lan.taps())
    assert await count(database, "notices", "kind = 'customer_cancelled'") == 0


async def test_when_nobody_can_be_reached_the_operators_hear(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Every channel is off but the operators' mail: the notice is dropped, they are told so once."""
    await database.pool.execute("DELETE FROM addresses")
    await place(database, ledger)
    await post.route()
    await post.route()
    assert dict(await post.owed()) == {"order_new": "dropped", "undeliverable": "routed"}
    assert await post.messages() == [("email", OPERATORS, "waiting")]


async def test_without_operators_nothing_goes_round_in_circles(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """That the operators cannot be told is not told to the operators."""
    post.operators = ()
    await database.pool.execute("DELETE FROM addresses")
    await place(database, ledger)
    for _ in range(3):
        await post.route()
    assert dict(await post.owed()) == {"order_new": "dropped", "undeliverable": "dropped"}


async def test_an_answer_goes_where_it_was_asked(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """To that chat, whatever the person's other channels are."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1", reply_to=LAN_ZALO)
    await post.route("answer")
    assert await post.messages() == [("zalo", "zalo-lan", "waiting")]


async def test_completion_is_thanked_by_mail_alone(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """N8."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    await travel_to(database, soon(database))
    await ledger.submit(CompleteOrder(order_id), actor=kitchen.lan.taps())
    await post.route("order_completed")
    assert await post.messages() == [("email", "lan@example.com", "waiting")]


async def test_who_has_no_mail_is_nobodys_trouble(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Thanks go by mail or not at all: the operators have nothing to mend."""
    await database.pool.execute("DELETE FROM addresses WHERE kind = 'email'")
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps())
    await travel_to(database, soon(database))
    await ledger.submit(CompleteOrder(order_id), actor=kitchen.lan.taps())
    assert await post.route("order_completed") == []
    assert ("order_completed", "dropped") in await post.owed()
    assert await count(database, "notices", "kind = 'undeliverable'") == 0


async def test_a_kitchen_of_one_has_no_next_colleague(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """The rung that asks one person more finds nobody, which is no failure."""
    await database.pool.execute("UPDATE staff SET removed_at = now() WHERE id <> $1", kitchen.lan.id)
    order_id = await place(database, ledger)
    await database.pool.execute(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at) SELECT"
        " gen_random_uuid(), id, 'confirm_nudge', '2', revision, '{\"reach\": \"next_staff\"}'::jsonb, $2"
        " FROM orders WHERE id = $1",
        order_id,
        database.clock.now(),
    )
    assert await post.route("confirm_nudge") == []
    assert await count(database, "notices", "kind = 'undeliverable'") == 0


async def test_what_is_held_is_left_to_its_taker_until_then(
    database: Database, kitchen: Kitchen, post: Post
) -> None:
    """The web process carries an answer itself; where it died, the worker sends it when the hold is over."""
    held = "INSERT INTO notices (id, kind, occasion, data, owed_at, held_until) VALUES"
    to = {"to": {"kind": "zalo_user", "value": "zalo-lan"}, "staff_id": str(kitchen.lan.id)}
    for occasion, left in (("sms:1", timedelta(minutes=1)), ("sms:2", timedelta(seconds=-1))):
        await database.pool.execute(
            f"{held} (gen_random_uuid(), 'answer', $1, $2, now(), $3)", occasion, to, real_now() + left
        )
    assert len(await post.route()) == 1
    assert await count(database, "notices", "occasion = 'sms:1' AND state = 'owed'") == 1
    assert len(await outbox.route(database, post.ways, held=True)) == 1


_TOMORROW: Final = """
INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)
SELECT gen_random_uuid(), id, 'delivery_tomorrow', 'by hand', revision, $3, $2 FROM orders WHERE id = $1
"""


@pytest.mark.parametrize(
    ("data", "waits"),
    [
        pytest.param({}, timedelta(hours=3), id="it can wait"),
        pytest.param({"loud": True}, timedelta(), id="it cannot"),
    ],
)
async def test_quiet_hours_are_for_chats(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post, data: dict[str, bool], waits: timedelta
) -> None:
    """A mail makes no noise and goes at once; a chat waits until they are over, unless it cannot."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.on_the_web())
    now = database.clock.now()
    local = now.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    begins, ends = (local - timedelta(hours=1)).time(), (local + timedelta(hours=3)).time()
    await database.pool.execute("UPDATE partners SET quiet_from = $1, quiet_to = $2", begins, ends)
    await database.pool.execute(_TOMORROW, order_id, now, data)
    due = await post.route("delivery_tomorrow")
    rows = await database.pool.fetch("SELECT channel, next_at FROM messages")
    assert {row["channel"] for row in rows} == {"email", "zalo"}
    for row in rows:
        wait = timedelta() if row["channel"] == "email" else waits
        assert abs(row["next_at"] - now - wait) < timedelta(minutes=2)
    assert len(due) == (1 if waits else len(rows))


async def test_what_asks_for_nothing_lets_others_go_first(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Where the gateway takes less than there is, an answer goes before yesterday's thoughts of tomorrow."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.on_the_web())
    await database.pool.execute(_TOMORROW, order_id, database.clock.now(), {})
    await post.route("delivery_tomorrow")
    await post.waits(timedelta(hours=1))
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1", reply_to=LAN_ZALO)
    (answer,) = await post.route("answer")
    chats = [each.id for each in await outbox.due(database) if each.channel is ChannelName.ZALO]
    assert len(chats) > 1
    assert chats[0] == answer.id


async def test_an_alarm_is_raised_once_until_it_is_over(database: Database, post: Post) -> None:
    """Two notices for the operators: that it began, and that it ended."""
    now = database.clock.now()
    async with database.pool.acquire() as connection:
        assert await alarms.raise_(connection, "zalo: token", "expired", now=now)
        assert not await alarms.raise_(connection, "zalo: token", "expired", now=now)
        assert await alarms.clear(connection, "zalo: token", now=now)
        assert not await alarms.clear(connection, "zalo: token", now=now)
    assert len(await post.route()) == 2
    assert await post.messages() == [("email", OPERATORS, "waiting")] * 2


async def test_a_trouble_that_nobody_says_is_over_is_told_once_a_day(database: Database) -> None:
    """A mail server that refuses us again after months is not passed over for what it did last time."""
    now, day = database.clock.now(), timedelta(days=1)
    async with database.pool.acquire() as connection:
        assert await alarms.raise_(connection, "email: refused", "535", now=now)
        assert not await alarms.raise_(connection, "email: refused", "535", now=now + day / 2)
        assert await alarms.raise_(connection, "email: refused", "535", now=now + day)
        assert await alarms.raise_(connection, "email: refused", "535", now=now), "the clock was set back"


@pytest.mark.parametrize("channel", [ChannelName.ZALO, ChannelName.EMAIL])
async def test_a_channel_that_is_off_is_skipped(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post, channel: ChannelName
) -> None:
    """No message is made that could not leave."""
    post.on.discard(channel)
    await place(database, ledger)
    await post.route()
    assert channel.value not in {name for name, _, _ in await post.messages()}
    assert await post.messages()
