"""Real processes, killed, stopped, doubled: every notice leaves at least once, at most twice."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from sandbox.platform import Answer, FakePlatform
from tests.stories.processes import Town, open_town, until
from tests.stories.world import Placed, Somebody

CONFIRM: Final = "Xác nhận đơn hàng"


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Yield a town where no process runs yet; each story begins at real time."""
    async with open_town(database_url, redis_url, tmp_path) as opened:
        yield opened


async def _opens(town: Town) -> tuple[FakePlatform, Somebody]:
    """Open the kitchen, with one web process and one worker."""
    await town.serves()
    await town.works()
    return await town.world.platform(), await town.world.kitchen()


async def _place(town: Town, platform: FakePlatform) -> Placed:
    answer = await platform.place(town.world.body())
    assert answer.status == 201, answer
    return Placed(platform, answer.body["id"], answer.body["code"], answer.body)


def _copies(lan: Somebody, order: Placed) -> int:
    return sum(order.code in bubble.text for bubble in lan.phone.person.received)


async def _is_claimed(town: Town, channel: str) -> bool:
    return bool(
        await town.world.database.pool.fetchval(
            "SELECT count(*) FROM messages WHERE channel = $1 AND leased_until > now() AND state = 'waiting'",
            channel,
        )
    )


# --- killed ----------------------------------------------------------------------------------------


async def test_a_worker_killed_before_zalo_took_the_card(town: Town) -> None:
    """Claimed, called, not taken: the next worker sends it."""
    platform, lan = await _opens(town)
    town.world.zalo.hang(60, times=None)
    rice = await _place(town, platform)
    await until(lambda: _is_claimed(town, "zalo"))
    await asyncio.sleep(0.2)

    town.started[-1].dies()
    await town.world.zalo.recover()
    await town.works()
    await town.leases_lapse()
    await town.world.settles()

    assert _copies(lan, rice) == 1


async def test_a_worker_killed_between_sending_and_commit(town: Town) -> None:
    """Zalo took it, nobody wrote it down: two copies at most, even when each worker dies over it."""
    platform, lan = await _opens(town)
    town.world.zalo.accept_then_hang(60, times=None)
    rice = await _place(town, platform)

    for copies in (1, 2):
        await until(lambda wanted=copies: _has_copies(lan, rice, wanted))  # type: ignore[misc]
        town.started[-1].dies()
        await town.leases_lapse()
        await town.works()
    await town.world.zalo.recover()
    await town.leases_lapse()
    await town.world.settles()
    await asyncio.sleep(1)
    await town.world.settles()

    assert _copies(lan, rice) == 2


async def _has_copies(lan: Somebody, order: Placed, wanted: int) -> bool:
    return _copies(lan, order) >= wanted


async def test_a_worker_killed_again_and_again_under_load(town: Town) -> None:
    """Wherever each card was at that moment: all of sixty arrive, none more than twice, mails too."""
    platform, lan = await _opens(town)
    orders: list[Placed] = []
    for _ in range(3):
        orders += await asyncio.gather(*(_place(town, platform) for _ in range(20)))
        town.started[-1].dies()
        await town.works()
        await town.leases_lapse()
    await asyncio.sleep(0.5)
    await town.leases_lapse()
    # Redis hands a job that a dead worker had begun to somebody else after 25 s
    await until(lambda: _all_are_told(lan, orders), within=45)
    await town.world.settles()

    chats = Counter(_copies(lan, order) for order in orders)
    mails = Counter(sum(order.code in mail.subject for mail in lan.mail.unread) for order in orders)
    assert set(chats) <= {1, 2}, chats
    assert set(mails) <= {1, 2}, mails
    assert {attempt.order_id for attempt in platform.heard("order.placed")} == {order.id for order in orders}


async def _all_are_told(lan: Somebody, orders: list[Placed]) -> bool:
    subjects = " ".join(mail.subject for mail in lan.mail.unread)
    return all(_copies(lan, order) and order.code in subjects for order in orders)


