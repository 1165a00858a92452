"""What monitors see of real processes: counts of all of them in one answer, and a heart that beats."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stories.processes import Town, open_town, until


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Yield a town where no process runs yet."""
    async with open_town(database_url, redis_url, tmp_path) as opened:
        yield opened


async def scraped(town: Town) -> dict[str, float]:
    """Return the sum of each metric's samples, by name, as the web process tells them."""
    async with aiohttp.ClientSession() as session, session.get(f"{town.world.url}/metrics") as answer:
        text = await answer.text()
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


async def beats(town: Town) -> bool:
    """Whether the web process says that the worker sweeps."""
    async with aiohttp.ClientSession() as session, session.get(f"{town.world.url}/heartbeat") as answer:
        return answer.status == 200


async def test_one_scrape_tells_of_every_process(town: Town) -> None:
    """The web process took the order, the worker sent the card: both stand in one answer."""
    await town.serves()
    assert not await beats(town)
    worker = await town.works()
    platform = await town.world.platform()
    await town.world.kitchen()
    answer = await platform.place(town.world.body())
    assert answer.status == 201
    await town.world.settles()
    await until(lambda: beats(town))

    told = await scraped(town)
    assert told["chotdon_orders_total"] == 1
    assert told["chotdon_commands_total"] == 1
    assert told["chotdon_messages_total"] >= 2
    assert told["chotdon_orders_unconfirmed"] == 1
    assert told["chotdon_pool_connections"] >= 2

    with_worker = told["chotdon_pool_connections"]
    assert await worker.ends() == 0
    assert (await scraped(town))["chotdon_pool_connections"] < with_worker, "who is gone holds no connection"
