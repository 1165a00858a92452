"""The list of orders: what is wanted first, by status, by day, by words; and only one's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest
from yarl import URL

from bot.web import places
from core.actors import Role
from core.orders.commands import ConfirmOrder
from core.orders.listing import Place
from core.orders.order import Customer, Item, Order
from core.partners.models import PartnerRow, StaffRow
from tests.bot.web.conftest import MORNING, NOON, Answered, Site

MASKED = "N••• V•• A• Chờ xác nhận"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a page of the list shows."""

    page: Answered

    @property
    def codes(self) -> list[str]:
        """The codes, from top to bottom."""
        return re.findall(r'class="line" href="/orders/(\d{5})', self.page.html)

    @property
    def more(self) -> str:
        """Where the next page is; empty on the last one."""
        found = re.search(r'href="([^"]+)">(?:Xem tiếp|Tìm tiếp)', self.page.html)
        return unescape(found[1]) if found else ""


async def opens(site: Site, path: str = "/orders") -> Listed:
    """Open the list, which must be a page."""
    page = await site.opens(path)
    assert page.status == 200
    return Listed(page)


def codes(orders: Sequence[Order]) -> list[str]:
    """Return the codes of these orders."""
    return [order.code for order in orders]


def dish(name: str) -> dict[str, object]:
    """Return what an order of one dish differs in."""
    return {"items": (Item(name, 2, 50_000),), "fees": 0, "total": 100_000}


async def test_who_is_not_signed_in_is_led_to_the_sign_in(site: Site) -> None:
    """And nothing of any order is shown."""
    order = await site.places()
    page = await site.opens("/orders?status=pending")
    assert "/login?next=" in page.url
    assert order.code not in page.text


async def test_what_is_wanted_comes_first(site: Site) -> None:
    """Orders to confirm, the soonest first, then those to deliver, the soonest first."""
    late = await site.places(deliver_at=NOON + timedelta(days=1))
    soon = await site.places()
    after, before = [await site.confirmed(deliver_at=NOON + timedelta(hours=hour)) for hour in (5, 2)]
    await site.signs_in(Role.OWNER)
    listed = await opens(site)
    assert listed.codes == codes([soon, late, before, after])
    assert "Chờ bạn xác nhận Hôm nay · thứ Ba 24/11/2026" in listed.page.text
    assert "Phải giao Hôm nay" in listed.page.text
    assert "Ngày mai · thứ Tư 25/11/2026" in listed.page.text


async def test_a_line_tells_what_a_cook_needs(site: Site) -> None:
    """When, how much, what, which; the customer masked until the order is taken on."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    text = (await opens(site)).page.text
    assert re.search(r"11:30 40 suất · 2\.450\.000 đ còn 3 giờ \d+ phút 20 × Cơm gà, 20 × Cơm sườn", text)
    assert f"Đơn {order.code} · {MASKED}" in text
    await site.does(ConfirmOrder(order.id))
    assert f"Đơn {order.code} · Nguyễn Văn An" in (await opens(site)).page.text


@pytest.mark.parametrize(
    ("role", "sees"), [(Role.KITCHEN, False), (Role.CASHIER, True), (Role.MANAGER, True)], ids=str
)
async def test_money_is_for_some(site: Site, role: Role, sees: bool) -> None:
    """The kitchen sees none in the list."""
    await site.places()
    await site.signs_in(role)
    assert ("2.450.000" in (await opens(site)).page.text) is sees


@pytest.mark.parametrize("status", ["", "all", "pending", "confirmed", "completed", "cancelled", "expired"])
async def test_an_empty_list_says_what_will_be_here(site: Site, status: str) -> None:
    """And nobody is left with a blank page."""
    await site.signs_in(Role.OWNER)
    page = (await opens(site, f"/orders?status={status}" if status else "/orders")).page
    assert re.search(
        r'class="sheet empty">\s*<p><strong>[^<]{10,}</strong></p>\s*<p>[^<]{20,}</p>', page.html
    )


async def test_every_status_has_its_list(site: Site) -> None:
    """An order stands in the list of its status and in that of all."""
    done, waiting = await site.completed(), await site.places(deliver_at=NOON + timedelta(days=1))
    gone = await site.cancelled_by_operator(await site.places(deliver_at=NOON + timedelta(days=2)))
    await site.signs_in(Role.OWNER)
    assert (await opens(site, "/orders?status=completed")).codes == [done.code]
    assert (await opens(site, "/orders?status=cancelled")).codes == [gone.code]
    assert (await opens(site, "/orders?status=pending")).codes == [waiting.code]
    assert (await opens(site, "/orders?status=all")).codes == codes([gone, waiting, done])


async def test_days_are_the_kitchens(site: Site) -> None:
    """Today, tomorrow and chosen days begin at the kitchen's midnight."""
    midnight = datetime(2026, 11, 24, 17, tzinfo=UTC)  # of the 25th in Vietnam
    today = await site.places(deliver_at=midnight - timedelta(microseconds=1))
    tomorrow = await site.places(deliver_at=midnight)
    await site.signs_in(Role.OWNER)
    assert (await opens(site, "/orders?days=today")).codes == [today.code]
    assert (await opens(site, "/orders?days=tomorrow")).codes == [tomorrow.code]
    assert (await opens(site, "/orders?from=2026-11-25&to=2026-11-25")).codes == [tomorrow.code]
    assert (await opens(site, "/orders?from=2026-11-26&to=2026-11-24")).codes == codes([today, tomorrow])
    await PartnerRow.filter(id=site.partner_id).update(timezone="Pacific/Kiritimati")
    assert (await opens(site, "/orders?days=tomorrow")).codes == codes([today, tomorrow])


