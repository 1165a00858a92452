"""Settlements by API: what was completed, as JSON or CSV."""

import csv
import io
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from bot.api.calls import Call
from bot.api.listing import settlement_query
from bot.api.orders import partner_of
from bot.api.shapes import settled_row, settlement_document
from core.settlement import Settlement, settle

COLUMNS: Final = ("order_id", "external_id", "code", "partner", "completed_at", "total")
#: What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


async def show(call: Call) -> web.Response:
    """Return the platform's completed orders of some days: CSV where `Accept` prefers it, else JSON."""
    query = settlement_query(call.request.query)
    partner = await partner_of(query.partner)
    zone = ZoneInfo(partner.timezone) if partner else call.zone
    first, last = query.days(call.now.astimezone(zone).date())
    settlement = await settle(
        first, last, platform_id=call.platform.id, partner_id=partner.id if partner else None
    )
    if not prefers_csv(", ".join(call.request.headers.getall("Accept", []))):
        return _answer(msgspec.json.encode(settlement_document(settlement)), "application/json")
    answer = _answer(as_csv(settlement), "text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="settlement-{first}-{last}.csv"'
    return answer


def _answer(body: bytes, kind: str) -> web.Response:
    charset = "utf-8" if kind == "text/csv" else None
    return web.Response(body=body, content_type=kind, charset=charset, headers={"Vary": "Accept"})


def prefers_csv(accept: str) -> bool:
    """Tell whether an `Accept` header wants CSV rather than JSON."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    return weights.get("text/csv", 0.0) > weights.get("application/json", 0.0)


def _weight(parameters: list[str]) -> float:
    given = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 0.0


def as_csv(settlement: Settlement) -> bytes:
    """Return a settlement as CSV (RFC 4180), the same columns as in JSON.

    Without a byte order mark, which programs would read as part of the first column's name.
    """
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    rows.writeheader()
    for item in settlement.items:
        rows.writerow({name: _cell(value) for name, value in settled_row(item).items()})
    return text.getvalue().encode()


def _cell(value: str | int) -> str | int:
    """Return what a spreadsheet shows as it stands: a platform's id must not run as a formula."""
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return value
