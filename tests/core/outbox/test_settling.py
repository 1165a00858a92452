"""What becomes of a message by how its gateway ended, and who takes over."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from core import outbox
from core.channels import (
    ChannelName,
    NoSuchRecipient,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.database import Database
from core.ledger import Ledger
from tests.core.kitchens import Kitchen, count, place
from tests.core.outbox.conftest import Post, only

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOWN = TryLater("connection refused")


@pytest.fixture
async def message(database: Database, three_ways: None, ledger: Ledger, post: Post) -> UUID:
    """Return Lan's first message about a new order, by Zalo."""
    await place(database, ledger)
    return only(await post.route())


@pytest.fixture
async def last_way(database: Database, kitchen: Kitchen, ledger: Ledger, post: Post) -> UUID:
    """Return Lan's message where Zalo is all that she has."""
    await database.pool.execute("DELETE FROM addresses WHERE value <> 'zalo-lan'")
    await place(database, ledger)
    return only(await post.route())


async def try_when_due(post: Post, message: UUID, outcome: Outcome) -> list[UUID]:
    """Wait until the message is due, try it, and return what follows at once."""
    _, left = await post.state(message)
    if left and left > timedelta():
        await post.waits(left + SECOND)
    return [each.id for each in await post.try_(message, outcome)]


async def test_sent_is_sent(post: Post, message: UUID) -> None:
    """With the gateway's id; nothing follows."""
    assert await post.try_(message, Sent("msg-1")) == []
    assert await post.state(message) == ("sent", None)
    await post.waits(HOUR)
    assert await post.due() == []


async def test_every_attempt_is_on_record(database: Database, post: Post, message: UUID) -> None:
    """Which try, how long it took, how it ended and why."""
    await try_when_due(post, message, DOWN)
    await try_when_due(post, message, Sent("msg-1"))
    rows = await database.pool.fetch("SELECT try, outcome, why, took FROM attempts ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (1, "try_later", "connection refused", timedelta(milliseconds=80)),
        (2, "sent", None, timedelta(milliseconds=80)),
    ]


# --- the gateway is down ----------------------------------------------------------------------------


async def test_a_gateway_that_is_down_has_a_minute(post: Post, message: UUID) -> None:
    """Three tries within the minute, then the next channel takes over at once."""
    waited = timedelta()
    for _ in range(2):
        assert await try_when_due(post, message, DOWN) == []
        _, left = await post.state(message)
        assert left is not None
        waited += left
    assert waited < MINUTE
    (following,) = await try_when_due(post, message, DOWN)
    assert await post.state(message) == ("failed", None)
    await post.try_(following, Sent("1"))
    assert post.sent == [("zalo", "z-lan")] * 3 + [("telegram", "t-lan")]


async def test_a_gateway_that_asks_for_longer_is_not_waited_for(post: Post, message: UUID) -> None:
    """It says an hour, and there is another channel: that one takes over now."""
    following = await try_when_due(post, message, TryLater("quota", after=HOUR))
    assert len(following) == 1
    assert (await post.state(message))[0] == "failed"


async def test_a_gateway_that_asks_for_a_little_gets_it(post: Post, message: UUID) -> None:
    """Not sooner than it said."""
    await try_when_due(post, message, TryLater("slow down", after=timedelta(seconds=45)))
    state, left = await post.state(message)
    assert state == "waiting"
    assert left is not None
    assert timedelta(seconds=40) < left <= timedelta(seconds=45)


async def test_the_last_way_is_patient(post: Post, last_way: UUID) -> None:
    """A gateway down for hours, and nowhere else to go: it is tried on, and sent when it is back."""
    for _ in range(12):
        assert await try_when_due(post, last_way, DOWN) == []
        assert (await post.state(last_way))[0] == "waiting"
    await try_when_due(post, last_way, Sent("1"))
    assert await post.state(last_way) == ("sent", None)


