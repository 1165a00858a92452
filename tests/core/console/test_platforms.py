"""How platforms stand before the operators: what each does not have yet, and since when."""

from datetime import timedelta

from core.console import platforms
from core.database import Database
from tests.core.kitchens import RIVAL, SHOP, ledger_of, open_kitchen, place


async def test_what_a_platform_does_not_have_is_counted(database: Database) -> None:
    """By platform: what waits with its age, and what was given up; what arrived is not."""
    await open_kitchen(database)
    async with ledger_of(database) as ledger:
        for _ in range(3):
            await place(database, ledger)
    dead, arrived = await database.pool.fetch(
        "SELECT id FROM webhooks WHERE platform_id = $1 ORDER BY id LIMIT 2", SHOP
    )
    await database.pool.execute("UPDATE webhooks SET state = 'dead' WHERE id = $1", dead["id"])
    await database.pool.execute("UPDATE webhooks SET state = 'delivered' WHERE id = $1", arrived["id"])
    rival, shop = await platforms.platforms(database.pool, after=None, most=10)
    by_id = {each.id: each for each in (rival, shop)}
    assert (by_id[SHOP].waiting, by_id[SHOP].dead) == (1, 1)
    assert (by_id[RIVAL].waiting, by_id[RIVAL].dead) == (3, 0)
    oldest = by_id[RIVAL].oldest
    assert oldest is not None
    assert database.clock.now() - oldest < timedelta(minutes=5)
    assert by_id[SHOP].host == "shop.example"
    assert await platforms.platform(database.pool, SHOP) == by_id[SHOP]
    assert (await platforms.platforms(database.pool, after=rival.name, most=10))[0].id == shop.id


async def test_a_platform_that_lacks_nothing_has_no_oldest(database: Database) -> None:
    """And one without an address has no host."""
    await open_kitchen(database)
    await database.pool.execute("UPDATE platforms SET webhook_url = NULL WHERE id = $1", SHOP)
    shop = await platforms.platform(database.pool, SHOP)
    assert shop is not None
    assert (shop.waiting, shop.oldest, shop.host) == (0, None, None)


async def test_an_address_with_a_password_shows_its_host_only(database: Database) -> None:
    """Whatever stands before the host is nobody's business."""
    await open_kitchen(database)
    await database.pool.execute(
        "UPDATE platforms SET webhook_url = 'https://a:secret@shop.example:8443/hook?key=secret'"
    )
    shop = await platforms.platform(database.pool, SHOP)
    assert shop is not None
    assert shop.host == "shop.example:8443"


async def test_orders_are_called_by_kitchen_and_code(database: Database) -> None:
    """As people name them."""
    await open_kitchen(database)
    async with ledger_of(database) as ledger:
        order_id = await place(database, ledger)
    code = await database.pool.fetchval("SELECT code FROM orders")
    assert await platforms.order_codes(database.pool, [order_id]) == {order_id: f"com-nha-lan/{code}"}
