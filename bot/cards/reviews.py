"""What customers said lately. Pure."""

from typing import Final

from bot.cards.answers import plain_card
from bot.cards.brief import free_words
from bot.cards.lists import show_button
from bot.cards.notices import stars
from bot.cards.short import listed
from bot.cards.view import Frame
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind
from core.orders.lookups import Reviews
from core.orders.order import Order

_KIND: Final = NoticeKind.ANSWER


def reviews_card(frame: Frame, reviews: Reviews) -> Card:
    """Return the last reviews and the average."""
    texts = frame.texts
    if reviews.average is None:
        return plain_card(frame, texts.t("Chưa có đánh giá nào của khách."))
    title = texts.n(
        "Khách chấm {average}/5 ({count} lượt)", reviews.count, average=texts.decimal(reviews.average)
    )
    lines = tuple(_review_line(frame, order) for order in reviews.latest)
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=_short_reviews(frame, title, reviews),
        blocks=(Block(BlockRole.REVIEW, lines),),
        buttons=tuple(show_button(frame, order) for order in reviews.latest),
    )


def _short_reviews(frame: Frame, title: str, reviews: Reviews) -> str:
    entries = [
        f"{order.code} {order.review.rating}/5 {free_words(order.review.comment)}".rstrip()
        for order in reviews.latest
        if order.review
    ]
    return listed(title, entries, lambda left: frame.texts.n("còn {count} đơn nữa", left))


def _review_line(frame: Frame, order: Order) -> str:
    if order.review is None:
        return order.code
    answered = frame.texts.t("Quán: {words}", words=order.review.answer.text) if order.review.answer else ""
    parts = (order.code, stars(order.review.rating), order.review.comment, answered)
    return " · ".join(filter(None, parts))
