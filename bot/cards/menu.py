"""What can be said and pressed, and who somebody is here. Pure."""

from typing import Final

from bot.cards.lists import FILTERS
from bot.cards.short import TWO, fitted, joined, told
from bot.cards.view import Frame
from bot.cards.writing import write
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, Card
from core.notices.kinds import NoticeKind
from core.orders.status import Status

_KIND: Final = NoticeKind.ANSWER


def help_card(frame: Frame, title: str | None = None, *, first: str = "") -> Card:
    """Return what can be said; an SMS begins with `first`."""
    texts = frame.texts
    acting = (
        texts.t("XN 12345: xác nhận đơn"),
        texts.t("HUY 12345 1: huỷ đơn, kèm lý do (1 hết món, 2 quá tải, 3 đóng cửa, 4 ngoài vùng giao)"),
        texts.t("HT 12345: báo hoàn thành"),
    )
    lines = [
        *(acting if frame.may_act else ()),
        texts.t("CT 12345: xem chi tiết đơn"),
        texts.t("DS: các đơn của quán (DS CHO, DS XN, DS HT, DS HUY, DS QH)"),
        texts.t("HN, MAI: đơn giao hôm nay, ngày mai"),
        texts.t("TIEN: tiền tháng này · DG: khách đánh giá")
        if frame.sees_money
        else texts.t("DG: khách đánh giá"),
        *((texts.t("NGHI: quán nghỉ nhận đơn · MO LAI: nhận đơn lại"),) if _runs_kitchen(frame) else ()),
        texts.t("WEB: vào trang của quán"),
        texts.t("EN: English"),
    ]
    heading = title or texts.t("Bạn có thể nhắn")
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=heading,
        short=_short_help(frame, first),
        blocks=(Block(BlockRole.TEXT, tuple(lines)),),
        buttons=_menu(frame),
    )


def _short_help(frame: Frame, first: str) -> str:
    """Return all words in two SMS; 12345 stands for a code, and is none: it would be refused."""
    desk, texts = frame.desk, frame.texts
    example = write(desk, texts, ("XN 12345", texts.t("để nhận đơn 12345")))
    seeing = write(desk, texts, ("CT 12345", texts.t("để xem")))
    words = (
        *(
            (texts.t("HUY 12345 1 để huỷ vì hết món"), texts.t("HT 12345 khi giao xong"))
            if frame.may_act
            else ()
        ),
        *((texts.t("CT 12345 để xem"),) if frame.may_act else ()),
        texts.t("DS CHO: đơn chưa xác nhận"),
        texts.t("DS: tất cả đơn"),
        texts.t("HN: giao hôm nay"),
        texts.t("MAI: giao ngày mai"),
        texts.t("TIEN: tiền tháng này") if frame.sees_money else "",
        texts.t("DG: khách đánh giá"),
        texts.t("NGHI: nghỉ nhận đơn") if _runs_kitchen(frame) else "",
        texts.t("WEB: vào trang"),
        texts.t("EN: English"),
    )
    return fitted(joined(first, example if frame.may_act else seeing), *words, most=TWO)


def pointed(frame: Frame, said: str, word: str, aim: str) -> str:
    """Return some words for an SMS, and the word to text next."""
    return told(said, words=(write(frame.desk, frame.texts, (word, aim)),))


def _menu(frame: Frame) -> tuple[Button, ...]:
    texts = frame.texts
    choices = (
        (texts.t("Đơn chờ xác nhận"), Purpose.LIST, FILTERS.index(Status.PENDING), "DS CHO"),
        (texts.t("Giao hôm nay"), Purpose.TODAY, 0, "HN"),
        (texts.t("Giao ngày mai"), Purpose.TOMORROW, 0, "MAI"),
        (texts.t("Tất cả đơn"), Purpose.LIST, 0, "DS"),
        (texts.t("Xem thêm…"), Purpose.MORE, 0, "TG"),
    )
    return tuple(
        Button(label, payload=frame.asks(purpose, number=number), word=word)
        for label, purpose, number, word in choices
    )


def more_card(frame: Frame) -> Card:
    """Return the rest of the menu: what this reader may see and do."""
    texts = frame.texts
    choices = (
        *(((texts.t("Tiền tháng này"), Purpose.MONEY, "TIEN"),) if _may_ask_for_money(frame) else ()),
        (texts.t("Khách đánh giá"), Purpose.REVIEWS, "DG"),
        (texts.label("Vào trang của quán"), Purpose.WEB, "WEB"),
        *(((texts.t("Nghỉ nhận đơn"), Purpose.PAUSE, "NGHI"),) if _runs_kitchen(frame) else ()),
        (texts.t("Ngôn ngữ"), Purpose.LANGUAGE, "NGON NGU"),
    )
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=texts.t("Bạn muốn xem gì nữa?"),
        short=_short_help(frame, ""),
        buttons=tuple(
            Button(label, payload=frame.asks(purpose), word=word) for label, purpose, word in choices
        ),
    )


def languages_card(frame: Frame) -> Card:
    """Ask which language is to be spoken, in both."""
    choices = (("Tiếng Việt", Purpose.VIETNAMESE, "VI"), ("English", Purpose.ENGLISH, "EN"))
    title = "Tiếng Việt hay English?"
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=f"{title} VI / EN",
        buttons=tuple(
            Button(label, payload=frame.asks(purpose), word=word) for label, purpose, word in choices
        ),
    )


def _may_ask_for_money(frame: Frame) -> bool:
    """Whether a button for it is of any use; in a group, to some: it is answered to who pressed alone."""
    return frame.in_group or frame.sees_money


def _runs_kitchen(frame: Frame) -> bool:
    return frame.staff is not None and (frame.staff.role.runs_kitchen or frame.in_group)


def linked_card(frame: Frame) -> Card:
    """Say who this address is now."""
    if frame.in_group:
        return _linked_group_card(frame)
    name = frame.staff.name if frame.staff else ""
    title = frame.texts.t("Xong! Bạn là {name} của {partner}", name=name, partner=frame.partner_name)
    line = frame.texts.t("Đơn mới sẽ đến đây. Nhắn TG để xem có thể nói gì.")
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=_short_welcome(frame, title),
        blocks=(Block(BlockRole.TEXT, (line,)),),
        buttons=_menu(frame),
    )


def _linked_group_card(frame: Frame) -> Card:
    title = frame.texts.t("Xong! Nhóm này nhận đơn của {partner}", partner=frame.partner_name)
    line = frame.texts.t("Ai là người của quán đều bấm nút được, người khác chỉ xem.")
    return Card(
        kind=_KIND,
        locale=frame.texts.locale,
        title=title,
        short=joined(title, line),
        blocks=(Block(BlockRole.TEXT, (line,)),),
        buttons=_menu(frame),
    )


def _short_welcome(frame: Frame, title: str) -> str:
    texts = frame.texts
    said = joined(title, texts.t("đơn mới sẽ đến đây"))
    return pointed(frame, said, "TG", texts.t("để được hướng dẫn"))