async def test_a_web_process_killed_while_orders_come_in(town: Town) -> None:
    """What was answered 201 is there; what was not answered is placed once by trying again."""
    platform, _ = await _opens(town)
    bodies = [town.world.body() for _ in range(30)]

    placing = [asyncio.create_task(_until_placed(platform, body)) for body in bodies]
    await asyncio.sleep(0.1)
    town.started[0].dies()
    await town.serves()
    answers = await asyncio.gather(*placing)
    await town.world.settles()

    assert len({answer.body["id"] for answer in answers}) == 30
    assert await town.world.database.pool.fetchval("SELECT count(*) FROM orders") == 30
    assert len(platform.heard("order.placed")) == 30


async def _until_placed(platform: FakePlatform, body: dict[str, Any]) -> Answer:
    async with asyncio.timeout(30):
        while True:
            try:
                answer = await platform.place(body)
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
                continue
            if answer.ok:
                return answer
            assert answer.status == 503, answer
            await asyncio.sleep(0.2)


# --- together --------------------------------------------------------------------------------------


async def test_two_workers_share_the_work(town: Town) -> None:
    """Each card leaves once, and both have a hand in it."""
    platform, lan = await _opens(town)
    workers = [town.started[-1], await town.works()]

    orders = await asyncio.gather(*(_place(town, platform) for _ in range(60)))
    await town.world.settles()

    assert {_copies(lan, order) for order in orders} == {1}
    assert len(lan.mail.unread) == 60
    assert len(platform.attempts) == 60
    assert all(worker.told("message tried") for worker in workers)


# --- ended in good order ---------------------------------------------------------------------------


async def test_a_worker_that_is_told_to_end_finishes_what_it_began(town: Town) -> None:
    """The call under way is waited for and written down; nothing is left claimed."""
    platform, lan = await _opens(town)
    town.world.zalo.accept_then_hang(2)
    rice = await _place(town, platform)
    await until(lambda: _has_copies(lan, rice, 1))

    assert await town.started[-1].ends() == 0

    states = await town.world.database.pool.fetch(
        "SELECT state, leased_until FROM messages WHERE order_id = $1 AND channel = 'zalo'", rice.id
    )
    assert [(row["state"], row["leased_until"]) for row in states] == [("sent", None)]
    await town.works()
    await town.world.settles()
    assert _copies(lan, rice) == 1


async def test_a_web_process_that_is_told_to_end_answers_what_it_took(town: Town) -> None:
    """Whoever is in gets an answer after the commit; whoever comes later is not let in."""
    platform, _ = await _opens(town)
    placing = [asyncio.create_task(platform.place(town.world.body())) for _ in range(40)]
    await asyncio.sleep(0.05)

    assert await town.started[0].ends() == 0

    answers = await asyncio.gather(*placing, return_exceptions=True)
    placed = [answer for answer in answers if isinstance(answer, Answer) and answer.status == 201]
    others = [answer for answer in answers if answer not in placed]
    assert all(
        isinstance(o, aiohttp.ClientError) or (isinstance(o, Answer) and o.status == 503) for o in others
    ), others
    assert await town.world.database.pool.fetchval("SELECT count(*) FROM orders") == len(placed)


# --- time ------------------------------------------------------------------------------------------


