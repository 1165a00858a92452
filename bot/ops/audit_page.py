"""What operators did, newest first."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from bot.keys import DATABASE
from bot.ops.deed_words import deed_words, way_words
from bot.ops.session import inside, operator_of
from core.operators import deeds
from core.operators.deeds import Wanted

MOST: Final = 50
_LONGEST: Final = 254
_FAR: Final = 10**18


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as it was understood."""

    who: str
    about: UUID | None
    day: date | None
    before: int | None

    @property
    def wanted(self) -> Wanted:
        """Which deeds these are."""
        return Wanted(self.who or None, self.about, self.day)

    def href(self, before: int | None = None) -> str:
        """Return where the same is shown from another deed on."""
        query = {"who": self.who, "about": self.about, "day": self.day, "before": before}
        told = urlencode({name: str(value) for name, value in query.items() if value})
        return f"/ops/audit?{told}" if told else "/ops/audit"


async def show(request: web.Request) -> web.StreamResponse:
    """Show the record; changes nothing."""
    operator = await operator_of(request)
    asked = _asked(request)
    pool = request.config_dict[DATABASE].pool
    found, following = await deeds.page(
        pool, asked.wanted, zone=operator.zone, before=asked.before, most=MOST
    )
    return inside(
        request,
        operator,
        "ops/audit.html",
        title=operator.texts.t("Nhật ký"),
        asked=asked,
        deeds=found,
        ways={deed.via: way_words(operator.texts, deed.via) for deed in found},
        words={deed.deed: deed_words(operator.texts, deed.deed) for deed in found},
        longest=_LONGEST,
        more=asked.href(following) if following else "",
        begin=asked.href() if asked.before else "",
    )


def _asked(request: web.Request) -> Asked:
    query = request.query
    return Asked(
        who="".join(sign for sign in query.get("who", "").strip()[:_LONGEST] if sign.isprintable()),
        about=_id(query.get("about", "")),
        day=_day(query.get("day", "")),
        before=_number(query.get("before", "")),
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date.min < found and found.year < date.max.year else None


def _number(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_FAR)):
        return None
    return min(int(text), _FAR)