async def test_pages_follow_each_other_while_orders_arrive(site: Site) -> None:
    """Nobody is shown twice or left out because of what comes in between."""
    orders = [await site.places(deliver_at=NOON + timedelta(minutes=n)) for n in range(30)]
    await site.signs_in(Role.OWNER)
    first = await opens(site)
    await site.places(deliver_at=NOON - timedelta(minutes=5))
    await site.does(ConfirmOrder(orders[3].id))
    second = await opens(site, first.more)
    assert first.codes == codes(orders[:25])
    assert second.codes == codes([*orders[25:], orders[3]])
    assert second.more == ""


async def test_a_page_goes_from_one_heap_to_the_next(site: Site) -> None:
    """What waits fills the first page, what is to be delivered the second, in their order."""
    waiting = [await site.places(deliver_at=NOON + timedelta(minutes=n)) for n in range(24)]
    taken = [await site.confirmed(deliver_at=NOON + timedelta(minutes=n)) for n in range(4)]
    await site.signs_in(Role.OWNER)
    first = await opens(site)
    second = await opens(site, first.more)
    assert first.codes + second.codes == codes([*waiting, *taken])


@pytest.mark.parametrize(
    "typed",
    ["cơm tấm", "com tam", "COM TAM", "Cơm Tấm", "tấm cơm", "tam", "co\u031bm ta\u0302\u0301m"],
    ids=["accents", "plain", "capitals", "title", "turned-round", "part", "decomposed"],
)
async def test_a_dish_is_found_however_it_is_typed(site: Site, typed: str) -> None:
    """Accents, case, order and completeness of words do not matter."""
    found = await site.places(**dish("Cơm tấm Đà Lạt"))
    await site.places(**dish("Bún bò"))
    await site.signs_in(Role.OWNER)
    async with site.client.get("/orders", params={"q": typed}) as response:
        assert re.findall(r'class="line" href="/orders/(\d{5})', await response.text()) == [found.code]


@pytest.mark.parametrize("typed", ["đà lạt", "da lat", "Đa Lat"], ids=["accents", "plain", "mixed"])
async def test_d_and_d_with_a_stroke_are_one(site: Site, typed: str) -> None:
    """Nobody types a "đ" on a foreign keyboard."""
    found = await site.places(**dish("Cơm tấm Đà Lạt"))
    await site.signs_in(Role.OWNER)
    assert (await opens(site, f"/orders?q={typed}")).codes == [found.code]


async def test_a_customer_and_a_code_are_found(site: Site) -> None:
    """A code by itself is that order, a name is whoever has it."""
    mine = await site.places(customer=Customer("Công ty Mười Hai", "+84909123456", None, "vi"))
    await site.places()
    await site.signs_in(Role.OWNER)
    assert (await opens(site, "/orders?q=muoi hai")).codes == [mine.code]
    assert (await opens(site, f"/orders?q={mine.code}")).codes == [mine.code]
    assert (await opens(site, "/orders?q=muoi chin")).codes == []


