"""What the kitchen is paid for: completed orders of some days, on a page and as a file for a spreadsheet."""

import csv
import io
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import DATABASE
from bot.texts.catalogue import Texts
from bot.web import periods, places
from bot.web.periods import Period
from bot.web.session import Seat, inside, seat_of
from bot.web.summary_page import Choice
from core.settlement import SettledOrder, Settlement, settle, settled_page

_DAYS: Final = ("week", "month", "lastmonth")
_USUAL: Final = "month"
_PAGE: Final = 100
#: What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


async def show(request: web.Request) -> web.Response:
    """Show a page of the settlement, with the sums of all of it."""
    seat = await seat_of(request)
    if not seat.staff.role.sees_money:
        return _closed(request, seat)
    period, texts = _period(request, seat), seat.texts
    page = await settled_page(
        request.config_dict[DATABASE].pool,
        seat.partner,
        (period.first, period.last),
        after=places.read_if_good(request.query.get("after", "")),
        most=_PAGE,
    )
    return inside(
        request,
        seat,
        "settlement.html",
        title=texts.t("Đối soát"),
        period=period,
        span=f"{texts.date(period.first)} – {texts.date(period.last)}",
        spans=[
            Choice(f"/settlement?days={key}", texts.t(periods.WORDS[key]), period.key == key) for key in _DAYS
        ],
        count=page.count,
        total=texts.money(page.total),
        rows=[_row(item, texts) for item in page.items],
        more=_address(period, after=places.written(page.next)) if page.next else "",
        begin=_address(period) if request.query.get("after") else "",
        download=_address(period, path="/settlement.csv"),
    )


async def download(request: web.Request) -> web.Response:
    """Answer with the whole settlement as a file: the numbers that the platforms' API tells."""
    seat = await seat_of(request)
    if not seat.staff.role.sees_money:
        return _closed(request, seat)
    period = _period(request, seat)
    settlement = await settle(period.first, period.last, partner_id=seat.partner.id)
    name = f"doi-soat-{seat.partner.code}-{period.first}-{period.last}.csv"
    return web.Response(
        body=as_csv(settlement, seat.texts),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _closed(request: web.Request, seat: Seat) -> web.Response:
    """Tell somebody whose role sees no money whom to ask."""
    title = seat.texts.t("Đối soát")
    return inside(request, seat, "closed.html", title=title, status=403)


def _period(request: web.Request, seat: Seat) -> Period:
    today = _today(request, seat.partner.zone)
    return periods.asked(request.query, today) or periods.known(_USUAL, today) or Period("", today, today)


def _today(request: web.Request, zone: ZoneInfo) -> date:
    now: datetime = request.config_dict[DATABASE].clock.now()
    return now.astimezone(zone).date()


def _address(period: Period, *, path: str = "/settlement", after: str = "") -> str:
    query = {**period.query, **({"after": after} if after else {})}
    return f"{path}?" + "&".join(f"{name}={value}" for name, value in query.items())


def _row(item: SettledOrder, texts: Texts) -> dict[str, str]:
    return {
        "href": f"/orders/{item.code}?order={item.order_id}",
        "code": item.code,
        "external_id": item.external_id,
        "at": f"{item.completed_at:%H:%M %d/%m/%Y}",
        "total": texts.money(item.total),
    }


# --- The file --------------------------------------------------------------------------------------


def as_csv(settlement: Settlement, texts: Texts) -> bytes:
    """Return a settlement for a spreadsheet: with a byte order mark, without which Excel garbles accents."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(
        [texts.t("Mã đơn"), texts.t("Mã của nền tảng"), texts.t("Hoàn thành lúc"), texts.t("Tổng tiền (đ)")]
    )
    for item in settlement.items:
        at = f"{item.completed_at:%Y-%m-%d %H:%M}"
        rows.writerow([item.code, _cell(item.external_id), at, item.total])
    rows.writerow([texts.t("Cộng"), settlement.count, "", settlement.total])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: str) -> str:
    """Return what a spreadsheet shows as it stands: a platform's id must not run as a formula."""
    return f"'{value}" if value.startswith(_STARTS_A_FORMULA) else value
