"""The guide for kitchens as data: what arrives when, what buttons and words do, who may do what. Pure.

The page `/help` shows it in the reader's language; a test holds `docs/huong-dan-doi-tac.md` and every word
that the chats understand against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from bot.intents import Question, Verb
from bot.texts.catalogue import Texts, msg
from core.actors import Role
from core.schedule import Policy


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a word, a button or a moment, and what it means."""

    what: str
    means: str


def arrivals(texts: Texts, policy: Policy) -> list[Line]:
    """Return what arrives when, with the times of this service."""
    first, last = policy.confirm_nudges_after[:1], policy.confirm_nudges_after[-1:]
    return [
        Line(
            texts.t("Khách vừa đặt"),
            texts.t("Tin trên Zalo, Telegram hoặc SMS và thư, kèm nút xác nhận và huỷ."),
        ),
        *(_nudge(texts, after, texts.t("Nhắc lại qua kênh kế tiếp của bạn.")) for after in first),
        *(_nudge(texts, after, texts.t("Nhắc thêm người kế tiếp của quán.")) for after in last),
        *_before(texts, policy),
        Line(
            texts.t("Đến giờ giao mà chưa ai xác nhận"),
            texts.t("Đơn tự huỷ (quá hạn). Khách và các nền tảng được báo ngay, quán đừng làm nữa."),
        ),
        Line(
            texts.t("{hour} hôm trước ngày giao", hour=f"{policy.reminder_hour:02}:00"),
            texts.t("Nhắc mai giao, với đơn đặt trước hơn 2 ngày."),
        ),
        Line(
            texts.t("{span} sau giờ giao", span=texts.span(policy.completion_notice_after)),
            texts.t(
                "Xin bạn bấm Hoàn thành, kèm số tiền đang chờ. Chưa bấm thì được nhắc lại: {spans}.",
                spans=_spans(texts, policy.completion_reminders_after),
            ),
        ),
        *(Line(texts.t(what), texts.t(means)) for what, means in _ARRIVALS),
    ]


def _nudge(texts: Texts, after: timedelta, means: str) -> Line:
    return Line(texts.t("{span} chưa ai xác nhận", span=texts.span(after)), means)


def _before(texts: Texts, policy: Policy) -> list[Line]:
    if not policy.confirm_nudges_before:
        return []
    when = texts.t(
        "Trước giờ giao {spans} mà chưa xác nhận", spans=_spans(texts, policy.confirm_nudges_before)
    )
    return [Line(when, texts.t("Nhắc mọi người được bấm xác nhận; lần cuối báo cả tổng đài."))]


def _spans(texts: Texts, spans: tuple[timedelta, ...]) -> str:
    return ", ".join(texts.span(span) for span in spans)


_ARRIVALS: Final = (
    (
        msg("Nền tảng hoặc tổng đài đổi, huỷ đơn"),
        msg("Tin báo ngay, ghi rõ điều gì đã đổi. Đổi giờ hoặc món thì cần xác nhận lại."),
    ),
    (
        msg("Đồng nghiệp đã bấm trước"),
        msg("Tin báo ai đã làm gì, lúc nào; trên Telegram thẻ cũ tự đổi theo."),
    ),
    (
        msg("Khách đánh giá"),
        msg("Tin và thư, kèm số sao và lời khách; bấm Cảm ơn khách hoặc nhắn CAM ON để trả lời."),
    ),
    (
        msg("Sáng sớm, ngày có đơn"),
        msg("Phiếu buổi sáng: các đơn giao trong ngày, tổng từng món. Giờ gửi đặt trong Cài đặt."),
    ),
)

#: The label of each button, as the catalogue has it for buttons, and what it does.
BUTTONS: Final = (
    (
        "Xác nhận đơn hàng",
        msg("Quán nhận đơn. Sau đó quán không tự huỷ được nữa, cần huỷ thì gọi tổng đài."),
    ),
    (
        "Huỷ đơn hàng",
        msg(
            "Hỏi lý do rồi mới huỷ: hết món, quá tải, đóng cửa, ngoài vùng giao, sai giá hoặc thực đơn, khác."
        ),
    ),
    (
        "Hoàn thành",
        msg(
            "Đã giao xong. Chỉ đơn hoàn thành mới được đối soát và trả tiền. Bấm được từ {early} trước "
            "giờ giao."
        ),
    ),
    (
        "Cảm ơn khách",
        msg("Trả lời đánh giá bằng một lời cảm ơn; khách và nền tảng đọc được. Mỗi đánh giá một lần."),
    ),
    ("Xem chi tiết đơn hàng", msg("Mở trang của đơn: món, giờ, địa chỉ, đã xảy ra gì, tin nào đã gửi.")),
)

