"""What the forms of an order's page do, whichever way it was opened: by a link, or signed in."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from bot.keys import DATABASE
from bot.texts.catalogue import Texts
from bot.web.forms import Form
from bot.web.nonces import NONCES
from bot.web.order_view import Told, told_of
from bot.web.reading import Reading
from core.errors import Malformed, Untrusted
from core.orders import answers, revisions
from core.orders.answers import Answer
from core.orders.commands import REASONS, AnswerReview, CancelOrder, Command, CompleteOrder, ConfirmOrder
from core.orders.decide import differences, reason_of
from core.orders.events import Json

ACTIONS: Final = ("confirm", "cancel", "complete", "thank")
LONGEST_NOTE: Final = 500
_LONGEST_MARK: Final = 10  # digits of a review's mark
#: The parameter that names what was just answered, by the form's nonce.
ANSWERED: Final = "answered"


def command_of(action: str, reading: Reading, form: Form) -> Command:
    """Return the command of a form, bound to the revision it was made for. Raises Malformed."""
    return _COMMANDS[action](reading, form)


def key_of(action: str, nonce: str) -> str:
    """Return the command's key: a form does its deed once."""
    return f"page:{action}:{nonce}"


def answered(action: str, nonce: str) -> str:
    """Return the piece of an address that makes the page tell what came of a form."""
    return f"{ANSWERED}={action}.{nonce}"


async def told_after(request: web.Request, reading: Reading, owner: str) -> Told | None:
    """Return what came of the form that the address names, where its nonce is one of this owner's."""
    action, _, nonce = request.query.get(ANSWERED, "").partition(".")
    try:
        nonce = request.config_dict[NONCES].check(nonce, owner)
    except Untrusted:
        return None
    answer = await _answer(request, action, nonce)
    if answer is None:
        return None
    return told_of(reading, answer, await _changes(request, reading, answer))


async def _changes(request: web.Request, reading: Reading, answer: Answer) -> Json:
    """Return what has changed since the form was made, where that kept it from doing anything."""
    if answer.seen is None:
        return None
    before = await revisions.as_of(request.config_dict[DATABASE].pool, reading.order.id, answer.seen)
    return differences(before, reading.order) if before else None


async def _answer(request: web.Request, action: str, nonce: str) -> Answer | None:
    if action not in ACTIONS:
        return None
    pool = request.config_dict[DATABASE].pool
    stored = await pool.fetchval("SELECT answer FROM inbox WHERE key = $1", key_of(action, nonce))
    return answers.load(stored, replayed=True) if stored else None


def _confirm(reading: Reading, form: Form) -> Command:
    return ConfirmOrder(reading.order.id, reading.token.revision)


def _complete(reading: Reading, form: Form) -> Command:
    return CompleteOrder(reading.order.id, reading.token.revision)


def _cancel(reading: Reading, form: Form) -> Command:
    chosen, note = form.get("reason", ""), " ".join(form.get("note", "").split())
    if chosen not in {str(number) for number in REASONS}:
        raise Malformed("reason")
    if len(note) > LONGEST_NOTE or not note.replace(" ", "a").isprintable():
        raise Malformed("note")
    return CancelOrder(reading.order.id, reason_of(int(chosen), note), reading.token.revision)


def _thank(reading: Reading, form: Form) -> Command:
    """Return the answer to the review that the form was made for."""
    seen = form.get("mark", "")
    if not seen.isascii() or not seen.isdigit() or len(seen) > _LONGEST_MARK:
        raise Malformed("mark")
    return AnswerReview(reading.order.id, " ".join(form.get("words", "").split()), mark=int(seen))


_COMMANDS: Final[Mapping[str, Callable[[Reading, Form], Command]]] = MappingProxyType(
    {"confirm": _confirm, "cancel": _cancel, "complete": _complete, "thank": _thank}
)


def stale(texts: Texts) -> Told:
    """Return what is said to a form that is not of this page."""
    return Told(
        "bad", texts.t("Chưa có gì được làm."), (texts.t("Trang này đã cũ. Xem lại đơn rồi bấm lần nữa."),)
    )


def wrong_reason(texts: Texts, wrong: Malformed) -> Told:
    """Return what is said to a cancelling without a reason that can be taken."""
    advice = {
        "reason": texts.t("Chọn một lý do rồi bấm Huỷ đơn này."),
        "note": texts.t(
            "Phần ghi thêm dài quá {most} chữ hoặc có ký tự lạ. Viết lại ngắn hơn.", most=LONGEST_NOTE
        ),
    }
    if wrong.reason not in advice:
        return stale(texts)
    return Told("bad", texts.t("Đơn chưa bị huỷ."), (advice[wrong.reason],))
