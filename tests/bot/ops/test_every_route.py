"""What holds for every page of the console, whoever adds one."""

import re
from uuid import uuid4

import pytest

from tests.bot.ops.conftest import MINH, TRUC, record, signs_in
from tests.bot.web.conftest import Site
from tests.bot.web.test_every_route import everything

#: Open lines end when somebody goes away; what they tell is tested elsewhere.
ENDLESS = ("/ops/live", "/live")


async def paths(site: Site, method: str) -> list[str]:
    """Return where each page of the console is, for something that is there."""
    order = await site.places()
    known = {"order": str(order.id), "code": "com-nha-lan", "action": "confirm", "token": "x"}
    known |= {"staff": str(next(iter(site.staff.values()))), "platform": str(site.platform_id)}
    app = site.client.app
    assert app
    found = {
        re.sub(r"\{(\w+)(?::[^{}]*)?\}", lambda part: known.get(part[1], str(uuid4())), resource.canonical)
        for resource in app.router.resources()
        for route in resource
        if route.method == method and resource.canonical.startswith("/ops")
    }
    return sorted(path for path in found if not path.endswith(ENDLESS))


@pytest.mark.parametrize("who", [None, MINH], ids=["nobody", "operator"])
async def test_opening_a_page_changes_nothing(site: Site, who: str | None) -> None:
    """Neither for a mail app that looks at links nor for an operator who only looks."""
    opened = await paths(site, "GET")
    if who:
        await signs_in(site, who)
    before = await everything(site)
    statuses = {path: (await site.opens(path)).status for path in opened}
    assert await everything(site) == before
    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    assert sum(status == 200 for status in statuses.values()) >= 10


@pytest.mark.parametrize(
    "nonce", [None, "", "x" * 300, "another's"], ids=["none", "empty", "long", "another's"]
)
async def test_a_form_that_was_not_made_for_its_reader_does_nothing(site: Site, nonce: str | None) -> None:
    """Whichever page it is sent to, by an operator who is signed in."""
    sent_to = await paths(site, "POST")
    await signs_in(site, TRUC)
    foreign = re.search(r'name="nonce" value="([^"]+)"', (await site.opens("/ops/devices")).html)
    assert foreign
    await signs_in(site, MINH)
    fields = {"reason": "vì", "words": "rồi", "q": "0909123456", "email": MINH, "item": str(uuid4())}
    if nonce is not None:
        fields["nonce"] = foreign[1] if nonce == "another's" else nonce
    before = await everything(site)
    for path in sent_to:
        answered = await site.sends(path, fields)
        assert answered.status in {403, 410}, (path, answered.status)
    assert await everything(site) == before
    assert await record(site) == []


async def test_who_is_not_signed_in_changes_nothing(site: Site) -> None:
    """Each form leads to the sign-in, or is refused."""
    sent_to = await paths(site, "POST")
    before = await everything(site)
    for path in sent_to:
        answered = await site.sends(path, {"reason": "vì", "words": "rồi", "q": "0909123456"})
        assert answered.status in {403, 410} or "Email trực ca" in answered.text, (path, answered.status)
    assert await everything(site) == before


async def test_a_kitchens_member_has_no_business_here(site: Site) -> None:
    """A session of the partner's pages opens nothing of the console."""
    opened = [path for path in await paths(site, "GET") if not path.startswith("/ops/login")]
    await site.signs_in(next(iter(site.staff)))
    for path in opened:
        assert "Email trực ca" in (await site.opens(path)).text, path


HOSTILE = (
    "'",
    '"><script>alert(1)</script>',
    "\x00",
    "%00",
    "{{7*7}}",
    "\ud83d\ude00" * 50,
    "x" * 500,
    "-1",
    "NaN",
)


@pytest.mark.parametrize("text", HOSTILE, ids=[f"h{number}" for number in range(len(HOSTILE))])
async def test_strange_parameters_are_read_as_nothing(site: Site, text: str) -> None:
    """Never a fault of ours, never a piece of a page."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    await site.places()
    await signs_in(site)
    names = (
        "kitchen",
        "platform",
        "part",
        "after",
        "q",
        "who",
        "about",
        "day",
        "before",
        "answered",
        "done",
        "next",
    )
    for path in ("/ops", "/ops/items", "/ops/alarms", "/ops/search", "/ops/audit", "/ops/devices"):
        async with site.client.get(path, params=dict.fromkeys(names, text)) as response:
            page = await response.text()
            assert response.status == 200, path
            assert "<script>alert" not in page


@pytest.mark.parametrize(
    "after",
    [
        "0001-01-01T00:00:00+14:00_01a2085d-d0e9-7080-bfd8-50181cb4c17d",
        "9999-12-31T23:59:59-14:00_01a2085d-d0e9-7080-bfd8-50181cb4c17d",
        "2026-11-24T00:00:00_01a2085d-d0e9-7080-bfd8-50181cb4c17d",
        "2026-11-24T00:00:00+00:00_x",
    ],
    ids=["first day", "last day", "no zone", "no id"],
)
async def test_a_strange_place_is_the_beginning_or_the_end(site: Site, after: str) -> None:
    """The board is shown whatever stands in its address."""
    await site.places()
    await signs_in(site)
    async with site.client.get("/ops", params={"after": after}) as response:
        assert response.status == 200


async def test_a_page_that_is_not_there_leads_back_to_the_board(site: Site) -> None:
    """And not to a kitchen's pages, which are nothing to an operator."""
    await signs_in(site)
    page = await site.opens("/ops/orders/0199a000-0000-7000-8000-0000000000ff")
    assert page.status == 404
    assert 'href="/ops">Về bảng đơn</a>' in page.html
    assert 'href="/orders"' not in page.html
