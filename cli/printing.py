"""What commands print: JSON for programs, aligned columns for people."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

# What came from outside must not steer the terminal: control characters, and what turns text around.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

as_json_option: Final[Callable[[Callable[..., Any]], Callable[..., Any]]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON."
)


def show(document: object, lines: Callable[[], str], *, as_json: bool) -> None:
    """Print `document` as JSON, or what `lines` says of it to a person."""
    if as_json:
        text = json.dumps(document, ensure_ascii=False, indent=2)
        click.echo(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
    else:
        click.echo(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", lines()))


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows under headers, each column as wide as its widest cell; a line break becomes a space."""
    cells = [list(headers), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def facts(pairs: Mapping[str, object]) -> str:
    """Return one line for each name and value, the values under each other."""
    width = max(map(len, pairs), default=0)
    return "\n".join(f"{name.ljust(width)}  {_cell(value)}" for name, value in pairs.items())


def money(amount: int) -> str:
    """Return đồng as they are written in Vietnam: `2.400.000 đ`."""
    return f"{amount:,} đ".replace(",", ".")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())
