"""Open pages hear that their order has changed; nobody hears of an order that they may not see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest

from bot.tokens import Bearer
from bot.web import live
from bot.web.live import Full, Live, Watcher
from core.actors import Role
from core.channels import Address, AddressKind
from core.orders.commands import ConfirmOrder
from core.partners import addresses, sessions
from core.partners.models import PartnerRow, StaffRow
from tests.bot.web.conftest import MORNING, NOON, Site


@dataclass(frozen=True, slots=True)
class Line:
    """An open line of a page."""

    response: aiohttp.ClientResponse

    async def hears(self) -> str:
        """Return the next version that is told; empty when the line has ended."""
        async with asyncio.timeout(10):
            async for raw in self.response.content:
                if raw.startswith(b"data: "):
                    return raw.removeprefix(b"data: ").decode().strip()
        return ""


@asynccontextmanager
async def calls(site: Site, path: str) -> AsyncIterator[Line]:
    """Yield the line that a page opens."""
    async with site.client.get(path) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield Line(response)


async def test_a_change_is_heard(site: Site) -> None:
    """First the version there is, then the one there will be."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    async with (
        calls(site, f"/orders/{order.code}/live") as line,
        calls(site, site.path(order) + "/live") as link,
    ):
        assert await line.hears() == await link.hears() == "1"
        await site.does(ConfirmOrder(order.id))
        assert await line.hears() == await link.hears() == "2"


async def test_a_customers_page_hears_too(site: Site) -> None:
    """It has no person to it."""
    order = await site.places()
    path = site.path(order, role=None, bearer=Bearer.CUSTOMER)
    async with calls(site, f"{path}/live") as line:
        assert await line.hears() == "1"


async def test_who_leaves_hears_no_more(site: Site) -> None:
    """The line ends when its person is removed, and cannot be opened again."""
    order = await site.places()
    async with calls(site, site.path(order, role=Role.KITCHEN) + "/live") as line:
        assert await line.hears() == "1"
        await site.leaves(Role.KITCHEN)
        assert await line.hears() == ""
    async with site.client.get(site.path(order, role=Role.KITCHEN) + "/live") as again:
        assert again.status == 404


async def test_who_signs_out_hears_no_more(site: Site) -> None:
    """The line ends with its session."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    async with calls(site, f"/orders/{order.code}/live") as line:
        assert await line.hears() == "1"
        (session,) = await sessions.of_staff(site.database.pool, [site.staff[Role.OWNER]], now=site.now)
        await sessions.end(site.database.pool, session.id, session.staff_id, now=site.now)
        assert await line.hears() == ""


async def test_whose_session_has_run_out_hears_no_more(site: Site) -> None:
    """An open line does not keep it alive."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    async with calls(site, f"/orders/{order.code}/live") as line:
        assert await line.hears() == "1"
        await site.goes_to(site.now + sessions.LIFE + timedelta(minutes=1))
        assert await line.hears() == ""


async def test_who_loses_the_proven_address_hears_no_more(site: Site) -> None:
    """As every page is closed to that session from then on."""
    order = await site.places()
    mailbox = Address(AddressKind.EMAIL, "lan@example.com")
    phone = Address(AddressKind.PHONE, "+84901234567")
    for known in (mailbox, phone):
        await addresses.add(site.database.pool, site.staff[Role.OWNER], known, now=site.now)
    await site.signs_in(Role.OWNER)
    await site.database.pool.execute(
        "UPDATE sessions SET address_kind = 'email', address = $1", mailbox.value
    )
    async with calls(site, f"/orders/{order.code}/live") as line:
        assert await line.hears() == "1"
        await addresses.take_away(site.database.pool, site.staff[Role.OWNER], mailbox.kind, mailbox.value)
        assert await line.hears() == ""


async def test_a_stranger_hears_nothing(site: Site) -> None:
    """Neither without a session, nor from the kitchen next door, nor by a link that is none."""
    order = await site.places()
    partner_id, owner = uuid4(), uuid4()
    await PartnerRow.create(id=partner_id, code="hoa", name="Quán Hoa", created_at=MORNING)
    await StaffRow.create(id=owner, partner_id=partner_id, name="Bình", role="owner", added_at=MORNING)
    inside = f"/orders/{order.code}/live"
    assert (await site.opens(inside)).status == 404
    assert (await site.opens("/o/x/live")).status == 404
    site.staff[Role.OWNER] = owner
    await site.signs_in(Role.OWNER)
    for path in (inside, f"{inside}?order={order.id}"):
        assert (await site.opens(path)).status == 404


async def test_a_link_that_is_over_opens_no_line(site: Site) -> None:
    """Thirty days after the end its page is closed."""
    order = await site.completed()
    await site.goes_to(NOON + timedelta(days=31))
    assert (await site.opens(site.path(order) + "/live")).status == 410


async def test_one_session_has_only_so_many_lines(site: Site) -> None:
    """One more is refused; when one is shut, there is room again."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    path = f"/orders/{order.code}/live"
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(calls(site, path)) for _ in range(live.MOST_EACH)]
        assert [await line.hears() for line in lines] == ["1"] * live.MOST_EACH
        assert (await site.opens(path)).status == 503
        await site.signs_in(Role.MANAGER)
        async with calls(site, path) as another:
            assert await another.hears() == "1"


async def test_a_process_has_only_so_many_lines(site: Site) -> None:
    """Whoever comes then has a page that does not follow; the others go on."""
    watching = Live(site.database)
    with ExitStack() as stack:
        for _ in range(live.MOST):
            stack.enter_context(watching.watching(Watcher(uuid4(), None, None)))
        with pytest.raises(Full), watching.watching(Watcher(uuid4(), None, None)):
            pass
    with watching.watching(Watcher(uuid4(), None, None)) as watcher:
        assert not watcher.is_over


async def test_one_look_is_enough_for_all_pages(site: Site) -> None:
    """Each page hears of its own order; one of nobody's order ends."""
    orders = [await site.places() for _ in range(3)]
    watching = Live(site.database, look_every=60)
    watchers = [Watcher(order.id, None, None) for order in orders] + [Watcher(uuid4(), None, None)]
    with ExitStack() as stack:
        for watcher in watchers:
            stack.enter_context(watching.watching(watcher))
        looking = asyncio.create_task(watching.run())
        async with asyncio.timeout(5):
            await asyncio.gather(*(watcher.woken.wait() for watcher in watchers))
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert [(watcher.version, watcher.is_over) for watcher in watchers] == [(1, False)] * 3 + [(0, True)]


async def test_lines_end_when_the_process_does(site: Site) -> None:
    """Nobody waits for a page that may stay open for minutes."""
    order = await site.places()
    async with calls(site, site.path(order) + "/live") as line:
        assert await line.hears() == "1"
        site.client.app[live.LIVE].close()
        assert await line.hears() == ""
