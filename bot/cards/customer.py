"""What a customer is told: that the order will not come (C1). Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.cards.order_card import dish
from bot.cards.short import fitted, shortened
from bot.cards.words import REASON_WORDS
from bot.texts import Texts
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind
from core.orders.commands import OTHER_REASON
from core.orders.order import Order
from core.orders.status import Status

_LONGEST_NAME: Final = 40
#: So that the SMS has room for the advice.
_LONGEST_PLATFORM: Final = 24
_LONGEST_PARTNER: Final = 32


def customer_card(
    texts: Texts, order: Order, *, partner_name: str, platform_name: str, zone: ZoneInfo, now: datetime
) -> Card:
    """Return the card, in the customer's language; it has no buttons: the platform settles the rest."""
    name = shortened(partner_name, _LONGEST_NAME)
    title = texts.t("Đơn hàng của bạn tại {partner} đã bị huỷ", partner=name)
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
            Block(BlockRole.DISHES, tuple(dish(item) for item in order.items), texts.t("Món")),
            Block(BlockRole.NOTE, (order.external_id,), texts.t("Mã đặt hàng")),
            Block(BlockRole.TEXT, (texts.t("Rất xin lỗi vì sự bất tiện này."), advice)),
        ),
        thread=str(order.id),
    )


def _short(texts: Texts, order: Order, partner: str, platform: str, when: str) -> str:
    """Return the one SMS: from whom, which order, why, and whom to turn to."""
    platform = shortened(platform, _LONGEST_PLATFORM)
    first = texts.t(
        "{platform}: đơn {time} của bạn tại {partner} đã bị huỷ",
        platform=platform,
        time=when,
        partner=shortened(partner, _LONGEST_PARTNER),
    )
    advice = texts.t("Liên hệ {platform} để được hoàn tiền hoặc đặt lại.", platform=platform)
    return fitted(first, *_why(texts, order), words=(advice, ""))


def _why(texts: Texts, order: Order) -> Sequence[str]:
    """Return the reason where it is one of the short list: free words were not written for customers."""
    if order.status is Status.EXPIRED:
        return (texts.t("Quán chưa kịp nhận đơn"),)
    code = order.reason.code if order.reason else None
    return (texts.t(REASON_WORDS[code]),) if code and code != OTHER_REASON else ()
