"""The table of real-life replies, as read from `replies_table.tsv`, and the words it tells meanings in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.intents import Act, Ask, Intent, Link, ListOrders, Money, Pause, Thank, Unclear

TABLE: Final = Path(__file__).with_suffix(".tsv")
_HIDDEN: Final = re.compile(r"\\n|\\t|\\u([0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class Row:
    """What somebody texted, what that means in the words of `told`, and where it stands in the table."""

    line: int
    means: str
    text: str
    prefix: str

    @property
    def acts(self) -> bool:
        """Whether it confirms, cancels or completes something."""
        return self.means.partition(" ")[0] in {"confirm", "cancel", "complete"}


def rows() -> Iterator[Row]:
    """Yield the rows of the table; lines that begin with # are for who reads it."""
    for number, line in enumerate(TABLE.read_text("utf-8").split("\n"), 1):
        if line and not line.startswith("#"):
            means, text, prefix, *_ = [*line.split("\t"), "", ""]
            yield Row(number, means, _HIDDEN.sub(_shown, text), prefix)


def told(intent: Intent) -> str:
    """Return an intent in the words of the table: "cancel 48274 1"."""
    match intent:
        case Act(verb, code, reason):
            given = (str(reason.code), reason.words) if reason else ()
            return _joined(verb, code, *given)
        case ListOrders(status):
            return _joined("list", status)
        case Money(month, year):
            return _joined("money", f"{month}/{year}" if year else month)
        case Ask(question):
            return question.value
        case Pause(days, until, is_sure):
            end = (
                "/".join(str(part) for part in (until.day, until.month, until.year) if part)
                if until
                else None
            )
            return _joined("pause", days, end, "surely" if is_sure else None)
        case Link(code):
            return _joined("link", code)
        case Thank(code, words, otherwise):
            return f"{_joined('thank', code, words)}, or {told(otherwise)}"
        case Unclear(why, verb, typed):
            return _joined("unclear", why, verb, typed)


def _joined(*parts: str | int | None) -> str:
    return " ".join(str(part) for part in parts if part)


def _shown(hidden: re.Match[str]) -> str:
    if hidden[1]:
        return chr(int(hidden[1], 16))
    return "\n" if hidden[0] == r"\n" else "\t"
