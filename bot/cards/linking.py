"""What somebody is told who wants to link a chat by the phone that a kitchen knows them by. Pure."""

from dataclasses import replace

from bot.cards.answers import plain_card
from bot.cards.view import Frame
from core.channels import Card


def how_to_link_card(frame: Frame, *, by_phone: bool) -> Card:
    """Say how a chat is linked; `by_phone` where a code can be sent to the phone that is shared."""
    texts = frame.texts
    title = texts.t("Chào bạn! Tài khoản này chưa nối với quán nào")
    code = texts.t("Xin mã 6 số ở người quản lý, rồi nhắn: LK và mã đó, ví dụ LK 482913.")
    if not by_phone:
        return plain_card(frame, title, code)
    phone = texts.t("Chia sẻ số điện thoại mà quán đã đăng ký: mã sẽ đến số đó bằng SMS.")
    return replace(plain_card(frame, title, phone, texts.t("Hoặc:") + " " + code), wants_phone=True)


def code_sent_card(frame: Frame) -> Card:
    """Say what comes next, in the same words whether the phone is anybody's or not."""
    texts = frame.texts
    return plain_card(
        frame,
        texts.t("Nếu số này đã đăng ký với một quán, mã liên kết vừa được gửi đến bằng SMS"),
        texts.t("Nhắn lại mã đó ở đây, ví dụ LK 482913. Mã hết hạn sau 15 phút."),
        texts.t("Không nhận được? Xin mã ở người quản lý."),
    )


def link_code_card(frame: Frame, text: str) -> Card:
    """Tell the phone that somebody shared in Zalo the code that proves it is theirs."""
    texts = frame.texts
    title = texts.t("Mã liên kết Zalo của bạn: {text}", text=text)
    lines = (texts.t("Nhắn lại mã này trong Zalo Chốt Đơn."), texts.t("Hết hạn sau 15 phút."))
    return plain_card(frame, title, *lines, short=" ".join((f"{title}.", *lines)))
