"""A kitchen that takes no orders for a while: how long, until when, and that it takes them again. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.cards.answers import plain_card
from bot.cards.short import told
from bot.cards.view import Frame
from bot.cards.writing import write
from bot.texts import msg
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, ButtonStyle, Card
from core.notices.kinds import NoticeKind

#: What the question offers, in days, today among them.
_LENGTHS: Final = ((1, msg("Hết hôm nay")), (2, msg("Hết ngày mai")), (3, msg("3 ngày")), (7, msg("7 ngày")))


def until_words(frame: Frame, until: datetime) -> str:
    """Return "hết thứ Sáu 25/12" for a pause that ends with a day, else its moment."""
    local = until.astimezone(frame.zone)
    if local.time() != time():
        return frame.texts.moment(until, frame.zone, frame.now)
    return last_day_words(frame, local.date() - timedelta(days=1))


def last_day_words(frame: Frame, day: date) -> str:
    """Return "hết thứ Sáu 25/12", with the year where it is another one."""
    year = f"/{day:%Y}" if day.year != frame.now.astimezone(frame.zone).year else ""
    return frame.texts.t("hết {day}", day=f"{frame.texts.day(day)}{year}")


def how_long_card(frame: Frame, paused_until: datetime | None) -> Card:
    """Ask until when the kitchen takes no orders; a kitchen that is paused may also go on at once."""
    texts = frame.texts
    if not _runs_it(frame):
        return not_yours_card(frame)
    title = texts.t("Quán nghỉ nhận đơn đến khi nào?")
    lines = [texts.t("Chọn bên dưới, hoặc nhắn: NGHI 2 NGAY, NGHI DEN HET 25/12.")]
    if paused_until:
        until = until_words(frame, paused_until)
        lines.insert(0, texts.t("Quán đang nghỉ, không nhận đơn mới đến {until}.", until=until))
    shown = (_resume_button(frame), *_lengths(frame)) if paused_until else _lengths(frame)
    example = write(frame.desk, texts, ("NGHI 2 NGAY", texts.t("để nghỉ hôm nay và mai")), _reopening(frame))
    return _card(frame, title, lines, shown, told(title, words=(example,)))


def from_now_on_card(frame: Frame, day: date) -> Card:
    """Ask before a pause begins that was said of a later day: only one that begins now can be kept."""
    texts = frame.texts
    if not _runs_it(frame):
        return not_yours_card(frame)
    until = last_day_words(frame, day)
    title = texts.t("Quán nghỉ từ bây giờ đến {until}?", until=until)
    line = texts.t("Chưa có gì thay đổi. Nghỉ là không nhận đơn mới kể từ lúc bấm.")
    word = f"NGHI DEN HET {day.day}/{day.month}/{day.year}"
    choices = (
        Button(
            texts.t("Nghỉ từ bây giờ"),
            payload=frame.asks(Purpose.PAUSE_UNTIL, number=day.toordinal()),
            word=word,
            style=ButtonStyle.PRIMARY,
        ),
        Button(texts.t("Chọn ngày khác"), payload=frame.asks(Purpose.PAUSE), word="NGHI"),
    )
    example = write(frame.desk, texts, (word, texts.t("để nghỉ từ bây giờ")))
    return _card(frame, title, [line], choices, told(title, texts.t("Chưa có gì thay đổi"), words=(example,)))


def paused_card(frame: Frame, until: datetime, *, still_open: int) -> Card:
    """Say that no new orders come, until when, and what is still to be done."""
    texts = frame.texts
    title = texts.t("Quán nghỉ, không nhận đơn mới đến {until}", until=until_words(frame, until))
    return _card(
        frame,
        title,
        [_left_to_do(frame, still_open)],
        (_resume_button(frame), *_open_orders(frame, still_open)),
        told(title, _left_to_do(frame, still_open), words=(write(frame.desk, texts, _reopening(frame)),)),
    )


def resumed_card(frame: Frame) -> Card:
    """Say that orders come again."""
    title = frame.texts.t("Quán nhận đơn bình thường")
    line = frame.texts.t("Các nền tảng đã được báo, đơn mới sẽ lại đến đây.")
    return plain_card(frame, title, line)


def not_yours_card(frame: Frame) -> Card:
    """Tell somebody who may do so."""
    texts = frame.texts
    title = texts.t("Vai của bạn không cho quán nghỉ hay mở lại được")
    return plain_card(frame, title, texts.t("Nhờ chủ quán hoặc quản lý."))


def paused_notice(frame: Frame, by: str, until: datetime, *, still_open: int) -> Card:
    """Tell the others of the kitchen who has paused it, and until when."""
    texts = frame.texts
    title = texts.t(
        "{name} cho quán nghỉ, không nhận đơn mới đến {until}", name=by, until=until_words(frame, until)
    )
    line = _left_to_do(frame, still_open)
    shown = (_resume_button(frame),) if _runs_it(frame) else ()
    card = _card(frame, title, [line], (*shown, *_open_orders(frame, still_open)), told(title, line))
    return _of_kind(card, NoticeKind.KITCHEN_PAUSED)


def resumed_notice(frame: Frame, by: str | None) -> Card:
    """Tell the kitchen that it takes orders again: somebody said so, or the pause ran out."""
    texts = frame.texts
    title = (
        texts.t("{name} đã mở lại, quán nhận đơn bình thường", name=by)
        if by
        else texts.t("Hết thời gian nghỉ, quán nhận đơn trở lại")
    )
    return _of_kind(plain_card(frame, title), NoticeKind.KITCHEN_RESUMED)


def _runs_it(frame: Frame) -> bool:
    return frame.staff is not None and (frame.staff.role.runs_kitchen or frame.in_group)


def _lengths(frame: Frame) -> tuple[Button, ...]:
    today = frame.now.astimezone(frame.zone).date()
    return tuple(
        Button(
            frame.texts.t(label),
            payload=frame.asks(Purpose.PAUSE_UNTIL, number=(today + timedelta(days=days - 1)).toordinal()),
            word="NGHI HOM NAY" if days == 1 else f"NGHI {days} NGAY",
        )
        for days, label in _LENGTHS
    )


def _resume_button(frame: Frame) -> Button:
    return Button(frame.texts.t("Mở lại ngay"), payload=frame.asks(Purpose.RESUME), word="MO LAI")


def _open_orders(frame: Frame, count: int) -> tuple[Button, ...]:
    payload = frame.asks(Purpose.LIST)
    return (Button(frame.texts.t("Xem các đơn"), payload=payload, word="DS"),) if count else ()


def _reopening(frame: Frame) -> tuple[str, str]:
    return "MO LAI", frame.texts.t("để nhận đơn lại")


def _left_to_do(frame: Frame, count: int) -> str:
    if not count:
        return frame.texts.t("Không còn đơn nào đang mở.")
    return frame.texts.n("Còn {count} đơn đang mở vẫn phải làm.", count)


def _card(frame: Frame, title: str, lines: Sequence[str], buttons: tuple[Button, ...], short: str) -> Card:
    return Card(
        kind=NoticeKind.ANSWER,
        locale=frame.texts.locale,
        title=title,
        short=short,
        blocks=(Block(BlockRole.TEXT, tuple(lines)),),
        buttons=buttons,
    )


def _of_kind(card: Card, kind: NoticeKind) -> Card:
    return replace(card, kind=kind)
