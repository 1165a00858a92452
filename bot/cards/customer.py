"""What a customer is told: that the order will not come (C1), and where to say how it was. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from bot.cards.order_card import dish
from bot.cards.short import ONE, fitted, shortened, sms_length
from bot.texts import Texts, msg
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind
from core.orders.order import Order
from core.orders.status import Status

_LONGEST_NAME: Final = 40
#: So that the SMS has room for the advice.
_LONGEST_PLATFORM: Final = 24
_LONGEST_PARTNER: Final = 32


_LONGEST_ID: Final = 24

#: The short list, as somebody reads it who waits for the food. "Khác" says nothing to them.
_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: msg("Quán đã hết món"),
        2: msg("Quán đang quá đông đơn"),
        3: msg("Quán đóng cửa lúc đó"),
        4: msg("Địa chỉ nằm ngoài vùng giao của quán"),
        5: msg("Giá hoặc thực đơn đăng bán bị sai"),
    }
)


def customer_card(
    texts: Texts, order: Order, *, partner_name: str, platform_name: str, zone: ZoneInfo, now: datetime
) -> Card:
    """Return the card, in the customer's language; it has no buttons: the platform settles the rest.

    It begins with the platform's name: that is who the customer knows.
    """
    name = shortened(partner_name, _LONGEST_NAME)
    title = texts.t(
        "{platform}: đơn hàng của bạn tại {partner} đã bị huỷ", platform=platform_name, partner=name
    )
    moment = texts.moment(order.deliver_at, zone, now)
    advice = texts.t("Hãy liên hệ {platform} để được hoàn tiền hoặc đặt lại.", platform=platform_name)
    return Card(
        kind=NoticeKind.CUSTOMER_CANCELLED,
        locale=texts.locale,
        title=title,
        short=_short(texts, order, name, platform_name, texts.brief_moment(order.deliver_at, zone, now)),
        blocks=(
            Block(BlockRole.WHEN, (texts.t("Giao {moment}", moment=moment),)),
            *(Block(BlockRole.TEXT, (why,), texts.t("Lý do huỷ")) for why in _why(texts, order)),
            *_what(texts, order),
            Block(BlockRole.TEXT, (texts.t("Rất xin lỗi vì sự bất tiện này."), advice)),
        ),
        thread=str(order.id),
    )


def _what(texts: Texts, order: Order) -> tuple[Block, ...]:
    """Return what was ordered, and what the platform calls that."""
    return (
        Block(BlockRole.DISHES, tuple(dish(item) for item in order.items), texts.t("Món")),
        Block(BlockRole.NOTE, (order.external_id,), texts.t("Mã đặt hàng")),
    )


def _short(texts: Texts, order: Order, partner: str, platform: str, when: str) -> str:
    """Return the one SMS: from whom, which order, why, and whom to turn to."""
    platform = shortened(platform, _LONGEST_PLATFORM)
    facts = {"platform": platform, "partner": shortened(partner, _LONGEST_PARTNER)}
    first = texts.t("{platform}: đơn {time} của bạn tại {partner} đã bị huỷ", time=when, **facts)
    advice = texts.t("Liên hệ {platform} để được hoàn tiền hoặc đặt lại.", platform=platform)
    named = texts.t(
        "{platform}: đơn {id} ({time}) của bạn tại {partner} đã bị huỷ",
        id=shortened(order.external_id, _LONGEST_ID),
        time=when,
        **facts,
    )
    whole = fitted(named, *_why(texts, order), words=(advice,))
    complete = all(words in whole for words in (named, *_why(texts, order), advice))
    return whole if complete else fitted(first, *_why(texts, order), words=(advice, ""))


def _why(texts: Texts, order: Order) -> Sequence[str]:
    """Return the reason where it is one of the short list: free words were not written for customers."""
    if order.status is Status.EXPIRED:
        return (texts.t("Quán chưa kịp nhận đơn"),)
    code = order.reason.code if order.reason else None
    return (texts.t(_REASONS[code]),) if code and code in _REASONS else ()


def ask_review_card(
    texts: Texts, order: Order, *, partner_name: str, platform_name: str, link: str, zone: ZoneInfo
) -> Card:
    """Ask how it was, in the customer's language: the link opens the page to say so."""
    name = shortened(partner_name, _LONGEST_NAME)
    day = texts.day(order.deliver_at.astimezone(zone))
    title = texts.t("{platform}: món của {partner} có ngon không?", platform=platform_name, partner=name)
    ask = texts.t("Chấm từ 1 đến 5 sao, chỉ mất vài giây. {partner} đọc từng lời bạn viết.", partner=name)
    until = texts.t("Đường dẫn này của riêng đơn hàng trên, dùng được trong 30 ngày.")
    return Card(
        kind=NoticeKind.CUSTOMER_REVIEW,
        locale=texts.locale,
        title=title,
        short=_short_ask(texts, name, platform_name, link),
        blocks=(
            Block(BlockRole.TEXT, (texts.t("Đơn hàng giao {day}.", day=day), ask)),
            *_what(texts, order),
            Block(BlockRole.TEXT, (until,)),
        ),
        buttons=(Button(texts.label("Đánh giá đơn hàng"), url=link, style=ButtonStyle.PRIMARY),),
        thread=str(order.id),
    )


def _short_ask(texts: Texts, partner: str, platform: str, link: str) -> str:
    """Return the SMS; names are cut so that the link stays whole, in one SMS where that can be."""
    partner, platform = shortened(partner, _LONGEST_PARTNER), shortened(platform, _LONGEST_PLATFORM)
    long = texts.t(
        "{platform}: món của {partner} có ngon không? Chấm sao:", platform=platform, partner=partner
    )
    brief = texts.t("{platform}: mời bạn chấm sao:", platform=platform)
    first = long if sms_length(f"{long} {link}") <= ONE else brief
    return f"{first} {link}"
