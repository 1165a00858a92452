"""What holds for every page there is, also for those that somebody adds later."""

import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from core.actors import Role
from core.orders.commands import CompleteOrder
from core.orders.order import Order
from core.partners import one_time_links
from core.partners.one_time_links import LinkPurpose
from tests.bot.web.conftest import Site
from tests.bot.web.signing import login_link

#: Lines that stay open, of which others tell.
_STREAMS = re.compile(r"/live$")


async def paths(site: Site, method: str) -> list[str]:
    """Return an address of every route of this method, with names that are somebody's."""
    order = await site.places()
    member = site.staff[Role.KITCHEN]
    link = await one_time_links.issue(
        site.database.pool, member, LinkPurpose.INVITE, via="invite", now=site.now
    )
    known = await _known(site, order, member, link)
    assert site.client.app
    canonical = {
        route.resource.canonical
        for route in site.client.app.router.routes()
        if route.resource and route.method == method and not _STREAMS.search(route.resource.canonical)
    }
    return sorted(_filled(path, known) for path in canonical)


async def _known(site: Site, order: Order, member: UUID, link: UUID) -> Mapping[str, str]:
    login = await login_link(site, Role.OWNER)
    return {
        "/login/{token}": login,
        "/invite/{token}": f"/invite/{site.signer.one_time(link)}",
        "/o/{token}": site.path(order),
        "/r/{token}": await _review_link(site),
        "/static/{name}": "/static/style.css",
        "/zalo_verifier{code}": "/zalo_verifierx",
        "{staff}": str(member),
        "{link}": str(link),
        "{code}": order.code,
        "{action}": "confirm",
    }


async def _review_link(site: Site) -> str:
    """Return the address where a customer can say how it was."""
    await site.database.pool.execute("UPDATE platforms SET ask_review = true")
    order = await site.confirmed(deliver_at=site.now + timedelta(minutes=30))
    await site.does(CompleteOrder(order.id))
    return f"/r/{site.signer.review(order.id)}"


def _filled(path: str, known: Mapping[str, str]) -> str:
    for part, value in known.items():
        path = path.replace(part, value)
    assert "{" not in path, f"{path}: say in _known what stands there"
    return path


async def everything(site: Site) -> Mapping[str, str]:
    """Return what each table holds, as one number."""
    tables = await site.database.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return {
        table: await site.database.pool.fetchval(
            f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"  # noqa: S608
        )
        for (table,) in tables
    }


@pytest.mark.parametrize("role", [None, Role.OWNER, Role.CASHIER], ids=["nobody", "owner", "cashier"])
async def test_opening_a_page_changes_nothing(site: Site, role: Role | None) -> None:
    """Mail apps and chats open links by themselves, to look what is behind them."""
    opened = await paths(site, "GET")
    if role:
        await site.signs_in(role)
    before = await everything(site)
    statuses = {path: (await site.opens(path)).status for path in opened}
    assert await everything(site) == before
    assert {status for status in statuses.values() if status >= 500} == set()
    assert sum(status == 200 for status in statuses.values()) >= 10


@pytest.mark.parametrize("nonce", [None, "", "of another session"], ids=["none", "empty", "another's"])
async def test_a_form_that_was_not_made_for_its_reader_does_nothing(site: Site, nonce: str | None) -> None:
    """Whichever page it is sent to, by an owner who is signed in."""
    sent_to = await paths(site, "POST")
    await site.signs_in(Role.MANAGER)
    page = await site.opens("/settings")
    foreign = re.search(r'name="nonce" value="([^"]+)"', page.html)
    assert foreign
    await site.signs_in(Role.OWNER)
    fields = {"role": "owner", "locale": "en", "address": "x@y.vn", "ticket": site.signer.one_time(uuid4())}
    if nonce is not None:
        fields["nonce"] = foreign[1] if nonce else ""
    before = await everything(site)
    for path in sent_to:
        answered = await site.sends(path, fields)
        assert answered.status == 403, (path, answered.status)
    assert await everything(site) == before


async def test_who_is_not_signed_in_changes_nothing(site: Site) -> None:
    """Each form leads to the sign-in, or is refused."""
    sent_to = await paths(site, "POST")
    before = await everything(site)
    for path in sent_to:
        answered = await site.sends(path, {"role": "owner", "locale": "en", "reason": "1"})
        assert answered.status in {403, 410} or "/login" in answered.url, (path, answered.status)
    assert await everything(site) == before
