"""Prints `.env.example`, made from the settings: every one of them, what it is for, and its default."""

import json
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum

import click
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from core.settings import PREFIX, Settings


def example() -> str:
    """Return the text of `.env.example`: defaults stand behind a `#`, what has none is empty."""
    head = "# Copy to .env and fill in what you use; a channel without its settings is off."
    return "\n".join([head, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if field.description:
            yield from ("", f"# {field.description}")
        yield f"#{PREFIX}{name.upper()}={_written(field)}"


def _written(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None:
        return ""
    if isinstance(default, tuple):
        return ",".join(map(_scalar, default))
    return json.dumps(default) if isinstance(default, dict) and default else _scalar(default)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        text: str = TypeAdapter(timedelta).dump_python(value, mode="json")
        return text
    if isinstance(value, dict):
        return ""
    return str(value.value) if isinstance(value, Enum) else str(value)


if __name__ == "__main__":
    click.echo(example(), nl=False)
