"""The board: every order that still waits for its kitchen, the most urgent first."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from bot.keys import DATABASE, SETTINGS
from bot.ops.board_view import PARTS, lines_of
from bot.ops.figures import COUNTING, Figures
from bot.ops.session import Operator, inside, operator_of
from bot.texts.catalogue import Texts
from core.database import Pool
from core.errors import NotFound, RuleError
from core.operators import board
from core.operators.board import Place, Urgency, Wanted
from core.partners import partners

MOST: Final = 50
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Chip:
    """A way to another part of the board."""

    href: str
    name: str
    count: int
    is_on: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: as typed, and as it was understood; `is_unknown` is a kitchen nobody has."""

    kitchen: str
    platform: str
    urgency: Urgency | None
    after: Place | None
    wanted: Wanted
    is_unknown: bool

    def href(self, urgency: Urgency | None, after: Place | None = None) -> str:
        """Return where the same is shown for another part, or from another place on."""
        query = {
            "kitchen": self.kitchen,
            "platform": self.platform,
            "part": urgency.value if urgency else "",
            "after": f"{after.deliver_at.isoformat()}_{after.id}" if after else "",
        }
        told = urlencode({name: value for name, value in query.items() if value})
        return f"/ops?{told}" if told else "/ops"


async def show(request: web.Request) -> web.StreamResponse:
    """Show the board; changes nothing."""
    operator = await operator_of(request)
    database, settings = request.config_dict[DATABASE], request.config_dict[SETTINGS]
    platforms = await _platforms(database.pool)
    asked = await _asked(request, platforms)
    figures = await request.config_dict[COUNTING].figures(replace(asked.wanted, urgency=None))
    now = database.clock.now()
    page = await board.page(
        database.pool, asked.wanted, policy=settings.policy, after=asked.after, most=MOST, now=now
    )
    return inside(
        request,
        operator,
        "ops/board.html",
        title=operator.texts.t("Bảng đơn"),
        live="/ops/live",
        here_again=str(request.rel_url),
        asked=asked,
        longest=_LONGEST,
        platforms=platforms,
        chips=_chips(asked, figures, operator.texts),
        figures=figures,
        said=_said(operator, figures),
        lines=lines_of(page.orders, operator.texts, now),
        more=asked.href(asked.urgency, page.next) if page.next else "",
        begin=asked.href(asked.urgency) if asked.after else "",
    )


def _said(operator: Operator, figures: Figures) -> str:
    return operator.texts.n("{count} đơn chờ xác nhận", figures.all_waiting)


def _chips(asked: Asked, figures: Figures, texts: Texts) -> tuple[Chip, ...]:
    parts = [
        Chip(asked.href(part), texts.t(PARTS[part]), figures.waiting[part], asked.urgency is part)
        for part in Urgency
    ]
    return (Chip(asked.href(None), texts.t("Tất cả"), figures.all_waiting, asked.urgency is None), *parts)


# --- What the address asks for ----------------------------------------------------------------------


async def _asked(request: web.Request, platforms: dict[UUID, str]) -> Asked:
    kitchen = request.query.get("kitchen", "").strip()[:_LONGEST]
    platform = _id(request.query.get("platform", ""))
    urgency = _urgency(request.query.get("part", ""))
    partner_id = await _partner(request, kitchen)
    wanted = Wanted(partner_id, platform if platform in platforms else None, urgency)
    return Asked(
        kitchen,
        str(wanted.platform_id) if wanted.platform_id else "",
        urgency,
        _place(request.query.get("after", "")),
        wanted,
        is_unknown=bool(kitchen) and partner_id is None,
    )


async def _partner(request: web.Request, code: str) -> UUID | None:
    if not code:
        return None
    try:
        return (await partners.by_code(request.config_dict[DATABASE].pool, code)).id
    except (NotFound, RuleError):
        return None


async def _platforms(pool: Pool) -> dict[UUID, str]:
    rows = await pool.fetch("SELECT id, name FROM platforms ORDER BY name")
    return {row["id"]: row["name"] for row in rows}


def _urgency(text: str) -> Urgency | None:
    return Urgency(text) if text in set(Urgency) else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _place(text: str) -> Place | None:
    """Return where the page begins, None for what is no place of ours."""
    moment, _, order = text.partition("_")
    order_id = _id(order)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if order_id is None or at.tzinfo is None:
        return None
    try:
        return Place(at.astimezone(UTC), order_id)
    except OverflowError:  # the first or the last day there is
        return None