@pytest.mark.parametrize("sign", ["100%", "_", "\\", "'", "%%", "\\%"])
async def test_signs_mean_themselves(site: Site, sign: str) -> None:
    """What a database takes for a pattern is looked for as it stands."""
    found = await site.places(**dish(f"Nước ép {sign} tươi"))
    await site.places(**dish("Trà đá"))
    await site.signs_in(Role.OWNER)
    async with site.client.get("/orders", params={"q": sign}) as response:
        assert re.findall(r'class="line" href="/orders/(\d{5})', await response.text()) == [found.code]


async def test_a_search_keeps_to_its_days_and_status(site: Site) -> None:
    """They narrow it down."""
    today, tomorrow = await site.places(), await site.confirmed(deliver_at=NOON + timedelta(days=1))
    await site.signs_in(Role.OWNER)
    assert (await opens(site, "/orders?q=com")).codes == codes([tomorrow, today])
    assert (await opens(site, "/orders?q=com&days=today")).codes == [today.code]
    assert (await opens(site, "/orders?q=com&status=confirmed")).codes == [tomorrow.code]
    assert (await opens(site, f"/orders?q={today.code}&status=confirmed")).codes == []


HOSTILE = {
    "huge": "q=" + "a" * 3000,
    "nul": "q=a%00b",
    "surrogate": "q=%ED%A0%80",
    "not-utf8": "q=%FF%FE",
    "status": "status=eaten",
    "negative": "from=-001-01-01&to=2026-13-45",
    "last-year": "from=9999-12-31&to=9999-12-31",
    "first-year": "from=0001-01-01&to=0001-01-01",
    "span": "from=2000-01-01&to=2100-12-31",
    "days": "days=yesterday",
    "place": "after=x",
    "place-of-other-signs": "after=%00%FF",
    "twice": "status=all&status=pending&q=a&q=b",
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE.keys())
async def test_nothing_in_an_address_breaks_the_list(site: Site, query: str) -> None:
    """Whatever cannot be is left out, and the page stands."""
    await site.places()
    await site.signs_in(Role.OWNER)
    async with site.client.get(URL(f"/orders?{query}", encoded=True)) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "W10",
        "A" * 5000,
        places.written(Place(MORNING, uuid4(), 7)),
        places.written(Place(MORNING.replace(year=9999), uuid4())),
        places.written(Place(MORNING.replace(tzinfo=None), uuid4())),
    ],
    ids=["letter", "list", "long", "heap", "year", "naive"],
)
async def test_a_place_that_is_none_begins_anew(site: Site, place: str) -> None:
    """The list starts over, and says so."""
    order = await site.places()
    await site.signs_in(Role.OWNER)
    listed = await opens(site, f"/orders?after={place}")
    assert listed.codes == [order.code]
    assert "bắt đầu lại từ đầu" in listed.page.text


@pytest.fixture
async def neighbour(site: Site) -> UUID:
    """Return the owner of another kitchen."""
    partner_id, owner = uuid4(), uuid4()
    await PartnerRow.create(id=partner_id, code="hoa", name="Quán Hoa", created_at=MORNING)
    await StaffRow.create(id=owner, partner_id=partner_id, name="Bình", role="owner", added_at=MORNING)
    return owner


async def test_a_neighbours_orders_stay_theirs(site: Site, neighbour: UUID) -> None:
    """Neither list nor search nor another's place shows them."""
    order = await site.places()
    site.staff[Role.OWNER] = neighbour
    await site.signs_in(Role.OWNER)
    place = places.written(Place(NOON - timedelta(days=1), order.id))
    for query in ("", "?status=all", "?q=com", f"?q={order.code}", f"?after={place}", "?q=an"):
        assert (await opens(site, f"/orders{query}")).codes == []


async def test_a_list_is_small(site: Site) -> None:
    """A full page with all that it loads is less than 100 kB."""
    for n in range(26):
        await site.places(deliver_at=NOON + timedelta(minutes=n))
    await site.signs_in(Role.OWNER)
    page = (await opens(site)).page
    loads = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.html)
    sizes = [len((await site.opens(unescape(address))).html.encode()) for address in loads]
    assert loads
    assert len(page.html.encode()) + sum(sizes) < 100_000