async def test_the_last_way_waits_as_long_as_it_is_told(post: Post, last_way: UUID) -> None:
    """A quota that comes back in three hours."""
    await try_when_due(post, last_way, TryLater("quota", after=3 * HOUR))
    _, left = await post.state(last_way)
    assert left is not None
    assert left > 3 * HOUR - MINUTE


async def test_patience_ends_after_a_day(database: Database, post: Post, last_way: UUID) -> None:
    """Then the notice has failed, and the operators hear."""
    tries = 0
    while (await post.state(last_way))[0] == "waiting":
        await database.pool.execute("UPDATE orders SET deliver_at = deliver_at + interval '2 hours'")
        await try_when_due(post, last_way, DOWN)
        tries += 1
    assert tries == 30
    assert dict(await post.owed()) == {"order_new": "failed", "undeliverable": "owed"}


# --- it may have arrived ----------------------------------------------------------------------------


async def test_an_unclear_outcome_is_not_tried_again_at_once(post: Post, message: UUID) -> None:
    """A minute for a receipt, then the next channel; never the same call."""
    assert await try_when_due(post, message, Unclear("timed out")) == []
    state, left = await post.state(message)
    assert state == "unclear"
    assert left is not None
    assert 50 * SECOND < left <= MINUTE
    assert await post.due() == []
    assert await post.try_(message, Sent("never")) == []

    (following,) = await try_when_due(post, message, Sent("never"))
    await post.try_(following, Sent("1"))
    assert post.sent == [("zalo", "z-lan"), ("telegram", "t-lan")]
    assert await post.state(message) == ("unclear", None)


async def test_a_receipt_in_time_keeps_the_next_channel_quiet(
    database: Database, post: Post, message: UUID
) -> None:
    """It had arrived."""
    await try_when_due(post, message, Unclear("timed out"))
    told = Receipt(ReceiptKind.DELIVERED, keys=(str(message),))
    assert await outbox.receipt(database, ChannelName.ZALO, told) == 1
    assert await post.state(message) == ("sent", None)
    await post.waits(HOUR)
    assert await post.due() == []


async def test_accepted_is_no_proof_where_a_receipt_is_due(post: Post, message: UUID) -> None:
    """Without one in the time the channel gave, the next channel takes over."""
    within = timedelta(minutes=3)
    await try_when_due(post, message, Sent("msg-1", receipt_within=within))
    await post.waits(within - 10 * SECOND)
    assert await post.due() == []
    (following,) = await try_when_due(post, message, Sent("never"))
    await post.try_(following, Sent("2"))
    assert post.sent == [("zalo", "z-lan"), ("telegram", "t-lan")]


async def test_where_there_is_no_other_channel_at_most_two_copies_leave(post: Post, last_way: UUID) -> None:
    """Unclear twice: that is all."""
    for _ in range(6):
        await try_when_due(post, last_way, Unclear("timed out"))
    assert post.sent == [("zalo", "zalo-lan")] * 2
    assert await post.state(last_way) == ("unclear", None)


async def test_an_unclear_message_is_no_failure(post: Post, last_way: UUID) -> None:
    """It may have arrived, so the operators are not alarmed that it did not."""
    for _ in range(6):
        await try_when_due(post, last_way, Unclear("timed out"))
    assert await post.owed() == [("order_new", "routed")]


# --- it will not arrive -----------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [NoSuchRecipient("not a follower"), Refused("template rejected")])
async def test_the_next_channel_takes_over_at_once(post: Post, message: UUID, outcome: Outcome) -> None:
    """Down to the last one, then the operators hear that nobody was reached."""
    following = message
    for _ in range(2):
        (following,) = await try_when_due(post, following, outcome)
    assert await try_when_due(post, following, outcome) == []
    assert post.sent == [("zalo", "z-lan"), ("telegram", "t-lan"), ("sms", "+84901")]
    assert dict(await post.owed()) == {"order_new": "failed", "undeliverable": "owed"}
    assert {state for _, _, state in await post.messages()} == {"failed"}


