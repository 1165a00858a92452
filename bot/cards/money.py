"""What a month brought, for who may see money. Pure."""

from datetime import date, timedelta
from typing import Final

from bot.cards.answers import plain_card
from bot.cards.short import TWO, fitted
from bot.cards.view import Frame
from bot.texts import msg
from bot.tokens import Purpose
from core.channels import Block, BlockRole, Button, Card
from core.notices.kinds import NoticeKind
from core.orders.lookups import Heap, MonthMoney

_KIND: Final = NoticeKind.ANSWER


def money_card(frame: Frame, month: date, money: MonthMoney) -> Card:
    """Return what a month brought; only for who may see money."""
    texts = frame.texts
    if not frame.sees_money:
        return plain_card(frame, texts.t("Vai của bạn không xem được tiền. Hỏi chủ quán nhé."))
    heaps = (
        (msg("Hoàn thành"), money.completed),
        (msg("Đã giao, chờ bấm Hoàn thành"), money.waiting),
        (msg("Huỷ"), money.cancelled),
        (msg("Quá hạn xác nhận"), money.expired),
    )
    lines = [_money_line(frame, label, heap) for label, heap in heaps]
    brief = [lines[0], _money_line(frame, msg("Chưa báo hoàn thành"), money.waiting), *lines[2:]]
    advice = texts.t("Chỉ đơn hoàn thành mới được đối soát.")
    title = texts.t("Tiền tháng {month}", month=f"{month:%m/%Y}")
    return Card(
        kind=_KIND,
        locale=texts.locale,
        title=title,
        short=fitted(f"{title}:", *brief, most=TWO),
        blocks=(Block(BlockRole.MONEY, tuple(lines)), Block(BlockRole.TEXT, (advice,))),
        buttons=(_month_before(frame, month),),
    )


def _month_before(frame: Frame, month: date) -> Button:
    before = month.replace(day=1) - timedelta(days=1)
    return Button(
        frame.texts.t("Tháng {month}", month=f"{before:%m/%Y}"),
        payload=frame.asks(Purpose.MONEY, number=before.year * 100 + before.month),
        word=f"TIEN {before.month}/{before.year}",
    )


def _money_line(frame: Frame, label: str, heap: Heap) -> str:
    texts = frame.texts
    return texts.n(
        "{label}: {count} đơn, {amount}",
        heap.count,
        label=texts.t(label),
        amount=texts.money(heap.amount),
    )
