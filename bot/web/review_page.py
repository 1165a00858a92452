"""Where a customer says how an order was: a page behind a signed link, without any sign-in.

GET shows what was ordered, or what was said of it; POST takes one review for each order.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from unicodedata import category
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.keys import DATABASE, LEDGER, SIGNER
from bot.texts.catalogue import Texts, msg, texts_in
from bot.web.forms import Form, check_origin, read_form
from bot.web.middleware import language
from bot.web.nonces import NONCES
from bot.web.pages import PAGES
from core.actors import CUSTOMER
from core.errors import Malformed, Untrusted
from core.orders.commands import ReviewOrder
from core.orders.models import OrderRow
from core.orders.order import Order, Review
from core.orders.status import Status
from core.partners.wrong_tries import Limit, is_one_more

#: How long after its completion an order can be reviewed by link, and what was said be looked at.
OPEN_FOR: Final = timedelta(days=30)
LONGEST_COMMENT: Final = 500
LONGEST_NAME: Final = 60
#: So often the form of one order can be sent (product time).
FORMS: Final = Limit("review_link", 20, timedelta(hours=1), timedelta(hours=1))
#: People do not see this field; whoever fills it in is a program.
TRAP: Final = "website"

#: What so many stars mean.
_MEANINGS: Final = {
    5: msg("Rất ngon"),
    4: msg("Ngon"),
    3: msg("Tạm được"),
    2: msg("Chưa ngon"),
    1: msg("Rất tệ"),
}
_STARS: Final = max(_MEANINGS)
_JOINER: Final = "\u200d"  # holds the parts of one emoji together


@dataclass(frozen=True, slots=True)
class Reviewable:
    """An order before its customer, with the names they know."""

    order: Order
    partner_name: str
    platform_name: str
    zone: ZoneInfo

    @property
    def texts(self) -> Texts:
        """The customer's language."""
        return texts_in(self.order.customer.locale)

    @property
    def owner(self) -> str:
        """What the form's nonce is bound to."""
        return f"review {self.order.id}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A number of stars that can be chosen; `shown` is for the eye."""

    rating: int
    shown: str
    word: str
    is_chosen: bool


async def show(request: web.Request) -> web.Response:
    """Show the form, or what was said; changes nothing."""
    found = await _found(request)
    return found if isinstance(found, web.Response) else _page(request, found)


async def take(request: web.Request) -> web.Response:
    """Take the review of a form, once for each order, and lead back to the page that shows it."""
    check_origin(request)
    found = await _found(request)
    if isinstance(found, web.Response):
        return found
    form = await read_form(request)
    try:
        nonce = request.config_dict[NONCES].check(form.get("nonce", ""), found.owner)
    except Untrusted:
        return _page(request, found, form, wrong=_STALE, status=403)
    if not await _may_try(request, found):
        return _page(request, found, form, wrong=_TOO_OFTEN, status=429)
    if found.order.review or form.get(TRAP):
        return _back(request)
    try:
        command = _command(found.order, form)
    except Malformed as wrong:
        return _page(request, found, form, wrong=_WRONG[wrong.reason], status=422)
    await request.config_dict[LEDGER].submit(command, actor=CUSTOMER, key=f"page:review:{nonce}")
    return _back(request)


async def _found(request: web.Request) -> Reviewable | web.Response:
    """Return the order of the link, or the page that says why there is none (any more)."""
    try:
        order_id = request.config_dict[SIGNER].read_review(request.match_info["token"])
    except (Malformed, Untrusted):
        return _over(request, language(request), 404)
    row = await OrderRow.get_or_none(id=order_id).select_related("partner", "platform")
    if row is None:
        return _over(request, language(request), 404)
    order = row.to_order()
    if not row.platform.ask_review or _is_over(request, order):
        return _over(request, order.customer.locale, 410)
    return Reviewable(order, row.partner.name, row.platform.name, ZoneInfo(row.partner.timezone))