async def test_a_notice_that_reached_somebody_has_not_failed(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Lan's mail arrived: that Zalo did not work is not the operators' business."""
    await database.pool.execute("DELETE FROM addresses WHERE value = 'zalo-hung'")
    await place(database, ledger)
    for each in await post.route():
        mail = each.channel is ChannelName.EMAIL
        await post.try_(each.id, Sent("1") if mail else NoSuchRecipient("not a follower"))
    assert await post.owed() == [("order_new", "routed")]


async def test_a_mail_that_fails_has_no_next_channel(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Mail goes beside the chat, which is not asked twice because of it."""
    await place(database, ledger)
    due = await post.route()
    mail = next(each.id for each in due if each.channel is ChannelName.EMAIL)
    assert await post.try_(mail, NoSuchRecipient("no such mailbox")) == []
    assert await count(database, "messages") == len(due)


async def test_an_answer_has_no_next_channel(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """It belongs where it was asked; nobody is alarmed."""
    await database.pool.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at)"
        " VALUES (gen_random_uuid(), 'answer', 'zalo:1', $1, now())",
        {"to": {"kind": "zalo_user", "value": "zalo-lan"}, "staff_id": str(kitchen.lan.id)},
    )
    assert await post.try_(only(await post.route()), NoSuchRecipient("blocked")) == []
    assert await post.owed() == [("answer", "failed")]


async def test_a_gateway_that_refuses_everybody_loses_nothing(post: Post, last_way: UUID) -> None:
    """A wrong password for the mail server is mended within the day: what was owed leaves then."""
    assert await post.try_(last_way, Refused("535", Scope.EVERYBODY, alarm="password")) == []
    assert (await post.state(last_way))[0] == "waiting"
    await post.waits(timedelta(hours=1))
    await post.try_(last_way, Sent("1"))
    assert (await post.state(last_way))[0] == "sent"


async def test_where_another_channel_is_left_it_takes_over_from_a_gateway_that_refuses_everybody(
    post: Post, message: UUID
) -> None:
    """Nobody waits for the wallet to be filled who can be reached by Telegram."""
    following = await post.try_(message, Refused("no money", Scope.EVERYBODY, alarm="wallet"))
    assert following[0].channel is ChannelName.TELEGRAM
    assert (await post.state(message))[0] == "failed"


async def test_a_channel_in_trouble_alarms_once(
    database: Database, three_ways: None, ledger: Ledger, post: Post
) -> None:
    """An empty wallet refuses every message: one alarm, however many."""
    for _ in range(3):
        await place(database, ledger)
    for each in await post.route():
        await post.try_(each.id, Refused("no money", alarm="wallet"))
    assert await count(database, "alarms", "name = 'zalo: wallet'") == 1
    assert await count(database, "notices", "kind = 'trouble'") == 1


async def test_two_messages_of_one_notice_that_fail_together(
    database: Database, kitchen: Kitchen, ledger: Ledger, post: Post
) -> None:
    """Each sees the other's end: the operators hear, whichever committed last."""
    for n in range(10):
        await place(database, ledger)
        due = await post.route("order_new")
        claimed = [await outbox.claim(database, each.id) for each in due]
        await asyncio.gather(*(post.settle(each, NoSuchRecipient("gone")) for each in claimed if each))
        assert await count(database, "notices", "kind = 'undeliverable'") == n + 1


# --- receipts ---------------------------------------------------------------------------------------


