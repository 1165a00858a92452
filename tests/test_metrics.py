"""What is measured: what `/metrics` tells is explained, and nothing is drawn or alarmed beyond that."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bot.gauges import Gauges
from core import alarms
from core.actors import operator
from core.orders.commands import CancelOrder
from core.orders.order import Reason
from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from tests.stories.world import Somebody, World, open_world

DOCS: Final = Path(__file__).parent.parent / "docs"
NAME: Final = re.compile(r"\bchotdon_[a-z_]+")
PARTS: Final = ("_total", "_bucket", "_sum", "_count", "_created")


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Yield a running service with SMS that costs 820 đ."""
    async with open_world(database_url, redis_url, gateway=FakeEsms, prices={"esms": 820}) as opened:
        yield opened


@pytest.fixture
async def platform(world: World) -> FakePlatform:
    """Return the platform that places the orders."""
    return await world.platform()


@pytest.fixture
async def lan(world: World, platform: FakePlatform) -> Somebody:
    """Return Lan, who is reached by Zalo, then by SMS."""
    return await world.kitchen(phone="+84903111222")


async def scraped(world: World) -> str:
    """Return what Prometheus gets."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


async def told(world: World, name: str, **labels: str) -> float | None:
    """Return one sample as it is scraped; None where it is absent."""
    for family in text_string_to_metric_families(await scraped(world)):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def base(name: str) -> str:
    """Return a metric's name without what its kind adds to it."""
    return next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)


async def names(world: World) -> set[str]:
    """Return the names of everything that is told, samples or not."""
    kinds = re.findall(r"(?m)^# TYPE (chotdon_[a-z_]+) ", await scraped(world))
    return {base(name) for name in kinds}


def documented() -> set[str]:
    """Return the names that the document has a row for."""
    return set(re.findall(r"(?m)^\| `(chotdon_[a-z_]+)`", (DOCS / "metrics.md").read_text("utf-8")))


async def test_every_metric_is_explained(world: World) -> None:
    """And no row is left of one that is not told any more."""
    await world.service.sweeper.sweep()
    assert documented() == await names(world)


def expressions(panels: list[dict[str, Any]]) -> Iterator[str]:
    """Return what the panels of a dashboard ask for."""
    for panel in panels:
        assert panel["title"]
        assert panel["type"] == "row" or panel["targets"]
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_the_dashboard_asks_only_for_what_is_told() -> None:
    """Its panels have titles, places of their own and questions; every metric in them exists."""
    dashboard = json.loads((DOCS / "grafana/chotdon.json").read_text("utf-8"))
    asked = " ".join(expressions(dashboard["panels"]))
    assert (dashboard["uid"], dashboard["title"]) == ("chotdon", "Chốt Đơn")
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert {base(name) for name in NAME.findall(asked)} == documented()


