"""The alarms that last, and those that ended lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from bot.cards.alarms import advice_of, matter_of
from bot.keys import DATABASE
from bot.ops.session import Operator, inside, operator_of
from bot.texts.catalogue import Texts
from core.operators import stuck
from core.operators.stuck import Alarm

SHOWN_FOR: Final = timedelta(days=7)
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One alarm in words. `href` is where more of it is to be seen, `place` what that page is called."""

    what: str
    detail: str
    when: str
    advice: str = ""
    href: str = ""
    place: str = ""


async def show(request: web.Request) -> web.StreamResponse:
    """Show them; changes nothing."""
    operator = await operator_of(request)
    database = request.config_dict[DATABASE]
    now = database.clock.now()
    raised = await stuck.alarms_raised(database.pool)
    over = await stuck.alarms_over(database.pool, since=now - SHOWN_FOR, most=MOST)
    return inside(
        request,
        operator,
        "ops/alarms.html",
        title=operator.texts.t("Báo động"),
        raised=[_lasting(operator, alarm, now) for alarm in raised],
        over=[_ended(operator, alarm, now) for alarm in over],
    )


def _lasting(operator: Operator, alarm: Alarm, now: datetime) -> Line:
    texts = operator.texts
    since = texts.t("từ {time}", time=texts.happened(alarm.raised_at, operator.zone, now))
    href, place = _where(texts, alarm.name)
    return Line(
        what=_capital(matter_of(texts, alarm.name)),
        detail=alarm.detail,
        when=f"{since} · {_lasted(texts, now - alarm.raised_at)}",
        advice=advice_of(texts, alarm.name),
        href=href,
        place=place,
    )


def _ended(operator: Operator, alarm: Alarm, now: datetime) -> Line:
    texts, zone, end = operator.texts, operator.zone, alarm.over_at or now
    is_one_day = alarm.raised_at.astimezone(zone).date() == end.astimezone(zone).date()
    until = f"{end.astimezone(zone):%H:%M}" if is_one_day else texts.moment(end, zone, now)
    lasted = _lasted(texts, end - alarm.raised_at)
    return Line(
        what=_capital(matter_of(texts, alarm.name)),
        detail=alarm.detail,
        when=f"{texts.moment(alarm.raised_at, zone, now)} → {until} · {lasted}",
    )


def _lasted(texts: Texts, length: timedelta) -> str:
    return texts.t("chưa đến 1 phút") if length < timedelta(minutes=1) else texts.span(length)


def _where(texts: Texts, name: str) -> tuple[str, str]:
    """Return the page that shows more of an alarm, if there is one."""
    if name.startswith("webhook: "):
        return "/ops/platforms", texts.t("Xem nền tảng")
    if name.startswith("zalo: "):
        return "/ops/settings", texts.t("Xem cài đặt của Zalo")
    return "", ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