#: For each thing that the chats understand: what to text, and what comes of it.
SAYINGS: Final[Mapping[Verb | Question, tuple[str, str]]] = MappingProxyType(
    {
        Verb.CONFIRM: ("XN 48274", msg("xác nhận đơn 48274; chỉ một đơn đang chờ thì không cần mã")),
        Verb.CANCEL: (
            "HUY 48274 1",
            msg(
                "huỷ đơn, kèm lý do: 1 hết món, 2 quá tải, 3 đóng cửa, 4 ngoài vùng giao, 5 sai giá "
                "hoặc thực đơn, 6 khác"
            ),
        ),
        Verb.COMPLETE: ("HT 48274", msg("báo đã giao xong")),
        Verb.DETAILS: ("CT 48274", msg("xem một đơn")),
        Question.LIST: (
            "DS",
            msg(
                "các đơn của quán; thêm CHO (chờ xác nhận), XN (đã xác nhận), HT (hoàn thành), HUY, QH "
                "(quá hạn)"
            ),
        ),
        Question.TODAY: ("HN", msg("đơn giao hôm nay")),
        Question.TOMORROW: ("MAI", msg("đơn giao ngày mai")),
        Question.MONEY: ("TIEN", msg("tiền tháng này; TIEN 11/2026 là tháng 11 năm 2026")),
        Question.REVIEWS: (
            "DG",
            msg(
                "khách đánh giá; CAM ON 48274 rồi lời của quán là trả lời khách của đơn 48274 "
                "(chủ quán, quản lý)"
            ),
        ),
        Question.WEB: ("WEB", msg("đường dẫn vào trang của quán, dùng một lần, trong 15 phút")),
        Question.PAUSE: (
            "NGHI 2 NGAY",
            msg("nghỉ nhận đơn mới hôm nay và mai; NGHI DEN HET 25/12 là nghỉ đến hết ngày 25/12"),
        ),
        Question.RESUME: ("MO LAI", msg("nhận đơn lại ngay")),
        Question.LINK: ("LK 482913", msg("nối tài khoản này với quán, bằng mã trong lời mời")),
        Question.HELP: ("TG", msg("xem có thể nhắn gì")),
        Question.LANGUAGE: ("NGON NGU", msg("chọn ngôn ngữ")),
        Question.ENGLISH: ("EN", msg("nói tiếng Anh")),
        Question.VIETNAMESE: ("VI", msg("nói tiếng Việt")),
    }
)

ROLES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.OWNER: msg(
            "Làm được mọi việc: bấm đơn, xem tiền, thêm và bớt người, cài đặt quán. Luôn được báo tin."
        ),
        Role.MANAGER: msg("Như chủ quán, nhưng không thay đổi được chủ quán. Luôn được báo tin."),
        Role.KITCHEN: msg("Xác nhận, huỷ, báo hoàn thành. Không thấy tiền."),
        Role.CASHIER: msg("Xem đơn, xem tiền và đối soát. Không bấm thay quán."),
    }
)

MASKED: Final = (
    msg(
        "Trước khi xác nhận: tên và số điện thoại khách bị che (N••• V•• A•, 09•••456); địa chỉ thì "
        "thấy, để biết giao đi đâu."
    ),
    msg("Sau khi xác nhận: thấy đủ tên và số để gọi khách."),
    msg("30 ngày sau ngày giao: tên, số và địa chỉ đều bị che."),
)

QUESTIONS: Final = (
    (
        msg("Bấm nhầm, bấm hai lần thì sao?"),
        msg("Mỗi việc chỉ có tác dụng một lần. Huỷ luôn hỏi lý do trước, nên lỡ tay thì chưa mất gì."),
    ),
    (
        msg("Hai người cùng bấm thì sao?"),
        msg("Ai bấm trước được tính. Người sau được báo đơn đang thế nào, ai đã làm, lúc nào."),
    ),
    (
        msg("Chuyển tin cho người khác bấm hộ được không?"),
        msg(
            "Nút trong Zalo và Telegram chỉ tính với người nhận tin. Đường dẫn thì bấm được và ghi tên "
            "người nhận, nên đừng chuyển cho ai; thêm người đó vào Nhân viên."
        ),
    ),
    (
        msg("Không có mạng thì sao?"),
        msg("Tin sẽ đến bằng SMS; trả lời bằng SMS theo bảng ở trên."),
    ),
    (
        msg("Người đã nghỉ làm thì sao?"),
        msg("Cho nghỉ trong trang Nhân viên: nút, đường dẫn và thiết bị của người đó ngừng ngay."),
    ),
)