def _is_over(request: web.Request, order: Order) -> bool:
    """Whether nothing was delivered, its time has passed, or nobody knows any more whose order it was."""
    if order.status is not Status.COMPLETED or order.final_at is None:
        return True
    if not (order.customer.phone or order.customer.email):
        return True
    return request.config_dict[DATABASE].clock.now() >= order.final_at + OPEN_FOR


def _over(request: web.Request, locale: str, status: int) -> web.Response:
    return request.config_dict[PAGES].answer("review_over.html", locale=locale, status=status, number=status)


async def _may_try(request: web.Request, found: Reviewable) -> bool:
    database = request.config_dict[DATABASE]
    sender, now = f"order:{UUID(str(found.order.id))}", database.clock.now()
    async with database.pool.acquire() as connection, connection.transaction(isolation="read_committed"):
        return await is_one_more(connection, FORMS, sender, now=now)


def _command(order: Order, form: Form) -> ReviewOrder:
    """Return the review of a form. Raises Malformed, which names the field."""
    rating = form.get("rating", "")
    if rating not in {str(number) for number in _MEANINGS}:
        raise Malformed("rating")
    comment = _words(form.get("comment", ""), LONGEST_COMMENT, "comment")
    author = _words(form.get("name", ""), LONGEST_NAME, "name")
    return ReviewOrder(order.id, int(rating), comment, " ".join(author.split()))


def _words(text: str, longest: int, field: str) -> str:
    """Return what was written, its lines kept, without signs that nobody sees. Raises Malformed."""
    said = "\n".join(" ".join(_visible(line).split()) for line in text.splitlines()).strip()
    if len(said) > longest:
        raise Malformed(field)
    return said


def _visible(line: str) -> str:
    return "".join(sign for sign in line if sign == _JOINER or category(sign)[0] != "C")


def _back(request: web.Request) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/r/{request.match_info['token']}"})


_STALE: Final = msg("Chưa gửi được: trang này đã cũ. Xem lại rồi bấm Gửi đánh giá lần nữa.")
_TOO_OFTEN: Final = msg("Bạn gửi nhiều lần quá. Đợi một giờ rồi thử lại.")
_WRONG: Final = {
    "rating": msg("Chưa gửi được: bạn chưa chọn số sao."),
    "comment": msg("Chưa gửi được: lời nhận xét dài quá 500 chữ."),
    "name": msg("Chưa gửi được: tên dài quá 60 chữ."),
}


def _page(
    request: web.Request,
    found: Reviewable,
    form: Form | None = None,
    *,
    wrong: str = "",
    status: int = 200,
) -> web.Response:
    texts, order, typed = found.texts, found.order, form or {}
    return request.config_dict[PAGES].answer(
        "review.html",
        locale=texts.locale,
        status=status,
        at=f"/r/{request.match_info['token']}",
        partner=found.partner_name,
        platform=found.platform_name,
        day=texts.day(order.deliver_at.astimezone(found.zone)),
        dishes=[(item.quantity, item.name) for item in order.items],
        said=_said(texts, order.review) if order.review else None,
        wrong=texts.t(wrong) if wrong else "",
        choices=[_choice(texts, rating, typed) for rating in _MEANINGS],
        typed={name: typed.get(name, "") for name in ("comment", "name")},
        longest={"comment": LONGEST_COMMENT, "name": LONGEST_NAME},
        trap=TRAP,
        nonce=request.config_dict[NONCES].issue(found.owner),
    )


def _choice(texts: Texts, rating: int, typed: Form) -> Choice:
    return Choice(rating, _shown(rating), texts.t(_MEANINGS[rating]), typed.get("rating") == str(rating))


def _said(texts: Texts, review: Review) -> dict[str, str]:
    """Return what was said of the order, and what the kitchen said to that."""
    return {
        "shown": _shown(review.rating),
        "stars": texts.t("{rating} trên 5 sao", rating=review.rating),
        "comment": review.comment,
        "answer": review.answer.text if review.answer else "",
    }


def _shown(rating: int) -> str:
    return "★" * rating + "☆" * (_STARS - rating)