def test_the_alert_rules_ask_only_for_what_is_told() -> None:
    """Each rule has a name of its own, an expression and a summary."""
    (group,) = yaml.safe_load((DOCS / "prometheus-alerts.yaml").read_text("utf-8"))["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    for rule in group["rules"]:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert {base(name) for name in NAME.findall(rule["expr"])} <= documented()
        assert NAME.search(rule["expr"])
        assert rule["expr"].count("(") == rule["expr"].count(")")


def counted(name: str, **labels: str) -> float:
    """Return what this process has counted so far."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_who_confirms_by_what_is_counted_and_how_long_it_took(world: World, lan: Somebody) -> None:
    """From the first message that asked, in product time, by the channel of the tap."""
    order = await world.order()
    lan.phone.person.reads_all()
    confirmed = counted("chotdon_commands_total", channel="zalo", command="confirm")
    took = counted("chotdon_notice_to_tap_seconds_sum", channel="zalo")
    await world.passes(timedelta(minutes=10))
    await lan.phone.taps("Xác nhận đơn hàng")
    assert counted("chotdon_commands_total", channel="zalo", command="confirm") == confirmed + 1
    assert counted("chotdon_notice_to_tap_seconds_sum", channel="zalo") == pytest.approx(took + 600, abs=30)
    await lan.phone.taps("Xác nhận đơn hàng")
    assert counted("chotdon_commands_total", channel="zalo", command="confirm") == confirmed + 1
    order.heard("order.confirmed")


async def test_what_takes_over_and_what_it_costs_is_counted(world: World, lan: Somebody) -> None:
    """A person whom Zalo does not reach is told by SMS: one later rung, 820 đ a segment."""
    later = counted("chotdon_messages_by_rung_total", channel="sms", rung="later")
    cost = counted("chotdon_cost_dong_total", channel="sms")
    world.zalo.fail_next(-213, times=None)
    await world.order()
    assert counted("chotdon_messages_by_rung_total", channel="sms", rung="later") == later + 1
    spent = counted("chotdon_cost_dong_total", channel="sms") - cost
    assert spent > 0
    assert spent % 820 == 0


async def test_what_waits_is_told_by_time_left(world: World, lan: Somebody) -> None:
    """An order for the afternoon, one for tomorrow; what is settled waits no more."""
    order = await world.order(deliver_in=timedelta(hours=3))
    await world.order(deliver_in=timedelta(hours=30))
    assert await told(world, "chotdon_orders_unconfirmed", left="4h") == 1
    assert await told(world, "chotdon_orders_unconfirmed", left="more") == 1
    assert await told(world, "chotdon_orders_unconfirmed", left="overdue") == 0
    await world.ledger.submit(CancelOrder(order.order_id, Reason(None, "hỏng")), actor=operator("Hà"))
    gauges = await Gauges().show(world.database)
    unconfirmed = next(gauge for gauge in gauges if gauge.name == "chotdon_orders_unconfirmed")
    assert sum(sample.value for sample in unconfirmed.samples) == 1


async def test_messages_that_wait_for_their_gateway_are_told(world: World, lan: Somebody) -> None:
    """How many and how old: also those whose next try is minutes ahead."""
    world.mailbox.refuse("lan@example.com", "451 4.3.0 try again", times=None)
    await world.order()
    await world.database.pool.execute("UPDATE messages SET created_at = created_at - interval '9 min'")
    age = await told(world, "chotdon_messages_oldest_seconds", channel="email")
    assert age
    assert 540 <= age < 700
    assert await told(world, "chotdon_messages_waiting", channel="email") == 1


async def test_webhooks_and_alarms_that_stand_are_told(
    world: World, platform: FakePlatform, lan: Somebody
) -> None:
    """A platform by its name, an alarm by its number."""
    platform.status_next(500, times=None)
    await world.order()
    async with world.database.pool.acquire() as connection, connection.transaction():
        await alarms.raise_(connection, "zalo: token", "x", now=world.database.clock.now())
    waiting = await told(world, "chotdon_webhooks_undelivered", platform="Cơm Ngon", state="waiting")
    assert waiting == 1
    assert await told(world, "chotdon_alarms_standing") == 1
    age = await told(world, "chotdon_sweep_age_seconds")
    assert age is not None
    assert 0 <= age < 60


async def test_a_scrape_stands_in_nobodys_way(world: World) -> None:
    """Where the database is held up the gauges are absent, within a second or so; the counters come."""
    guard = await asyncpg.connect(world.settings.database_url)
    try:
        async with guard.transaction():
            await guard.execute("LOCK TABLE alarms IN ACCESS EXCLUSIVE MODE")
            text = await scraped(world)
    finally:
        await guard.close()
    assert "chotdon_orders_unconfirmed" not in text
    assert "chotdon_ledger_batch_size_count" in text


async def test_many_scrapes_are_one_question(world: World) -> None:
    """What was read is told for five seconds."""
    gauges = Gauges()
    first = await gauges.show(world.database)
    assert first
    assert await gauges.show(world.database) is first


def test_nothing_is_counted_before_it_is_known_where() -> None:
    """The folder that processes share is named once servers are there: nobody may count before."""
    code = "import sys, cli.serve, cli.worker, core.database; print('prometheus_client' in sys.modules)"
    heard = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heard.stdout.strip() == "False"