async def test_moving_the_clock_moves_every_process_within_two_seconds(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The web process refuses a delivery that is past now, the worker tries what is due now."""
    async with open_town(database_url, redis_url, tmp_path, env="development") as town:
        await town.serves()
        await town.works(CHOTDON_ENV="production")
        platform, lan = await town.world.platform(), await town.world.kitchen()
        await town.world.zalo.refuse()
        rice = await _place(town, platform)
        await town.world.settles()
        await town.world.zalo.recover()
        body = town.world.body(deliver_in=timedelta(minutes=30))

        await town.types("clock", "advance", "PT1H")
        await asyncio.sleep(2)

        answer = await platform.place(body)
        assert answer.status == 422, answer
        assert answer.body["errors"][0]["loc"] == ["deliver_at"]
        await until(lambda: _has_copies(lan, rice, 1), within=5)


ZONES: Final = ("UTC", "America/New_York", "Asia/Tokyo")


async def test_the_hosts_time_zone_changes_nothing(town: Town) -> None:
    """The same order has the same timers on a machine in any zone."""
    platform, lan = await town.world.platform(), None
    plans = []
    for zone in ZONES:
        web = await town.serves(TZ=zone)
        lan = lan or await _kitchen_with_worker(town)
        plans.append(await _plan_of_an_order(town, platform, lan))
        await web.ends()

    assert plans[0] == plans[1] == plans[2]
    assert {kind for kind, _, _ in plans[0]} == {"day_before", "completion_ladder"}


async def _kitchen_with_worker(town: Town) -> Somebody:
    await town.works()
    return await town.world.kitchen()


async def _plan_of_an_order(
    town: Town, platform: FakePlatform, lan: Somebody
) -> list[tuple[str, str, datetime]]:
    """Return the timers of an order that was confirmed, for seven in the morning in ten days."""
    day = datetime.now(UTC).date() + timedelta(days=10)
    deliver_at = datetime.combine(day, time(0, 0), tzinfo=UTC)
    answer = await platform.place(town.world.body(deliver_at=deliver_at.isoformat()))
    assert answer.status == 201, answer
    await lan.phone.person.sees(answer.body["code"], within=10)
    assert (await lan.phone.person.say(f"XN {answer.body['code']}")).status == 200
    rows = await town.world.database.pool.fetch(
        "SELECT kind, step, due_at FROM timers WHERE order_id = $1 AND state = 'live' ORDER BY kind",
        answer.body["id"],
    )
    return [(row["kind"], row["step"], row["due_at"]) for row in rows]


# --- what the logs tell ----------------------------------------------------------------------------


async def test_logs_are_json_and_name_nobody(town: Town) -> None:
    """After a day full of people, refusals and nonsense: no phone, name, address, mail, dish or token."""
    platform, lan = await _opens(town)
    world = town.world
    minh = await world.hires("Minh Nguyễn", "manager", email="minh.nguyen@example.com")
    rice, soup = await _place(town, platform), await _place(town, platform)
    await world.settles()
    link = lan.mail.gets(rice.code).link("Xem chi tiết")
    world.mailbox.refuse("minh.nguyen@example.com", "550 5.1.1 <minh.nguyen@example.com> unknown", times=2)
    world.zalo.fail_next(-230, times=2)
    minh.phone.person.refusal = -213
    await lan.phone.person.tap(CONFIRM)
    await lan.phone.person.say("XN 00000")
    await lan.phone.person.say("gọi cho em 0912345678 nhé")
    await platform.cancel(soup.id, "Anh Tuấn 0987654321 đổi ý")
    await platform.place({**world.body(), "total": "Công ty ABC", "customer": {"phone": "0909123456"}})
    await platform.call("GET", "/orders?cursor=Công ty ABC")
    await world.zalo.postman.post_raw(b'{"text":"0909123456"}', {"X-ZEvent-Signature": "mac=0909123456"})
    await world.zalo.post({"event_name": "user_send_text", "sender": {"id": "0909123456"}, "message": 7})
    platform.status_next(500, times=2)
    await platform.review(rice.id, 5, "Cơm ngon lắm, chị Hạnh", "Chị Hạnh")
    await world.fires("Minh Nguyễn")
    await world.settles()
    for running in town.started:
        await running.ends()

    secrets = _everything_private(town, platform, link) | {lan.phone.person.user_id}
    for running, secret in itertools.product(town.started, secrets):
        assert running.lines, "it logged something, each line as JSON"
        assert secret not in running.log.read_text("utf-8"), secret


def _everything_private(town: Town, platform: FakePlatform, link: str) -> set[str]:
    settings = town.world.settings
    tokens = {
        settings.require(name)
        for name in (
            "secret_key",
            "zalo_app_secret",
            "zalo_oa_secret",
            "zalo_access_token",
            "zalo_refresh_token",
        )
    }
    people = {"0909123456", "909123456", "0912345678", "0987654321", "Công ty", "Nguyễn", "Hạnh", "Tuấn"}
    things = {"Lê Lợi", "Giao cổng", "Cơm gà", "Cơm ngon", "example.com", "an@"}
    return tokens | people | things | {platform._api_key, link.rpartition("/o/")[2].partition("#")[0]}
