"""Finding an order, a kitchen or somebody of a kitchen."""

from typing import Final

from aiohttp import web

from bot.cards.words import status_word
from bot.keys import DATABASE
from bot.ops.session import VIA, Operator, form_of, inside, operator_of
from bot.web.nav import role_word
from core import audit
from core.actors import Role
from core.operators import search
from core.operators.search import LONGEST, Found

MOST: Final = 50


async def show(request: web.Request) -> web.StreamResponse:
    """Show what is found; what may be somebody's phone is only looked up by a form."""
    operator = await operator_of(request)
    words = request.query.get("q", "").strip()[:LONGEST]
    if search.is_phone(words):
        return _page(request, operator, words, Found(), asks=True)
    pool = request.config_dict[DATABASE].pool
    return _page(request, operator, words, await search.search(pool, words, most=MOST))


async def by_phone(request: web.Request) -> web.StreamResponse:
    """Look a phone up, and put on record that somebody did: never the number."""
    operator = await operator_of(request)
    form = await form_of(request, operator)
    words, database = form.get("q", "").strip()[:LONGEST], request.config_dict[DATABASE]
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        found = await search.search(connection, words, most=MOST)
        if found.by_phone:
            await audit.record(
                connection,
                who=operator.email,
                via=VIA,
                deed="customer.searched",
                about="customer",
                now=database.clock.now(),
                data={"orders": len(found.orders), "staff": len(found.staff)},
            )
    return _page(request, operator, words, found)


def _page(
    request: web.Request, operator: Operator, words: str, found: Found, *, asks: bool = False
) -> web.Response:
    texts = operator.texts
    return inside(
        request,
        operator,
        "ops/search.html",
        title=texts.t("Tìm"),
        words=words,
        longest=LONGEST,
        found=found,
        asks=asks,
        most=MOST,
        status_words={order.status: status_word(texts, order.status) for order in found.orders},
        role_words={role.value: texts.t(role_word(role)) for role in Role},
    )
