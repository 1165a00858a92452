"""Whose hand a command is, for the record of operators' deeds."""

import getpass

import click

from core.errors import RuleError
from core.operators.kitchens import Hand
from core.partners.partners import OPERATORS
from core.partners.words import name_of

by_option = click.option("--by", metavar="NAME", help="Who you are, on record; your login by default.")


def hand_of(by: str | None) -> Hand:
    """Return whose hand it is; kitchens and platforms are told a name only where one was given."""
    try:
        name = name_of(by) if by is not None else None
    except RuleError:
        raise click.UsageError("--by takes a name of 1 to 120 printable characters.") from None
    return Hand(name or _login(), "cli", name or OPERATORS.name)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without a user name, as in a container
        return "cli"
