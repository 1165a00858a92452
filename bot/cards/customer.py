"""What a customer is told: that the order will not come (C1). Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.cards.order_card import dish
from bot.cards.words import REASON_WORDS
from bot.texts import Texts
from bot.texts.plain import one_sms
from core.channels import Block, BlockRole, Card
from core.notices.kinds import NoticeKind
from core.orders.commands import OTHER_REASON
from core.orders.order import Order
from core.orders.status import Status

_LONGEST_NAME: Final = 40


def customer_card(
    texts: Texts, order: Order, *, partner_name: str, platform_name: str, zone: ZoneInfo, now: datetime
) -> Card:
    """Return the card, in the customer's language; it has no buttons: the platform settles the rest."""
    name = partner_name[:_LONGEST_NAME]
    title = texts.t("Đơn hàng của bạn tại {partner} đã bị huỷ", partner=name)
    moment = texts.moment(order.deliver_at, zone, now)
    advice = texts.t("Hãy liên hệ {platform} để được hoàn tiền hoặc đặt lại.", platform=platform_name)
    short_when = f"{order.deliver_at.astimezone(zone):%H:%M %d/%m}"
    return Card(
        kind=NoticeKind.CUSTOMER_CANCELLED,
        locale=texts.locale,
        title=title,
        short=one_sms(
            texts.t("Đơn {time} của bạn tại {partner} đã bị huỷ", time=short_when, partner=name),
            *_why(texts, order),
            words=advice if len(platform_name) <= _LONGEST_NAME else "",
        ),
        blocks=(
            Block(BlockRole.WHEN, (texts.t("Giao {moment}", moment=moment),)),
            *(Block(BlockRole.TEXT, (why,), texts.t("Lý do huỷ")) for why in _why(texts, order)),
            Block(BlockRole.DISHES, tuple(dish(item) for item in order.items), texts.t("Món")),
            Block(BlockRole.NOTE, (order.external_id,), texts.t("Mã đặt hàng")),
            Block(BlockRole.TEXT, (texts.t("Rất xin lỗi vì sự bất tiện này."), advice)),
        ),
        thread=str(order.id),
    )


def _why(texts: Texts, order: Order) -> Sequence[str]:
    """Return the reason where it is one of the short list: free words were not written for customers."""
    if order.status is Status.EXPIRED:
        return (texts.t("Quán chưa kịp nhận đơn"),)
    code = order.reason.code if order.reason else None
    return (texts.t(REASON_WORDS[code]),) if code and code != OTHER_REASON else ()
