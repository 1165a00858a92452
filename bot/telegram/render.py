"""A card as a Telegram message: HTML text, and the keyboard beneath it. Pure.

What is longest gives way when a card is too long, then what comes last: whole lines, never half a tag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from types import MappingProxyType
from typing import Final, TypeAlias
from unicodedata import category, normalize
from urllib.parse import urlsplit

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from bot.texts.catalogue import texts_in
from core.channels import Block, BlockRole, Button, ButtonStyle, Card

# docs/facts.md#telegram-text: counted after entities, in UTF-16 units.
MAX_TEXT: Final = 4096
# docs/facts.md#telegram-buttons
MAX_PAYLOAD: Final = 64
MAX_BUTTONS: Final = 100
_MAX_LABEL: Final = 64
_IN_A_ROW: Final = 2
#: Labels so short stand side by side.
_SHORT_LABEL: Final = 16
_CUT: Final = "…"
_ROOM_FOR_CUT: Final = 2 * len(f"\n{_CUT}")
_MAX_LINE: Final = 2000

#: A shape for each status: nobody needs to see colours.
SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"pending": "◐", "confirmed": "✓", "completed": "✓✓", "cancelled": "✕", "expired": "▲"}
)
_BOLD: Final = frozenset({BlockRole.WHEN, BlockRole.AMOUNT})
_UNSEEN: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})

Markup: TypeAlias = InlineKeyboardMarkup | ReplyKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class Message:
    """What `sendMessage` is given: `text` in Telegram's HTML."""

    text: str
    markup: Markup = None


def message(card: Card, *, in_group: bool = False) -> Message:
    """Return a card as a message of its own."""
    # docs/facts.md#telegram-contact: a group has no button that shares a phone.
    if card.wants_phone and not in_group:
        return Message(_text(card), _phone_keyboard(card))
    return Message(_text(card), _keyboard(card))


def edited(card: Card) -> Message:
    """Return what takes the place of an earlier message: only inline keyboards can."""
    return Message(_text(card), _keyboard(card))


def brief(card: Card) -> Card:
    """Return an order's card in short, for where an older message cannot be changed any more.

    What somebody asked for (a list, a history) stays whole.
    """
    if card.badge is None or any(block.role in _ASKED_FOR for block in card.blocks):
        return card
    return replace(card, blocks=tuple(block for block in card.blocks if block.role in _IN_SHORT))


_ASKED_FOR: Final = frozenset({BlockRole.HISTORY, BlockRole.LIST, BlockRole.MONEY, BlockRole.REVIEW})
_IN_SHORT: Final = frozenset({BlockRole.WHEN, BlockRole.TEXT})


def length(text: str) -> int:
    """Return how long Telegram says that a text is, without its tags."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# --- text -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, as Telegram counts it, and as it is sent."""

    plain: str
    html: str


