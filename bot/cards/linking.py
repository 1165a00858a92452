"""What somebody is told who wants to link a chat by the phone that a kitchen knows them by. Pure."""

from dataclasses import replace

from bot.cards.answers import plain_card
from bot.cards.view import Frame
from core.channels import Card


def how_to_link_card(frame: Frame, *, by_phone: bool, is_vouched_for: bool = False) -> Card:
    """Say how a chat is linked; `by_phone` where a phone that is shared can link it.

    That is by a code that is sent to it, or at once where the chat's own phone `is_vouched_for`.
    """
    texts = frame.texts
    if frame.in_group:
        return _how_to_link_a_group(frame)
    title = texts.t("Chào bạn! Tài khoản này chưa nối với quán nào")
    code = texts.t("Xin mã 6 số ở người quản lý, rồi nhắn: LK và mã đó, ví dụ LK 482913.")
    if not by_phone:
        return plain_card(frame, title, code)
    phone = (
        texts.t("Bấm nút bên dưới để chia sẻ số điện thoại mà quán đã đăng ký cho bạn.")
        if is_vouched_for
        else texts.t("Chia sẻ số điện thoại mà quán đã đăng ký: mã sẽ đến số đó bằng SMS.")
    )
    return replace(plain_card(frame, title, phone, texts.t("Hoặc:") + " " + code), wants_phone=True)


def _how_to_link_a_group(frame: Frame) -> Card:
    texts = frame.texts
    return plain_card(
        frame,
        texts.t("Chào cả nhà! Nhóm này chưa nối với quán nào"),
        texts.t("Nhờ chủ quán hoặc quản lý xin đường dẫn cho nhóm, hoặc nhắn ở đây: /start và mã 6 số."),
    )


def nobodys_phone_card(frame: Frame) -> Card:
    """Tell somebody that no kitchen has registered their phone."""
    texts = frame.texts
    return plain_card(
        frame,
        texts.t("Chưa quán nào đăng ký số điện thoại này"),
        texts.t("Xin mã 6 số ở người quản lý, rồi nhắn: LK và mã đó, ví dụ LK 482913."),
    )


def others_phone_card(frame: Frame) -> Card:
    """Tell somebody who shared a contact that only their own phone says who they are."""
    title = frame.texts.t("Đây không phải số của bạn nên mình chưa nối được")
    line = frame.texts.t("Bấm nút bên dưới để chia sẻ số điện thoại của chính bạn.")
    return replace(plain_card(frame, title, line), wants_phone=True)


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
