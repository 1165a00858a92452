"""The way into the kitchen's pages. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from bot.cards.answers import plain_card
from bot.cards.menu import pointed
from bot.cards.view import Frame
from bot.texts import msg
from core.channels import Block, BlockRole, Button, Card, ChannelName
from core.notices.kinds import NoticeKind

_SENT: Final[Mapping[ChannelName, str]] = MappingProxyType(
    {
        ChannelName.ZALO: msg("Đường dẫn vào trang của quán đã gửi qua Zalo của bạn"),
        ChannelName.TELEGRAM: msg("Đường dẫn vào trang của quán đã gửi qua Telegram của bạn"),
        ChannelName.EMAIL: msg("Đường dẫn vào trang của quán đã gửi vào email của bạn"),
    }
)


def way_in_card(frame: Frame, link_id: UUID, until: datetime) -> Card:
    """Return the link that signs its reader in, once; one that has run out meanwhile only says so."""
    texts = frame.texts
    if frame.now >= until:
        title = texts.t("Đường dẫn vào trang của quán đã hết hạn")
        short = pointed(frame, title, "WEB", texts.t("để lấy đường dẫn mới"))
        return plain_card(frame, title, texts.t("Nhắn WEB để lấy đường dẫn mới."), short=short)
    url = f"{frame.desk.base_url}/login/{frame.desk.signer.one_time(link_id)}"
    title = texts.t("Trang của {partner}", partner=frame.partner_name)
    line = texts.t("Đường dẫn dùng một lần, trong 15 phút. Đừng gửi cho ai.")
    unsaid = texts.t("Đường dẫn vào trang của quán không gửi qua SMS được")
    return Card(
        kind=NoticeKind.ANSWER,
        locale=texts.locale,
        title=title,
        short=f"{title}: {url}" if frame.desk.sms_links else unsaid,
        blocks=(Block(BlockRole.TEXT, (line,)),),
        buttons=(Button(texts.label("Vào trang của quán"), url=url),),
    )


def sent_card(frame: Frame, where: ChannelName | None) -> Card:
    """Tell who asked by SMS where the link went: it must not stand there."""
    texts = frame.texts
    if where is None:
        title = texts.t("Bạn chưa nối Zalo, Telegram hay email nên chưa gửi đường dẫn được")
        short = pointed(frame, title, "DS", texts.t("để xem các đơn"))
        return plain_card(frame, title, texts.t("Nhắn DS để xem các đơn."), short=short)
    return plain_card(frame, texts.t(_SENT[where]), texts.t("Dùng một lần, trong 15 phút."))
