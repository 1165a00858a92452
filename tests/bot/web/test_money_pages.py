"""Summary, settlement and reviews: right sums, the right people, and files that a spreadsheet may open."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from yarl import URL

from bot.texts.catalogue import texts_in
from bot.web import periods
from bot.web.chart import chart
from bot.web.settlement_page import as_csv
from core.actors import Role
from core.orders.commands import CompleteOrder, ReviewOrder
from core.orders.models import OrderRow
from core.orders.order import Order
from core.orders.summary import Step, steps
from core.partners.models import PartnerRow, StaffRow
from core.settlement import SettledOrder, Settlement, settle
from tests.bot.web.conftest import MORNING, NOON, Site

TODAY = date(2026, 11, 24)


async def three_completed(site: Site) -> list[Order]:
    """Have three completed orders of 24 November, the second with a review of one star, the third of five."""
    orders = [await site.confirmed(deliver_at=NOON + timedelta(minutes=n)) for n in range(3)]
    await site.goes_to(NOON)
    for order in orders:
        await site.does(CompleteOrder(order.id))
    await site.ledger.submit(ReviewOrder(orders[1].id, 1, "Nguội", "Chị An"), actor=site.platform)
    await site.ledger.submit(ReviewOrder(orders[2].id, 5, "Tuyệt", "Anh Bình"), actor=site.platform)
    return [await site.order(order.id) for order in orders]


async def a_neighbour(site: Site) -> None:
    """Sign the browser in as the owner of another kitchen."""
    partner_id, owner = uuid4(), uuid4()
    await PartnerRow.create(id=partner_id, code="hoa", name="Quán Hoa", created_at=MORNING)
    await StaffRow.create(id=owner, partner_id=partner_id, name="Bình", role="owner", added_at=MORNING)
    site.staff[Role.OWNER] = owner
    await site.signs_in(Role.OWNER)


# --- Summary ---------------------------------------------------------------------------------------


async def test_a_summary_adds_up(site: Site) -> None:
    """What was completed, what waits for its button, what was lost; dishes and stars."""
    await three_completed(site)
    await site.confirmed(deliver_at=site.now + timedelta(minutes=1))
    gone = await site.places(deliver_at=NOON + timedelta(hours=2))
    await site.cancelled_by_operator(gone)
    await site.goes_to(NOON + timedelta(hours=1))
    await site.signs_in(Role.OWNER)
    text = (await site.opens("/summary")).text
    assert "Hoàn thành 3 đơn · 7.350.000 đ" in text
    assert "Chờ bấm Hoàn thành 1 đơn · 2.450.000 đ" in text
    assert "Huỷ 1 đơn · 2.450.000 đ" in text
    assert "thứ Ba 24/11 3 1 0 7.350.000 đ" in text
    assert "Cơm gà 60 suất Cơm sườn 60 suất" in text
    assert "3,0 trên 5 sao · 2 đánh giá" in text


async def test_a_kitchen_sees_dishes_and_no_money(site: Site) -> None:
    """Counts and portions are enough to cook by."""
    await three_completed(site)
    await site.signs_in(Role.KITCHEN)
    page = await site.opens("/summary")
    assert "Hoàn thành 3 đơn" in page.text
    assert "60 suất" in page.text
    assert " đ " not in page.text
    assert "Tiền" not in page.text


async def test_a_day_ends_at_the_kitchens_midnight(site: Site) -> None:
    """The same order belongs to another day where the kitchen stands elsewhere."""
    order = (await three_completed(site))[0]
    late = datetime(2026, 11, 24, 16, 59, 59, tzinfo=UTC)
    await OrderRow.filter(id=order.id).update(status_changed_at=late, final_at=late)
    await site.signs_in(Role.OWNER)
    asked = "/summary?from=2026-11-24&to=2026-11-25"
    assert "thứ Ba 24/11 3 0 0" in (await site.opens(asked)).text
    await PartnerRow.filter(id=site.partner_id).update(timezone="Pacific/Kiritimati")
    text = (await site.opens(asked)).text
    assert "thứ Ba 24/11 2 0 0" in text
    assert "thứ Tư 25/11 1 0 0" in text


async def test_nothing_to_sum_up(site: Site) -> None:
    """The page says what counts, and shows no chart of nothing."""
    await site.signs_in(Role.OWNER)
    page = await site.opens("/summary?days=lastmonth")
    assert "Chưa có đơn nào hoàn thành" in page.text
    assert '<svg class="chart"' not in page.html


def test_pieces_begin_on_mondays_and_firsts() -> None:
    """The first and the last piece are as long as there are days."""
    first, last = date(2026, 11, 25), date(2026, 12, 9)
    assert steps(first, last, Step.WEEK) == [first, date(2026, 11, 30), date(2026, 12, 7)]
    assert steps(first, last, Step.MONTH) == [first, date(2026, 12, 1)]
    assert len(steps(first, last, Step.DAY)) == 15


def test_bars_are_as_high_as_their_numbers() -> None:
    """The highest fills the drawing; of nothing there is no drawing."""
    drawn = chart([("23/11", 2), ("24/11", 4), ("25/11", 0)])
    assert drawn
    assert [bar.height for bar in drawn.bars] == [80.0, 160.0, 0.0]
    assert [bar.number for bar in drawn.bars] == ["2", "4", ""]
    assert chart([("23/11", 0)]) is None


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("week", date(2026, 11, 23), date(2026, 11, 29)),
        ("month", date(2026, 11, 1), date(2026, 11, 30)),
        ("lastmonth", date(2026, 10, 1), date(2026, 10, 31)),
        ("next7", TODAY, date(2026, 11, 30)),
    ],
    ids=["week", "month", "lastmonth", "next7"],
)
def test_spans_have_names(key: str, first: date, last: date) -> None:
    """As a kitchen would say them."""
    period = periods.known(key, TODAY)
    assert period
    assert (period.first, period.last) == (first, last)


def test_a_span_that_is_chosen_is_at_most_a_year() -> None:
    """Turned round where it was given so, cut where it is too long; nothing of nonsense."""
    assert periods.chosen("2026-11-30", "2026-11-24") == periods.Period("", TODAY, date(2026, 11, 30))
    longest = periods.chosen("2020-01-01", "2026-01-01")
    assert longest
    assert longest.last - longest.first == periods.LONGEST
    assert periods.chosen("9999-12-31", "") is None
    assert periods.chosen("2026-1-1", "20260101") is None


# --- Settlement ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/settlement", "/settlement.csv"])
async def test_the_kitchen_role_has_no_settlement(site: Site, path: str) -> None:
    """Page and file are closed, and say whom to ask."""
    await three_completed(site)
    await site.signs_in(Role.KITCHEN)
    page = await site.opens(path)
    assert page.status == 403
    assert "Cần xem, hãy hỏi chủ quán." in page.text
    assert "2.450.000" not in page.text


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.CASHIER], ids=str)
async def test_a_settlement_lists_completed_orders_only(site: Site, role: Role) -> None:
    """And adds them up."""
    done = await three_completed(site)
    waiting = await site.confirmed(deliver_at=NOON + timedelta(hours=5))
    await site.signs_in(role)
    page = await site.opens("/settlement")
    assert "3 đơn hoàn thành · 7.350.000 đ" in page.text
    assert all(order.code in page.text for order in done)
    assert waiting.code not in page.text


async def test_the_file_says_what_the_api_says(site: Site) -> None:
    """The same orders, the same sums; accents survive in Excel."""
    await three_completed(site)
    await site.signs_in(Role.CASHIER)
    async with site.client.get("/settlement.csv?days=month") as response:
        raw = await response.read()
        assert (
            'filename="doi-soat-com-nha-lan-2026-11-01-2026-11-30.csv"'
            in response.headers["Content-Disposition"]
        )
    assert raw.startswith(b"\xef\xbb\xbf")
    head, *rows, sums = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    told = await settle(date(2026, 11, 1), date(2026, 11, 30), platform_id=site.platform_id)
    assert head == ["Mã đơn", "Mã của nền tảng", "Hoàn thành lúc", "Tổng tiền (đ)"]
    assert [(row[0], row[1], int(row[3])) for row in rows] == [
        (item.code, item.external_id, item.total) for item in told.items
    ]
    assert (int(sums[1]), int(sums[3])) == (told.count, told.total)


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t", "\r"], ids=["equals", "plus", "minus", "at", "tab", "return"]
)
def test_no_cell_is_a_formula(sign: str) -> None:
    """A platform's number cannot run in somebody's spreadsheet."""
    at = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    item = SettledOrder(uuid4(), f"{sign}HYPERLINK(1)", "48273", "lan", at, 100)
    written = as_csv(Settlement((item,)), texts_in("vi")).decode("utf-8-sig")
    assert [row[1] for row in csv.reader(io.StringIO(written, newline=""))][1] == f"'{sign}HYPERLINK(1)"


async def test_a_long_settlement_has_pages(site: Site) -> None:
    """All of it adds up on each page, and no order is on two."""
    order = (await three_completed(site))[0]
    await site.database.pool.execute(
        "INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(),"
        " 'external_id', 'copy ' || n))).* FROM orders o, generate_series(1, 120) n WHERE o.id = $1",
        order.id,
    )
    await site.signs_in(Role.OWNER)
    first = await site.opens("/settlement")
    more = re.search(r'href="([^"]+)">Xem tiếp', first.html)
    assert more
    second = await site.opens(unescape(more[1]))
    shown = [re.findall(r"\?order=([0-9a-f-]+)", page.html) for page in (first, second)]
    assert [len(ids) for ids in shown] == [100, 23]
    assert len({*shown[0], *shown[1]}) == 123
    assert "123 đơn hoàn thành" in first.text
    assert "123 đơn hoàn thành" in second.text


async def test_nothing_is_settled_yet(site: Site) -> None:
    """The page says what will be here and when."""
    await site.signs_in(Role.OWNER)
    assert "Giao xong, bấm Hoàn thành thì đơn vào bảng này ngay." in (await site.opens("/settlement")).text


# --- Reviews ---------------------------------------------------------------------------------------


async def test_reviews_come_newest_first_with_their_average(site: Site) -> None:
    """Each leads to its order."""
    _, cold, great = await three_completed(site)
    await site.signs_in(Role.KITCHEN)
    page = await site.opens("/reviews")
    assert "3,0 trên 5 sao · 2 đánh giá" in page.text
    assert page.text.index("Tuyệt") < page.text.index("Nguội")
    assert f"/orders/{cold.code}?order={cold.id}" in page.html
    assert "Anh Bình" in page.text
    assert great.code in page.text


async def test_who_wrote_is_masked_after_a_month(site: Site) -> None:
    """Thirty days after delivery a name is nobody's business any more."""
    await three_completed(site)
    await site.goes_to(NOON + timedelta(days=31))
    await site.signs_in(Role.OWNER)
    text = (await site.opens("/reviews")).text
    assert "Anh Bình" not in text
    assert "Tuyệt" in text