def _text(card: Card) -> str:
    """Return as many whole lines as there is room for; what the buttons cannot say always has its room."""
    spelled_out = [line for button in card.buttons for line in _spelled_out(button)]
    last = _fitting(spelled_out, MAX_TEXT // 2)
    room = MAX_TEXT - _long(last)
    kept = _fitting(_lines(_shortened(card, room)), room)
    lines = [*kept, *([_BLANK] if kept and last else []), *last]
    return "\n".join(line.html for line in lines) or _CUT


def _shortened(card: Card, room: int) -> Card:
    """Return a card whose longest block lost its last lines, if all fits then: dishes before an address."""
    over = _long(_lines(card)) - (room - _ROOM_FOR_CUT)
    if over <= 0 or not card.blocks:
        return card
    longest = max(card.blocks, key=lambda block: _long(_of_block(block)))
    kept, saved = list(longest.lines), -_long([_plain(_CUT)])
    while len(kept) > 1 and saved < over:
        saved += _long([_plain(kept.pop())])
    if saved < over:
        return card
    shorter = replace(longest, lines=(*kept, _CUT))
    return replace(card, blocks=tuple(shorter if block is longest else block for block in card.blocks))


def _long(lines: Sequence[_Line]) -> int:
    return sum(length(line.plain) + 1 for line in lines)


def _fitting(lines: Sequence[_Line], room: int) -> list[_Line]:
    """Return the first lines that fit, with room for the sign that something was left out."""
    kept: list[_Line] = []
    left = room - _ROOM_FOR_CUT
    for line in lines:
        left -= length(line.plain) + 1
        if left < 0:
            return [*_without_blank_end(kept), _Line(_CUT, _CUT)]
        kept.append(line)
    return _without_blank_end(kept)


def _without_blank_end(lines: list[_Line]) -> list[_Line]:
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


_BLANK: Final = _Line("", "")


def _lines(card: Card) -> list[_Line]:
    lines = [_bold(card.title)]
    if card.badge:
        sign = SHAPES.get(card.badge.status, "●")
        lines.append(_plain(f"{sign} {card.badge.word} · {card.badge.code}"))
    for block in card.blocks:
        lines += [_BLANK, *_of_block(block)]
    return lines


def _of_block(block: Block) -> list[_Line]:
    label = [_bold(block.label)] if block.label else []
    first, *others = block.lines or ("",)
    head = _bold(first) if block.role in _BOLD and not label else _plain(first)
    return [line for line in (*label, head, *map(_plain, others)) if line.plain]


def _plain(text: str) -> _Line:
    clean = _clean(text)
    return _Line(clean, escape(clean, quote=False))


def _bold(text: str) -> _Line:
    line = _plain(text)
    return _Line(line.plain, f"<b>{line.html}</b>") if line.plain else line


def _spelled_out(button: Button) -> list[_Line]:
    """Return a line for what Telegram takes no button for: phones, and addresses without a dot."""
    if button.payload or not (button.url or button.phone):
        return []
    if button.url:
        return [] if _is_pressable(button.url) else [_plain(f"{button.label}: {button.url}")]
    return [_plain(f"☎ {button.label}: {button.phone}")]


def _clean(text: str) -> str:
    """Return one line without what is not seen, short enough that one alone is no message's end."""
    line = " ".join(normalize("NFC", text).splitlines())
    seen = "".join(letter for letter in line if category(letter) not in _UNSEEN).strip()
    return seen if length(seen) <= _MAX_LINE else _cut(seen, _MAX_LINE)


def _cut(text: str, limit: int) -> str:
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * (limit - len(_CUT))]
    return units.decode("utf-16-le", "ignore").rstrip() + _CUT


# --- keyboards --------------------------------------------------------------------------------


def _keyboard(card: Card) -> InlineKeyboardMarkup | None:
    made = [(button, key) for button in card.buttons if (key := _pressable(button))]
    rows: list[list[InlineKeyboardButton]] = []
    beside = False
    for button, key in made[:MAX_BUTTONS]:
        if beside and _is_small(button) and len(rows[-1]) < _IN_A_ROW:
            rows[-1].append(key)
        else:
            rows.append([key])
        beside = _is_small(button)
    return InlineKeyboardMarkup(rows) if rows else None


def _is_small(button: Button) -> bool:
    """Whether it may share a row; what acts on an order has one of its own."""
    return button.style is ButtonStyle.SECONDARY and len(button.label) <= _SHORT_LABEL


def _pressable(button: Button) -> InlineKeyboardButton | None:
    """Return the button, None for what Telegram takes none for; docs/facts.md#telegram-callback-data."""
    label = _cut_label(_clean(button.label))
    if button.payload:
        if len(button.payload.encode()) > MAX_PAYLOAD:
            raise ValueError(f"a button's payload is longer than the {MAX_PAYLOAD} bytes that Telegram takes")
        return InlineKeyboardButton(label, callback_data=button.payload)
    if button.url and _is_pressable(button.url):
        return InlineKeyboardButton(label, url=button.url)
    return None


def _cut_label(label: str) -> str:
    label = label or _CUT
    return label if length(label) <= _MAX_LABEL else _cut(label, _MAX_LABEL)


def _is_pressable(url: str) -> bool:
    """Whether Telegram takes a button with this address. docs/facts.md#telegram-button-url."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "")


def _phone_keyboard(card: Card) -> ReplyKeyboardMarkup:
    label = texts_in(card.locale).label("Chia sẻ số điện thoại")
    button = KeyboardButton(label, request_contact=True)
    return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)
