"""The alarms that last, and those that ended lately."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from bot.keys import DATABASE
from bot.ops.session import inside, operator_of
from core.operators import stuck

SHOWN_FOR: Final = timedelta(days=7)
MOST: Final = 200


async def show(request: web.Request) -> web.StreamResponse:
    """Show them; changes nothing."""
    operator = await operator_of(request)
    database = request.config_dict[DATABASE]
    since = database.clock.now() - SHOWN_FOR
    return inside(
        request,
        operator,
        "ops/alarms.html",
        title=operator.texts.t("Báo động"),
        raised=await stuck.alarms_raised(database.pool),
        over=await stuck.alarms_over(database.pool, since=since, most=MOST),
    )
