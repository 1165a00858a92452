"""The board page by page, its numbers, and its open lines."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.ops.figures import SHOWN_FOR
from bot.ops.live import MOST_EACH
from core.operators import board, changes, deeds, items, stuck
from core.operators.board import Urgency, Wanted
from core.operators.links import ask
from core.orders.commands import ConfirmOrder
from tests.bot.ops.conftest import MINH, TRUC, fields_of, record, signs_in
from tests.bot.web.conftest import Site

HOURS = (0.5, 2, 6, 30, 50)


async def test_pages_follow_each_other_by_place(site: Site) -> None:
    """None twice and none left out, also where two are due at the same moment."""
    for hours in (1, 2, 2, 2, 3):
        await site.places(deliver_at=site.now + timedelta(hours=hours))
    policy, seen, after = site.settings.policy, [], None
    for _ in range(3):
        page = await board.page(
            site.database.pool, Wanted(), policy=policy, after=after, most=2, now=site.now
        )
        seen += [waiting.order for waiting in page.orders]
        after = page.next
    assert after is None
    assert len({order.id for order in seen}) == 5
    assert [order.deliver_at for order in seen] == sorted(order.deliver_at for order in seen)


async def test_every_order_is_counted_in_one_part(site: Site) -> None:
    """And each part shows as many as it counts."""
    for hours in HOURS:
        await site.places(deliver_at=site.now + timedelta(hours=hours))
    pool, policy = site.database.pool, site.settings.policy
    counted = await board.counts(pool, Wanted(), policy=policy, now=site.now)
    assert counted == {
        Urgency.SILENT: 0,
        Urgency.HOUR: 1,
        Urgency.FOUR: 1,
        Urgency.DAY: 1,
        Urgency.LATER: 2,
    }
    for urgency, count in counted.items():
        page = await board.page(
            pool, Wanted(urgency=urgency), policy=policy, after=None, most=50, now=site.now
        )
        assert len(page.orders) == count, urgency


async def test_who_has_settled_an_order_takes_it_off_the_board(site: Site) -> None:
    """From the list and from the numbers."""
    order = await site.places()
    await site.does(ConfirmOrder(order.id))
    await signs_in(site)
    assert "Không có đơn nào đang chờ xác nhận" in (await site.opens("/ops")).text


async def test_the_board_has_more_pages_where_more_wait(site: Site) -> None:
    """The way on keeps what is narrowed, and the way back is there."""
    for minutes in range(51):
        await site.places(deliver_at=site.now + timedelta(minutes=90 + minutes))
    await signs_in(site)
    first = await site.opens("/ops?part=four&kitchen=com-nha-lan")
    assert first.html.count('class="ladder"') == 50
    on = first.html.partition("Xem tiếp")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "part=four" in on
    assert "kitchen=com-nha-lan" in on
    second = await site.opens(on)
    assert second.html.count('class="ladder"') == 1
    assert "Về đầu danh sách" in second.text


async def test_the_number_of_the_board_grows_with_what_happens(site: Site) -> None:
    """An order placed, settled, a deed on record: whoever watches hears of each."""
    pool, seen = site.database.pool, []
    seen.append(await changes.version(pool))
    order = await site.places()
    seen.append(await changes.version(pool))
    await site.does(ConfirmOrder(order.id))
    seen.append(await changes.version(pool))
    assert seen == sorted(set(seen))


async def test_an_open_board_hears_of_an_order_and_ends_with_its_session(site: Site) -> None:
    """A number, nothing of the order; who is signed out hears no more."""
    await signs_in(site)
    async with site.client.get("/ops/live") as line:
        assert line.headers["Content-Type"].startswith("text/event-stream")
        await line.content.readuntil(b"data: ")
        first = int(await line.content.readline())
        await site.places()
        await line.content.readuntil(b"data: ")
        assert int(await line.content.readline()) > first
        await site.database.pool.execute("UPDATE operator_sessions SET ended_at = now()")
        async with asyncio.timeout(10):
            rest = await line.content.read()
    assert b"com-nha-lan" not in rest


async def test_strangers_hear_nothing_and_nobody_hears_it_too_often(site: Site) -> None:
    """Six boards of one session; the seventh is told to come later."""
    assert (await site.opens("/ops/live")).status == 404
    await signs_in(site)
    lines = [await site.client.get("/ops/live") for _ in range(MOST_EACH)]
    assert {line.status for line in lines} == {200}
    assert (await site.opens("/ops/live")).status == 503
    for line in lines:
        line.close()


async def test_what_stands_still_is_told_by_platform(site: Site) -> None:
    """What was tried in vain and what was given up; what is on its way is no trouble."""
    await site.places()
    pool = site.database.pool
    await pool.execute("UPDATE platforms SET webhook_url = 'http://127.0.0.1:9/'")
    for _ in range(3):
        await site.places()
    assert await stuck.webhooks(pool) == []
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM webhooks ORDER BY id")]
    await pool.execute("UPDATE webhooks SET tries = 2 WHERE id = $1", ids[0])
    await pool.execute("UPDATE webhooks SET tries = 9, state = 'dead' WHERE id = $1", ids[1])
    (one,) = await stuck.webhooks(pool)
    assert (one.platform_name, one.waiting, one.dead) == ("Đặt Cơm", 1, 1)
    await signs_in(site)
    await asyncio.sleep(SHOWN_FOR)
    assert "2 webhook kẹt của Đặt Cơm · 1 đã bỏ" in (await site.opens("/ops")).text


async def test_the_record_is_paged_and_narrowed(site: Site) -> None:
    """By who did it, by what it was about, by day; newest first."""
    for number in range(60):
        who = MINH if number % 2 else TRUC
        await site.database.pool.execute(
            "INSERT INTO audit (at, who, via, deed, about, about_id, reason)"
            " VALUES ($1, $2, 'cli', 'x.done', 'x', $3, $4)",
            site.now + timedelta(hours=number),
            who,
            site.partner_id if number == 7 else None,
            f"số {number:02}",
        )
    pool, zone = site.database.pool, site.settings.timezone
    await signs_in(site)
    first = await site.opens("/ops/audit")
    assert "số 59" in first.text
    assert "số 09" not in first.text
    on = first.html.partition("Xem tiếp")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "số 09" in (await site.opens(on)).text
    assert "số 58" not in (await site.opens(f"/ops/audit?who={MINH}")).text
    about = (await site.opens(f"/ops/audit?about={site.partner_id}")).text
    assert "số 07" in about
    assert "số 08" not in about
    day = (await site.opens("/ops/audit?day=2026-11-25")).text
    assert "số 16" in day
    assert "số 15" not in day
    found, following = await deeds.page(pool, deeds.Wanted(), zone=ZoneInfo(zone), before=None, most=100)
    assert (len(found), following) == (60, None)


async def test_an_item_is_handled_once_and_only_items_are(site: Site) -> None:
    """A notice to a kitchen is none, whatever a form says."""
    order = await site.places()
    pool = site.database.pool
    mine = await pool.fetchval("SELECT id FROM notices WHERE order_id = $1", order.id)
    risk = await pool.fetchval(
        "INSERT INTO notices (id, order_id, kind, occasion, revision, data, owed_at)"
        " VALUES (gen_random_uuid(), $1, 'order_at_risk', 'r1:x', 1, '{}', $2) RETURNING id",
        order.id,
        site.now,
    )
    await signs_in(site)
    fields = fields_of(await site.opens("/ops/items"), "/ops/items")
    for item in (str(mine), str(risk), str(risk), str(order.id)):
        await site.sends("/ops/items", {**fields, "item": item, "words": "đã gọi"})
    assert (await site.sends("/ops/items", {**fields, "item": "x", "words": "đã gọi"})).status == 400
    assert (await site.sends("/ops/items", {**fields, "words": " "})).status == 422
    assert [deed["deed"] for deed in await record(site)] == ["item.handled"]
    assert await pool.fetchval("SELECT handled_by FROM notices WHERE id = $1", risk) == MINH
    assert await pool.fetchval("SELECT handled_at FROM notices WHERE id = $1", mine) is None
    assert await items.open_items(pool, most=10, now=site.now) == []


async def test_an_item_of_a_month_ago_is_of_no_use_to_anybody(site: Site) -> None:
    """It is not shown any more, and not counted."""
    await site.database.pool.execute(
        "INSERT INTO notices (id, kind, occasion, data, owed_at)"
        " VALUES (gen_random_uuid(), 'codes_used_up', 'x', '{\"name\": \"com-nha-lan\"}', $1)",
        site.now,
    )
    await signs_in(site)
    assert "Quán hết mã đơn" in (await site.opens("/ops/items")).text
    await site.goes_to(site.now + items.KEPT_FOR)
    assert await items.counts(site.database.pool, now=site.now) == {}


async def test_mailboxes_are_counted_whoever_they_are_of(site: Site) -> None:
    """Many askings at once leave three links."""

    async def asks() -> None:
        async with site.database.pool.acquire() as connection, connection.transaction():
            await ask(connection, MINH, operators=(MINH,), client="a place", now=site.now)

    await asyncio.gather(*(asks() for _ in range(8)))
    assert await site.counted("operator_links") == 3
