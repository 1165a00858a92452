"""What works for an address is preferred, what failed comes later, and is tried again in time."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core import outbox
from core.channels import (
    Address,
    AddressKind,
    ChannelName,
    NoSuchRecipient,
    Receipt,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
    Unclear,
)
from core.clock import real_now
from core.database import Database
from core.ledger import Ledger
from core.outbox import Attempt, Due, Ways
from core.partners import addresses
from tests.core.kitchens import count, place
from tests.core.outbox.conftest import Post, only

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZALO, TELEGRAM, SMS = ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS
DELIVERED = ReceiptKind.DELIVERED


async def first_chat(database: Database, ledger: Ledger, post: Post, number: int) -> Due:
    """Place an order and return the first message about it."""
    await place(
        database, ledger, external_id=f"PX-{number}", deliver_at=database.clock.now() + timedelta(days=9)
    )
    (first,) = [due for due in await post.route("order_new") if due.channel is not ChannelName.EMAIL]
    return first


@pytest.fixture
async def message(database: Database, three_ways: None, ledger: Ledger, post: Post) -> UUID:
    """Return Lan's first message about a new order, by Zalo."""
    return (await first_chat(database, ledger, post, 0)).id


@pytest.mark.parametrize(
    ("outcome", "following"),
    [
        pytest.param(NoSuchRecipient("-227"), TELEGRAM, id="not this person"),
        pytest.param(NoSuchRecipient("-118", out_for=30 * DAY), TELEGRAM, id="no such account"),
        pytest.param(NoSuchRecipient("-133", Scope.MESSAGE), ZALO, id="not this message"),
        pytest.param(Refused("-137", Scope.EVERYBODY, alarm="ví"), ZALO, id="the wallet is empty"),
        pytest.param(Refused("-1121"), ZALO, id="a fault of ours"),
    ],
)
async def test_only_a_persons_own_trouble_marks_the_address(
    database: Database,
    ledger: Ledger,
    post: Post,
    message: UUID,
    outcome: NoSuchRecipient | Refused,
    following: ChannelName,
) -> None:
    """The next order goes straight to the chat that works; an empty wallet says nothing of Lan."""
    await post.try_(message, outcome)
    assert (await first_chat(database, ledger, post, 1)).channel is following


