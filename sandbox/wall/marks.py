"""A text of Telegram's with its marks, as HTML of our own: nothing of what was sent is taken as it is."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

_TAGS: Final[Mapping[str, str]] = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "code",
    "blockquote": "q",
    "text_link": "a",
}


def marked(text: str, entities: Sequence[Mapping[str, object]]) -> Markup:
    """Return the text with its marks; they are counted in UTF-16, as Telegram counts."""
    units = text.encode("utf-16-le")
    marks = [mark for mark in entities if mark["type"] in _TAGS]
    cuts = sorted({0, len(units) // 2, *(edge for mark in marks for edge in _edges(mark))})
    parts = [
        _dressed(
            units[2 * start : 2 * end].decode("utf-16-le"), [one for one in marks if _covers(one, start)]
        )
        for start, end in pairwise(cuts)
    ]
    return Markup().join(parts)


def _edges(mark: Mapping[str, object]) -> tuple[int, int]:
    start, length = int(str(mark["offset"])), int(str(mark["length"]))
    return start, start + length


def _covers(mark: Mapping[str, object], at: int) -> bool:
    start, end = _edges(mark)
    return start <= at < end


def _dressed(text: str, marks: Sequence[Mapping[str, object]]) -> Markup:
    shown = escape(text)
    for mark in marks:
        tag = _TAGS[str(mark["type"])]
        if tag == "a":
            shown = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(mark["url"], shown)
        else:
            shown = Markup("<{0}>{1}</{0}>").format(Markup(tag), shown)  # noqa: S704 - a tag of the list above
    return shown
