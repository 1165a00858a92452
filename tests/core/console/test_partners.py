"""The list of kitchens that operators search, and what one of them waits for."""

import pytest

from core.actors import Via
from core.channels import Address, AddressKind, ChannelName
from core.console import partners
from core.console.partners import Kitchen as Listed
from core.database import Database
from core.orders.commands import ConfirmOrder
from core.orders.order import By
from core.outbox import reach
from core.partners import pauses
from tests.core.kitchens import HOA_KITCHEN, LAN_KITCHEN, add_partner, ledger_of, open_kitchen, place, soon


async def listed(database: Database, text: str = "", after: str | None = None) -> list[Listed]:
    """Return the kitchens that a search finds."""
    now = database.clock.now()
    return list((await partners.kitchens(database.pool, text, after=after, most=25, now=now)).kitchens)


async def test_the_list_tells_how_each_kitchen_stands(database: Database) -> None:
    """Open orders by status, people, addresses that messages do not reach, and its pause."""
    kitchen = await open_kitchen(database)
    now = database.clock.now()
    async with ledger_of(database) as ledger:
        confirmed = await place(database, ledger)
        await place(database, ledger)
        await ledger.submit(ConfirmOrder(confirmed), actor=kitchen.lan.taps())
    await reach.worked(database.pool, ChannelName.ZALO, ["zalo-lan", "zalo-hung"], now)
    async with database.pool.acquire() as connection:
        mail = Address(AddressKind.EMAIL, "lan@example.com")
        await reach.failed(connection, ChannelName.EMAIL, mail, "no such box", now=now)
        await pauses.begin(
            connection, LAN_KITCHEN, soon(database), by=By(Via.OPERATOR, "Hà"), now=database.clock.now()
        )
    await database.pool.execute("UPDATE addresses SET ended_at = now() WHERE value = 'zalo-tam'")
    (lan,) = await listed(database)
    assert (lan.code, lan.pending, lan.confirmed, lan.staff, lan.troubled) == ("com-nha-lan", 1, 1, 4, 2)
    assert lan.paused_until is not None
    assert await partners.kitchen(database.pool, LAN_KITCHEN, now=database.clock.now()) == lan


async def test_what_works_again_is_no_trouble(database: Database) -> None:
    """The last that is known counts; who has left does not."""
    await open_kitchen(database)
    now = database.clock.now()
    async with database.pool.acquire() as connection:
        for value in ("zalo-lan", "zalo-hung"):
            address = Address(AddressKind.ZALO_USER, value)
            await reach.failed(connection, ChannelName.ZALO, address, "blocked", now=now)
    await reach.worked(database.pool, ChannelName.ZALO, ["zalo-lan"], now)
    await database.pool.execute("UPDATE staff SET removed_at = now() WHERE name = 'Hùng'")
    (lan,) = await listed(database)
    assert (lan.staff, lan.troubled) == (3, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["bep-hoa", "com-nha-lan"]),
        ("com", ["com-nha-lan"]),
        ("NHÀ cơm", ["com-nha-lan"]),
        ("bep hoa", ["bep-hoa"]),
        ("bếp", ["bep-hoa"]),
        ("bep-h", ["bep-hoa"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("q\x00z\ud800", []),
    ],
    ids=["all", "word", "accents", "code", "one", "part", "percent", "line", "slash", "garbage"],
)
async def test_kitchens_are_found_by_name_and_code(database: Database, text: str, found: list[str]) -> None:
    """Accents and case aside, in any order of words; signs are only signs."""
    await open_kitchen(database)
    await add_partner(database, HOA_KITCHEN, code="bep-hoa")
    assert [kitchen.code for kitchen in await listed(database, text)] == found


async def test_pages_of_kitchens_together_are_the_list(database: Database) -> None:
    """Each stands on one page."""
    for number in range(1, 8):
        await database.pool.execute(
            "INSERT INTO partners (id, code, name, created_at) VALUES (gen_random_uuid(), $1, 'Bếp', now())",
            f"bep-{number}",
        )
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await partners.kitchens(database.pool, "bep", after=after, most=3, now=database.clock.now())
        seen += [kitchen.code for kitchen in page.kitchens]
        after = page.next
        if after is None:
            break
    assert seen == [f"bep-{number}" for number in range(1, 8)]


async def test_what_falls_due_next_comes_first(database: Database) -> None:
    """An order that waits is asked for again; the newest delivery leads the list of orders."""
    await open_kitchen(database)
    async with ledger_of(database) as ledger:
        first = await place(database, ledger)
        second = await place(
            database, ledger, deliver_at=soon(database) + (soon(database) - database.clock.now())
        )
    timers = await partners.next_timers(database.pool, LAN_KITCHEN, most=3)
    assert [timer.due_at for timer in timers] == sorted(timer.due_at for timer in timers)
    assert timers[0].order_id == first
    assert timers[0].step == "after:0"
    orders = await partners.last_orders(database.pool, LAN_KITCHEN, most=5)
    assert [order.id for order in orders] == [second, first]