async def test_what_failed_is_tried_again_after_a_day(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """Doubt does not last for ever."""
    await post.try_(message, NoSuchRecipient("-227"))
    await post.waits(23 * HOUR)
    assert (await first_chat(database, ledger, post, 1)).channel is TELEGRAM
    await post.waits(2 * HOUR)
    assert (await first_chat(database, ledger, post, 2)).channel is ZALO


async def test_what_failed_is_still_better_than_nothing(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """With every other chat gone it is tried, last."""
    await post.try_(message, NoSuchRecipient("-227"))
    post.on = {ZALO}
    assert (await first_chat(database, ledger, post, 1)).channel is ZALO


async def test_an_address_that_is_out_is_not_tried_at_all_for_so_long(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """-118: not on Zalo. Thirty days later somebody may have got an account."""
    await post.try_(message, NoSuchRecipient("-118", out_for=30 * DAY))
    post.on = {ZALO, SMS}
    await post.waits(29 * DAY)
    assert (await first_chat(database, ledger, post, 1)).channel is SMS
    await post.waits(2 * DAY)
    assert (await first_chat(database, ledger, post, 2)).channel is ZALO


async def test_hearing_from_an_address_forgets_its_failures(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """Whoever writes to us there is reached there."""
    await post.try_(message, NoSuchRecipient("-118", out_for=30 * DAY))
    lan = Address(AddressKind.ZALO_USER, "z-lan")
    await addresses.heard(database.pool, lan, now=database.clock.now())
    assert (await first_chat(database, ledger, post, 1)).channel is ZALO


async def test_a_receipt_forgets_them_too(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """It arrived: the address works."""
    await post.try_(message, Sent("msg-1"))
    await database.pool.execute(
        "INSERT INTO reach (channel, address, failed_at, why) VALUES ('zalo', 'z-lan', $1, '-227')",
        database.clock.now(),
    )
    assert (await first_chat(database, ledger, post, 1)).channel is TELEGRAM
    await outbox.receipt(database, ZALO, Receipt(DELIVERED, ids=("msg-1",)))
    assert (await first_chat(database, ledger, post, 2)).channel is ZALO


async def test_accepted_but_not_delivered_is_a_failure_of_the_address(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """Zalo took it and told nothing for three minutes: next time the chat that works comes first."""
    await post.try_(message, Sent("msg-1", receipt_within=3 * MINUTE))
    await post.waits(4 * MINUTE)
    await post.try_(message, Sent("never asked"))
    assert (await first_chat(database, ledger, post, 1)).channel is TELEGRAM


async def test_a_gateways_silence_is_not_the_address_fault(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """Zalo hung: that says nothing of Lan's phone."""
    await post.try_(message, Unclear("no answer in time"))
    await post.waits(2 * MINUTE)
    await post.try_(message, Sent("never asked"))
    assert (await first_chat(database, ledger, post, 1)).channel is ZALO


# --- a window that is closed -------------------------------------------------------------------------


async def test_a_closed_window_is_believed_and_another_way_tried_at_once(
    database: Database, post: Post, message: UUID
) -> None:
    """-230: we thought that Lan had written lately. Where a template reaches her, it goes again."""
    following = await post.try_(message, NoSuchRecipient("-230", Scope.MESSAGE, unheard=True))
    assert [each.id for each in following] == [message]
    heard = await database.pool.fetchval("SELECT heard_at FROM addresses WHERE value = 'z-lan'")
    assert heard == addresses.LONG_AGO

    await post.try_(message, Sent("zbs-1"))
    assert await post.messages() == [("zalo", "z-lan", "sent")]


async def test_a_closed_window_twice_hands_over(post: Post, message: UUID) -> None:
    """It is tried in another way once."""
    await post.try_(message, NoSuchRecipient("-230", Scope.MESSAGE, unheard=True))
    following = await post.try_(message, NoSuchRecipient("-232", Scope.MESSAGE, unheard=True))
    assert [each.channel for each in following] == [TELEGRAM]


async def test_a_closed_window_hands_over_where_there_is_no_other_way(
    database: Database, post: Post, message: UUID
) -> None:
    """No template is set for this notice: nothing is tried a second time that would be refused again."""

    def reaches(channel: ChannelName, address: Address, kind: str, now: datetime) -> bool:
        return address.kind is not AddressKind.PHONE and address.heard_at != addresses.LONG_AGO

    outgoing = await outbox.claim(database, message)
    assert outgoing
    ways = Ways((ZALO, TELEGRAM), reaches, ())
    closed = Attempt(real_now(), MINUTE, NoSuchRecipient("-230", Scope.MESSAGE, unheard=True))
    following = await outbox.settle(database, ways, outgoing, closed)
    assert [each.channel for each in following] == [TELEGRAM]


async def test_a_window_that_was_opened_meanwhile_stays_open(
    database: Database, post: Post, message: UUID
) -> None:
    """Lan wrote while the call was under way."""
    outgoing = await outbox.claim(database, message)
    assert outgoing
    lan = Address(AddressKind.ZALO_USER, "z-lan")
    now = database.clock.now() + MINUTE
    await addresses.heard(database.pool, lan, now=now)
    await database.pool.execute("UPDATE addresses SET heard_at = $1 WHERE value = 'z-lan'", now)

    known = Address(AddressKind.ZALO_USER, "z-lan", heard_at=now - HOUR)
    await addresses.unheard(database.pool, known)
    assert await database.pool.fetchval("SELECT heard_at FROM addresses WHERE value = 'z-lan'") == now


# --- what the gateway tells afterwards ----------------------------------------------------------------


async def test_told_that_it_failed_the_next_channel_takes_over(
    database: Database, post: Post, message: UUID
) -> None:
    """A delivery report that says no; one that comes late changes nothing more."""
    await post.try_(message, Sent("msg-1"))
    await outbox.receipt(database, ZALO, Receipt(ReceiptKind.FAILED, ids=("msg-1",)))
    assert await post.due() == [message]
    following = await post.try_(message, Sent("never asked"))
    assert [each.channel for each in following] == [TELEGRAM]

    await outbox.receipt(database, ZALO, Receipt(ReceiptKind.FAILED, ids=("msg-1",)))
    assert await post.due() == [only(following)]


async def test_told_by_the_last_way_that_it_failed(
    database: Database, ledger: Ledger, post: Post, message: UUID
) -> None:
    """Nobody was reached, and the gateway says so itself: the operators hear."""
    post.on = {ZALO}
    await post.try_(message, Sent("msg-1"))
    await outbox.receipt(database, ZALO, Receipt(ReceiptKind.FAILED, ids=("msg-1",)))
    assert await post.try_(message, Sent("never asked")) == []
    assert await post.state(message) == ("failed", None)
    assert dict(await post.owed()) == {"order_new": "failed", "undeliverable": "owed"}


async def test_what_is_known_to_have_failed_is_no_hope_for_the_others(
    database: Database, post: Post, message: UUID
) -> None:
    """Zalo reports a failure, Telegram does not know her: no message is left that may have arrived."""
    post.on = {ZALO, TELEGRAM}
    await post.try_(message, Sent("msg-1"))
    await outbox.receipt(database, ZALO, Receipt(ReceiptKind.FAILED, ids=("msg-1",)))
    following = only(await post.try_(message, Sent("never asked")))
    await post.try_(following, NoSuchRecipient("chat not found"))
    assert dict(await post.owed()) == {"order_new": "failed", "undeliverable": "owed"}


async def test_delivered_stays_delivered(database: Database, post: Post, message: UUID) -> None:
    """Reports come in any order; the best one counts."""
    await post.try_(message, Sent("msg-1"))
    await outbox.receipt(database, ZALO, Receipt(DELIVERED, ids=("msg-1",)))
    await outbox.receipt(database, ZALO, Receipt(ReceiptKind.FAILED, ids=("msg-1",)))
    assert await post.due() == []
    assert await count(database, "messages", "receipt = 'delivered' AND state = 'sent'") == 1


async def test_a_report_that_names_the_price_corrects_the_record(
    database: Database, post: Post, message: UUID
) -> None:
    """A gateway tells the total with its delivery report."""
    await post.try_(message, Sent("msg-1"))
    await outbox.receipt(database, ZALO, Receipt(DELIVERED, ids=("msg-1",), dong=1_640))
    assert await database.pool.fetchval("SELECT cost FROM attempts") == 1_640


# --- a gateway that is left alone ---------------------------------------------------------------------


async def test_who_has_another_channel_is_told_there_at_once(
    database: Database, post: Post, message: UUID
) -> None:
    """Nobody waits for a gateway that five others found down; no attempt is put on record, none was made."""
    outgoing = await outbox.claim(database, message)
    assert outgoing
    following = await outbox.pass_over(database, post.ways, outgoing, "rests", wait=MINUTE)
    assert [each.channel for each in following] == [TELEGRAM]
    assert await post.state(message) == ("failed", None)
    assert await count(database, "attempts") == 0


async def test_who_has_none_waits_without_losing_a_try(database: Database, post: Post, message: UUID) -> None:
    """Tries count calls, and there was none."""
    post.on = {ZALO}
    outgoing = await outbox.claim(database, message)
    assert outgoing
    assert await outbox.pass_over(database, post.ways, outgoing, "rests", wait=MINUTE) == []
    state, left = await post.state(message)
    assert (state, left is not None and left > timedelta()) == ("waiting", True)
    assert await database.pool.fetchval("SELECT tries FROM messages") == 0
    assert await post.try_(message, TryLater("x")) == []
