"""Telegram's HTML: a few tags and no others; what is written badly is refused as the server does."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.telegram.errors import Refused, bad_request

# docs/facts.md#telegram-text (Bot API, "HTML style" and sendMessage).
MAX_TEXT: Final = 4096
_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "tg-emoji": "custom_emoji",
    "blockquote": "blockquote",
}
_PART: Final = re.compile(
    r"<(?P<close>/?)(?P<name>[a-zA-Z0-9-]*)(?P<rest>[^<>]*)(?P<end>>?)|[^<]+", re.DOTALL
)
_HREF: Final = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);")


@dataclass(frozen=True, slots=True)
class Text:
    """What people read, the marks in it as the Bot API tells them, and the HTML to show it by."""

    plain: str
    entities: tuple[dict[str, object], ...] = ()
    html: str = ""


@dataclass(slots=True)
class _Open:
    name: str
    at: int
    url: str


class _Reading:
    """One text while it is read from its beginning to its end."""

    def __init__(self) -> None:
        self.plain = ""
        self.entities: list[dict[str, object]] = []
        self._open: list[_Open] = []

    def add(self, part: re.Match[str], offset: int) -> None:
        if not part[0].startswith("<"):
            self.plain += _ENTITY.sub(lambda found: html.unescape(found[0]), part[0])
        elif part["close"]:
            self._closes(part, offset)
        else:
            self._opens(part, offset)

    def _opens(self, part: re.Match[str], offset: int) -> None:
        if not part["end"]:
            raise _unreadable(f"Unclosed start tag at byte offset {offset}")
        name = part["name"].lower()
        if name not in _TAGS:
            raise _unreadable(f'Unsupported start tag "{name}" at byte offset {offset}')
        href = _HREF.search(part["rest"])
        url = next((group for group in href.groups() if group), "") if href else ""
        self._open.append(_Open(name, _units(self.plain), html.unescape(url)))

    def _closes(self, part: re.Match[str], offset: int) -> None:
        if not self._open:
            raise _unreadable(f"Unexpected end tag at byte offset {offset}")
        opened, name = self._open.pop(), part["name"].lower()
        if name != opened.name:
            raise _unreadable(
                f'Unmatched end tag at byte offset {offset}, expected "</{opened.name}>", found "</{name}>"'
            )
        self._marks(opened)

    def _marks(self, opened: _Open) -> None:
        length = _units(self.plain) - opened.at
        if length <= 0 or (opened.name == "a" and not opened.url):
            return
        mark: dict[str, object] = {"type": _TAGS[opened.name], "offset": opened.at, "length": length}
        self.entities.append(mark | ({"url": opened.url} if opened.url else {}))

    def ends(self) -> None:
        if self._open:
            name = self._open[-1].name
            raise _unreadable(f'Can\'t find end tag corresponding to start tag "{name}"')


def read_text(text: object, parse_mode: object, *, field: str = "message text") -> Text:
    """Return what people will read; raises Refused as the server does. Markdown is not read here."""
    if not isinstance(text, str) or not text:
        raise bad_request(f"{field} is empty")
    read = _read(text, parse_mode)
    if not read.plain.strip():
        raise bad_request(f"{field} must be non-empty")
    if len(read.plain) > MAX_TEXT:
        raise bad_request("message is too long")
    return read


def _read(text: str, parse_mode: object) -> Text:
    mode = str(parse_mode or "").lower()
    if mode == "":
        return Text(text, html=html.escape(text, quote=False))
    if mode != "html":
        raise bad_request("unsupported parse_mode")
    reading = _Reading()
    for part, offset in _parts(text):
        reading.add(part, offset)
    reading.ends()
    return Text(reading.plain, tuple(reading.entities), text)


def _parts(text: str) -> Iterator[tuple[re.Match[str], int]]:
    offset = 0
    for part in _PART.finditer(text):
        yield part, offset
        offset += len(part[0].encode())


def _units(text: str) -> int:
    """Return its length as Telegram counts marks: in UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def _unreadable(why: str) -> Refused:
    return bad_request(f"can't parse entities: {why}")
