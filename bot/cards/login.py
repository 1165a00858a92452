"""The code that signs in on the pages, as it is told to whom it is for. Pure."""

from bot.cards.answers import plain_card
from bot.cards.view import Frame
from core.channels import Card


def login_code_card(frame: Frame, code: str) -> Card:
    """Tell a code, how long it works, and that it is nobody else's business."""
    texts = frame.texts
    title = texts.t("Mã vào trang Chốt Đơn của bạn: {code}", code=code)
    lines = (
        texts.t("Hết hạn sau 15 phút."),
        texts.t("Không đưa mã này cho ai, kể cả người xưng là Chốt Đơn."),
    )
    return plain_card(frame, title, *lines, short=" ".join((f"{title}.", *lines)))
