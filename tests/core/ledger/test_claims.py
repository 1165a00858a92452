"""A button is a claim: who taps is checked inside the transaction, against the tables as they are then."""

from uuid import UUID

import pytest

from core import ids
from core.actors import Actor, Role, Via
from core.channels import Address, AddressKind
from core.clock import real_now
from core.database import Database
from core.ledger import Ledger, StaffRef
from core.orders.answers import Answer, AnswerKind
from core.orders.commands import CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of
from core.orders.order import OrderId
from tests.core.kitchens import (
    HOA_KITCHEN,
    RIVAL,
    Kitchen,
    add_partner,
    add_person,
    count,
    everything_written,
    place,
    platform,
)

LAN_ZALO = Address(AddressKind.ZALO_USER, "zalo-lan")


async def refused(database: Database, ledger: Ledger, command: Command, actor: Actor | StaffRef) -> Answer:
    """Give the command, see that nothing is written but the inbox and the answer owed, and return it."""
    before = await everything_written(database)
    answer = await ledger.submit(command, actor=actor, key="zalo:1", reply_to=LAN_ZALO)
    after = await everything_written(database)
    assert after == {**before, "notices": before["notices"] + 1}
    assert await count(database, "inbox") == await count(database, "notices", "kind = 'answer'") == 1
    assert answer.kind is AnswerKind.FORBIDDEN
    return answer


async def test_a_forwarded_card_does_not_act(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Lan's button, pressed in Hùng's chat: the chat is not hers, and tells nothing of the order."""
    order_id = await place(database, ledger)
    forwarded = StaffRef(kitchen.lan.id, Via.ZALO, kitchen.hung.addresses[0])
    answer = await refused(database, ledger, ConfirmOrder(order_id), forwarded)
    assert (answer.why, answer.order_id, answer.status) == ("not_linked", None, None)


async def test_a_strangers_chat_does_not_act(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Nor does one that nobody is linked to."""
    order_id = await place(database, ledger)
    stranger = StaffRef(kitchen.lan.id, Via.ZALO, Address(AddressKind.ZALO_USER, "zalo-stranger"))
    assert (await refused(database, ledger, ConfirmOrder(order_id), stranger)).why == "not_linked"


async def test_the_address_must_be_of_the_same_kind(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """A telegram chat that is called like Lan's Zalo is not Lan's."""
    order_id = await place(database, ledger)
    other = StaffRef(kitchen.lan.id, Via.TELEGRAM, Address(AddressKind.TELEGRAM_CHAT, "zalo-lan"))
    assert (await refused(database, ledger, ConfirmOrder(order_id), other)).why == "not_linked"


async def test_an_ended_chat_does_not_act(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Lan unfollowed: an old card in that chat does nothing."""
    order_id = await place(database, ledger)
    await database.pool.execute("UPDATE addresses SET ended_at = $1 WHERE value = 'zalo-lan'", real_now())
    answer = await refused(database, ledger, ConfirmOrder(order_id), kitchen.lan.taps())
    assert answer.why == "not_linked"


async def test_a_removed_member_does_not_act(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Neither by a button nor by a link: both die with the person's leave."""
    order_id = await place(database, ledger)
    await database.pool.execute("UPDATE staff SET removed_at = $1 WHERE name = 'Lan'", real_now())
    assert (await refused(database, ledger, ConfirmOrder(order_id), kitchen.lan.taps())).why == "not_staff"
    again = await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.on_the_web(), key="page:1")
    assert again.why == "not_staff"


async def test_another_kitchens_order_is_not_theirs(
    database: Database, kitchen: Kitchen, ledger: Ledger
) -> None:
    """The owner of the kitchen next door learns nothing of it."""
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    hoa = await add_person(database, "Hoa", Role.OWNER, partner_id=HOA_KITCHEN, zalo="zalo-hoa")
    order_id = await place(database, ledger)
    answer = await refused(database, ledger, ConfirmOrder(order_id), hoa.taps())
    assert (answer.why, answer.order_id, answer.status) == ("not_yours", None, None)


@pytest.mark.parametrize("command", [ConfirmOrder, CompleteOrder, CancelOrder])
async def test_the_cashier_counts_and_does_not_act(
    database: Database, kitchen: Kitchen, ledger: Ledger, command: type[Command]
) -> None:
    """Tâm may see the order, so the answer tells of it."""
    order_id = await place(database, ledger)
    given: Command = (
        CancelOrder(order_id, reason_of(1))
        if command is CancelOrder
        else ConfirmOrder(order_id)
        if command is ConfirmOrder
        else CompleteOrder(order_id)
    )
    answer = await refused(database, ledger, given, kitchen.tam.taps())
    assert (answer.why, answer.order_id) == ("role", order_id)


async def test_a_role_is_the_one_of_now(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Who was made a cashier since the card was sent does not act any more."""
    order_id = await place(database, ledger)
    await database.pool.execute("UPDATE staff SET role = 'cashier' WHERE name = 'Lan'")
    assert (await refused(database, ledger, ConfirmOrder(order_id), kitchen.lan.taps())).why == "role"


async def test_another_platform_does_not_cancel(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """Nor does it hear whether there is such an order."""
    order_id = await place(database, ledger)
    answer = await refused(database, ledger, CancelOrder(order_id, reason_of(6)), platform(RIVAL, "Ăn Nhanh"))
    assert (answer.why, answer.order_id) == ("not_yours", None)


@pytest.mark.parametrize("who", ["lan", "shop"])
async def test_what_is_not_there_is_forbidden(
    database: Database, kitchen: Kitchen, ledger: Ledger, who: str
) -> None:
    """An unknown order is answered as one that is not theirs."""
    nowhere = OrderId(UUID(int=7))
    actor = kitchen.lan.taps() if who == "lan" else kitchen.shop
    answer = await refused(database, ledger, CancelOrder(nowhere, reason_of(1)), actor)
    assert (answer.why, answer.order_id) == ("no_such_order", None)


async def test_an_unknown_member_is_nobody(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """An id that was never given out."""
    order_id = await place(database, ledger)
    nobody = StaffRef(ids.new(), Via.WEB)
    assert (await refused(database, ledger, ConfirmOrder(order_id), nobody)).why == "not_staff"


async def test_a_tap_opens_the_window(database: Database, kitchen: Kitchen, ledger: Ledger) -> None:
    """The chat a tap came from was heard from, which the channel may need to know."""
    order_id = await place(database, ledger)
    await ledger.submit(ConfirmOrder(order_id), actor=kitchen.lan.taps(), key="zalo:1")
    heard = await database.pool.fetch("SELECT value FROM addresses WHERE heard_at IS NOT NULL")
    assert [row["value"] for row in heard] == ["zalo-lan"]
