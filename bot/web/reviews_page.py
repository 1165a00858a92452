"""What customers said of the kitchen, the newest first, with the average of all."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.cards import masking
from bot.cards.view import Frame
from bot.keys import DATABASE
from bot.texts.catalogue import grouped
from bot.web import places
from bot.web.orders_view import dishes
from bot.web.session import inside, seat_of, view_frame
from core.orders import lookups
from core.orders.order import Order, Review
from core.orders.summary import reviewed

_PAGE: Final = 20
_STARS: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One review and the order it is of."""

    shown: str
    said: str
    comment: str
    author: str
    answer: str
    at: str
    machine: str
    code: str
    href: str
    dishes: str


@dataclass(frozen=True, slots=True)
class Share:
    """How many reviews gave so many stars, and their share in percent."""

    stars: int
    count: str
    percent: int


async def show(request: web.Request) -> web.Response:
    """Show a page of reviews."""
    seat = await seat_of(request)
    frame, pool = view_frame(request, seat), request.config_dict[DATABASE].pool
    after = places.read_if_good(request.query.get("after", ""))
    page = await reviewed(pool, seat.partner.id, after=after, most=_PAGE)
    rated = await lookups.rated(pool, seat.partner.id)
    average = rated.average or 0.0
    return inside(
        request,
        seat,
        "reviews.html",
        title=seat.texts.t("Đánh giá"),
        count=rated.count,
        average=frame.texts.decimal(average),
        shown="★" * round(average) + "☆" * (_STARS - round(average)),
        shares=[_share(rating, rated.stars.get(rating, 0), rated.count) for rating in range(_STARS, 0, -1)],
        lines=[_line(frame, order, order.review) for order in page.orders if order.review],
        more=f"/reviews?after={places.written(page.next)}" if page.next else "",
        begin="/reviews" if after else "",
    )


def _share(rating: int, many: int, count: int) -> Share:
    return Share(rating, grouped(many), round(100 * many / count) if count else 0)


def _line(frame: Frame, order: Order, review: Review) -> Line:
    texts = frame.texts
    is_fresh = masking.shows_address(order, frame.now)
    return Line(
        shown="★" * review.rating + "☆" * (_STARS - review.rating),
        said=texts.t("{rating} trên 5 sao", rating=review.rating),
        comment=review.comment,
        author=review.author if is_fresh else masking.masked_name(review.author),
        answer=review.answer.text if review.answer else "",
        at=texts.moment(review.at, frame.zone, frame.now),
        machine=review.at.isoformat(timespec="seconds"),
        code=order.code,
        href=f"/orders/{order.code}?order={order.id}",
        dishes=dishes(frame, order),
    )