async def test_receipts_only_move_forward(database: Database, post: Post, message: UUID) -> None:
    """Delivered after seen changes nothing; nor does failed after delivered."""
    await post.try_(message, Sent("msg-1"))

    async def told(kind: ReceiptKind) -> str | None:
        await outbox.receipt(database, ChannelName.ZALO, Receipt(kind, ids=("msg-1",)))
        found: str | None = await database.pool.fetchval(
            "SELECT receipt FROM messages WHERE id = $1", message
        )
        return found

    kinds = [ReceiptKind.FAILED, ReceiptKind.DELIVERED, ReceiptKind.FAILED, ReceiptKind.SEEN]
    seen = [await told(kind) for kind in [*kinds, ReceiptKind.DELIVERED, ReceiptKind.FAILED]]
    assert seen == ["failed", "delivered", "delivered", "seen", "seen", "seen"]


@pytest.mark.parametrize(
    ("channel", "receipt"),
    [
        (ChannelName.SMS, Receipt(ReceiptKind.SEEN, ids=("msg-1",))),
        (ChannelName.ZALO, Receipt(ReceiptKind.SEEN, ids=("msg-2",))),
        (ChannelName.ZALO, Receipt(ReceiptKind.SEEN, keys=("not a key of ours",))),
        (ChannelName.ZALO, Receipt(ReceiptKind.SEEN)),
    ],
)
async def test_a_receipt_for_something_else(
    database: Database, post: Post, message: UUID, channel: ChannelName, receipt: Receipt
) -> None:
    """Another channel's, another message's, nobody's."""
    await post.try_(message, Sent("msg-1"))
    assert await outbox.receipt(database, channel, receipt) == 0
    assert await database.pool.fetchval("SELECT receipt FROM messages WHERE id = $1", message) is None


async def test_a_receipt_that_comes_before_its_outcome(database: Database, post: Post, message: UUID) -> None:
    """The gateway's webhook was faster than its answer, which then timed out: it has arrived."""
    outgoing = await outbox.claim(database, message)
    assert outgoing is not None
    await outbox.receipt(database, ChannelName.ZALO, Receipt(ReceiptKind.DELIVERED, keys=(str(message),)))
    await post.settle(outgoing, Unclear("timed out"))
    assert await post.state(message) == ("sent", None)


async def test_a_receipt_that_comes_before_the_gateways_name_is_written(
    database: Database, post: Post, message: UUID
) -> None:
    """It names the message as the gateway does, which we are about to write down: no second copy leaves."""
    outgoing = await outbox.claim(database, message)
    assert outgoing is not None
    told = Receipt(ReceiptKind.DELIVERED, ids=("msg-1",))
    assert await outbox.receipt(database, ChannelName.ZALO, told) == 0
    assert await outbox.take_early(database) == 0
    await post.settle(outgoing, Sent("msg-1", receipt_within=timedelta(minutes=5)))
    assert await outbox.take_early(database) == 1
    assert await post.state(message) == ("sent", None)
    assert await count(database, "early_receipts") == 0


async def test_nobody_gets_a_third_copy(database: Database, post: Post, message: UUID) -> None:
    """Zalo and Telegram both took it and said nothing: SMS is not asked, the operators are told."""
    await post.try_(message, Unclear("silence"))
    await post.waits(MINUTE + SECOND)
    second = only(await post.try_(message, Sent("never asked")))
    await post.try_(second, Unclear("silence"))
    await post.waits(MINUTE + SECOND)

    assert await post.try_(second, Sent("never asked")) == []
    assert [channel for channel, _, _ in await post.messages()] == ["zalo", "telegram"]
    assert await count(database, "notices", "kind = 'undeliverable'") == 1


async def test_a_receipt_for_nothing_of_ours_is_forgotten(database: Database) -> None:
    """Somebody else's message of the same account: it is not looked for until the end of days."""
    await outbox.receipt(database, ChannelName.ZALO, Receipt(ReceiptKind.SEEN, ids=("foreign",)))
    assert await outbox.take_early(database) == 0
    assert await count(database, "early_receipts") == 1
    await database.pool.execute("UPDATE early_receipts SET at = at - interval '3 min'")
    await outbox.take_early(database)
    assert await count(database, "early_receipts") == 0
