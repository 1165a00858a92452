"""What can be texted back to us, and to which number: words stand for buttons in an SMS. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.cards.order_card import buttons
from bot.cards.short import ONE, sms_length
from bot.cards.view import Desk, View
from bot.texts import Texts, msg

#: What a word is for, by the word.
_AIMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "XN": msg("để nhận"),
        "HUY": msg("để huỷ"),
        "HT": msg("để báo hoàn thành"),
        "CAM": msg("để cảm ơn khách"),
        "CT": msg("để xem"),
    }
)


def write(desk: Desk, texts: Texts, *said: tuple[str, str]) -> str:
    """Return what to text and where, each word with what it is for: "Soạn XN 48273 gửi 8041 để nhận".

    A card never asks to reply to itself: what sends it is mostly no number that hears.
    """
    if not said:
        return ""
    (word, aim), *others = ((routed(desk, word), aim) for word, aim in said)
    first = (
        texts.t("Soạn {word} gửi {number}", word=word, number=desk.reply_number)
        if desk.reply_number
        else texts.t("Soạn {word}", word=word)
    )
    return ", ".join([f"{first} {aim}".strip(), *(f"{word} {aim}".strip() for word, aim in others)])


def answers_to(view: View) -> Sequence[str]:
    """Return ways to say what can be texted about an order now, the fullest first."""
    if view.frame.staff is None:
        return ("",)
    said = [_aimed(view.texts, button.word) for button in buttons(view) if button.word]
    ways = [write(view.frame.desk, view.texts, *said[:count]) for count in range(len(said), 0, -1)]
    only_looks = len(said) == 1
    return (*ways, "") if only_looks else ways


def with_link(view: View, said: str, most: int = ONE) -> str:
    """Return the text with the order's link after it, where links may stand in SMS and there is room."""
    longer = f"{said} {view.link}"
    allowed = view.frame.desk.sms_links and view.frame.staff is not None
    return longer if allowed and sms_length(longer) <= most else said


def _aimed(texts: Texts, word: str) -> tuple[str, str]:
    return word, texts.t(_AIMS[word.partition(" ")[0]])


def routed(desk: Desk, word: str) -> str:
    """Return a word as it is texted: behind the routing keyword of the number, where it has one."""
    return f"{desk.reply_prefix} {word}" if desk.reply_prefix else word
