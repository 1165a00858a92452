"""Once in: a command's key and its effect commit together, and a repeat gets the same answer."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from core import inbox
from core.channels import Address, AddressKind
from core.database import Connection, Database
from core.errors import Conflict, RuleError
from core.ledger import Ledger
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.events import Json
from tests.core.kitchens import RIVAL, Kitchen, count, everything_written, place, placing, soon

LAN_ZALO = Address(AddressKind.ZALO_USER, "zalo-lan")


async def test_a_repeat_later_gets_the_same_answer(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """Though the order has moved on since, and in whatever process the repeat arrives."""
    order_id = await place(database, ledger)
    tap = ConfirmOrder(order_id, revision=1)
    first = await ledger.submit(tap, actor=kitchen.lan.taps(), key="zalo:1")
    await ledger.submit(CancelOrder(order_id, reason_of(1)), actor=kitchen.shop)
    before = await everything_written(database)

    for again in (ledger, elsewhere):
        repeat = await again.submit(tap, actor=kitchen.lan.taps(), key="zalo:1")
        assert repeat == first
        assert repeat.replayed
    assert first.kind is AnswerKind.DONE
    assert not first.replayed
    assert await everything_written(database) == before


async def test_a_repeat_in_the_same_batch(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """A gateway that sends everything twice has one effect."""
    order_id = await place(database, ledger)
    first, second = await asyncio.gather(
        *(
            ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1", reply_to=LAN_ZALO)
            for _ in range(2)
        )
    )
    assert first == second
    assert (first.replayed, second.replayed) == (False, True)
    assert await count(database, "notices", "kind = 'answer'") == 1


async def test_twins_in_two_processes(
    database: Database, kitchen: Kitchen, ledger: Ledger, elsewhere: Ledger
) -> None:
    """The same key at the same moment, for different orders even: one effect, one answer."""
    for n in range(20):
        orders = [await place(database, ledger), await place(database, ledger)]
        answers = await asyncio.gather(
            *(
                which.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key=f"zalo:{n}")
                for which, order_id in zip((ledger, elsewhere), orders, strict=True)
            )
        )
        assert answers[0] == answers[1]
        assert Counter(answer.replayed for answer in answers) == {False: 1, True: 1}
        assert await count(database, "orders", "status = 'confirmed'") == n + 1


async def test_a_key_used_for_something_else(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """The fingerprint of what came with the key must be the same."""
    command = placing(deliver_at=soon(database))

    async def send(fingerprint: bytes) -> Answer:
        return await ledger.submit(command, actor=kitchen.shop, key="api:1", fingerprint=fingerprint)

    first = await send(b"one body")
    assert await send(b"one body") == first
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        await send(b"another body")


async def test_a_refused_command_leaves_its_key_free(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Corrected, the same key places the order."""
    wrong = placing(deliver_at=database.clock.now() - timedelta(minutes=1))
    with pytest.raises(RuleError, match="deliver_at_past"):
        await ledger.submit(wrong, actor=kitchen.shop, key="api:1")
    assert await count(database, "inbox") == 0

    answer = await ledger.submit(placing(deliver_at=soon(database)), actor=kitchen.shop, key="api:1")
    assert answer.kind is AnswerKind.DONE


async def test_an_answer_is_owed_in_the_same_transaction(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """Where to, to whom, and what: all that the worker needs."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1", reply_to=LAN_ZALO)
    row = await database.pool.fetchrow("SELECT * FROM notices WHERE kind = 'answer'")
    assert row is not None
    assert row["order_id"] == order_id
    assert row["data"]["to"] == {"kind": "zalo_user", "value": "zalo-lan"}
    assert row["data"]["staff_id"] == str(kitchen.lan.id)
    assert row["data"]["answer"]["kind"] == "done"


# --- what gives no command -----------------------------------------------------------------------


async def asked(connection: Connection) -> dict[str, Json]:
    """Owe an answer to a question, as every effect does through the connection it is given."""
    now = await connection.fetchval("SELECT now()")
    await inbox.owe_answer(connection, key="zalo:1", to=LAN_ZALO, staff_id=None, data={"said": "TG"}, now=now)
    return {"said": "help"}


async def test_a_question_is_answered_once(database: Database) -> None:
    """A repeat, later or at the same moment, waits for the first and says the same."""
    now = database.clock.now()
    answers = await asyncio.gather(*(inbox.once(database, "zalo:1", asked, now=now) for _ in range(5)))
    assert Counter(repeat for _, repeat in answers) == {False: 1, True: 4}
    assert [answer for answer, _ in answers] == [{"said": "help"}] * 5
    assert await count(database, "notices") == 1


async def test_a_question_that_failed_can_be_asked_again(database: Database) -> None:
    """Neither the key nor half of the effect is kept."""

    async def fails(connection: Connection) -> dict[str, Json]:
        await asked(connection)
        raise RuleError("no_such_thing")

    now = database.clock.now()
    with pytest.raises(RuleError):
        await inbox.once(database, "zalo:1", fails, now=now)
    assert await count(database, "inbox") + await count(database, "notices") == 0
    assert await inbox.once(database, "zalo:1", asked, now=now) == ({"said": "help"}, False)


async def test_a_command_and_a_question_share_the_inbox(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """What is known by a key is known to both doors."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    answer, repeat = await inbox.once(database, "zalo:1", asked, now=database.clock.now())
    assert repeat
    assert answer["kind"] == "done"


async def test_another_platform_may_use_the_same_external_id(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """External ids are each platform's own."""
    mine = await ledger.submit(placing(deliver_at=soon(database)), actor=kitchen.shop)
    theirs = await ledger.submit(placing(platform_id=RIVAL, deliver_at=soon(database)), actor=kitchen.rival)
    assert mine.kind is theirs.kind is AnswerKind.DONE
    assert mine.order_id != theirs.order_id
