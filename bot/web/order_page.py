"""The page of an order that a link opens: GET shows it, POST acts for whom the link was sent to."""

from aiohttp import web

from bot.keys import LEDGER, SIGNER
from bot.tokens import LinkToken
from bot.web import deeds
from bot.web.forms import check_origin, read_form
from bot.web.middleware import fault
from bot.web.nonces import NONCES
from bot.web.order_view import Told, order_page
from bot.web.pages import PAGES
from bot.web.reading import Reading, read
from core.errors import Malformed, NotFound, Untrusted
from core.ledger import StaffRef
from core.orders.commands import LONGEST_ANSWER, OTHER_REASON


async def show(request: web.Request) -> web.Response:
    """Show the order; changes nothing, however often and by whomever it is fetched."""
    reading = await reading_of(request)
    if isinstance(reading, web.Response):
        return reading
    return _page(request, reading, await deeds.told_after(request, reading, request.match_info["token"]))


async def act(request: web.Request) -> web.StreamResponse:
    """Carry out the deed of a form, once, and lead back to the page that tells what came of it."""
    token, action = request.match_info["token"], request.match_info["action"]
    check_origin(request)
    reading = await reading_of(request)
    if isinstance(reading, web.Response):
        return reading
    form = await read_form(request)
    texts = reading.view.texts
    try:
        nonce = request.config_dict[NONCES].check(form.get("nonce", ""), token)
        command = deeds.command_of(action, reading, form)
    except Untrusted:
        return _page(request, reading, deeds.stale(texts), status=403)
    except Malformed as wrong:
        return _page(request, reading, deeds.wrong_reason(texts, wrong), status=422, asks_reason=True)
    if reading.token.staff_id is None:
        return fault(request, 403, locale=texts.locale)
    by = StaffRef(reading.token.staff_id, reading.token.via)
    await request.config_dict[LEDGER].submit(command, actor=by, key=deeds.key_of(action, nonce))
    return web.Response(status=303, headers={"Location": f"/o/{token}?{deeds.answered(action, nonce)}"})


async def reading_of(request: web.Request) -> Reading | web.Response:
    """Return the order of the link, or the page that says why it is not shown."""
    try:
        reading = await read(request, _link(request))
    except (Malformed, Untrusted, NotFound):
        return fault(request, 404)
    return fault(request, 410, locale=reading.view.texts.locale) if reading.is_closed else reading


def _link(request: web.Request) -> LinkToken:
    return request.config_dict[SIGNER].read_link(request.match_info["token"])


def _page(
    request: web.Request,
    reading: Reading,
    told: Told | None,
    *,
    status: int = 200,
    asks_reason: bool = False,
) -> web.Response:
    token = request.match_info["token"]
    return request.config_dict[PAGES].answer(
        "left.html" if reading.has_left else "order.html",
        locale=reading.view.texts.locale,
        status=status,
        page=order_page(reading, told),
        version=reading.order.version,
        at=f"/o/{token}",
        back=f"/o/{token}",
        live="" if reading.has_left else f"/o/{token}/live",
        hidden={"nonce": request.config_dict[NONCES].issue(token)},
        asks_reason=asks_reason,
        other_reason=OTHER_REASON,
        longest_note=deeds.LONGEST_NOTE,
        longest_answer=LONGEST_ANSWER,
    )
