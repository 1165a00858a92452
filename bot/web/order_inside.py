"""The page of an order for who is signed in: the newest of its code, or the one that the address names."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from bot.cards.words import status_word
from bot.keys import DATABASE, LEDGER
from bot.tokens import Bearer, LinkToken
from bot.web import deeds
from bot.web.forms import Form
from bot.web.order_view import Told, order_page
from bot.web.reading import Reading, read
from bot.web.session import Seat, form_of, inside, nonce_of, seat_of
from core.errors import Malformed
from core.ledger import StaffRef
from core.orders import listing
from core.orders.commands import LONGEST_ANSWER, OTHER_REASON
from core.orders.order import Order

_OTHERS: Final = 10
_MOST_REVISION: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Other:
    """Another order of the same code."""

    href: str
    when: str
    word: str


@dataclass(frozen=True, slots=True)
class Opened:
    """An order of the kitchen and the others of its code; `is_named` where the address names it by its id."""

    order: Order
    others: tuple[Order, ...]
    is_named: bool

    @property
    def query(self) -> dict[str, str]:
        """Return what the address needs beside the code."""
        return {"order": str(self.order.id)} if self.is_named else {}

    def address(self, *more: str, tail: str = "") -> str:
        """Return where this very order is."""
        query = "&".join([piece for piece in (urlencode(self.query), *more) if piece])
        return f"/orders/{self.order.code}{tail}" + (f"?{query}" if query else "")


async def show(request: web.Request) -> web.Response:
    """Show the order; changes nothing."""
    seat = await seat_of(request)
    opened = await opened_by(request, seat, request.query.get("order", ""))
    reading = await _reading(request, seat, opened.order, opened.order.revision)
    told = await deeds.told_after(request, reading, str(seat.session.id))
    return _page(request, seat, opened, reading, told)


async def act(request: web.Request) -> web.StreamResponse:
    """Carry out the deed of a form, once, and lead back to the page that tells what came of it."""
    seat = await seat_of(request)
    form = await form_of(request, seat)
    opened = await opened_by(request, seat, form.get("order", ""))
    reading = await _reading(request, seat, opened.order, _revision(form))
    action, nonce = request.match_info["action"], form["nonce"]
    try:
        command = deeds.command_of(action, reading, form)
    except Malformed as wrong:
        told = deeds.wrong_reason(seat.texts, wrong)
        return _page(request, seat, opened, reading, told, status=422)
    by = StaffRef(seat.staff.id, reading.token.via)
    await request.config_dict[LEDGER].submit(command, actor=by, key=deeds.key_of(action, nonce))
    return web.Response(status=303, headers={"Location": opened.address(deeds.answered(action, nonce))})


async def opened_by(request: web.Request, seat: Seat, named: str) -> Opened:
    """Return the kitchen's order that is meant. Raises the refusal of one that is not this kitchen's."""
    found = await listing.of_code(
        request.config_dict[DATABASE].pool, seat.partner.id, request.match_info["code"], most=_OTHERS
    )
    wanted = _id(named) if named else found[0].id if found else None
    order = next((order for order in found if order.id == wanted), None)
    if order is None and wanted is not None:
        order = await listing.of_id(request.config_dict[DATABASE].pool, seat.partner.id, wanted)
    if order is None or order.code != request.match_info["code"]:
        raise web.HTTPNotFound
    others = tuple(other for other in found if other.id != order.id)
    return Opened(order, others, is_named=order.id != found[0].id)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise web.HTTPNotFound from None


def _revision(form: Form) -> int:
    """Return the revision that the form was made for."""
    text = form.get("revision", "")
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MOST_REVISION)):
        raise web.HTTPBadRequest
    return int(text)


async def _reading(request: web.Request, seat: Seat, order: Order, revision: int) -> Reading:
    return await read(request, LinkToken(order.id, revision, Bearer.STAFF_CHAT, seat.staff.id))


def _page(
    request: web.Request,
    seat: Seat,
    opened: Opened,
    reading: Reading,
    told: Told | None,
    *,
    status: int = 200,
) -> web.Response:
    page = order_page(reading, told)
    return inside(
        request,
        seat,
        "order_inside.html",
        title=f"{seat.texts.t('Đơn {code}', code=page.code)} · {page.word}",
        status=status,
        page=page,
        version=reading.order.version,
        at=f"/orders/{page.code}",
        back=opened.address(),
        live=opened.address(tail="/live"),
        hidden={
            "nonce": nonce_of(request, seat),
            "order": str(opened.order.id),
            "revision": str(opened.order.revision),
        },
        asks_reason=status != 200,
        other_reason=OTHER_REASON,
        longest_note=deeds.LONGEST_NOTE,
        longest_answer=LONGEST_ANSWER,
        others=tuple(_other(reading, other) for other in opened.others),
    )


def _other(reading: Reading, order: Order) -> Other:
    view = reading.view
    return Other(
        f"/orders/{order.code}?order={order.id}",
        view.texts.moment(order.deliver_at, view.zone, view.now),
        status_word(view.texts, order.status),
    )