async def test_reviews_have_pages(site: Site) -> None:
    """Twenty at a time, none twice."""
    order = (await three_completed(site))[2]
    await site.database.pool.execute(
        "INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(),"
        " 'external_id', 'copy ' || n))).* FROM orders o, generate_series(1, 25) n WHERE o.id = $1",
        order.id,
    )
    await site.signs_in(Role.OWNER)
    first = await site.opens("/reviews")
    more = re.search(r'href="([^"]+)">Xem tiếp', first.html)
    assert more
    second = await site.opens(unescape(more[1]))
    shown = [re.findall(r"\?order=([0-9a-f-]+)", page.html) for page in (first, second)]
    assert [len(ids) for ids in shown] == [20, 7]
    assert len({*shown[0], *shown[1]}) == 27


# --- All of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/summary", "/settlement", "/settlement.csv", "/reviews"])
async def test_a_neighbour_sees_nothing_of_it(site: Site, path: str) -> None:
    """Every kitchen has its own money and its own stars."""
    done = await three_completed(site)
    await a_neighbour(site)
    text = (await site.opens(path)).text
    assert "2.450.000" not in text
    assert "7350000" not in text
    assert "Tuyệt" not in text
    assert not any(order.code in text for order in done)


@pytest.mark.parametrize("path", ["/summary", "/settlement", "/settlement.csv", "/reviews"])
async def test_who_is_not_signed_in_sees_nothing(site: Site, path: str) -> None:
    """The way leads to the sign-in."""
    await three_completed(site)
    assert "/login" in (await site.opens(path)).url


@pytest.mark.parametrize("path", ["/summary", "/settlement", "/settlement.csv", "/reviews"])
@pytest.mark.parametrize(
    "query",
    [
        "days=never&by=hour",
        "from=9999-12-31&to=0001-01-01",
        "from=x&to=%00",
        "after=%FF",
        "after=W10",
        "q=" + "a" * 3000,
    ],
    ids=["words", "years", "nonsense", "bytes", "list", "huge"],
)
async def test_nothing_in_an_address_breaks_a_page(site: Site, path: str, query: str) -> None:
    """Whatever cannot be is left out, and the page stands."""
    await site.signs_in(Role.OWNER)
    async with site.client.get(URL(f"{path}?{query}", encoded=True)) as response:
        assert response.status == 200
