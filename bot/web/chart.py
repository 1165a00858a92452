"""Bars of a summary, as numbers for an inline SVG: readable without colour, with the table beneath. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.texts.catalogue import grouped

_HIGH: Final = 160
_WIDE: Final = 640
_LEFT: Final = 8
_MOST_LABELS: Final = 8
_ROOM_FOR_NUMBERS: Final = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in units of the drawing; `label` and `number` are empty where they would crowd."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    number: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of bars over a line; `top` is what the highest bar stands for."""

    bars: tuple[Bar, ...]
    top: str
    width: int = _WIDE
    height: int = _HIGH


def chart(values: Sequence[tuple[str, int]]) -> Chart | None:
    """Return bars for these labels and numbers; None where all are nothing."""
    highest = max((value for _, value in values), default=0)
    if not highest:
        return None
    room = (_WIDE - 2 * _LEFT) / len(values)
    every = -(-len(values) // _MOST_LABELS)
    return Chart(
        tuple(
            _bar(
                number,
                room,
                value / highest,
                label if number % every == 0 else "",
                _shown(value, len(values)),
            )
            for number, (label, value) in enumerate(values)
        ),
        grouped(highest),
    )


def _shown(value: int, bars: int) -> str:
    return grouped(value) if value and bars <= _ROOM_FOR_NUMBERS else ""


def _bar(number: int, room: float, share: float, label: str, shown: str) -> Bar:
    height = round(share * _HIGH, 1)
    x = _LEFT + number * room + room * 0.1
    return Bar(
        round(x, 1),
        round(_HIGH - height, 1),
        round(min(room * 0.8, 80), 1),
        height,
        round(x + min(room * 0.8, 80) / 2, 1),
        label,
        shown,
    )
