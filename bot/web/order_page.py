"""The page of an order that a link opens: GET shows it, POST acts for whom the link was sent to."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from bot.keys import DATABASE, LEDGER, SIGNER
from bot.texts.catalogue import Texts
from bot.tokens import LinkToken
from bot.web.forms import Form, check_origin, read_form
from bot.web.middleware import fault
from bot.web.nonces import NONCES
from bot.web.order_view import Told, order_page, told_of
from bot.web.pages import PAGES
from bot.web.reading import Reading, read
from core.errors import Malformed, NotFound, Untrusted
from core.ledger import StaffRef
from core.orders import answers
from core.orders.answers import Answer
from core.orders.commands import OTHER_REASON, REASONS, CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import reason_of

ACTIONS: Final = ("confirm", "cancel", "complete")

_LONGEST_NOTE: Final = 500
_ANSWERED: Final = "answered"  # the parameter that names what was just answered, by the form's nonce


async def show(request: web.Request) -> web.Response:
    """Show the order; changes nothing, however often and by whomever it is fetched."""
    reading = await _reading(request)
    if isinstance(reading, web.Response):
        return reading
    return _page(request, reading, await _told(request, reading))


async def act(request: web.Request) -> web.StreamResponse:
    """Carry out the deed of a form, once, and lead back to the page that tells what came of it."""
    token, action = request.match_info["token"], request.match_info["action"]
    check_origin(request)
    reading = await _reading(request)
    if isinstance(reading, web.Response):
        return reading
    form = await read_form(request)
    texts = reading.view.texts
    try:
        nonce = request.config_dict[NONCES].check(form.get("nonce", ""), token)
        command = _COMMANDS[action](reading, form)
    except Untrusted:
        return _page(request, reading, _stale(texts), status=403)
    except Malformed as wrong:
        return _page(request, reading, _wrong_reason(texts, wrong), status=422, asks_reason=True)
    if reading.token.staff_id is None:
        return fault(request, 403, locale=texts.locale)
    by = StaffRef(reading.token.staff_id, reading.token.via)
    await request.config_dict[LEDGER].submit(command, actor=by, key=_key(action, nonce))
    return web.Response(status=303, headers={"Location": f"/o/{token}?{_ANSWERED}={action}.{nonce}"})


def _key(action: str, nonce: str) -> str:
    return f"page:{action}:{nonce}"


# --- Reading ----------------------------------------------------------------------------------------


async def _reading(request: web.Request) -> Reading | web.Response:
    """Return the order of the link, or the page that says why it is not shown."""
    try:
        reading = await read(request, _link(request))
    except (Malformed, Untrusted, NotFound):
        return fault(request, 404)
    return fault(request, 410, locale=reading.view.texts.locale) if reading.is_closed else reading


def _link(request: web.Request) -> LinkToken:
    return request.config_dict[SIGNER].read_link(request.match_info["token"])


async def _told(request: web.Request, reading: Reading) -> Told | None:
    """Return what came of the form whose nonce the address carries, where it is one of this link's."""
    action, _, nonce = request.query.get(_ANSWERED, "").partition(".")
    try:
        nonce = request.config_dict[NONCES].check(nonce, request.match_info["token"])
    except Untrusted:
        return None
    answer = await _answer(request, action, nonce)
    return told_of(reading, answer) if answer else None


async def _answer(request: web.Request, action: str, nonce: str) -> Answer | None:
    pool = request.config_dict[DATABASE].pool
    stored = await pool.fetchval("SELECT answer FROM inbox WHERE key = $1", _key(action, nonce))
    return answers.load(stored, replayed=True) if stored else None


# --- Acting -----------------------------------------------------------------------------------------


def _confirm(reading: Reading, form: Form) -> Command:
    return ConfirmOrder(reading.order.id, reading.token.revision)


def _complete(reading: Reading, form: Form) -> Command:
    return CompleteOrder(reading.order.id, reading.token.revision)


def _cancel(reading: Reading, form: Form) -> Command:
    chosen, note = form.get("reason", ""), " ".join(form.get("note", "").split())
    if chosen not in {str(number) for number in REASONS}:
        raise Malformed("reason")
    if len(note) > _LONGEST_NOTE or not note.replace(" ", "a").isprintable():
        raise Malformed("note")
    return CancelOrder(reading.order.id, reason_of(int(chosen), note), reading.token.revision)


_COMMANDS: Final[Mapping[str, Callable[[Reading, Form], Command]]] = MappingProxyType(
    {"confirm": _confirm, "cancel": _cancel, "complete": _complete}
)


# --- Showing ----------------------------------------------------------------------------------------


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
        token=token,
        nonce=request.config_dict[NONCES].issue(token),
        asks_reason=asks_reason,
        other_reason=OTHER_REASON,
        longest_note=_LONGEST_NOTE,
    )


def _stale(texts: Texts) -> Told:
    return Told(
        "bad", texts.t("Chưa có gì được làm."), (texts.t("Trang này đã cũ. Xem lại đơn rồi bấm lần nữa."),)
    )


def _wrong_reason(texts: Texts, wrong: Malformed) -> Told:
    advice = {
        "reason": texts.t("Chọn một lý do rồi bấm Huỷ đơn này."),
        "note": texts.t(
            "Phần ghi thêm dài quá {most} chữ hoặc có ký tự lạ. Viết lại ngắn hơn.", most=_LONGEST_NOTE
        ),
    }
    return Told("bad", texts.t("Đơn chưa bị huỷ."), (advice[wrong.reason],))
