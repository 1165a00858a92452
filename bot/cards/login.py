"""The code that signs in on the pages, as it is told to whom it is for. Pure."""

from uuid import UUID

from bot.cards.answers import plain_card
from bot.cards.view import Frame
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind


def login_code_card(frame: Frame, code: str) -> Card:
    """Tell a code, how long it works, and that it is nobody else's business."""
    texts = frame.texts
    title = texts.t("Mã vào trang Chốt Đơn của bạn: {code}", code=code)
    lines = (
        texts.t("Hết hạn sau 15 phút."),
        texts.t("Không đưa mã này cho ai, kể cả người xưng là Chốt Đơn."),
    )
    return plain_card(frame, title, *lines, short=" ".join((f"{title}.", *lines)))


def operator_link_card(frame: Frame, link_id: UUID) -> Card:
    """Tell an operator the link that signs in at the console, once."""
    texts = frame.texts
    title = texts.t("Vào trang tổng đài Chốt Đơn")
    line = texts.t("Đường dẫn dùng một lần, trong 15 phút. Đừng gửi cho ai.")
    unasked = texts.t("Bạn không xin đường dẫn này? Đừng bấm, và báo cho người quản trị.")
    url = f"{frame.desk.base_url}/ops/login/{frame.desk.signer.one_time(link_id)}"
    return Card(
        kind=NoticeKind.OPERATOR_LOGIN,
        locale=texts.locale,
        title=title,
        short=title,
        blocks=(Block(BlockRole.TEXT, (line, unasked)),),
        buttons=(Button(texts.label("Vào trang tổng đài"), url=url, style=ButtonStyle.PRIMARY),),
    )
